/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies that take long: others get their turn meanwhile, and what happens to target and grant in the middle is seen.
 *
 * The memory is long, its frames are few: each is mapped many times. So nothing can be said about how far a copy has come from its
 * contents, and the checks of contents have memory of their own.
 */
#include "ktest_rs.h"
#include <string.h>

enum { RW = MAP_READ | MAP_WRITE, FRAMES = 256, MAPPINGS = 256, TRIES = 5 };
#define PIECE ((uint64_t)FRAMES * PAGE_BYTES)
#define LONG (PIECE * MAPPINGS)
#define SRC 0x310000000ull
#define DST 0x330000000ull

static struct grant_entry table[3];
static struct vsafecopy vector[4];

static bool long_map(endpoint_t ep, vaddr_t addr, paddr_t frames)
{
	int64_t err = 0;

	for (uint64_t at = 0; at < LONG && !err; at += PIECE)
		err = vm_map(frames ? MAP_FRAMES : MAP_UNMAP, ep, addr + at, FRAMES, frames, 0, RW);
	return !err;
}

static struct grant_entry granted(vaddr_t addr, uint64_t len)
{
	return (struct grant_entry){ .flags = GRANT_USED | GRANT_VALID | GRANT_DIRECT | GRANT_READ | GRANT_WRITE, .seq = 3,
				     .grantee = EP_ANY, .addr = addr, .len = len };
}

enum how { COPY, COPY_OTHER, SAFE, SAFE_VECTOR, FILL, NR_HOW };

static const char *const how_names[NR_HOW] = { "copy", "copy from another space", "safe copy", "vector", "fill" };

static int64_t copy_all(enum how how, endpoint_t ep, volatile int64_t *done)
{
	uint64_t n = 0;
	int64_t err;

	switch (how) {
	case COPY: case COPY_OTHER: err = sys_vircopy(ep, SRC, EP_SELF, DST, LONG, 0, &n); break;
	case SAFE: err = sys_safecopyfrom(ep, grant_make(3, 1), 0, (void *)DST, LONG); break;
	case SAFE_VECTOR: err = sys_vsafecopy(vector, 4, &n); break;
	default: err = sys_safememset(ep, grant_make(3, 1), 0, 0x5a, LONG); break;
	}
	*done = (int64_t)n;
	return err;
}

/* a: how, whose memory; r: result, done, ns. */
static void copier(struct thread *t)
{
	nstime_t start = sys_uptime();

	t->r[3] = 1;
	t->r[0] = copy_all((enum how)t->a[0], (endpoint_t)t->a[1], &t->r[1]);
	t->r[2] = (int64_t)(sys_uptime() - start);
}

static void grant_all_to(struct thread *t)
{
	table[1] = granted(SRC, LONG);
	for (unsigned i = 0; i < 4; i++)
		vector[i] = (struct vsafecopy){ .src = t ? t->ep : EP_RS, .dst = EP_SELF, .grant = grant_make(3, 1),
						.offset = i * (LONG / 4), .addr = DST + i * (LONG / 4), .len = LONG / 4 };
}

/* The longest time that the script, which is more urgent than the copier, slept more than it wanted. */
static nstime_t longest_gap(struct thread *t)
{
	nstime_t longest = 0;

	while (!t->done) {
		nstime_t before = sys_uptime(), slept;

		sleep_ms(1);
		slept = sys_uptime() - before;
		longest = slept > longest ? slept : longest;
	}
	return longest;
}

/* The machine may be busy with something else: one of several tries has to show it. */
static void others_go_on(enum how how, endpoint_t ep)
{
	bool bounded = false;
	nstime_t gap = 0;

	for (int try = 0; try < TRIES && !bounded; try++) {
		struct thread *t = spawn(SERVICE, copier, how, ep);

		sys_schedule(t->ep, 8, 0, 0);
		gap = longest_gap(t);
		CHECK_EQ(t->r[0], 0, how_names[how]);
		if (how == COPY || how == COPY_OTHER || how == SAFE_VECTOR)
			CHECK_EQ(t->r[1], how == SAFE_VECTOR ? 4 : (int64_t)LONG, "all of it");
		bounded = (nstime_t)t->r[2] > 8 * gap;
		say("long: %s: %lu us, longest gap %lu us\n", how_names[how], (unsigned long)t->r[2] / 1000, (unsigned long)gap / 1000);
		reap(t);
	}
	check(bounded, "a long copy does not keep others waiting", (int64_t)gap);
}

/* ---- in the middle ---- */

static void just_be(struct thread *t)
{
	if (t->a[0])
		t->r[0] = sys_setgrant(table, 3);
	t->done = 1;
	for (;;)
		ipc_receive(EP_CLOCK, &t->m, 0);
}

enum event { DIES, REVOKES, UNMAPS };

static void event_do(enum event event, struct thread *target)
{
	if (event == DIES)
		sys_clear(target->ep);
	else if (event == REVOKES)
		table[1].flags &= ~(uint32_t)GRANT_VALID;
	else
		vm_map(MAP_UNMAP, EP_RS, SRC + LONG - PIECE, FRAMES, 0, 0, 0);
}

/* Undone again, whatever it was. */
static void event_undo(enum event event, struct thread *target, paddr_t frames)
{
	if (event == UNMAPS)
		vm_map(MAP_FRAMES, EP_RS, SRC + LONG - PIECE, FRAMES, frames, 0, RW);
	reap(target);		/* a free slot is fine */
}

/* A copy that was over before the event came is no failure; one of several tries has to be in its middle. */
static void in_the_middle(enum how how, enum event event, int64_t want, const char *what, paddr_t frames)
{
	int64_t got = 0;

	for (int try = 0; try < TRIES && got != want; try++) {
		struct thread *target = spawn(SERVICE, just_be, 1, 0), *t;

		wait_done(target);
		grant_all_to(target);
		t = spawn(SERVICE, copier, how, target->ep);
		sys_schedule(t->ep, 8, 0, 0);
		sleep_ms(5);
		event_do(event, target);
		CHECK(wait_done(t), "the copy ends");
		got = t->r[0];
		CHECK(got == 0 || got == want, what);
		CHECK(got == 0 || (uint64_t)t->r[1] < (how == COPY ? LONG : 4), "what it says is done");
		reap(t);
		event_undo(event, target, frames);
	}
	check(got == want, what, got);
}

/* ---- contents ---- */

enum { BYTES = 5 * 128 * 1024 + 4321 };	/* several turns of the copier, and a rest */

static bool same(const uint8_t *a, const uint8_t *b, uint8_t before, uint8_t after)
{
	return a[-1] == before && memcmp(a, b, BYTES) == 0 && a[BYTES] == after;
}

static void contents_are_right(void)
{
	static uint8_t from[BYTES], to[BYTES + 2];
	struct thread *t = spawn(SERVICE, just_be, 1, 0);
	uint64_t done = 0;

	wait_done(t);
	for (uint32_t i = 0; i < BYTES; i++)
		from[i] = (uint8_t)(i * 2654435761u >> 24);
	CHECK_EQ(sys_vircopy(t->ep, (vaddr_t)from, EP_SELF, (vaddr_t)to + 1, BYTES, 0, &done), 0, "copy in turns");
	CHECK(done == BYTES && same(to + 1, from, 0, 0), "its contents");
	table[2] = granted((vaddr_t)to, BYTES + 2);
	memset(to, 7, sizeof(to));
	CHECK_EQ(sys_safecopyto(t->ep, grant_make(3, 2), 1, from, BYTES), 0, "safe copy in turns");
	CHECK(same(to + 1, from, 7, 7), "its contents");
	memset(to, 7, sizeof(to));
	CHECK_EQ(sys_safememset(t->ep, grant_make(3, 2), 1, 0x31, BYTES), 0, "fill in turns");
	CHECK(to[0] == 7 && to[1] == 0x31 && !memcmp(to + 1, to + 2, BYTES - 1) && to[BYTES + 1] == 7, "its contents");
	memset(to, 7, sizeof(to));
	vector[0] = (struct vsafecopy){ .src = EP_SELF, .dst = t->ep, .grant = grant_make(3, 2), .offset = 1, .addr = (vaddr_t)from,
					.len = BYTES / 3 };
	vector[1] = (struct vsafecopy){ .src = t->ep, .dst = EP_SELF, .grant = grant_make(3, 2), .addr = (vaddr_t)to, .len = 0 };
	vector[2] = vector[0];
	vector[2].offset += BYTES / 3;
	vector[2].addr += BYTES / 3;
	vector[2].len = BYTES - BYTES / 3;
	CHECK_EQ(sys_vsafecopy(vector, 3, &done), 0, "vector in turns");
	CHECK(done == 3 && same(to + 1, from, 7, 7), "its contents");
	vector[2].len += 2;
	CHECK_EQ(sys_vsafecopy(vector, 3, &done), -K_EPERM, "vector in turns, beyond the grant");
	CHECK_EQ(done, 2, "the elements before it");
	reap(t);
}

/* A copy over missing pages in its middle, TRY or not: where it stops. */
static void holes_are_found(void)
{
	uint64_t done = 0;

	vm_map(MAP_UNMAP, EP_RS, SRC + LONG - PIECE, FRAMES, 0, 0, 0);
	CHECK_EQ(sys_vircopy(EP_SELF, SRC, EP_SELF, DST, LONG, COPY_TRY, &done), -ESOFTFAULT, "into a hole, TRY");
	CHECK_EQ(done, LONG - PIECE, "all before the hole");
	CHECK_EQ(sys_vircopy(EP_SELF, SRC, EP_SELF, DST, LONG, 0, &done), -K_EFAULT, "into a hole");
	CHECK_EQ(done, LONG - PIECE, "all before the hole");
}

void check_long(void)
{
	paddr_t src = frames_from_vm(FRAMES), dst = frames_from_vm(FRAMES);

	CHECK(long_map(EP_RS, SRC, src) && long_map(EP_RS, DST, dst) && long_map(EP_DS, SRC, src), "long memory");
	grant_all_to(0);
	CHECK_EQ(sys_setgrant(table, 3), 0, "grants of it");
	for (enum how how = 0; how < NR_HOW; how++)
		others_go_on(how, how == COPY_OTHER ? EP_DS : EP_RS);
	in_the_middle(COPY, DIES, -EDEADEPT, "whose memory is copied dies", src);
	in_the_middle(SAFE, DIES, -EDEADEPT, "the granter dies", src);
	in_the_middle(SAFE_VECTOR, DIES, -EDEADEPT, "the granter of a vector dies", src);
	in_the_middle(SAFE, REVOKES, -K_EPERM, "the grant is revoked", src);
	in_the_middle(SAFE_VECTOR, REVOKES, -K_EPERM, "the grant of a vector is revoked", src);
	in_the_middle(FILL, REVOKES, -K_EPERM, "the grant of a fill is revoked", src);
	in_the_middle(SAFE, UNMAPS, -K_EFAULT, "the memory goes", src);
	contents_are_right();
	holes_are_found();
	long_map(EP_RS, SRC, 0);
	long_map(EP_RS, DST, 0);
	long_map(EP_DS, SRC, 0);
}

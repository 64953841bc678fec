/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random kernel calls, primitives and mappings. Whatever a process asks for, the kernel must neither panic nor lose count of what it owns.
 * Left out are calls whose purpose is to end or change the script itself. The sequence is the same at each run.
 */
#include "ktest_rs.h"

enum { CALLS = 20000, MAPS = 5000, BUFFER_WORDS = 512 };

static uint64_t random_state = 88172645463325252ull;
static uint64_t buffer[BUFFER_WORDS];
static endpoint_t victim;		/* a process with a space of its own that never runs */

static uint64_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Numbers that programs get wrong: small ones, borders, pointers good and bad, endpoints alive and dead. */
static uint64_t random_argument(void)
{
	static const uint64_t borders[] = { 0, 1, 2, 7, 8, 63, 64, 255, 256, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffefff, 0x7ffffffff000, 0x800000000000, 0xffff800000000000, 0xffffffff80100000, 0x7fffffffffffffff, ~0ull, ~1ull };

	switch (random_word() % 6) {
	case 0: return random_word() % 32;
	case 1: return borders[random_word() % (sizeof(borders) / sizeof(borders[0]))];
	case 2: return (uint64_t)&buffer[random_word() % BUFFER_WORDS];
	case 3: return (uint64_t)(int64_t)victim;
	case 4: return (uint64_t)endpoint_make((int)(random_word() % 4), (int)(random_word() % NR_PROCS));
	default: return random_word();
	}
}

static bool is_left_out(uint32_t call)
{
	static const uint32_t out[] = { KC_FORK, KC_EXEC, KC_CLEAR, KC_EXIT, KC_PRIVCTL, KC_KILL, KC_SIGSEND, KC_RUNCTL, KC_ROUTE,
		KC_VIRCOPY, KC_SPACE, KC_MAP, KC_PTFRAMES, KC_VMCTL, KC_PHYSCOPY, KC_MEMSET, KC_DEVIO, KC_SDEVIO, KC_VDEVIO, KC_IRQCTL,
		KC_ABORT, KC_UPDATE, KC_TRACE, KC_SETTIME, KC_GETKSIG, KC_ENDKSIG, KC_SETALARM, KC_SCHEDULE, KC_DIAGCTL, KC_STATECTL,
		KC_SETANSWER, KC_SETGRANT };

	for (unsigned i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		if (out[i] == call)
			return true;
	return false;
}

/* Calls that act on a process at random, on the victim only. */
static bool is_for_victim(uint32_t call)
{
	return call == KC_EXEC || call == KC_KILL || call == KC_SIGSEND || call == KC_RUNCTL || call == KC_TRACE || call == KC_SCHEDULE
		|| call == KC_SETANSWER || call == KC_ENDKSIG || call == KC_PRIVCTL;
}

static void random_calls(struct thread *t)
{
	for (int i = 0; i < CALLS; i++) {
		uint32_t call = MSG_KCALL + (uint32_t)(random_word() % (KC_COUNT + 2));
		uint64_t w[MSG_WORDS];

		for (int n = 0; n < MSG_WORDS; n++)
			w[n] = random_argument();
		if (is_for_victim(call))
			w[0] = (uint64_t)(int64_t)victim;
		else if (is_left_out(call))
			continue;
		if (call == KC_PRIVCTL && w[1] == PRIVCTL_ALLOW)
			continue;
		kcall(call, w);
		t->r[0]++;
	}
}

/* System calls of a service, but for those that end it or make it wait: exit, exit_group, futex. */
static void random_system_call(void)
{
	uint64_t number = random_word() % 8192;

	if (number != 60 && number != 231 && number != 202)
		linux_call(number, random_argument(), random_argument(), 0, 0, 0, 0);
}

static void random_primitives(struct thread *t)
{
	for (int i = 0; i < CALLS; i++) {
		struct message m = { .type = (uint32_t)random_word(), .w = { random_word() } };
		endpoint_t to = random_word() % 4 ? (endpoint_t)random_argument() : t->ep;

		if (to == EP_RS || to == EP_VM || to == EP_DS)
			continue;
		switch (random_word() % 4) {
		case 0: ipc_senda(to, &m, (uint32_t)random_word() % 5); break;
		case 1: ipc_notify(to); break;
		case 2: ipc_sendnb(to, &m); break;
		default: random_system_call(); break;
		}
		t->r[0]++;
	}
	sys_sendacancel(EP_ANY, 0);
}

/* The script's own frames, the kernel's, devices, nonsense. */
static paddr_t random_frame(paddr_t own)
{
	switch (random_word() % 5) {
	case 0: return own + (random_word() % 8) * PAGE_BYTES;
	case 1: return 0x100000 + (random_word() % 256) * PAGE_BYTES;
	case 2: return 0xfe000000 + (random_word() % 256) * PAGE_BYTES;
	case 3: return random_argument();
	default: return own;
	}
}

static void random_maps(void)
{
	paddr_t own = frames_from_vm(8);
	uint64_t done, worked = 0;

	for (int i = 0; i < MAPS; i++) {
		struct map_op op = { .kind = (uint32_t)(random_word() % 8), .ep = victim, .addr = random_argument() & ~4095ull,
				     .npages = random_word() % 4 ? random_word() % 4 : random_argument(),
				     .prot = (uint32_t)random_word() % 32 };

		op.paddr = random_frame(own);
		if (op.kind == MAP_COPY)
			op.src_paddr = random_frame(own);
		else
			op.src_ep = random_word() % 2 ? EP_DS : (endpoint_t)random_argument();
		worked += sys_map(&op, 1, &done) == 0;
		if (i % 64 == 0) {
			struct message m = { .type = KTEST_VM_PTFRAMES, .w = { 16 } };

			ipc_sendrec(EP_VM, &m);
		}
	}
	check(worked > MAPS / 20, "some of the random mappings work", (int64_t)worked);
}

void check_fuzz(void)
{
	struct thread *t;
	uint64_t root;

	sys_fork(EP_NONE, 0, 0, 0, &victim);
	sys_space(victim, SPACE_NEW, 0, 0);
	random_maps();
	CHECK_EQ(sys_space(EP_DS, SPACE_ROOT, 0, &root), 0, "the echo server lives");
	t = spawn(SERVICE, random_calls, 0, 0);
	CHECK(wait_done(t) && t->r[0] > CALLS / 4, "random kernel calls");
	reap(t);
	t = spawn(SERVICE, random_primitives, 0, 0);
	for (int i = 0; i < 10 && !wait_done(t); i++)
		;
	CHECK(t->done, "random primitives");
	reap(t);
	sys_clear(victim);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of what matters most. With -icount shift=0 a nanosecond is an instruction. */
#include "ktest_rs.h"

enum { ROUNDS = 20000 };

static void report(const char *what, nstime_t ns, unsigned rounds)
{
	say("measure: %s %lu ns\n", what, (unsigned long)(ns / rounds));
}

static void server(struct thread *t)
{
	struct message m = { 0 };
	endpoint_t to = EP_NONE;

	for (;;) {
		ipc_replyrec(to, &m, 0, EP_ANY, &m, 0);
		to = m.source;
	}
	(void)t;
}

static void client(struct thread *t)
{
	nstime_t start = sys_uptime();

	for (int i = 0; i < ROUNDS; i++) {
		t->m.type = MSG_TEST;
		ipc_sendrec((endpoint_t)t->a[0], &t->m);
	}
	t->r[0] = (int64_t)(sys_uptime() - start);
	start = sys_uptime();
	for (int i = 0; i < ROUNDS; i++)
		sys_uptime();
	t->r[1] = (int64_t)(sys_uptime() - start);
}

static void user_calls(struct thread *t)
{
	for (int i = 0; i < ROUNDS; i++)
		linux_call((uint64_t)t->a[0], 0, 0, 0, 0, 0, 0);
}

static void measure_user(const char *what, uint32_t kind, int32_t target)
{
	struct route_entry e = { kind, target };
	struct thread *t;
	nstime_t start;

	sys_route(ROUTE_TABLE_USER, 410, 1, &e);
	t = spawn(USER, user_calls, 410, 0);
	start = sys_uptime();
	wait_done(t);
	report(what, sys_uptime() - start, ROUNDS);
	reap(t);
}

/* Of DS's memory, through its page tables: what a driver does with that of its client. */
static void measure_copy(const char *what, uint64_t len)
{
	static uint8_t own[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	nstime_t start;

	CHECK_EQ(sys_vircopy(EP_SELF, (vaddr_t)own, EP_DS, LAZY_FIRST, len, 0, 0), 0, "memory to copy from");
	start = sys_uptime();
	for (int i = 0; i < ROUNDS; i++)
		sys_vircopy(EP_DS, LAZY_FIRST, EP_SELF, (vaddr_t)own, len, 0, 0);
	report(what, sys_uptime() - start, ROUNDS);
}

/* Granted by a thread, which shares the memory. */
static void measure_safecopy(const char *what, struct thread *granter, uint64_t len)
{
	static uint8_t own[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	nstime_t start = sys_uptime();

	for (int i = 0; i < ROUNDS; i++)
		sys_safecopyfrom(granter->ep, grant_make(3, 0), 0, own, len);
	report(what, sys_uptime() - start, ROUNDS);
	CHECK_EQ(sys_safecopyfrom(granter->ep, grant_make(3, 0), 0, own, len), 0, what);
}

static void granter(struct thread *t)
{
	static uint8_t memory[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	static struct grant_entry table[1];

	table[0] = (struct grant_entry){ .flags = GRANT_USED | GRANT_VALID | GRANT_DIRECT | GRANT_READ, .seq = 3, .grantee = EP_ANY,
					 .addr = (vaddr_t)memory, .len = sizeof(memory) };
	t->r[0] = sys_setgrant(table, 1);
}

static void measure_copies(void)
{
	struct thread *t = spawn(SERVICE, granter, 0, 0);

	wait_done(t);
	measure_copy("copy of 64 bytes", 64);
	measure_copy("copy of a page", PAGE_BYTES);
	measure_safecopy("safe copy of 64 bytes", t, 64);
	measure_safecopy("safe copy of a page", t, PAGE_BYTES);
	reap(t);
}

void measure(void)
{
	struct thread *s = spawn(SERVICE, server, 0, 0), *c;

	c = spawn(SERVICE, client, s->ep, 0);
	sys_schedule(s->ep, 4, 0, 1);
	sys_schedule(c->ep, 4, 0, 1);
	CHECK(wait_done(c), "round trips");
	report("round trip, same space", (nstime_t)c->r[0], ROUNDS);
	report("kernel call", (nstime_t)c->r[1], ROUNDS);
	reap(c);
	reap(s);
	c = spawn(SERVICE, client, EP_DS, 0);
	sys_schedule(c->ep, 4, 0, 1);
	CHECK(wait_done(c), "round trips");
	report("round trip, two spaces", (nstime_t)c->r[0], ROUNDS);
	reap(c);
	measure_copies();
	measure_user("system call answered from the slot", ROUTE_ANSWER, ANSWER_PID);
	measure_user("system call to a server", ROUTE_SERVER, EP_DS);
}

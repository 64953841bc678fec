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
	measure_user("system call answered from the slot", ROUTE_ANSWER, ANSWER_PID);
	measure_user("system call to a server", ROUTE_SERVER, EP_DS);
}

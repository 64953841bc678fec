/* SPDX-License-Identifier: BSD-2-Clause */
/* Routed system calls: servers, answers, nowhere. */
#include "ktest_rs.h"

enum { CALL_SERVER = 400, CALL_ANSWER, CALL_NOWHERE, CALL_OWN = 0x1005 };

static void calls(struct thread *t)
{
	t->r[0] = linux_call(CALL_SERVER, 10, 20, 30, 40, 50, 60);
	t->r[1] = linux_call(CALL_SERVER, 11, 0, 0, 0, 0, 0);
	t->r[2] = linux_call(CALL_SERVER, 12, 0, 0, 0, 0, 0);
	t->r[3] = linux_call(CALL_ANSWER, 0, 0, 0, 0, 0, 0);
	t->r[4] = linux_call(CALL_NOWHERE, 0, 0, 0, 0, 0, 0);
	t->r[5] = linux_call(CALL_OWN, 1, 0, 0, 0, 0, 0);
	t->r[6] = linux_call(0x3000, 1, 0, 0, 0, 0, 0);
}

static void serve(struct thread *t, uint32_t type, int64_t result)
{
	struct message m;
	uint32_t status = 0;

	CHECK_EQ(ipc_receive(t->ep, &m, &status), 0, "a routed call");
	CHECK_EQ(m.type, MSG_LINUX + type, "its number");
	CHECK(status & IPC_STATUS_CALL && status & IPC_STATUS_USER && status & IPC_STATUS_FROM_KERNEL, "its status");
	if (m.w[0] == 10)
		CHECK(m.w[1] == 20 && m.w[2] == 30 && m.w[3] == 40 && m.w[4] == 50 && m.w[5] == 60, "its arguments");
	m.w[0] = (uint64_t)result;
	CHECK_EQ(ipc_senda(t->ep, &m, 0), 0, "the result");
}

static void calls_reach_servers(void)
{
	struct route_entry server = { ROUTE_SERVER, EP_RS }, answer = { ROUTE_ANSWER, ANSWER_EUID };
	uint64_t answers[NR_ANSWERS] = { 0 };
	struct thread *t;

	CHECK_EQ(sys_route(ROUTE_TABLE_USER, CALL_SERVER, 1, &server), 0, "route to a server");
	CHECK_EQ(sys_route(ROUTE_TABLE_USER, CALL_ANSWER, 1, &answer), 0, "route to an answer");
	CHECK_EQ(sys_route(ROUTE_TABLE_USER, ROUTE_NR_LINUX + 5, 1, &server), 0, "route of a number of our own");
	t = spawn(USER, calls, 0, 0);
	answers[ANSWER_EUID] = 1234;
	CHECK_EQ(sys_setanswer(t->ep, 1 << ANSWER_EUID, answers), 0, "the answer");
	serve(t, CALL_SERVER, 0x7fffffff0000);
	serve(t, CALL_SERVER, -K_EAGAIN);
	serve(t, CALL_SERVER, -EDEADSRCDST);
	serve(t, 0x1005, 77);
	CHECK(wait_done(t), "all calls come back");
	CHECK_EQ(t->r[0], 0x7fffffff0000, "an address as result");
	CHECK_EQ(t->r[1], -K_EAGAIN, "an error as result");
	CHECK_EQ(t->r[2], -K_EIO, "internal errors become EIO");
	CHECK_EQ(t->r[3], 1234, "the answer");
	CHECK_EQ(t->r[4], -K_ENOSYS, "nowhere");
	CHECK_EQ(t->r[5], 77, "a call of our own");
	CHECK_EQ(t->r[6], -K_ENOSYS, "a number out of range");
	reap(t);
}

/* ERESTART* without a handler: the program makes the call again and never sees the code. */
static void one_call(struct thread *t)
{
	t->r[0] = linux_call(CALL_SERVER, 5, 0, 0, 0, 0, 0);
}

static void calls_are_restarted(void)
{
	struct thread *t = spawn(USER, one_call, 0, 0);

	serve(t, CALL_SERVER, -ERESTARTSYS);
	serve(t, CALL_SERVER, -ERESTARTNOHAND);
	serve(t, CALL_SERVER, 3);
	CHECK(wait_done(t) && t->r[0] == 3, "restarted until it has a result");
	reap(t);
}

static void serve_none(struct thread *t)
{
	struct message m;

	ipc_receive(EP_ANY, &m, 0);
	t->r[0] = 1;
	ipc_receive(EP_CLOCK, &m, 0);
}

static void server_dies(void)
{
	struct thread *server = spawn(SERVICE, serve_none, 0, 0), *a, *b;
	struct route_entry to = { ROUTE_SERVER, server->ep };

	sys_route(ROUTE_TABLE_USER, CALL_SERVER, 1, &to);
	a = spawn(USER, one_call, 0, 0);
	sleep_ms(2);
	b = spawn(USER, one_call, 0, 0);
	sleep_ms(2);
	CHECK_EQ(server->r[0], 1, "one call is in progress");
	reap(server);
	CHECK(wait_done(a) && wait_done(b), "both calls end");
	CHECK(a->r[0] == -K_EIO && b->r[0] == -K_EIO, "with EIO");
	reap(a);
	reap(b);
	a = spawn(USER, one_call, 0, 0);
	CHECK(wait_done(a) && a->r[0] == -K_EIO, "a call to a dead server");
	reap(a);
}

void check_routes(void)
{
	calls_reach_servers();
	calls_are_restarted();
	server_dies();
}

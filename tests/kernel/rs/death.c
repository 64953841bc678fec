/* SPDX-License-Identifier: BSD-2-Clause */
/* What the others see when a process dies or declares that it has forgotten its callers. */
#include "ktest_rs.h"

static void call_peer(struct thread *t)
{
	t->m.type = MSG_TEST;
	t->r[0] = ipc_sendrec((endpoint_t)t->a[0], &t->m);
}

static void send_peer(struct thread *t)
{
	t->m.type = MSG_TEST;
	t->r[0] = ipc_send((endpoint_t)t->a[0], &t->m);
}

static void receive_peer(struct thread *t)
{
	t->r[0] = ipc_receive((endpoint_t)t->a[0], &t->m, 0);
}

/* Takes one message and keeps its sender waiting. */
static void take_one(struct thread *t)
{
	struct message m;

	t->r[0] = ipc_receive(EP_ANY, &m, 0);
	if (t->a[0])
		t->r[1] = sys_statectl(STATECTL_CLEAR_IPC_REFS);
	ipc_receive(EP_CLOCK, &m, 0);
}

/* The same, but notifies a[0], and forgets when the test says so. */
static void take_one_then_forget(struct thread *t)
{
	struct message m;

	t->r[0] = ipc_receive(EP_ANY, &m, 0);
	ipc_notify((endpoint_t)t->a[0]);
	ipc_receive(EP_RS, &m, 0);
	t->r[1] = sys_statectl(STATECTL_CLEAR_IPC_REFS);
	ipc_receive(EP_CLOCK, &m, 0);
}

/* Deaf until the test says so. */
static void receive_later(struct thread *t)
{
	struct message m;

	ipc_receive(EP_RS, &m, 0);
	t->r[0] = ipc_receive(EP_ANY, &t->m, 0);
}

struct scene { struct thread *server, *called, *calling, *sending, *receiving, *any; };

/* A server with one call in progress, a caller and a sender queued, one that waits for it, and one that waits for anybody. */
static struct scene scene_make(void (*server)(struct thread *), endpoint_t notified)
{
	struct scene s;

	s.server = spawn(SERVICE, server, server == take_one ? 0 : notified, 0);
	s.called = spawn(SERVICE, call_peer, s.server->ep, 0);
	sleep_ms(3);
	s.calling = spawn(SERVICE, call_peer, s.server->ep, 0);
	s.sending = spawn(SERVICE, send_peer, s.server->ep, 0);
	s.receiving = spawn(SERVICE, receive_peer, s.server->ep, 0);
	s.any = spawn(SERVICE, receive_peer, EP_ANY, 0);
	sleep_ms(3);
	return s;
}

static void scene_check(struct scene *s, const char *how)
{
	struct thread *all[] = { s->called, s->calling, s->sending, s->receiving };

	for (int i = 0; i < 4; i++) {
		CHECK(wait_done(all[i]), how);
		CHECK_EQ(all[i]->r[0], -EDEADSRCDST, how);
	}
	CHECK_EQ(s->any->done, 0, "receive from anybody is left alone");
	for (int i = 0; i < 4; i++)
		reap(all[i]);
	reap(s->any);
}

static void clear_ends_waits(void)
{
	struct scene s = scene_make(take_one, EP_NONE);

	reap(s.server);
	scene_check(&s, "death of the server ends waits");
}

static void clear_refs_ends_waits(void)
{
	struct scene s = scene_make(take_one, EP_NONE);
	struct message m = { .type = MSG_TEST };

	CHECK_EQ(sys_privctl(s.server->ep, PRIVCTL_CLEAR_IPC_REFS, 0, 0, 0), 0, "clear references");
	scene_check(&s, "clearing references ends waits");
	CHECK_EQ(ipc_sendnb(s.server->ep, &m), -ENOTREADY, "the server lives on");
	reap(s.server);
}

static void statectl_on_oneself(void)
{
	struct thread *server = spawn(SERVICE, take_one, 1, 0), *t;

	t = spawn(SERVICE, call_peer, server->ep, 0);
	CHECK(wait_done(t), "statectl frees the caller");
	CHECK_EQ(t->r[0], -EDEADSRCDST, "caller of a server that forgets");
	CHECK_EQ(server->r[1], 0, "statectl");
	CHECK_EQ(sys_statectl(77), -K_EINVAL, "unknown statectl");
	reap(t);
	reap(server);
}

static void statectl_ends_waits(void)
{
	struct thread *deaf = spawn(SERVICE, receive_later, 0, 0);
	struct scene s = scene_make(take_one_then_forget, deaf->ep);
	struct message m = { .type = MSG_TEST };

	CHECK_EQ(ipc_send(s.server->ep, &m), 0, "the server is told to forget");
	scene_check(&s, "statectl ends waits");
	CHECK_EQ(s.server->r[1], 0, "statectl of a server with callers");
	CHECK_EQ(ipc_send(deaf->ep, &m), 0, "whom it has notified listens now");
	sleep_ms(3);
	CHECK_EQ(deaf->done, 0, "statectl takes back notifications");
	reap(deaf);
	reap(s.server);
}

/* A queue must not keep a link to a process that died in it. */
static void dead_caller_leaves_the_queue(void)
{
	struct thread *a = spawn(SERVICE, send_peer, EP_RS, 0), *b = spawn(SERVICE, send_peer, EP_RS, 0);
	struct thread *c = spawn(SERVICE, send_peer, EP_RS, 0);
	struct message m;

	sleep_ms(3);
	reap(b);
	CHECK_EQ(ipc_receive(c->ep, &m, 0), 0, "the last of the queue");
	CHECK_EQ(ipc_receive(a->ep, &m, 0), 0, "the first of the queue");
	CHECK(wait_done(a) && wait_done(c), "both go on");
	reap(a);
	reap(c);
}

static void generations_differ(void)
{
	endpoint_t first = 0, e;
	bool reused = false;

	CHECK_EQ(sys_fork(EP_NONE, 0, 0, 0, &first), 0, "an empty service");
	sys_clear(first);
	for (int i = 0; i < 3 * NR_PROCS && !reused; i++) {
		if (sys_fork(EP_NONE, 0, 0, 0, &e))
			break;
		reused = endpoint_slot(e) == endpoint_slot(first);
		CHECK(e != first, "a slot used again has another endpoint");
		sys_clear(e);
	}
	CHECK(reused, "the slot is used again");
	CHECK_EQ(sys_clear(first), 0, "clearing the dead is fine");
}

static void slots_run_out(void)
{
	static endpoint_t all[NR_PROCS];
	int n = 0;

	while (n < NR_PROCS && sys_fork(EP_NONE, 0, 0, 0, &all[n]) == 0)
		n++;
	CHECK(n > NR_PROCS / 2 && n < NR_PROCS, "slots until the table is full");
	CHECK_EQ(sys_fork(EP_NONE, 0, 0, 0, &all[0]), -K_EAGAIN, "fork with a full table");
	while (n)
		sys_clear(all[--n]);
}

void check_death(void)
{
	clear_ends_waits();
	clear_refs_ends_waits();
	statectl_on_oneself();
	statectl_ends_waits();
	dead_caller_leaves_the_queue();
	generations_differ();
	slots_run_out();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Exchange of two services' memory: what clients see, and what stays with the endpoint. */
#include "ktest_rs.h"

/* Version a[0] of a server; the second one first reports to the script, as a new instance does. */
static void version(struct thread *t)
{
	struct message m = { .type = MSG_TEST + 40 };
	uint32_t status;
	endpoint_t to = EP_NONE;

	if (t->a[0] > 1)
		t->r[0] = ipc_sendrec(EP_RS, &m);
	for (;;) {
		ipc_replyrec(to, &m, 0, EP_ANY, &m, &status);
		t->r[1] += ipc_is_notify(status);
		to = status & IPC_STATUS_CALL ? m.source : EP_NONE;
		m.w[0] = (uint64_t)t->a[0];
	}
}

static int64_t ask(endpoint_t ep)
{
	struct message m = { .type = MSG_TEST };

	return ipc_sendrec(ep, &m) ? -1 : (int64_t)m.w[0];
}

static void client(struct thread *t)
{
	t->r[0] = ask((endpoint_t)t->a[0]);
}

static void refusals(struct thread *a)
{
	struct thread *u = spawn(USER, client, 0, 0);

	sleep_ms(2);
	CHECK_EQ(sys_update(a->ep, endpoint_make(9, 60)), -EDEADEPT, "update with the dead");
	CHECK_EQ(sys_update(a->ep, u->ep), -K_EPERM, "update with a user process");
	CHECK_EQ(sys_update(a->ep, a->ep), -K_EINVAL, "update with itself");
	CHECK_EQ(sys_update(a->ep, EP_SELF), -K_EINVAL, "update of the caller");
	reap(u);
}

static void swap_and_back(struct thread *a, struct thread *b)
{
	struct message m = { .type = MSG_TEST };
	struct thread *c;

	CHECK_EQ(ask(a->ep), 1, "the old version");
	CHECK_EQ(ipc_receive(b->ep, &m, 0), 0, "the new one is ready");
	CHECK_EQ(sys_update(a->ep, b->ep), 0, "update");
	CHECK_EQ(ipc_notify(a->ep), 0, "a notification before the new version listens");
	c = spawn(SERVICE, client, a->ep, 0);
	sleep_ms(2);
	CHECK_EQ(c->done, 0, "a caller waits");
	CHECK_EQ(ipc_sendnb(a->ep, &m), 0, "the new version starts under the old endpoint");
	CHECK(wait_done(c) && c->r[0] == 2, "and answers the caller");
	CHECK_EQ(b->r[1], 1, "and gets the notification");
	CHECK_EQ(ask(a->ep), 2, "the new version");
	CHECK_EQ(ask(b->ep), 1, "the old one under the other endpoint");
	CHECK_EQ(sys_update(a->ep, b->ep), 0, "back");
	CHECK_EQ(ask(a->ep), 1, "the old version again");
	reap(c);
}

/* ---- a reply that comes after its asker was exchanged ---- */

/* Keeps its first caller waiting until the script says so, and answers later ones with 200. */
static void slow_server(struct thread *t)
{
	struct message first, m;
	uint32_t status;

	ipc_receive(EP_ANY, &first, &status);
	t->r[0] = 1;
	ipc_receive(EP_RS, &m, &status);
	m = (struct message){ .type = MSG_TEST + 1, .w = { 100 } };
	t->r[1] = ipc_senda(first.source, &m, 0);
	for (;;) {
		ipc_receive(EP_ANY, &m, &status);
		m.type++;
		m.w[0] = 200;
		ipc_senda(m.source, &m, 0);
	}
}

static void successor(struct thread *t)
{
	struct message m;
	uint32_t status;

	ipc_receive(EP_RS, &m, &status);
	t->r[0] = ask((endpoint_t)t->a[0]);
}

static void late_reply(void)
{
	struct thread *s = spawn(SERVICE, slow_server, 0, 0), *a = spawn(SERVICE, client, s->ep, 0);
	struct thread *b = spawn(SERVICE, successor, s->ep, 0);
	struct message m = { .type = MSG_TEST + 20 };

	sleep_ms(2);
	CHECK_EQ(s->r[0], 1, "the server has the question");
	CHECK_EQ(sys_update(a->ep, b->ep), 0, "its asker is exchanged");
	CHECK_EQ(ipc_senda(s->ep, &m, 0), 0, "the server answers late");
	sleep_ms(2);
	CHECK_EQ(s->r[1], 0, "and does not notice that nobody wants it");
	CHECK_EQ(ipc_senda(a->ep, &m, 0), 0, "the successor asks too");
	CHECK(wait_done(b), "it is answered");
	CHECK_EQ(b->r[0], 200, "with the answer to its own question");
	reap(a);
	reap(b);
	reap(s);
}

void check_update(void)
{
	struct thread *a = spawn(SERVICE, version, 1, 0), *b = spawn(SERVICE, version, 2, 0);

	sleep_ms(2);
	refusals(a);
	swap_and_back(a, b);
	reap(a);
	reap(b);
	late_reply();
}

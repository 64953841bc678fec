/* SPDX-License-Identifier: BSD-2-Clause */
/* Asynchronous messages: order, bound, cancelling, failure notifications. */
#include "ktest_rs.h"

static void collect(struct thread *t)
{
	struct message m;

	for (int i = 0; i < (int)t->a[0]; i++) {
		ipc_receive(EP_RS, &m, 0);
		t->r[0] += m.w[0] == (uint64_t)i;
	}
}

static void wait_for_go(struct thread *t)
{
	struct message m;

	ipc_receive(EP_VM, &m, 0);
	t->r[0] = 1;
}

static void order_and_bound(void)
{
	struct thread *t = spawn(SERVICE, collect, OUTBOX_MAX, 0);
	struct message m = { .type = MSG_TEST };
	int sent = 0;

	sys_runctl(t->ep, RUNCTL_STOP, 0, 0);
	for (; sent < 200 && ipc_senda(t->ep, &m, 0) == 0; sent++)
		m.w[0]++;
	CHECK_EQ(sent, OUTBOX_MAX, "messages kept for one sender");
	CHECK_EQ(ipc_senda(t->ep, &m, 0), -K_EAGAIN, "the next one");
	sys_runctl(t->ep, RUNCTL_RESUME, 0, 0);
	CHECK(wait_done(t), "all arrive");
	CHECK_EQ(t->r[0], OUTBOX_MAX, "in the order of sending");
	reap(t);
}

static void cancel(void)
{
	struct thread *t = spawn(SERVICE, wait_for_go, 0, 0);
	struct message m = { .type = MSG_TEST };
	uint64_t dropped = 0;

	sleep_ms(2);
	CHECK_EQ(ipc_senda(t->ep, &m, 0), 0, "senda to who does not listen");
	CHECK_EQ(ipc_senda(t->ep, &m, 0), 0, "twice");
	CHECK_EQ(sys_sendacancel(endpoint_make(9, 60), &dropped), -EDEADEPT, "cancel for a dead target");
	CHECK_EQ(sys_sendacancel(t->ep, &dropped), 0, "cancel");
	CHECK_EQ(dropped, 2, "messages cancelled");
	CHECK_EQ(sys_sendacancel(EP_ANY, &dropped), 0, "cancel all");
	CHECK_EQ(dropped, 0, "nothing left to cancel");
	reap(t);
}

static void death_is_reported(void)
{
	struct thread *t = spawn(SERVICE, wait_for_go, 0, 0);
	struct message m = { .type = MSG_TEST };
	uint32_t status;

	sleep_ms(2);
	CHECK_EQ(ipc_senda(t->ep, &m, IPC_NOTIFY_ERR), 0, "senda");
	CHECK_EQ(ipc_senda(t->ep, &m, 0), 0, "senda");
	reap(t);
	CHECK_EQ(ipc_receive(EP_ASYNCM, &m, &status), 0, "the target's death is reported");
	CHECK(ipc_is_notify(status) && m.source == EP_ASYNCM, "by a notification from ASYNCM");
	CHECK_EQ(ipc_senda(t->ep, &m, 0), -EDEADSRCDST, "senda to the dead");
}

static void senda_to_rs(struct thread *t)
{
	t->m.type = MSG_TEST + 2;
	t->r[0] = ipc_senda(EP_RS, &t->m, 0);
}

static void dead_sender_vanishes(void)
{
	struct thread *t = spawn(SERVICE, senda_to_rs, 0, 0);
	struct info_leaks before, after;
	endpoint_t ep = t->ep;
	struct message m;

	wait_done(t);
	sys_getinfo(GETINFO_LEAKS, &before, sizeof(before), 0, 0);
	CHECK_EQ(before.outbox_used, 1, "a message is kept");
	reap(t);
	sys_getinfo(GETINFO_LEAKS, &after, sizeof(after), 0, 0);
	CHECK_EQ(after.outbox_used, 0, "it vanishes with its sender");
	CHECK_EQ(ipc_receive(ep, &m, 0), -EDEADSRCDST, "receive from the dead");
}

void check_async(void)
{
	order_and_bound();
	cancel();
	death_is_reported();
	dead_sender_vanishes();
}

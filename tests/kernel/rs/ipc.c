/* SPDX-License-Identifier: BSD-2-Clause */
/* Synchronous messages, notifications, masks, deadlock. */
#include "ktest_rs.h"

static void echo_once(void)
{
	struct message m = { .type = MSG_TEST + 8, .w = { 1, 2, 3, 4, 5, 6, ~0ull } };

	CHECK_EQ(ipc_sendrec(EP_DS, &m), 0, "sendrec to the echo server");
	CHECK_EQ(m.source, EP_DS, "source of the reply");
	CHECK_EQ(m.type, MSG_TEST + 8, "type of the reply");
	CHECK_EQ(m.w[0], 2, "first word of the reply");
	CHECK(m.w[1] == 2 && m.w[5] == 6 && m.w[6] == ~0ull, "words of the reply");
}

static void bad_targets(void)
{
	struct message m = { .type = MSG_TEST };

	CHECK_EQ(ipc_send(0, &m), -EDEADSRCDST, "send to endpoint 0");
	CHECK_EQ(ipc_send(endpoint_make(7, 40), &m), -EDEADSRCDST, "send to a dead endpoint");
	CHECK_EQ(ipc_send(endpoint_make(1, 1), &m), -EDEADSRCDST, "send to a stale generation of a live slot");
	CHECK_EQ(ipc_send(32767, &m), -EDEADSRCDST, "send to a slot out of range");
	CHECK_EQ(ipc_send(EP_ANY, &m), -K_EINVAL, "send to ANY");
	CHECK_EQ(ipc_sendrec(EP_SYSTEM, &m), -K_EINVAL, "sendrec to a kernel endpoint");
	CHECK_EQ(ipc_sendrec(EP_RS, &m), -ELOCKED, "sendrec to oneself");
	CHECK_EQ(ipc_receive(-77, &m, 0), -K_EINVAL, "receive from a bad endpoint");
	CHECK_EQ(ipc_receive(endpoint_make(9, 50), &m, 0), -EDEADSRCDST, "receive from a dead endpoint");
	CHECK_EQ(ipc_senda(EP_DS, &m, 64), -K_EINVAL, "senda with unknown flags");
}

/* ---- masks ---- */

static void try_masks(struct thread *t)
{
	t->m.type = MSG_TEST;
	t->r[0] = ipc_send(EP_RS, &t->m);
	t->r[1] = ipc_notify(EP_RS);
	t->r[2] = ipc_senda(EP_RS, &t->m, 0);
	t->r[3] = ipc_sendnb(EP_VM, &t->m);
	t->r[4] = sys_clear(EP_DS);
	t->r[5] = sys_setalarm(0, 0);
}

static void masks_hold(void)
{
	struct priv_spec s = spec_all();
	struct thread *t;

	s.trap_mask &= ~IPC_TRAP_BIT(IPC_SENDA);
	s.call_mask[0] = s.call_mask[1] = 0;
	for (int i = 0; i < PRIV_MASK_WORDS; i++)
		s.send_mask[i] = 0;
	/* Nobody's mask names the new id yet: RS and VM have all bits from boot, so the symmetric rule would let it answer them. */
	t = spawn_service(&s, try_masks, 0, 0);
	spawn_start(t);
	CHECK(!wait_done(t) || t->r[0] == 0, "a service may send to who may send to it");
	{
		struct message m;

		ipc_receive(t->ep, &m, 0);
	}
	CHECK(wait_done(t), "mask thread");
	CHECK_EQ(t->r[0], 0, "send allowed by symmetry");
	CHECK_EQ(t->r[1], 0, "notify allowed by symmetry");
	CHECK_EQ(t->r[2], -ETRAPDENIED, "primitive outside the trap mask");
	CHECK_EQ(t->r[4], -ECALLDENIED, "kernel call outside the call mask");
	CHECK_EQ(t->r[5], 0, "basic kernel call");
	{
		struct message m;
		uint32_t status;

		CHECK_EQ(ipc_receive(t->ep, &m, &status), 0, "the notification of it");
		CHECK(ipc_is_notify(status) && m.type == MSG_NOTIFY && m.w[0] > 0, "form of a notification");
	}
	reap(t);
}

static void send_to_peer(struct thread *t)
{
	t->m.type = MSG_TEST;
	t->r[0] = ipc_send((endpoint_t)t->a[0], &t->m);
	t->r[1] = ipc_notify((endpoint_t)t->a[0]);
}

static void receive_forever(struct thread *t)
{
	for (;;) {
		struct message m;

		t->r[7] = ipc_receive(EP_ANY, &m, 0);
		t->r[0]++;
		t->r[1] = m.source;
		t->r[2] = (int64_t)m.type;
	}
}

static void send_mask_denies(void)
{
	struct priv_spec s = spec_all();
	struct thread *deaf, *t;

	for (int i = 0; i < PRIV_MASK_WORDS; i++)
		s.send_mask[i] = 0;
	deaf = spawn_service(&s, receive_forever, 0, 0);
	spawn_start(deaf);
	t = spawn_service(&s, send_to_peer, deaf->ep, 0);
	spawn_start(t);
	CHECK(wait_done(t), "send mask thread");
	CHECK_EQ(t->r[0], -ECALLDENIED, "send outside the send mask");
	CHECK_EQ(t->r[1], -ECALLDENIED, "notify outside the send mask");
	reap(t);
	reap(deaf);
}

/* ---- order and coalescing ---- */

static void three_kinds(struct thread *t)
{
	t->m.type = MSG_TEST + 10;
	t->r[0] = ipc_senda(EP_RS, &t->m, 0);
	t->r[1] = ipc_notify(EP_RS);
	t->r[2] = ipc_notify(EP_RS);
	t->m.type = MSG_TEST + 12;
	t->r[3] = ipc_send(EP_RS, &t->m);
}

static void order_of_receiving(void)
{
	struct thread *t = spawn(SERVICE, three_kinds, 0, 0);
	struct message m;
	uint32_t status;

	sleep_ms(5);
	CHECK_EQ(ipc_receive(t->ep, &m, &status), 0, "first");
	CHECK_EQ(ipc_status_primitive(status), IPC_NOTIFY, "notifications come first, coalesced");
	CHECK_EQ(ipc_receive(t->ep, &m, &status), 0, "second");
	CHECK(ipc_status_primitive(status) == IPC_SENDA && m.type == MSG_TEST + 10, "then asynchronous messages");
	CHECK_EQ(t->done, 0, "the sender still waits");
	CHECK_EQ(ipc_receive(t->ep, &m, &status), 0, "third");
	CHECK(ipc_status_primitive(status) == IPC_SEND && m.type == MSG_TEST + 12, "then senders");
	CHECK(!(status & (IPC_STATUS_CALL | IPC_STATUS_USER | IPC_STATUS_FROM_KERNEL)), "flags of a plain send");
	CHECK(wait_done(t) && t->r[3] == 0, "the sender goes on");
	reap(t);
}

/* ---- SENDREC is ended by a reply alone ---- */

static void call_rs(struct thread *t)
{
	t->m.type = MSG_TEST + 20;
	t->r[0] = ipc_sendrec(EP_RS, &t->m);
	t->r[1] = (int64_t)t->m.type;
}

static void sendrec_waits_for_the_reply(void)
{
	struct thread *t = spawn(SERVICE, call_rs, 0, 0);
	struct message m, n = { .type = MSG_TEST + 30 };
	uint32_t status;

	CHECK_EQ(ipc_receive(t->ep, &m, &status), 0, "the call");
	CHECK(ipc_status_primitive(status) == IPC_SENDREC && (status & IPC_STATUS_CALL), "status of a call");
	CHECK_EQ(ipc_notify(t->ep), 0, "notify the caller");
	CHECK_EQ(ipc_senda(t->ep, &n, IPC_NOREPLY), 0, "a message that is no reply");
	sleep_ms(5);
	CHECK_EQ(t->done, 0, "neither ends the call");
	n.type = MSG_TEST + 21;
	CHECK_EQ(ipc_sendnb(t->ep, &n), 0, "the reply");
	CHECK(wait_done(t) && t->r[0] == 0 && t->r[1] == MSG_TEST + 21, "the caller has it");
	reap(t);
}

static void sendnb_needs_a_receiver(void)
{
	struct thread *t = spawn(SERVICE, call_rs, 0, 0);
	struct thread *r = spawn(SERVICE, receive_forever, 0, 0);
	struct message m = { .type = MSG_TEST };

	sleep_ms(5);
	CHECK_EQ(ipc_sendnb(t->ep, &m), -ENOTREADY, "sendnb to a sender");
	CHECK_EQ(ipc_sendnb(r->ep, &m), 0, "sendnb to a receiver");
	sleep_ms(5);
	CHECK(r->r[0] == 1 && r->r[1] == EP_RS && r->r[2] == MSG_TEST, "it got the message");
	reap(t);
	reap(r);
}

/* ---- deadlock ---- */

static void call_peer(struct thread *t)
{
	t->m.type = MSG_TEST;
	t->r[0] = ipc_sendrec((endpoint_t)t->a[0], &t->m);
}

static void receive_from_peer(struct thread *t)
{
	t->r[0] = ipc_receive((endpoint_t)t->a[0], &t->m, 0);
}

static void deadlocks_are_refused(void)
{
	struct thread *a = spawn(SERVICE, call_peer, EP_RS, 0);
	struct thread *b, *c;
	struct message m = { .type = MSG_TEST };

	sleep_ms(5);
	CHECK_EQ(ipc_sendrec(a->ep, &m), -ELOCKED, "two that call each other");
	b = spawn(SERVICE, call_peer, a->ep, 0);
	sleep_ms(5);
	CHECK_EQ(ipc_sendrec(b->ep, &m), -ELOCKED, "a circle of three");
	CHECK_EQ(ipc_send(b->ep, &m), -ELOCKED, "a circle of three, plain send");
	c = spawn(SERVICE, receive_from_peer, EP_RS, 0);
	sleep_ms(5);
	CHECK_EQ(ipc_receive(c->ep, &m, 0), -ELOCKED, "two that receive from each other");
	CHECK_EQ(ipc_receive(a->ep, &m, 0), 0, "receiving from who sends to us is no deadlock");
	reap(b);
	reap(a);
	reap(c);
}

/* ---- REPLYREC ---- */

static void replyrec_reports_failure(void)
{
	struct thread *t = spawn(SERVICE, three_kinds, 0, 0);
	struct message m = { .type = MSG_TEST };
	uint32_t status;

	sleep_ms(5);
	CHECK_EQ(ipc_replyrec(endpoint_make(9, 60), &m, 0, t->ep, &m, &status), 0, "replyrec to a dead endpoint");
	CHECK(status & IPC_STATUS_SEND_FAILED, "says so in the status");
	CHECK_EQ(ipc_replyrec(EP_NONE, &m, 0, t->ep, &m, &status), 0, "replyrec without reply");
	CHECK(!(status & IPC_STATUS_SEND_FAILED), "has nothing to report");
	CHECK_EQ(ipc_receive(t->ep, &m, 0), 0, "the last of three");
	reap(t);
}

static void user_has_no_ipc(struct thread *t)
{
	struct message m = { .type = MSG_TEST };

	t->r[0] = ipc_send(EP_RS, &m);
	t->r[1] = ipc_sendrec(EP_RS, &m);
	t->r[2] = ipc_notify(EP_RS);
	t->r[3] = sys_setalarm(0, 0);
}

static void users_cannot_send(void)
{
	struct thread *t = spawn(USER, user_has_no_ipc, 0, 0);
	struct message m = { .type = MSG_TEST };

	CHECK(wait_done(t), "user thread");
	for (int i = 0; i < 4; i++)
		CHECK_EQ(t->r[i], -K_ENOSYS, "user processes have no IPC");
	CHECK_EQ(ipc_sendnb(t->ep, &m), -ENOTREADY, "nor can it be sent to");
	CHECK_EQ(ipc_senda(t->ep, &m, 0), -ENOTREADY, "nor asynchronously");
	CHECK_EQ(ipc_notify(t->ep), -ENOTREADY, "nor notified");
	reap(t);
}

void check_ipc(void)
{
	echo_once();
	bad_targets();
	masks_hold();
	send_mask_denies();
	order_of_receiving();
	sendrec_waits_for_the_reply();
	sendnb_needs_a_receiver();
	deadlocks_are_refused();
	replyrec_reports_failure();
	users_cannot_send();
}

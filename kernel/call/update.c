/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KC_UPDATE: two services exchange their memory while their identities stay where they are.
 *
 * With the identity (slot) stay: endpoint, privilege slot with pending notifications, interrupts, kernel signals and the alarm, the queue
 * of callers, asynchronous messages sent to and by it, interrupt hooks, process ids. With the memory go: registers, address space, FPU
 * state, what it waits for and why it does not run, signals raised on it, permissions, the grant table (which is not valid under
 * the other endpoint: copies get ENOTREADY until the new owner registers its own).
 *
 * Neither may run or be in the middle of something: NO_PRIV, stopped by a signal, or waiting for a message. A send that was not taken
 * yet is given up, and the reply to one that was taken is dropped when it comes. Doing it again with the same two undoes it.
 */
#include <arch/fpu.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/priv.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

static bool update_possible(const struct proc *p)
{
	if (p->rts & (RTS_NO_PRIV | RTS_SIG_PENDING))
		return !(p->rts & RTS_FUTEX);
	return (p->rts & RTS_RECEIVING) && !(p->rts & (RTS_SENDING | RTS_FUTEX | RTS_SUSPENDED)) && !(p->flags & PROC_ROUTED);
}

static err_t update_check(const struct proc *caller, const struct proc *a, const struct proc *b)
{
	if (!a || !b)
		return -EDEADEPT;
	if (a == b || a == caller || b == caller)
		return -EINVAL;
	if (a->priv->id == PRIV_ID_USER || b->priv->id == PRIV_ID_USER)
		return -EPERM;
	return update_possible(a) && update_possible(b) && a->space && b->space ? 0 : -EBUSY;
}

/* Out of every list and register that knows the slot by its address. */
static void update_detach(struct proc *p)
{
	sched_take_off(p);
	ipc_unlink_sender(p);
	p->rts &= ~(uint32_t)RTS_SENDING;
	list_unlink(&p->fault_node);
	list_unlink(&p->wait_node);
	list_unlink(&p->sig_node);
	timer_cancel(&p->futex_timer);
	arch_fpu_flush(&p->fpu);
}

static void update_attach(struct proc *p)
{
	vm_attach(p);
	signal_attach(p);
	space_mark_stale(p->space);
	ipc_retry_receive(p);
}

/*
 * What belongs to the slot returns to it. If the memory that leaves waited for a reply, that reply must not become the answer to something
 * its successor asks. Its manager and the caller (VM) know of the exchange and will not answer.
 */
static void identity_restore(struct proc *p, const struct proc *was, endpoint_t caller)
{
	p->flags = (p->flags & ~(uint32_t)PROC_LATE_REPLY) | (was->flags & PROC_LATE_REPLY);
	p->late_from = was->late_from;
	p->late_type = was->late_type;
	if ((was->rts & RTS_RECEIVING) && (was->flags & PROC_SENDREC) && was->recv_from != caller
	    && was->recv_from != signal_manager(was))
		ipc_expect_late_reply(p, was->recv_from, arch_frame_type(&was->frame) + 1);
	p->endpoint = was->endpoint;
	p->slot = was->slot;
	p->priv = was->priv;
	p->caller_head = was->caller_head;
	p->caller_tail = was->caller_tail;
	p->inbox_head = was->inbox_head;
	p->inbox_tail = was->inbox_tail;
	p->outbox_count = was->outbox_count;
	p->cpu = was->cpu;
	memcpy(p->answers, was->answers, sizeof(p->answers));
}

static void permissions_swap(struct priv *a, struct priv *b)
{
	struct priv was = *a;

	a->spec = b->spec;
	a->granted = b->granted;
	a->grant_endpoint = b->grant_endpoint;
	a->grant_table = b->grant_table;
	a->grant_entries = b->grant_entries;
	b->spec = was.spec;
	b->granted = was.granted;
	b->grant_endpoint = was.grant_endpoint;
	b->grant_table = was.grant_table;
	b->grant_entries = was.grant_entries;
}

static void memory_swap(struct proc *a, struct proc *b, endpoint_t caller)
{
	static struct proc was_a, was_b;	/* large; the kernel lock is held */

	was_a = *a;
	was_b = *b;
	*a = was_b;
	*b = was_a;
	identity_restore(a, &was_a, caller);
	identity_restore(b, &was_b, caller);
}

err_t kcall_UPDATE(struct proc *caller, struct kcall *c)
{
	struct proc *a = kcall_target(caller, c, 0), *b = kcall_target(caller, c, 1);
	err_t err = update_check(caller, a, b);

	if (err)
		return err;
	update_detach(a);
	update_detach(b);
	memory_swap(a, b, caller->endpoint);
	permissions_swap(a->priv, b->priv);
	update_attach(a);
	update_attach(b);
	return 0;
}

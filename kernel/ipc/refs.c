/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waits for whom, and ending waits when a process goes away or declares that it has forgotten its callers. */
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/priv.h>
#include <kernel/sched.h>

endpoint_t ipc_waits_for(const struct proc *p)
{
	if (p->rts & RTS_SENDING)
		return p->send_to;
	if (p->rts & RTS_RECEIVING)
		return p->recv_from;
	return EP_NONE;
}

/* p's wait is over without a message. Other reasons not to run stay. */
static void ipc_end_wait(struct proc *p, err_t error)
{
	ipc_unlink_sender(p);
	if (p->flags & PROC_ROUTED)
		ipc_routed_result(p, error);
	else
		arch_frame_result_set(&p->frame, error);
	p->flags &= ~(PROC_SENDREC | PROC_SEND_FAILED);
	rts_unset(p, RTS_SENDING | RTS_RECEIVING);
}

void ipc_expect_late_reply(struct proc *identity, endpoint_t from, uint32_t type)
{
	identity->flags |= PROC_LATE_REPLY;
	identity->late_from = from;
	identity->late_type = type;
}

bool ipc_is_late_reply(const struct proc *src, struct proc *dst)
{
	if (dst->late_from != src->endpoint || dst->late_type != arch_frame_type(&src->frame))
		return false;
	dst->flags &= ~(uint32_t)PROC_LATE_REPLY;
	return true;
}

static void drop_notifications_of(const struct proc *p)
{
	if (p->priv->id == PRIV_ID_USER)
		return;
	for (int i = 0; i < NR_SYS_PROCS; i++)
		mask_clear(priv_table[i].pending_notify, p->priv->id);
}

void ipc_clear_refs(struct proc *p, err_t error)
{
	while (p->caller_head)
		ipc_end_wait(p->caller_head, error);
	for (int slot = 1; slot < NR_PROCS; slot++) {
		struct proc *q = proc_of_slot(slot);

		if ((q->rts & RTS_RECEIVING) && q->recv_from == p->endpoint && q != p)
			ipc_end_wait(q, error);
		if ((q->flags & PROC_LATE_REPLY) && q->late_from == p->endpoint)
			q->flags &= ~(uint32_t)PROC_LATE_REPLY;
	}
	drop_notifications_of(p);
	async_cancel(p, EP_ANY);
	async_drop_inbox(p);
}

void ipc_forget(struct proc *p)
{
	ipc_unlink_sender(p);
	p->rts &= ~(RTS_SENDING | RTS_RECEIVING);
	ipc_clear_refs(p, -EDEADSRCDST);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Synchronous messages. A message lives in the sender's saved registers and is copied to the receiver's saved registers when both
 * sides are there; nothing is read or written in user memory, so passing one can neither fault nor fail half-way.
 *
 *   SENDING     the process stands in the caller queue of send_to. With PROC_SENDREC it becomes RECEIVING when taken
 *   RECEIVING   waits for a message from recv_from. With PROC_SENDREC neither a notification nor a NOREPLY message will do
 *
 * A process is never both. A process in a routed system call looks like one in SENDREC (PROC_ROUTED on top): its message is made from
 * the call's number and arguments at delivery, and the reply's first word becomes the result of the call.
 *
 * If a partner dies: ipc_clear_refs() ends the waits of everybody with EDEADSRCDST (EIO for a routed call).
 */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/priv.h>
#include <kernel/sched.h>
#include "deliver.h"

/* ---- delivery ---- */

void ipc_finish_receive(struct proc *dst, endpoint_t source, uint32_t status)
{
	if (unlikely(dst->flags & PROC_SEND_FAILED))
		status |= IPC_STATUS_SEND_FAILED;
	dst->flags &= ~(PROC_SENDREC | PROC_SEND_FAILED);
	arch_frame_source_set(&dst->frame, source);
	arch_frame_status_set(&dst->frame, status);
	arch_frame_result_set(&dst->frame, 0);
}

/* Codes between services mean nothing to a program. ERESTART* are resolved before it runs. */
void ipc_routed_result(struct proc *p, int64_t result)
{
	if (unlikely(result < 0 && result > -1000)) {
		if (result <= -ERROR_INTERNAL_FIRST)
			result = -EIO;
		else if (result <= -ERESTARTSYS && result >= -ERESTARTNOHAND)
			p->misc |= MF_RESTART;
	}
	if (unlikely(p->flags & PROC_TEMP_MASK))
		p->misc |= MF_TEMP_MASK;
	p->flags &= ~(PROC_ROUTED | PROC_SENDREC);
	arch_frame_result_set(&p->frame, result);
}

static uint32_t routed_status(const struct proc *src)
{
	return IPC_STATUS_OF(IPC_SENDREC) | IPC_STATUS_CALL | IPC_STATUS_FROM_KERNEL | (proc_is_user(src) ? IPC_STATUS_USER : 0);
}

/* src's message becomes dst's; dst still has to be woken. */
static inline void ipc_deliver(struct proc *src, struct proc *dst, uint32_t status)
{
	src->messages_sent++;
	if (unlikely(dst->flags & PROC_ROUTED)) {
		ipc_routed_result(dst, (int64_t)arch_frame_word(&src->frame, 0));
		return;
	}
	if (unlikely(src->flags & PROC_ROUTED)) {
		arch_frame_call_copy(&dst->frame, &src->frame, MSG_LINUX);
		status = routed_status(src);
	} else {
		arch_frame_message_copy(&dst->frame, &src->frame);
	}
	ipc_finish_receive(dst, src->endpoint, status);
	trace_message(src->endpoint, dst->endpoint, arch_frame_type(&dst->frame), (status & IPC_STATUS_PRIMITIVE) - 1);
}

/* ---- checks ---- */

/* Following who waits for whom from dst leads back to p. */
static bool ipc_would_deadlock(const struct proc *p, const struct proc *dst)
{
	for (int i = 0; dst && i < NR_PROCS; i++) {
		if (dst == p)
			return true;
		dst = proc_of_endpoint(ipc_waits_for(dst));
	}
	return false;
}

/* The target of a send, if p may send to it. */
static err_t ipc_target(struct proc *p, endpoint_t e, struct proc **out)
{
	struct proc *dst = proc_of_endpoint(e);

	if (unlikely(!dst))
		return e < 0 ? -EINVAL : -EDEADSRCDST;
	*out = dst;
	/* Whoever waits for p alone has asked p something: the answer is always permitted. */
	if ((dst->rts & RTS_RECEIVING) && dst->recv_from == p->endpoint)
		return 0;
	if (unlikely(!priv_may_send(p->priv, dst->priv))) {
		trace_refused(p, REFUSED_SEND, "send", e, -ECALLDENIED);
		return -ECALLDENIED;
	}
	return proc_is_user(dst) ? -ENOTREADY : 0;
}

/* ---- sending ---- */

static void caller_queue_add(struct proc *dst, struct proc *p)
{
	p->caller_next = 0;
	if (dst->caller_tail)
		dst->caller_tail->caller_next = p;
	else
		dst->caller_head = p;
	dst->caller_tail = p;
}

static err_t ipc_block_sending(struct proc *p, struct proc *dst, uint32_t primitive)
{
	if (ipc_would_deadlock(p, dst)) {
		trace_refused(p, REFUSED_DEADLOCK, "send that would deadlock", dst->endpoint, -ELOCKED);
		return -ELOCKED;
	}
	p->send_primitive = (uint8_t)(primitive - IPC_SEND);
	p->send_to = dst->endpoint;
	caller_queue_add(dst, p);
	rts_set(p, RTS_SENDING);
	return -ENORESULT;
}

/* IPC_SEND waits for the receiver, IPC_SENDNB does not. */
static err_t ipc_send(struct proc *p, endpoint_t e, uint32_t primitive)
{
	struct proc *dst;
	err_t err = ipc_target(p, e, &dst);

	if (err)
		return err;
	if (unlikely(dst->flags & PROC_LATE_REPLY) && ipc_is_late_reply(p, dst))
		return 0;
	if (!ipc_is_receiving(dst, p->endpoint))
		return primitive == IPC_SEND ? ipc_block_sending(p, dst, IPC_SEND) : -ENOTREADY;
	ipc_deliver(p, dst, IPC_STATUS_OF(primitive));
	rts_unset(dst, RTS_RECEIVING);
	return 0;
}

/* Both phases of SENDREC and of routed system calls, after the checks. */
static inline err_t ipc_sendrec_to(struct proc *p, struct proc *dst)
{
	if (unlikely(!ipc_is_receiving(dst, p->endpoint))) {
		err_t err = ipc_block_sending(p, dst, IPC_SENDREC);

		if (err == -ENORESULT)
			p->flags |= PROC_SENDREC;
		return err;
	}
	ipc_deliver(p, dst, IPC_STATUS_OF(IPC_SENDREC) | IPC_STATUS_CALL);
	p->flags |= PROC_SENDREC;
	p->recv_from = dst->endpoint;
	p->rts |= RTS_RECEIVING;
	rts_unset_direct(dst, RTS_RECEIVING);
	return -ENORESULT;
}

static inline err_t ipc_sendrec(struct proc *p, endpoint_t e)
{
	struct proc *dst;
	err_t err = ipc_target(p, e, &dst);

	return err ? err : ipc_sendrec_to(p, dst);
}

err_t ipc_sendrec_routed(struct proc *p, endpoint_t server)
{
	struct proc *dst = proc_of_endpoint(server);
	err_t err;

	if (!dst || dst == p || proc_is_user(dst))
		return -EIO;
	p->flags |= PROC_ROUTED;
	err = ipc_sendrec_to(p, dst);
	if (err != -ENORESULT)
		p->flags &= ~PROC_ROUTED;
	return err;
}

/* ---- receiving ---- */

static struct proc *caller_queue_find(struct proc *p, endpoint_t from, struct proc **prev)
{
	struct proc *q = p->caller_head;

	for (*prev = 0; q; *prev = q, q = q->caller_next)
		if (from == EP_ANY || q->endpoint == from)
			return q;
	return 0;
}

static void caller_queue_remove(struct proc *p, struct proc *prev, struct proc *q)
{
	*(prev ? &prev->caller_next : &p->caller_head) = q->caller_next;
	if (p->caller_tail == q)
		p->caller_tail = prev;
	q->caller_next = 0;
}

void ipc_unlink_sender(struct proc *p)
{
	struct proc *dst = proc_of_endpoint(p->send_to), *prev;

	if ((p->rts & RTS_SENDING) && dst && caller_queue_find(dst, p->endpoint, &prev))
		caller_queue_remove(dst, prev, p);
}

static bool caller_receive(struct proc *p, endpoint_t from)
{
	struct proc *prev, *src = caller_queue_find(p, from, &prev);
	bool call;

	if (!src)
		return false;
	caller_queue_remove(p, prev, src);
	call = src->flags & PROC_SENDREC;
	ipc_deliver(src, p, (uint32_t)(src->send_primitive + 1) | (call ? IPC_STATUS_CALL : 0));
	if (call) {
		src->recv_from = p->endpoint;
		src->rts = (src->rts & ~RTS_SENDING) | RTS_RECEIVING;
	} else {
		arch_frame_result_set(&src->frame, 0);
		rts_unset(src, RTS_SENDING);
	}
	return true;
}

static err_t ipc_receive_check(struct proc *p, endpoint_t from)
{
	struct proc *src;

	if (from == EP_ANY || (from <= EP_HARDWARE && from >= EP_ASYNCM))
		return 0;
	if (from < 0)
		return -EINVAL;
	src = proc_of_endpoint(from);
	if (!src)
		return -EDEADSRCDST;
	/* A sender that waits for us is not a circle: we are about to take its message. */
	if (src->rts & RTS_SENDING && src->send_to == p->endpoint)
		return 0;
	return ipc_would_deadlock(p, src) ? -ELOCKED : 0;
}

static inline err_t ipc_receive(struct proc *p, endpoint_t from)
{
	if (unlikely(from != EP_ANY)) {
		err_t err = ipc_receive_check(p, from);

		if (err)
			return err;
	}
	if (unlikely(p->priv->pending_any) && notify_receive(p, from))
		return -ENORESULT;
	if (unlikely(p->inbox_head) && async_receive(p, from))
		return -ENORESULT;
	if (p->caller_head && caller_receive(p, from))
		return -ENORESULT;
	p->recv_from = from;
	rts_set(p, RTS_RECEIVING);
	return -ENORESULT;
}

void ipc_retry_receive(struct proc *p)
{
	if (!(p->rts & RTS_RECEIVING) || (p->flags & PROC_SENDREC))
		return;
	if (notify_receive(p, p->recv_from) || async_receive(p, p->recv_from) || caller_receive(p, p->recv_from))
		rts_unset(p, RTS_RECEIVING);
}

/* ---- the primitives that never wait in their first half ---- */

static err_t ipc_notify(struct proc *p, endpoint_t e)
{
	struct proc *dst;
	err_t err = ipc_target(p, e, &dst);

	return err ? err : notify_send(p, dst);
}

static err_t ipc_senda(struct proc *p, endpoint_t e, uint32_t flags)
{
	struct proc *dst;
	err_t err;

	if (flags & ~(uint32_t)(IPC_NOREPLY | IPC_NOTIFY_ERR))
		return -EINVAL;
	err = ipc_target(p, e, &dst);
	if (!err && unlikely(dst->flags & PROC_LATE_REPLY) && ipc_is_late_reply(p, dst))
		return 0;
	return err ? err : async_send(p, dst, flags);
}

static inline err_t ipc_replyrec(struct proc *p)
{
	endpoint_t e = arch_frame_endpoint(&p->frame);
	uint64_t operand = arch_frame_operand(&p->frame);
	struct proc *dst = proc_of_endpoint(e);

	if (likely(dst && !(operand >> 32) && (dst->rts & RTS_RECEIVING) && dst->recv_from == p->endpoint
		   && !(dst->flags & PROC_LATE_REPLY))) {
		ipc_deliver(p, dst, IPC_STATUS_OF(IPC_SENDA));
		rts_unset_direct(dst, RTS_RECEIVING);
	} else if (e != EP_NONE && ipc_senda(p, e, (uint32_t)(operand >> 32))) {
		p->flags |= PROC_SEND_FAILED;
	}
	return ipc_receive(p, (endpoint_t)operand);
}

/* ---- dispatch ---- */

static err_t ipc_primitive(struct proc *p, uint64_t number)
{
	endpoint_t e = arch_frame_endpoint(&p->frame);

	switch (number) {
	case IPC_SENDREC: return ipc_sendrec(p, e);
	case IPC_REPLYREC: return ipc_replyrec(p);
	case IPC_RECEIVE: return ipc_receive(p, e);
	case IPC_SEND: case IPC_SENDNB: return ipc_send(p, e, (uint32_t)number);
	case IPC_NOTIFY: return ipc_notify(p, e);
	case IPC_SENDA: return ipc_senda(p, e, (uint32_t)(arch_frame_operand(&p->frame) >> 32));
	case IPC_KCALL: kcall_run(p); return -ENORESULT;
	default: return -ENOSYS;
	}
}

void ipc_call(struct proc *p, uint64_t number)
{
	err_t err;

	if (unlikely(!(p->priv->spec.trap_mask & IPC_TRAP_BIT(number)))) {
		err = proc_is_user(p) ? -ENOSYS : -ETRAPDENIED;
		trace_refused(p, REFUSED_PRIMITIVE, "primitive", (int64_t)number, err);
	} else {
		err = ipc_primitive(p, number);
	}
	if (err != -ENORESULT) {
		p->flags &= ~(uint32_t)PROC_SEND_FAILED;
		arch_frame_result_set(&p->frame, err);
	}
}

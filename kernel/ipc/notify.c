/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notifications: one pending bit for each sender, kept in the privilege slot of the receiver. The contents (time, kernel signals,
 * interrupts) are made at delivery, so repeated ones coalesce without loss. Delivered in this order: kernel signals, interrupts,
 * alarm, failed asynchronous messages, then processes by privilege id.
 */
#include <arch/clock.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/irq.h>
#include <kernel/priv.h>
#include <kernel/sched.h>
#include "deliver.h"

static bool notify_can_take(const struct proc *dst, endpoint_t from)
{
	return ipc_is_receiving(dst, from) && !(dst->flags & PROC_SENDREC);
}

static void notify_deliver(struct proc *dst, endpoint_t from, uint64_t signals, uint64_t irqs)
{
	const uint64_t words[MSG_WORDS] = { arch_now_ns(), signals, irqs };

	arch_frame_type_set(&dst->frame, MSG_NOTIFY);
	arch_frame_words_set(&dst->frame, words);
	ipc_finish_receive(dst, from, IPC_STATUS_OF(IPC_NOTIFY) | (from < 0 ? IPC_STATUS_FROM_KERNEL : 0));
	trace_message(from, dst->endpoint, MSG_NOTIFY, IPC_NOTIFY - IPC_SEND);
	if (irqs)
		irq_taken(dst, irqs);
}

static bool notify_has_priv(const struct proc *dst)
{
	return dst->priv->id != PRIV_ID_USER;
}

/* Something was added to dst's pending set by `from`: wake it if it takes that now. */
static void notify_added(struct proc *dst, endpoint_t from)
{
	dst->priv->pending_any = true;
	if (notify_can_take(dst, from) && notify_receive(dst, from))
		rts_unset(dst, RTS_RECEIVING);
}

void notify_ksig(struct proc *dst, uint32_t ksig)
{
	if (!notify_has_priv(dst))
		return;
	dst->priv->pending_ksig |= ksig;
	notify_added(dst, EP_SYSTEM);
}

void notify_irq(struct proc *dst, unsigned id)
{
	if (!notify_has_priv(dst))
		return;
	dst->priv->pending_irqs |= 1ull << id;
	notify_added(dst, EP_HARDWARE);
}

void notify_special(struct proc *dst, uint8_t special)
{
	if (!notify_has_priv(dst))
		return;
	dst->priv->pending_special |= special;
	notify_added(dst, special == PENDING_ALARM ? EP_CLOCK : EP_ASYNCM);
}

err_t notify_send(struct proc *src, struct proc *dst)
{
	if (!notify_has_priv(dst) || !notify_has_priv(src))
		return -EINVAL;
	mask_set(dst->priv->pending_notify, src->priv->id);
	notify_added(dst, src->endpoint);
	return 0;
}

static void notify_summarise(struct priv *v)
{
	v->pending_any = v->pending_special || v->pending_ksig || v->pending_irqs;
	for (int i = 0; i < PRIV_MASK_WORDS; i++)
		v->pending_any |= v->pending_notify[i] != 0;
}

static bool wants(endpoint_t from, endpoint_t source)
{
	return from == EP_ANY || from == source;
}

static bool receive_special(struct proc *p, endpoint_t from, uint8_t special, endpoint_t source)
{
	if (!(p->priv->pending_special & special) || !wants(from, source))
		return false;
	p->priv->pending_special &= (uint8_t)~special;
	notify_deliver(p, source, 0, 0);
	return true;
}

static bool receive_from_kernel(struct proc *p, endpoint_t from)
{
	struct priv *v = p->priv;

	if (v->pending_ksig && wants(from, EP_SYSTEM)) {
		uint32_t signals = v->pending_ksig;

		v->pending_ksig = 0;
		notify_deliver(p, EP_SYSTEM, signals, 0);
		return true;
	}
	if (v->pending_irqs && wants(from, EP_HARDWARE)) {
		uint64_t irqs = v->pending_irqs;

		v->pending_irqs = 0;
		notify_deliver(p, EP_HARDWARE, 0, irqs);
		return true;
	}
	return receive_special(p, from, PENDING_ALARM, EP_CLOCK) || receive_special(p, from, PENDING_ASYNC_FAILED, EP_ASYNCM);
}

static bool receive_from_process(struct proc *p, endpoint_t from)
{
	struct priv *v = p->priv;

	for (uint32_t word = 0; word < PRIV_MASK_WORDS; word++)
		for (uint64_t bits = v->pending_notify[word]; bits; bits &= bits - 1) {
			uint32_t id = word * 64 + (uint32_t)__builtin_ctzll(bits);
			struct proc *src = priv_table[id].owner;

			if (src && !wants(from, src->endpoint))
				continue;
			mask_clear(v->pending_notify, id);
			if (!src)
				continue;
			notify_deliver(p, src->endpoint, 0, 0);
			return true;
		}
	return false;
}

bool notify_receive(struct proc *p, endpoint_t from)
{
	bool taken = receive_from_kernel(p, from) || receive_from_process(p, from);

	notify_summarise(p->priv);
	return taken;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asynchronous messages. What cannot be delivered at once is kept in the inbox of the target, in order of sending, and counted for its
 * sender (its outbox, at most OUTBOX_MAX). Entries come from one pool.
 *
 * If the sender dies its entries vanish, for nobody could answer them. If the target dies they are dropped, and a sender that asked for
 * it (NOTIFY_ERR) gets a notification from EP_ASYNCM.
 */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/priv.h>
#include <kernel/sched.h>
#include "deliver.h"

enum { POOL_ENTRIES = NR_SYS_PROCS * OUTBOX_MAX };	/* enough for all: nobody can use up another's share */

static struct async_msg pool[POOL_ENTRIES];
static struct async_msg *pool_free;
static uint32_t pool_used, pool_fresh;		/* fresh: entries from here on were never used */

static struct async_msg *pool_take(void)
{
	struct async_msg *m = pool_free;

	if (m)
		pool_free = m->next;
	else if (pool_fresh < POOL_ENTRIES)
		m = &pool[pool_fresh++];
	pool_used += m != 0;
	return m;
}

uint32_t async_used(void)
{
	return pool_used;
}

static void async_free(struct async_msg *m)
{
	struct proc *src = proc_of_endpoint(m->source);

	if (src)
		src->outbox_count--;
	m->next = pool_free;
	pool_free = m;
	pool_used--;
}

static void async_deliver(struct proc *dst, const struct async_msg *m)
{
	arch_frame_type_set(&dst->frame, (uint32_t)m->message[0]);
	arch_frame_words_set(&dst->frame, m->message + 1);
	ipc_finish_receive(dst, m->source, IPC_STATUS_OF(IPC_SENDA));
	trace_message(m->source, dst->endpoint, (uint32_t)m->message[0], IPC_SENDA - IPC_SEND);
}

static void async_fill(struct async_msg *m, const struct proc *src, uint32_t flags)
{
	*m = (struct async_msg){ .source = src->endpoint, .flags = flags };
	m->message[0] = arch_frame_type(&src->frame);
	arch_frame_words(&src->frame, m->message + 1);
}

static void inbox_add(struct proc *dst, struct async_msg *m)
{
	if (dst->inbox_tail)
		dst->inbox_tail->next = m;
	else
		dst->inbox_head = m;
	dst->inbox_tail = m;
}

/* Takes *link's target out of the inbox. */
static struct async_msg *inbox_remove(struct proc *dst, struct async_msg *prev, struct async_msg *m)
{
	*(prev ? &prev->next : &dst->inbox_head) = m->next;
	if (dst->inbox_tail == m)
		dst->inbox_tail = prev;
	return m->next;
}

static err_t async_keep(struct proc *src, struct proc *dst, uint32_t flags)
{
	struct async_msg *m;

	if (proc_is_user(dst))
		return -ENOTREADY;
	m = src->outbox_count < OUTBOX_MAX ? pool_take() : 0;
	if (!m)
		return -EAGAIN;
	src->outbox_count++;
	async_fill(m, src, flags);
	inbox_add(dst, m);
	return 0;
}

err_t async_send(struct proc *src, struct proc *dst, uint32_t flags)
{
	struct async_msg m;

	if (!ipc_is_receiving(dst, src->endpoint) || ((dst->flags & PROC_SENDREC) && (flags & IPC_NOREPLY)))
		return async_keep(src, dst, flags);
	src->messages_sent++;
	if (dst->flags & PROC_ROUTED) {
		ipc_routed_result(dst, (int64_t)arch_frame_word(&src->frame, 0));
	} else {
		async_fill(&m, src, flags);
		async_deliver(dst, &m);
	}
	rts_unset(dst, RTS_RECEIVING);
	return 0;
}

bool async_receive(struct proc *p, endpoint_t from)
{
	struct async_msg *prev = 0, *m = p->inbox_head;

	for (; m; prev = m, m = m->next)
		if (from == EP_ANY || m->source == from)
			break;
	if (!m)
		return false;
	inbox_remove(p, prev, m);
	async_deliver(p, m);
	async_free(m);
	return true;
}

/* Drops entries of `source` (or EP_ANY) from dst's inbox. */
static uint32_t inbox_drop(struct proc *dst, endpoint_t source, bool tell)
{
	struct async_msg *prev = 0, *m = dst->inbox_head, *next;
	uint32_t dropped = 0;

	for (; m; m = next) {
		struct proc *src = proc_of_endpoint(m->source);

		next = m->next;
		if (source != EP_ANY && m->source != source) {
			prev = m;
			continue;
		}
		inbox_remove(dst, prev, m);
		if (tell && src && (m->flags & IPC_NOTIFY_ERR))
			notify_special(src, PENDING_ASYNC_FAILED);
		async_free(m);
		dropped++;
	}
	return dropped;
}

uint32_t async_cancel(struct proc *src, endpoint_t dst)
{
	uint32_t dropped = 0;

	for (int slot = 1; slot < NR_PROCS && src->outbox_count; slot++) {
		struct proc *p = proc_of_slot(slot);

		if (p->inbox_head && (dst == EP_ANY || p->endpoint == dst))
			dropped += inbox_drop(p, src->endpoint, false);
	}
	return dropped;
}

void async_drop_inbox(struct proc *dst)
{
	inbox_drop(dst, EP_ANY, true);
}

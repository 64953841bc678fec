/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entry of system calls, with the short ways of the frequent ones: SENDREC and routed calls to a server that waits for anybody,
 * REPLYREC to the caller that waits for us, and calls answered from the slot. A short way does exactly what ipc.c, sched.c and space.c
 * would do together, without asking what cannot matter in its case, and in one function: after the address space has changed, every
 * page of code and every return costs.
 *
 * First half: conditions only, no effects; if one does not hold the ordinary way is taken with the lock kept. Second half: act.
 *
 * CPU time: only the entry is charged, to the caller. The few hundred nanoseconds up to the next entry go to the partner; why, stands in
 * docs/decisions/short-way.md.
 */
#include <arch/clock.h>
#include <arch/hint.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/lock.h>
#include <kernel/priv.h>
#include <kernel/route.h>
#include "../sched/local.h"
#include "deliver.h"

enum {
	/* Whoever has one of these needs a closer look. */
	CALLEE_SPECIAL = PROC_ROUTED | PROC_SENDREC | PROC_USER | PROC_TEMP_MASK | PROC_SEND_FAILED | PROC_EXPIRED | PROC_TRACE_CALLS
		| PROC_VTIMER,
	WAITER_SPECIAL = PROC_TEMP_MASK | PROC_SEND_FAILED | PROC_EXPIRED | PROC_TRACE_CALLS | PROC_VTIMER | PROC_LATE_REPLY,
	CALLER_SPECIAL = PROC_SEND_FAILED | PROC_TRACE_CALLS | PROC_VTIMER,
	FROM_ANY = EP_ANY,
};

/* As proc_of_endpoint(), but the compiler keeps the pointer instead of computing it again for each field. */
static inline struct proc *partner_of_endpoint(endpoint_t e)
{
	uint32_t slot = (uint32_t)e & ENDPOINT_SLOT_MASK;
	struct proc *dst = &proc_table[slot];

	if (unlikely(slot >= NR_PROCS))
		return 0;
	arch_keep_in_register(dst);
	return likely(dst->endpoint == e) ? dst : 0;	/* no slot has a negative one, and a free one is not waiting */
}

/* dst may run here next, before everything in the queues. */
static inline bool runs_next(const struct proc *dst)
{
	uint32_t waiting = get_cpulocal_var(run_queue).bitmap;

	if (unlikely(waiting) && waiting << (31 - dst->priority) << 1)	/* the bits of more urgent ones are left */
		return false;
	return likely(dst->cpu_mask >> arch_cpu_id() & 1);
}

/*
 * dst's address space is the loaded one, or was changed since this CPU last used it. Out of the way and never called but as the last
 * thing: so the short way needs no stack.
 */
static __attribute__((cold, noinline, returns_nonnull)) struct proc *go_on_in_space(struct proc *dst)
{
	space_load(dst->space);
	get_cpulocal_var(user_space) = dst->space;
	kernel_unlock();
	return dst;
}

static inline struct proc *switch_to(struct proc *p, struct proc *dst)
{
	struct space *s = dst->space;
	unsigned cpu = arch_cpu_id();
	nstime_t now = arch_now_ns();

	p->user_ns += now - get_cpulocal_var(last_time);
	get_cpulocal_var(last_time) = now;
	p->messages_sent++;
	dst->rts = 0;
	dst->cpu = cpu;
	dst->switches++;
	get_cpulocal_var(sched_stats).switches++;
	get_cpulocal_var(current_proc) = dst;
	if (unlikely(s->p_stale_tlb >> cpu & 1) || unlikely(get_cpulocal_var(loaded_space) == s))
		return go_on_in_space(dst);
	get_cpulocal_var(space_counters).loads++;
	get_cpulocal_var(loaded_space) = s;
	arch_space_load(s, true);
	get_cpulocal_var(user_space) = s;
	kernel_unlock();
	return dst;
}

static inline void deliver(struct proc *p, struct proc *dst, uint32_t status)
{
	arch_frame_source_set(&dst->frame, p->endpoint);
	arch_frame_status_set(&dst->frame, status);
	arch_frame_result_set(&dst->frame, 0);
	trace_message(p->endpoint, dst->endpoint, arch_frame_type(&dst->frame), (status & IPC_STATUS_PRIMITIVE) - 1);
}

static inline void wait_for_reply(struct proc *p, struct proc *dst, uint32_t flags)
{
	p->flags = (p->flags | flags) & ~PROC_RUNNING;
	p->recv_from = dst->endpoint;
	p->rts = RTS_RECEIVING;
}

static inline bool waits_for_anybody(const struct proc *dst)
{
	return dst->rts == RTS_RECEIVING && !(dst->flags & CALLEE_SPECIAL || dst->misc) && dst->recv_from == EP_ANY;
}

static inline struct proc *fast_sendrec(struct proc *p)
{
	struct proc *dst = partner_of_endpoint(arch_frame_endpoint(&p->frame));

	if (unlikely(!dst || !waits_for_anybody(dst) || !runs_next(dst)))
		return 0;
	if (unlikely(!(p->priv->spec.trap_mask & IPC_TRAP_BIT(IPC_SENDREC)) || !mask_test(p->priv->spec.send_mask, dst->priv->id)))
		return 0;
	arch_frame_message_copy(&dst->frame, &p->frame);
	deliver(p, dst, IPC_STATUS_OF(IPC_SENDREC) | IPC_STATUS_CALL);
	dst->flags |= PROC_RUNNING;
	wait_for_reply(p, dst, PROC_SENDREC);
	return switch_to(p, dst);
}

static inline struct proc *fast_replyrec(struct proc *p)
{
	struct proc *dst = partner_of_endpoint(arch_frame_endpoint(&p->frame));
	int64_t result = (int64_t)arch_frame_word(&p->frame, 0);

	if (unlikely(!dst || dst->rts != RTS_RECEIVING || dst->flags & WAITER_SPECIAL || dst->misc || dst->recv_from != p->endpoint
		     || !runs_next(dst)))
		return 0;
	if (unlikely(arch_frame_operand(&p->frame) != (uint32_t)FROM_ANY || p->caller_head || p->inbox_head))
		return 0;
	if (unlikely(!(p->priv->spec.trap_mask & IPC_TRAP_BIT(IPC_REPLYREC)) || p->priv->pending_any))
		return 0;
	if (dst->flags & PROC_ROUTED) {
		if (unlikely(result <= -ERESTARTSYS && result > -1000))
			return 0;
		arch_frame_result_set(&dst->frame, result);
		get_cpulocal_var(bill_proc) = dst;	/* its own quantum again, whoever had the CPU before the server */
	} else {
		arch_frame_message_copy(&dst->frame, &p->frame);
		deliver(p, dst, IPC_STATUS_OF(IPC_SENDA));
	}
	dst->flags = (dst->flags & ~(uint32_t)(PROC_SENDREC | PROC_ROUTED)) | PROC_RUNNING;
	p->flags &= ~PROC_RUNNING;
	p->recv_from = EP_ANY;
	p->rts = RTS_RECEIVING;
	return switch_to(p, dst);
}

/* The answer lies in the slot; p goes on at once, and its time goes on as if it had not been here. */
static inline struct proc *fast_answer(struct proc *p, int32_t index)
{
	if (unlikely(p->misc || p->space->p_stale_tlb >> arch_cpu_id() & 1))
		return 0;
	arch_frame_result_set(&p->frame, (int64_t)p->answers[index]);
	get_cpulocal_var(user_space) = p->space;
	kernel_unlock();
	return p;
}

static inline struct proc *fast_routed(struct proc *p, uint64_t number)
{
	const struct route_entry *e = &route_tables[proc_is_user(p) ? ROUTE_TABLE_USER : ROUTE_TABLE_SERVICE][number];
	struct proc *dst;

	if (e->kind == ROUTE_ANSWER)
		return fast_answer(p, e->target);
	if (e->kind != ROUTE_SERVER)
		return 0;
	dst = partner_of_endpoint(e->target);
	if (unlikely(!dst || !waits_for_anybody(dst) || !runs_next(dst)))
		return 0;
	arch_frame_call_copy(&dst->frame, &p->frame, MSG_LINUX);
	deliver(p, dst, IPC_STATUS_OF(IPC_SENDREC) | IPC_STATUS_CALL | IPC_STATUS_FROM_KERNEL
		| (proc_is_user(p) ? IPC_STATUS_USER : 0));
	dst->flags |= PROC_RUNNING;
	wait_for_reply(p, dst, PROC_SENDREC | PROC_ROUTED);
	return switch_to(p, dst);
}

/* Lock held. The process to resume with everything done and the lock dropped, or 0 with nothing done. */
static inline struct proc *fast_call(struct proc *p, uint64_t number)
{
	if (unlikely(p->rts || p->flags & CALLER_SPECIAL))
		return 0;
	if (number == IPC_SENDREC)
		return fast_sendrec(p);
	if (number == IPC_REPLYREC)
		return fast_replyrec(p);
	if (number < ROUTE_NR_LINUX)
		return fast_routed(p, number);
	return 0;
}

HOT_TEXT struct proc *kernel_syscall(struct proc *p)
{
	struct proc *next;

	if (unlikely(!kernel_trylock()))
		return kernel_syscall_slow(p, false);
	next = fast_call(p, arch_frame_number(&p->frame));
	return likely(next) ? next : kernel_syscall_slow(p, true);
}

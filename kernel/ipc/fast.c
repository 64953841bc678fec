/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of a system call that hands the CPU to a waiting partner: SENDREC and routed calls to a server that waits for anybody,
 * REPLYREC to the caller that waits for us. It does exactly what ipc.c, sched.c and space.c would do together, without asking what cannot
 * matter in this case, and in one function: after the address space has changed, every page of code and every return costs.
 *
 * First half: conditions only, no effects; if one does not hold the ordinary way is taken with the lock kept. Second half: act.
 *
 * CPU time: only the entry is charged, to the caller. The few hundred nanoseconds up to the next entry go to the partner.
 */
#include <arch/clock.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/lock.h>
#include <kernel/priv.h>
#include <kernel/route.h>
#include "../sched/local.h"
#include "deliver.h"
#include "fast.h"

enum {
	/* Whoever has one of these needs a closer look. */
	CALLEE_SPECIAL = PROC_ROUTED | PROC_SENDREC | PROC_USER | PROC_TEMP_MASK | PROC_SEND_FAILED | PROC_EXPIRED | PROC_TRACE_CALLS
		| PROC_VTIMER,
	WAITER_SPECIAL = PROC_TEMP_MASK | PROC_SEND_FAILED | PROC_EXPIRED | PROC_TRACE_CALLS | PROC_VTIMER,
	CALLER_SPECIAL = PROC_SEND_FAILED | PROC_TRACE_CALLS | PROC_VTIMER,
	FROM_ANY = EP_ANY,
};

/* dst may run here next, before everything in the queues. */
static inline bool runs_next(const struct proc *dst)
{
	uint32_t more_urgent = (1u << dst->priority) - 1;

	return !(get_cpulocal_var(run_queue).bitmap & more_urgent) && !dst->misc && dst->cpu_mask >> arch_cpu_id() & 1;
}

static inline void switch_to(struct proc *p, struct proc *dst)
{
	struct space *s = dst->space;
	nstime_t now = arch_now_ns();

	p->user_ns += now - get_cpulocal_var(last_time);
	get_cpulocal_var(last_time) = now;
	p->messages_sent++;
	ipc_message_count++;
	p->flags &= ~PROC_RUNNING;
	dst->rts = 0;
	dst->cpu = arch_cpu_id();
	dst->switches++;
	get_cpulocal_var(sched_stats).switches++;
	get_cpulocal_var(current_proc) = dst;
	if (unlikely(s->p_stale_tlb >> arch_cpu_id() & 1) || get_cpulocal_var(loaded_space) == s) {
		space_load(s);
	} else {
		get_cpulocal_var(space_counters).loads++;
		get_cpulocal_var(loaded_space) = s;
		arch_space_load(s, true);
	}
	get_cpulocal_var(user_space) = s;
	kernel_unlock();
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
	p->flags |= flags;
	p->recv_from = dst->endpoint;
	p->rts = RTS_RECEIVING;
}

static inline bool waits_for_anybody(const struct proc *dst)
{
	return dst->rts == RTS_RECEIVING && dst->recv_from == EP_ANY && !(dst->flags & CALLEE_SPECIAL);
}

static inline struct proc *fast_sendrec(struct proc *p)
{
	struct proc *dst = proc_of_endpoint(arch_frame_endpoint(&p->frame));

	if (unlikely(!dst || !waits_for_anybody(dst) || !runs_next(dst)))
		return 0;
	if (unlikely(!(p->priv->spec.trap_mask & IPC_TRAP_BIT(IPC_SENDREC)) || !mask_test(p->priv->spec.send_mask, dst->priv->id)))
		return 0;
	arch_frame_message_copy(&dst->frame, &p->frame);
	deliver(p, dst, IPC_STATUS_OF(IPC_SENDREC) | IPC_STATUS_CALL);
	dst->flags |= PROC_RUNNING;
	wait_for_reply(p, dst, PROC_SENDREC);
	switch_to(p, dst);
	return dst;
}

static inline struct proc *fast_replyrec(struct proc *p)
{
	struct proc *dst = proc_of_endpoint(arch_frame_endpoint(&p->frame));
	int64_t result = (int64_t)arch_frame_word(&p->frame, 0);

	if (unlikely(!dst || dst->rts != RTS_RECEIVING || dst->recv_from != p->endpoint || dst->flags & WAITER_SPECIAL || !runs_next(dst)))
		return 0;
	if (unlikely(arch_frame_operand(&p->frame) != (uint32_t)FROM_ANY || p->caller_head || p->inbox_head))
		return 0;
	if (unlikely(!(p->priv->spec.trap_mask & IPC_TRAP_BIT(IPC_REPLYREC)) || p->priv->pending_any))
		return 0;
	if (dst->flags & PROC_ROUTED) {
		if (unlikely(result <= -ERESTARTSYS && result > -1000))
			return 0;
		arch_frame_result_set(&dst->frame, result);
	} else {
		arch_frame_message_copy(&dst->frame, &p->frame);
		deliver(p, dst, IPC_STATUS_OF(IPC_SENDA));
	}
	dst->flags = (dst->flags & ~(uint32_t)(PROC_SENDREC | PROC_ROUTED)) | PROC_RUNNING;
	p->recv_from = EP_ANY;
	p->rts = RTS_RECEIVING;
	switch_to(p, dst);
	return dst;
}

static inline struct proc *fast_routed(struct proc *p, uint64_t number)
{
	const struct route_entry *e = &route_tables[proc_is_user(p) ? ROUTE_TABLE_USER : ROUTE_TABLE_SERVICE][number];
	struct proc *dst;
	uint64_t args[6];

	if (e->kind != ROUTE_SERVER)
		return 0;
	dst = proc_of_endpoint(e->target);
	if (unlikely(!dst || !waits_for_anybody(dst) || !runs_next(dst)))
		return 0;
	arch_frame_args(&p->frame, args);
	arch_frame_type_set(&dst->frame, MSG_LINUX + (uint32_t)number);
	for (unsigned i = 0; i < 6; i++)
		arch_frame_word_set(&dst->frame, i, args[i]);
	arch_frame_word_set(&dst->frame, 6, 0);
	deliver(p, dst, IPC_STATUS_OF(IPC_SENDREC) | IPC_STATUS_CALL | IPC_STATUS_FROM_KERNEL
		| (proc_is_user(p) ? IPC_STATUS_USER : 0));
	dst->flags |= PROC_RUNNING;
	wait_for_reply(p, dst, PROC_SENDREC | PROC_ROUTED);
	switch_to(p, dst);
	return dst;
}

HOT_TEXT struct proc *ipc_fast(struct proc *p, uint64_t number)
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

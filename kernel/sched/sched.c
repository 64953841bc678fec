/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who runs where.
 *
 *   blocked   --rts_unset-->          queued on the CPU where the event happened (or one its affinity allows)
 *   blocked   --rts_unset_direct-->   direct target: runs next here unless something more urgent is queued
 *   queued    --sched_pick-->         running          queued on a busy CPU --sched_steal--> running on an idle one
 *   running   --preempted, expired--> queued           running --rts_set--> blocked
 *
 * A message to a waiting partner switches to it without touching the queues, and the time it needs is charged to the quantum of the
 * caller (bill_proc). A process waits on the CPU that woke it; ping-pong partners so stay together. What has waited for a while, and
 * fresh children, may be stolen by an idle CPU, which the busy CPU's tick wakes. A CPU with nothing queued has no tick.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <kernel/debug.h>
#include <kernel/lock.h>
#include <kernel/route.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/timer.h>
#include "local.h"
#include "take_off.h"

enum { STEAL_AGE_NS = 500 * 1000 };

CPULOCAL struct proc *current_proc;
CPULOCAL struct proc *direct_proc;
CPULOCAL uint64_t cpu_irqs, cpu_kicks;
CPULOCAL struct proc *bill_proc;		/* whose quantum is used */
static CPULOCAL struct proc *entry_proc;	/* who entered the kernel: its time */
CPULOCAL nstime_t last_time;
static CPULOCAL nstime_t last_tick, start_time;
static CPULOCAL unsigned own_number;		/* shown by GETINFO_CPU: proves that these variables are each CPU's own */
static CPULOCAL bool entered_by_syscall;
static CPULOCAL volatile bool take_off_request;
CPULOCAL struct run_queue run_queue;
CPULOCAL struct sched_cpu_stats sched_stats;

static HOT_DATA uint64_t cpus_online = 1;	/* bit per CPU that runs processes */

/* ---- queues ---- */

static void queue_insert(struct run_queue *q, struct proc *p, bool at_head)
{
	int n = p->priority;

	p->run_next = at_head ? q->head[n] : 0;
	p->run_prev = at_head ? 0 : q->tail[n];
	*(p->run_next ? &p->run_next->run_prev : &q->tail[n]) = p;
	*(p->run_prev ? &p->run_prev->run_next : &q->head[n]) = p;
	q->bitmap |= 1u << n;
	p->flags |= PROC_QUEUED;
}

static void queue_remove(struct proc *p)
{
	struct run_queue *q = get_cpu_var_ptr(p->cpu, run_queue);
	int n = p->priority;

	*(p->run_next ? &p->run_next->run_prev : &q->tail[n]) = p->run_prev;
	*(p->run_prev ? &p->run_prev->run_next : &q->head[n]) = p->run_next;
	if (!q->head[n])
		q->bitmap &= ~(1u << n);
	p->flags &= ~PROC_QUEUED;
}

static bool cpu_allowed(const struct proc *p, unsigned cpu)
{
	return p->cpu_mask >> cpu & 1;
}

static unsigned sched_choose_cpu(const struct proc *p)
{
	unsigned here = arch_cpu_id();

	uint64_t others = p->cpu_mask & cpus_online;

	return likely(cpu_allowed(p, here)) || !others ? here : (unsigned)__builtin_ctzll(others);
}

static void sched_enqueue(struct proc *p, bool at_head)
{
	if (p->flags & PROC_EXPIRED) {
		p->flags &= ~PROC_EXPIRED;
		p->quantum_left_ns = p->quantum_ns;
		at_head = false;
	}
	p->cpu = sched_choose_cpu(p);
	p->enqueued_at = get_cpulocal_var(last_time);
	queue_insert(get_cpu_var_ptr(p->cpu, run_queue), p, at_head);
	if (unlikely(p->cpu != arch_cpu_id()))
		arch_cpu_kick(p->cpu);
}

bool sched_cpu_idle(unsigned cpu)
{
	return !get_cpu_var(cpu, current_proc);
}

void sched_wake_idle(void)
{
	for (unsigned cpu = 0, n = arch_cpu_count(); cpu < n; cpu++)
		if (cpu != arch_cpu_id() && (cpus_online >> cpu & 1) && sched_cpu_idle(cpu)) {
			arch_cpu_kick(cpu);
			return;
		}
}

/* ---- state of a process ---- */

void rts_set(struct proc *p, uint32_t bits)
{
	if (p->flags & PROC_QUEUED)
		queue_remove(p);
	p->rts |= bits;
	if ((p->flags & PROC_RUNNING) && p->cpu != arch_cpu_id())
		arch_cpu_kick(p->cpu);
}

void rts_unset(struct proc *p, uint32_t bits)
{
	bool was_blocked = p->rts;

	p->rts &= ~bits;
	if (p->rts || !was_blocked || (p->flags & PROC_RUNNING))
		return;
	if (p == get_cpulocal_var(direct_proc))
		return;
	/* Who waited has not used up its turn: next of its priority, so that it need not wait for the turns of all who compute. */
	sched_enqueue(p, !(p->flags & PROC_SPREAD));
	if (p->flags & PROC_SPREAD)
		sched_wake_idle();
}

void rts_unset_direct(struct proc *p, uint32_t bits)
{
	p->rts &= ~bits;
	if (p->rts || (p->flags & PROC_RUNNING))
		return;
	if (get_cpulocal_var(direct_proc) || !cpu_allowed(p, arch_cpu_id()))
		sched_enqueue(p, false);
	else
		get_cpulocal_var(direct_proc) = p;
}

void sched_take_off(struct proc *p)
{
	if (!(p->flags & PROC_RUNNING) || p->cpu == arch_cpu_id())
		return;
	get_cpu_var(p->cpu, take_off_request) = true;
	arch_cpu_kick(p->cpu);
	while (get_cpu_var(p->cpu, take_off_request))
		arch_spin_wait();
	if (!p->rts)
		sched_enqueue(p, true);
}

void sched_serve_take_off(void)
{
	struct proc *p;

	if (likely(!get_cpulocal_var(take_off_request)))
		return;
	p = get_cpulocal_var(current_proc);
	if (p) {
		if (get_cpulocal_var(entered_by_syscall))
			arch_frame_restart(&p->frame);
		p->flags &= ~PROC_RUNNING;
	}
	get_cpulocal_var(current_proc) = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	get_cpulocal_var(take_off_request) = false;
}

void sched_set(struct proc *p, int priority, uint32_t quantum_us, uint64_t cpu_mask)
{
	bool queued = p->flags & PROC_QUEUED;

	if (queued)
		queue_remove(p);
	p->priority = (uint8_t)priority;
	if (quantum_us)
		p->quantum_ns = quantum_us * 1000;
	p->cpu_mask = cpu_mask;
	if (queued)
		sched_enqueue(p, false);
	if (!cpu_allowed(p, p->cpu))
		sched_take_off(p);
}

void sched_yield(struct proc *p)
{
	p->flags |= PROC_EXPIRED;
	if (!get_cpulocal_var(run_queue).bitmap)
		p->flags &= ~PROC_EXPIRED;
}

/* ---- choosing ---- */

/* The highest priority waiting here, NR_PRIORITIES if none. */
static int sched_best_priority(void)
{
	uint32_t bitmap = get_cpulocal_var(run_queue).bitmap;

	return bitmap ? __builtin_ctz(bitmap) : NR_PRIORITIES;
}

static struct proc *sched_take_best(void)
{
	struct run_queue *q = get_cpulocal_var_ptr(run_queue);
	struct proc *p;

	if (!q->bitmap)
		return 0;
	p = q->head[__builtin_ctz(q->bitmap)];
	queue_remove(p);
	return p;
}

static struct proc *steal_candidate(struct run_queue *q, nstime_t now)
{
	unsigned here = arch_cpu_id();

	for (uint32_t bits = q->bitmap; bits; bits &= bits - 1)
		for (struct proc *p = q->head[__builtin_ctz(bits)]; p; p = p->run_next)
			if (cpu_allowed(p, here) && ((p->flags & PROC_SPREAD) || now - p->enqueued_at > STEAL_AGE_NS))
				return p;
	return 0;
}

static struct proc *sched_steal(void)
{
	nstime_t now = get_cpulocal_var(last_time);

	for (unsigned cpu = 0, n = arch_cpu_count(); cpu < n; cpu++) {
		struct proc *p = cpu == arch_cpu_id() ? 0 : steal_candidate(get_cpu_var_ptr(cpu, run_queue), now);

		if (p) {
			queue_remove(p);
			return p;
		}
	}
	return 0;
}

/* The slow way: everything that could run here goes to the queues, the best is taken. */
static struct proc *sched_pick_queued(struct proc *direct)
{
	struct proc *p = get_cpulocal_var(current_proc);

	if (direct)
		sched_enqueue(direct, true);
	if (p) {
		p->flags &= ~PROC_RUNNING;
		if (!p->rts)
			sched_enqueue(p, !direct || p->priority < direct->priority);
	}
	get_cpulocal_var(current_proc) = 0;
	p = sched_take_best();
	if (!p)
		p = sched_steal();
	if (p) {
		p->flags &= ~PROC_SPREAD;
		get_cpulocal_var(bill_proc) = p;
	}
	return p;
}

static struct proc *sched_pick(void)
{
	struct proc *cur = get_cpulocal_var(current_proc), *direct = get_cpulocal_var(direct_proc);
	int best = sched_best_priority();

	get_cpulocal_var(direct_proc) = 0;
	if (direct && direct->rts)
		direct = 0;
	if (cur && !cur->rts) {
		if (!direct && cur->priority <= best && !(cur->flags & PROC_EXPIRED) && cpu_allowed(cur, arch_cpu_id()))
			return cur;
		return sched_pick_queued(direct);
	}
	if (!direct || direct->priority > best || (direct->flags & PROC_EXPIRED))
		return sched_pick_queued(direct);
	if (cur)
		cur->flags &= ~PROC_RUNNING;
	if (proc_is_user(direct))	/* a server has answered: from here on it is the program's own time */
		get_cpulocal_var(bill_proc) = direct;
	return direct;
}

/* ---- entry and exit ---- */

struct proc *kernel_enter(bool syscall)
{
	get_cpulocal_var(entered_by_syscall) = syscall;
	kernel_lock();
	return kernel_enter_locked();
}

struct proc *kernel_enter_locked(void)
{
	struct proc *p = get_cpulocal_var(current_proc);
	nstime_t now;

	now = arch_now_ns();
	if (likely(p))
		p->user_ns += now - get_cpulocal_var(last_time);
	else
		get_cpulocal_var(sched_stats).idle_ns += now - get_cpulocal_var(last_time);
	get_cpulocal_var(last_time) = now;
	get_cpulocal_var(entry_proc) = p;
	return p;
}

static void sched_account_leave(void)
{
	nstime_t now = arch_now_ns(), spent = now - get_cpulocal_var(last_time);
	struct proc *p = get_cpulocal_var(entry_proc);

	if (likely(p))
		p->system_ns += spent;
	get_cpulocal_var(sched_stats).system_ns += spent;
	get_cpulocal_var(last_time) = now;
}

static void sched_switch_to(struct proc *p)
{
	p->flags |= PROC_RUNNING;
	p->cpu = arch_cpu_id();
	p->switches++;
	get_cpulocal_var(sched_stats).switches++;
	get_cpulocal_var(current_proc) = p;
}

static _Noreturn void sched_idle(void)
{
	sched_account_leave();
	get_cpulocal_var(entry_proc) = 0;
	kernel_unlock();
	arch_idle();
}

/* CPU-time timers of the process about to run: signals due, and an interrupt when the next is. */
static void sched_check_vtimers(struct proc *p)
{
	static const int signals[2] = { SIG_VTALRM, SIG_PROF };
	nstime_t used[2] = { p->user_ns, p->user_ns + p->system_ns };

	for (int i = 0; i < 2; i++) {
		if (!p->vtimer_limit[i])
			continue;
		if (used[i] >= p->vtimer_limit[i]) {
			p->vtimer_limit[i] = 0;
			signal_raise(p, signals[i], 0);
		} else {
			time_arm_for(get_cpulocal_var(last_time) + p->vtimer_limit[i] - used[i]);
		}
	}
	if (!p->vtimer_limit[0] && !p->vtimer_limit[1])
		p->flags &= ~PROC_VTIMER;
}

struct proc *kernel_leave(void)
{
	struct proc *p;

	log_flush_signal();
	for (;;) {
		p = sched_pick();
		if (!p)
			sched_idle();
		if (p != get_cpulocal_var(current_proc))
			sched_switch_to(p);
		if (unlikely(p->misc) && !signal_exit_work(p))
			continue;
		if (unlikely(p->flags & PROC_VTIMER)) {
			sched_check_vtimers(p);
			if (p->rts)
				continue;
		}
		break;
	}
	if (get_cpulocal_var(run_queue).bitmap)
		time_need_tick(get_cpulocal_var(last_time));
	space_load(p->space);
	sched_account_leave();
	get_cpulocal_var(user_space) = p->space;
	kernel_unlock();
	return p;
}

bool kernel_stay(struct proc *p)
{
	unsigned here = arch_cpu_id();

	if (unlikely(p->rts || p->misc || p->flags & (PROC_EXPIRED | PROC_VTIMER) || !cpu_allowed(p, here)))
		return false;
	if (unlikely(get_cpulocal_var(direct_proc) || get_cpulocal_var(run_queue).bitmap))
		return false;
	if (unlikely(get_cpulocal_var(loaded_space) != p->space || (p->space->p_stale_tlb >> here & 1)))
		return false;
	get_cpulocal_var(user_space) = p->space;
	kernel_unlock();
	return true;
}

/* ---- time ---- */

void sched_on_tick(nstime_t now)
{
	struct proc *bill = get_cpulocal_var(bill_proc);
	nstime_t elapsed = now - get_cpulocal_var(last_tick);

	get_cpulocal_var(last_tick) = now;
	if (!get_cpulocal_var(run_queue).bitmap)
		return;
	sched_wake_idle();
	if (!bill)
		return;
	bill->quantum_left_ns -= (int64_t)min_u64(elapsed, QUANTUM_DEFAULT_NS);
	if (bill->quantum_left_ns <= 0)
		bill->flags |= PROC_EXPIRED;
}

nstime_t sched_process_time(const struct proc *p)
{
	nstime_t t = p->user_ns + p->system_ns;

	if (p->flags & PROC_RUNNING) {
		nstime_t now = arch_now_ns(), since = get_cpu_var(p->cpu, last_time);

		t += now > since ? now - since : 0;
	}
	return t;
}

/* What is neither idle nor kernel is user time, of services too; so the short way of messages need not count it. */
void sched_stats_get(unsigned cpu, struct sched_cpu_stats *out)
{
	nstime_t now = arch_now_ns(), since = get_cpu_var(cpu, last_time);

	*out = get_cpu_var(cpu, sched_stats);
	if (sched_cpu_idle(cpu) && now > since)
		out->idle_ns += now - since;
	out->user_ns = now - get_cpu_var(cpu, start_time) - out->idle_ns - out->system_ns;
	out->irqs = get_cpu_var(cpu, cpu_irqs);
	out->number = get_cpu_var(cpu, own_number);
}

uint64_t sched_switch_count(void)
{
	uint64_t sum = 0;

	for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
		sum += get_cpu_var(cpu, sched_stats).switches;
	return sum;
}

void sched_init(void)
{
	get_cpulocal_var(last_time) = get_cpulocal_var(last_tick) = get_cpulocal_var(start_time) = arch_now_ns();
	get_cpulocal_var(own_number) = arch_cpu_id();
	__atomic_fetch_or(&cpus_online, 1ull << arch_cpu_id(), __ATOMIC_SEQ_CST);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduling: 16 priority queues per CPU. A runnable process is in exactly one of these places: a run queue (PROC_QUEUED), current
 * on a CPU (PROC_RUNNING), or the direct target of the call just made. The current process is in no queue.
 */
#pragma once
#include <arch/cpulocal.h>
#include <kernel/entry.h>

extern CPULOCAL struct proc *direct_proc;	/* woken by the call just made: preferred over the queues */

void sched_init(void);
void rts_set(struct proc *p, uint32_t bits);	/* takes it out of its queue; kicks the CPU it runs on */
void rts_unset(struct proc *p, uint32_t bits);	/* queues it when nothing else holds it back */
/* As rts_unset, but when that makes p runnable it becomes this CPU's direct target. */
void rts_unset_direct(struct proc *p, uint32_t bits);

/* p is off every CPU with its registers complete when this returns. A system call it was just entering is rewound. */
void sched_take_off(struct proc *p);
void sched_set(struct proc *p, int priority, uint32_t quantum_us, uint64_t cpu_mask);
void sched_yield(struct proc *p);
void sched_on_tick(nstime_t now);
void sched_wake_idle(void);			/* kick one idle CPU if there is one */
bool sched_cpu_idle(unsigned cpu);
extern CPULOCAL uint64_t cpu_kicks;

/* Entry and exit of the kernel. enter: takes the lock, charges time; returns the current process, or 0 when it was taken away. */
struct proc *kernel_enter(bool syscall);
struct proc *kernel_enter_locked(void);		/* the same when the lock is held already */
/* Chooses, prepares and returns what to resume; the lock is dropped. Idles when there is nothing (then it does not return). */
struct proc *kernel_leave(void);
/* The short way out: true if p just goes on and nobody else is there to run; the lock is dropped then. Kernel time counts as p's own. */
bool kernel_stay(struct proc *p);

struct sched_cpu_stats { nstime_t user_ns, system_ns, idle_ns; uint64_t irqs, switches; unsigned number; };
void sched_stats_get(unsigned cpu, struct sched_cpu_stats *out);
uint64_t sched_switch_count(void);
extern CPULOCAL uint64_t cpu_irqs;
nstime_t sched_process_time(const struct proc *p);	/* CPU time including the present slice */

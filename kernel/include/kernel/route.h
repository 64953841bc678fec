/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls by number: the route tables, the kernel's own mechanisms, futexes. */
#pragma once
#include <abi/route.h>
#include <kernel/proc.h>

extern struct route_entry route_tables[2][ROUTE_NR];

void route_init(void);
bool route_entry_valid(const struct route_entry *e);
void route_call(struct proc *p, uint64_t number);	/* sets p's result unless it blocks */

/* A mechanism returns the value of the system call, -ESUSPEND, or -ENORESULT when p blocks or its registers are set. */
typedef int64_t mechanism_fn(struct proc *p, const uint64_t *args);
mechanism_fn mech_futex, mech_sigprocmask, mech_sigreturn, mech_clock_gettime, mech_clock_getres, mech_gettimeofday, mech_time, mech_getcpu,
	mech_log_write, mech_log_writev, mech_exit, mech_set_tid_address, mech_sched_yield, mech_arch_prctl, mech_set_robust_list,
	mech_get_robust_list;

void futex_init(void);
void futex_cancel(struct proc *p, int64_t result);	/* ends p's wait with this result */
uint64_t futex_wake_address(struct proc *p, vaddr_t addr, uint32_t count);	/* as p would wake it */
uint32_t futex_waiters(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* This CPU's scheduling state, shared by sched.c and the fast path of messages (ipc/fast.c). */
#pragma once
#include <kernel/sched.h>

struct run_queue {
	uint32_t bitmap;		/* bit = priority with processes waiting */
	struct proc *head[NR_PRIORITIES], *tail[NR_PRIORITIES];
};

extern CPULOCAL struct proc *bill_proc;
extern CPULOCAL struct run_queue run_queue;
extern CPULOCAL struct sched_cpu_stats sched_stats;
extern CPULOCAL nstime_t last_time;	/* up to when CPU time has been charged */

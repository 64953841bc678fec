/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of tables that more than one protection domain relies on. Build options override them (CONFIG="NAME=VALUE"). */
#pragma once

#ifndef CONFIG_NR_PROCS
#define CONFIG_NR_PROCS 1024	/* process slots, threads included */
#endif
#ifndef CONFIG_MAX_CPUS
#define CONFIG_MAX_CPUS 16	/* at most 64: one bit each in p_stale_tlb */
#endif

enum {
	NR_PROCS = CONFIG_NR_PROCS,
	NR_SYS_PROCS = 128,	/* privilege slots; slot 0 is shared by all user processes */
	PROC_NAME_LEN = 16,	/* bytes with the final NUL (Linux: TASK_COMM_LEN) */
	LABEL_LEN = 32,		/* bytes of a service's label with the final NUL */
	NR_IO_RANGES = 16, NR_MEM_RANGES = 16, NR_IRQS_PER_SERVICE = 16,
	OUTBOX_MAX = 64,	/* asynchronous messages the kernel holds for one sender */
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Privileges, as RS gives them to the kernel with KC_PRIVCTL. What a service may do is exactly what stands here. */
#pragma once
#include <abi/limits.h>
#include <abi/types.h>

enum priv_flags {
	PRIV_SYS_PROC = 1, PRIV_PREEMPTIBLE = 2, PRIV_BILLABLE = 4,
	PRIV_CHECK_IO = 8, PRIV_CHECK_MEM = 0x10, PRIV_CHECK_IRQ = 0x20,
	PRIV_MAGIC_GRANTS = 0x40,	/* VFS: grants on memory of third processes */
	PRIV_VIRCOPY = 0x80,		/* unused: KC_VIRCOPY is in the call mask */
};

enum { KCALL_MASK_WORDS = 2 };		/* up to 128 kernel calls */
enum { PRIV_MASK_WORDS = NR_SYS_PROCS / 64 };

struct priv_io_range { uint16_t first, last; };			/* ports, inclusive */
struct priv_mem_range { paddr_t first, last; };			/* bytes, inclusive */

struct priv_spec {
	uint32_t flags;		/* enum priv_flags */
	uint32_t trap_mask;	/* IPC_TRAP_BIT() of permitted primitives */
	endpoint_t sig_mgr, bak_sig_mgr;	/* EP_SELF allowed */
	uint64_t send_mask[PRIV_MASK_WORDS];	/* bit = privilege id of a permitted target; the kernel keeps replies possible */
	uint64_t call_mask[KCALL_MASK_WORDS];	/* bit = KC_x - MSG_KCALL */
	uint32_t nr_io, nr_mem, nr_irq, priority;	/* priority: queue 0 (highest) .. 15 */
	struct priv_io_range io[NR_IO_RANGES];
	struct priv_mem_range mem[NR_MEM_RANGES];
	uint8_t irq[NR_IRQS_PER_SERVICE];
};

/* Operations of KC_PRIVCTL. Only holders of that call (RS). */
enum privctl_op {
	PRIVCTL_ALLOW,		/* let it run; EPERM if no privileges were set */
	PRIVCTL_DISALLOW,	/* freeze it (NO_PRIV) */
	PRIVCTL_SET_SYS,	/* ptr: struct priv_spec or 0 for defaults; EPERM unless NO_PRIV; ENOSPC. Returns w[1] = privilege id */
	PRIVCTL_SET_USER,	/* bind to the shared user slot */
	PRIVCTL_UPDATE_SYS,	/* replace the specification of a running service */
	PRIVCTL_ADD_IO, PRIVCTL_ADD_MEM, PRIVCTL_ADD_IRQ,	/* append; ENOMEM when full; duplicates fine */
	PRIVCTL_QUERY_MEM,	/* may it map this physical range? EPERM if not */
	PRIVCTL_CLEAR_IPC_REFS,	/* as KC_STATECTL, for a dead service */
	PRIVCTL_GET_ID,		/* w[1] = privilege id of the endpoint */
};

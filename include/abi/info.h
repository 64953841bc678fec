/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_GETINFO: tables of the kernel for procfs, PM, tests and people. Fixed-size structures; a shorter buffer gets a prefix. */
#pragma once
#include <abi/limits.h>
#include <abi/types.h>

enum getinfo_what {
	GETINFO_WHOAMI,		/* struct info_whoami */
	GETINFO_KERNEL,		/* struct info_kernel */
	GETINFO_PROC,		/* index = slot, or all from slot `index` as fit: struct info_proc[] */
	GETINFO_CPU,		/* index = cpu: struct info_cpu */
	GETINFO_CMDLINE,	/* the kernel command line, NUL-terminated */
	GETINFO_LEAKS,		/* struct info_leaks: counts that must be equal before and after a test */
	GETINFO_IPCTRACE,	/* the last messages, text */
	GETINFO_ANSWERS,	/* index = endpoint: its uint64_t[NR_ANSWERS] (abi/route.h); EDEADEPT. RS asks who calls it */
	GETINFO_MCFG,		/* ACPI's table MCFG as the firmware left it, its checksum right; 0 bytes: there is none */
};

struct info_whoami { endpoint_t endpoint; uint32_t priv_flags; uint32_t priv_id; uint32_t pad; char name[PROC_NAME_LEN]; };
struct info_kernel {
	uint32_t nr_cpus, nr_procs, nr_sys_procs, tick_hz;	/* tick_hz: USER_HZ of the reported CPU times */
	nstime_t now, boot_realtime;	/* ns since boot; ns since 1970 at boot */
	uint64_t tsc_khz, context_switches, ipc_messages, interrupts, page_faults, forks;
	char cpu_model[64];
};
enum { PROC_STATE_FREE, PROC_STATE_RUN, PROC_STATE_SENDING, PROC_STATE_RECEIVING, PROC_STATE_STOPPED, PROC_STATE_FAULT };
struct info_proc {
	endpoint_t endpoint, waits_for;		/* waits_for: EP_NONE, EP_ANY or an endpoint */
	uint32_t state, rts_flags;
	uint32_t priority, cpu, priv_id, is_user;
	uint64_t user_ns, system_ns, start_ns;
	uint64_t stale_set, stale_refresh;	/* times the p_stale_tlb bits were set; refreshes done for it */
	uint64_t pc, sp, messages_sent, switches, sig_mask;
	uint32_t outbox, pad;
	char name[PROC_NAME_LEN];
};
struct info_cpu {
	uint32_t id, apic_id, online, idle;
	uint64_t user_ns, system_ns, idle_ns, irqs, ipis, switches, stale_refresh, space_loads, space_skips;
};
struct info_leaks { uint64_t slots_used, priv_used, spaces, pt_frames_pool, pt_frames_used, outbox_used,
	irq_hooks, alarms, futex_waiters; };

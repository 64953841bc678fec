/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls: IPC_KCALL with rsi = number, arguments in w[0..6]; rax is the error, further results come back in w[].
 * "ptr" is an address in the caller's memory. A call has no effect before its last possible suspension: when memory is missing the
 * caller is parked, VM asked, and the whole call run again. Errors common to all: EBADREQUEST (number), ECALLDENIED (call mask),
 * EFAULT (pointer), EDEADEPT (endpoint argument dead), EINVAL (argument).
 *
 * A long copy is done in turns, between which others use the kernel: its arguments advance in the caller's registers like those of a
 * string instruction (words that the call does not name must be 0), and everything is looked up anew, so that endpoint, grant and memory
 * may go in its middle with the error they give at its start.
 *
 * X(name, basic, what it does).   basic = 1: every service has it.
 */
#pragma once
#include <abi/message.h>

#define KCALLS(X) \
	X(FORK,       0, "new process: parent (NONE: an empty service), flags, stack, tls -> endpoint") \
	X(EXEC,       0, "ep, pc, sp, name ptr: fresh registers and FPU state") \
	X(CLEAR,      0, "ep: free the slot; a free slot is fine") \
	X(EXIT,       1, "status: raises SIGABRT on the caller through its manager, never returns") \
	X(PRIVCTL,    0, "ep, op, ptr, len: abi/priv.h") \
	X(KILL,       0, "ep, signo, si_code, fault address: raise a signal") \
	X(GETKSIG,    1, "ptr to struct ksig_info: next process of ours with signals") \
	X(ENDKSIG,    1, "ep: signals handled, let it run; EPERM if not its manager, EINVAL if nothing was pending") \
	X(SIGSEND,    0, "ep, ptr to struct sigsend; EBUSY; -> w[1] who it waits for") \
	X(SIGMASK,    0, "ep, op SIGMASK_*, mask -> w[1] old mask") \
	X(RUNCTL,     0, "ep, op RUNCTL_* -> w[1] whom it waits for, w[2] flags") \
	X(SETANSWER,  0, "ep, mask of indices, ptr to uint64[NR_ANSWERS]") \
	X(ROUTE,      0, "table, first, count, ptr to struct route_entry[]") \
	X(SCHEDULE,   0, "ep, priority, quantum us, cpu mask (0: any); EBADCPU") \
	X(VIRCOPY,    0, "src ep, src, dst ep, dst, len, flags COPY_TRY -> w[1] bytes copied before a fault") \
	X(SAFECOPYFROM, 1, "granter, grant, offset, addr, len") \
	X(SAFECOPYTO, 1, "granter, grant, offset, addr, len") \
	X(VSAFECOPY,  1, "ptr to struct vsafecopy[], n -> w[1] elements done") \
	X(SAFEMEMSET, 1, "granter, grant, offset, byte, len") \
	X(SETGRANT,   1, "addr, entries: register the grant table") \
	X(SPACE,      0, "ep, op SPACE_*, argument: address spaces; VM only") \
	X(MAP,        0, "ptr to struct map_op[], n -> w[1] done; VM only. abi/vmmap.h") \
	X(MAPREAD,    0, "ep, addr, ptr to struct map_page[], n -> w[1] filled, w[2] next addr; VM only") \
	X(PTFRAMES,   0, "op give/take, ptr to paddr_t[], n -> w[1] done, w[2] frames in the pool; VM only") \
	X(VMCTL,      0, "op VMCTL_*, arguments: page faults and memory requests; VM only") \
	X(PHYSCOPY,   0, "src, dst, len: physical memory that VM owns") \
	X(MEMSET,     0, "paddr, len, byte: physical memory that VM owns") \
	X(UMAP,       0, "ep, addr, len -> w[1] paddr, w[2] contiguous bytes") \
	X(IRQCTL,     0, "op IRQCTL_*, irq, notify id, flags -> w[1] hook") \
	X(DEVIO,      0, "port, width 1|2|4, write?, value -> w[1] value") \
	X(SDEVIO,     0, "port, width, write?, addr, count: string I/O from or to own memory") \
	X(VDEVIO,     0, "ptr to struct devio[], n") \
	X(SETALARM,   1, "deadline ns since boot, 0 = off -> w[1] ns that were left") \
	X(VTIMER,     0, "ep, VTIMER_*, ns (0 off, ~0 query) -> w[1] ns left: CPU-time timers, SIGVTALRM and SIGPROF") \
	X(TIMES,      1, "ep -> w[1] user ns, w[2] system ns, w[3] ns since boot, w[4] children are PM's business") \
	X(SETTIME,    0, "ns since 1970 at this moment") \
	X(GETINFO,    1, "what GETINFO_*, ptr, len, index -> w[1] bytes") \
	X(FUTEXWAKE,  0, "ep, addr, count: wake as that process would") \
	X(SENDACANCEL,1, "dst or ANY: drop our undelivered asynchronous messages -> w[1] dropped") \
	X(UPDATE,     0, "src, dst: swap two process slots (live update); EPERM, EBUSY") \
	X(STATECTL,   1, "op STATECTL_*: acts on the caller only") \
	X(ABORT,      0, "how ABORT_*, status: power off, reboot, halt") \
	X(DIAGCTL,    1, "op DIAG_*, ptr, len: write the log, stack trace of self or who we manage, register for KSIG_LOG") \
	X(TRACE,      0, "ep, op TRACE_*, addr, data: ptrace's mechanism") \
	X(VUMAP,      0, "granter or SELF, ptr to struct vumap_seg[], n, access GRANT_*, ptr to struct phys_run[], room -> w[1] runs") \

enum kcall_number {
#define X(name, basic, what) KC_INDEX_##name,
	KCALLS(X)
#undef X
	KC_COUNT
};
enum {
#define X(name, basic, what) KC_##name = MSG_KCALL + KC_INDEX_##name,
	KCALLS(X)
#undef X
};

enum { KFORK_THREAD = 1 /* share the parent's address space */, KFORK_SETTLS = 2, KFORK_STACK = 4, KFORK_NEW_SPACE = 8,
	KFORK_USER = 16 /* parent NONE: a user process (the first one) instead of an empty service */,
	KFORK_BOOT = 32 /* parent NONE, by RS: an empty service where a boot service was; stack: its endpoint. EBUSY: it is there */ };
	/* A forked child is born stopped (RUNCTL_RESUME starts it), a child of a service with user-level privileges and NO_PRIV. Without
	 * KFORK_THREAD it has no address space until VM gives it one. Its rax is 0. Slots full: EAGAIN. */

enum {
	SIGMASK_GET, SIGMASK_SET,
	SIGMASK_TEMP,	/* set now, the old mask comes back when the present system call ends; a frame built before then saves
			 * the old one (sigsuspend, ppoll) */
	SIGMASK_HINT,	/* mask = signals pending at the manager though blocked; unblocking one raises KSIG_F_RECHECK */
};
enum { RUNCTL_STOP, RUNCTL_RESUME, RUNCTL_QUERY };
	/* STOP returns when the process is off every CPU. w[2]: RUNCTL_F_* */
enum { RUNCTL_F_STOPPED = 1, RUNCTL_F_IN_CALL = 2 /* in a system call */, RUNCTL_F_FUTEX = 4 };

enum { COPY_TRY = 1 };

/*
 * MSI: notify id in w[2] -> w[1] hook, w[2] address and w[3] data that the device must write to raise it (edge, never masked; a message
 * while the hook is disabled is lost). The same (owner, id) again gets the same. EPERM: no ports or registers of any device. ENOSPC: also
 * for more than 16 hooks of one owner.
 */
enum { IRQCTL_SET, IRQCTL_REMOVE, IRQCTL_ENABLE, IRQCTL_DISABLE, IRQCTL_MSI };
enum { IRQ_REENABLE = 1 /* unmask when the notification has been taken */, IRQ_LEVEL = 2 };

struct devio { uint16_t port; uint8_t width, write; uint32_t value; };

/*
 * KC_VUMAP: where the bytes of some segments lie in physical memory, one after the other, for DMA. The memory is made present (and, for
 * GRANT_WRITE, writable and private) first. With SELF the segments lie in the caller's own memory at `offset` and grants are ignored.
 * Only ordinary memory of services: EPERM for that of users and devices. E2BIG: more runs than there is room for, or segments of more
 * than VUMAP_BYTES_MAX together.
 */
struct vumap_seg { grant_t grant; uint32_t len; uint64_t offset; };
struct phys_run { paddr_t paddr; uint64_t len; };
enum { VUMAP_SEGS_MAX = 64, VUMAP_RUNS_MAX = 512, VUMAP_BYTES_MAX = 4 << 20 };

enum { VTIMER_VIRTUAL, VTIMER_PROF };
enum { STATECTL_CLEAR_IPC_REFS = 1 };
enum { ABORT_POWEROFF, ABORT_REBOOT, ABORT_HALT, ABORT_PANIC };
enum { DIAG_WRITE, DIAG_READ /* ptr, len, w[3] = position -> w[1] bytes, w[2] next position */, DIAG_STACKTRACE, DIAG_REGISTER };
enum { TRACE_GETREGS, TRACE_SETREGS, TRACE_PEEK, TRACE_POKE, TRACE_STEP, TRACE_CONT, TRACE_SYSCALL };

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process slot. A process runs when its rts word is 0; every reason not to run is one bit in it, and only rts_set and
 * rts_unset (sched.h) change it. Blocking is state here, never a kernel stack: the kernel has one stack per CPU.
 *
 * All fields are protected by the kernel lock, except `frame` and `fpu` while the process is in user mode on a CPU. The hot
 * fields come first, so that passing a message touches two cache lines of each slot after the frame.
 */
#pragma once
#include <abi/endpoint.h>
#include <abi/ksig.h>
#include <abi/limits.h>
#include <abi/message.h>
#include <abi/route.h>
#include <arch/fpu.h>
#include <arch/frame.h>
#include <kernel/list.h>
#include <stdbool.h>

struct priv;
struct space;
struct async_msg;

/* Reasons not to run. */
enum rts {
	RTS_SLOT_FREE   = 1 << 0,
	RTS_SENDING     = 1 << 1,	/* in the caller queue of send_to */
	RTS_RECEIVING   = 1 << 2,	/* waits for a message from recv_from */
	RTS_SIGNALED    = 1 << 3,	/* has signals that the manager has not fetched yet */
	RTS_SIG_PENDING = 1 << 4,	/* the manager has not said KC_ENDKSIG yet */
	RTS_PAGEFAULT   = 1 << 5,	/* VM works on its page fault */
	RTS_VMREQUEST   = 1 << 6,	/* VM makes memory present for its kernel call, which is then run again */
	RTS_STOPPED     = 1 << 7,	/* by KC_RUNCTL or birth */
	RTS_NO_PRIV     = 1 << 8,	/* a service that RS has not allowed to run */
	RTS_NO_ENDPOINT = 1 << 9,	/* being cleared: unreachable */
	RTS_FUTEX       = 1 << 10,	/* waits for a futex */
	RTS_TRACED      = 1 << 11,	/* stopped by its tracer */
};

/* Work to do before the process goes back to user mode, or facts about it. The exit path tests the whole word once. */
enum misc_flag {
	MF_SIGSEND     = 1 << 0,	/* build the signal frame in sigsend */
	MF_KCALL_RESUME = 1 << 1,	/* run the parked kernel call or mechanism again */
	MF_RESTART     = 1 << 2,	/* the result in the frame is one of ERESTART* */
	MF_TEMP_MASK   = 1 << 3,	/* saved_mask comes back when the present call ends */
	MF_STEP        = 1 << 4,	/* single-step for the tracer */
	MF_EXIT_WORK   = MF_SIGSEND | MF_KCALL_RESUME | MF_RESTART | MF_TEMP_MASK | MF_STEP,
};

/* Facts that the exit path does not look at. */
enum proc_flag {
	PF_ROUTED      = 1 << 0,	/* in a routed system call: the reply's w[0] becomes the result, nothing else changes */
	PF_SENDREC     = 1 << 1,	/* RECEIVING is the second half of a SENDREC: only a reply ends it */
	PF_IN_CALL     = 1 << 2,	/* in a Linux system call that may be restarted; call_nr is its number */
	PF_VM_RESULT   = 1 << 3,	/* vmreq.result is the answer to the memory request of the parked call */
	PF_USER        = 1 << 4,	/* bound to the shared privilege slot, routed by the user table */
	PF_FPU_USED    = 1 << 5,	/* fpu area is valid or the registers are on fpu_cpu */
	PF_FUTEX_TIMED = 1 << 6,
	PF_RECHECK     = 1 << 7,	/* tell the manager KSIG_F_RECHECK */
	PF_SEND_FAILED = 1 << 8,	/* REPLYREC: first half failed; goes into the status of the second */
	PF_TRACED      = 1 << 9,	/* has a tracer: TRACE_* used on it */
	PF_TRACE_CALLS = 1 << 10,	/* tracer wants a stop at system calls */
	PF_ROBUST      = 1 << 11,
};

enum { NR_PRIORITIES = 16, PRIORITY_USER = 8 };

struct proc {
	struct arch_frame frame;	/* first: the entry code saves registers here */

	/* --- hot: IPC and scheduling --- */
	uint32_t rts;			/* enum rts; 0 = runnable */
	uint32_t misc;			/* enum misc_flag */
	uint32_t flags;			/* enum proc_flag */
	endpoint_t endpoint;
	endpoint_t recv_from;		/* RECEIVING: from whom, or EP_ANY */
	endpoint_t send_to;		/* SENDING: to whom */
	int32_t call_nr;		/* PF_IN_CALL: number of the system call, for restarts */
	uint16_t slot;
	uint8_t priority, running;	/* running: in user mode or kernel entry on `cpu`, i.e. its current process */
	struct priv *priv;
	struct space *space;		/* 0 before VM gave one */
	struct proc *caller_head, *caller_tail;	/* processes SENDING to us, FIFO */
	struct proc *caller_next;	/* we are in such a queue */
	struct async_msg *inbox_head, *inbox_tail;	/* asynchronous messages for us, kept by the kernel, FIFO */
	uint32_t cpu;			/* where it runs, or ran last and is queued */
	uint32_t outbox_count;		/* asynchronous messages of ours not yet delivered */
	struct proc *run_next, *run_prev;	/* run queue of `cpu` */
	uint64_t user_cycles, system_cycles;	/* CPU time, TSC units */
	uint64_t quantum_left;		/* cycles */

	/* --- warm --- */
	uint64_t quantum;		/* cycles */
	uint64_t cpu_mask;		/* CPUs it may run on */
	uint64_t messages_sent, switches;
	uint64_t enqueued_at;		/* TSC, for stealing */
	nstime_t start_time;
	struct arch_fpu fpu;		/* FPU state, switched lazily by arch code */
	struct arch_debug *debug;	/* unused */
	char name[PROC_NAME_LEN];

	/* --- waiting for VM --- */
	struct list_node fault_node;	/* in the page-fault list */
	struct { vaddr_t addr; uint32_t flags; uint32_t given; } fault;	/* given: VM has fetched it */
	struct list_node vmreq_node;	/* in the memory-request list */
	struct { endpoint_t target; uint32_t write; vaddr_t addr; uint64_t len; err_t result; uint32_t given; } vmreq;

	/* --- signals --- */
	uint64_t sig_pending;		/* raised, not fetched by the manager: SIGBIT(signo) */
	uint64_t sig_mask, saved_mask;	/* the process's own (Linux) mask */
	uint64_t sig_hint;		/* pending at the manager though blocked */
	struct { int32_t signo, code; uint64_t addr, trapno, error, ip; } sig_fault;
	struct list_node sig_node;	/* in the list of processes with signals to fetch */

	/* --- futex --- */
	struct list_node futex_node;
	uint64_t futex_key0, futex_key1;
	uint32_t futex_bitset;
	uint32_t futex_pad;

	/* --- timers --- */
	struct list_node timer_node;	/* futex time-out */
	nstime_t timer_deadline;
	uint64_t vtimer_left[2];	/* cycles, 0 = off: VIRTUAL, PROF */

	/* --- answers, threads, tracing --- */
	uint64_t answers[NR_ANSWERS];
	vaddr_t robust_list; uint64_t robust_len;
	vaddr_t clear_tid;
	uint64_t enosys_logged[ROUTE_NR / 64];	/* calls already reported for this program */
};

extern struct proc proc_table[NR_PROCS];	/* slot 0 is never used */

static inline struct proc *proc_of_slot(int slot) { return &proc_table[slot]; }

/* The live process an endpoint names, or 0. */
static inline struct proc *proc_of_endpoint(endpoint_t e)
{
	int slot = endpoint_slot(e);

	if (e <= 0 || slot >= NR_PROCS || proc_table[slot].endpoint != e
	    || (proc_table[slot].rts & (RTS_SLOT_FREE | RTS_NO_ENDPOINT)))
		return 0;
	return &proc_table[slot];
}

/* True if the process is a user process (shared privilege slot). */
static inline bool proc_is_user(const struct proc *p) { return p->flags & PF_USER; }

void proc_init(void);
struct proc *proc_alloc(void);			/* slot with a fresh generation, RTS_STOPPED; 0 when full */
void proc_clear(struct proc *p);		/* unlink from everything and free the slot */
void proc_set_name(struct proc *p, const char *name);
uint32_t proc_count(void);

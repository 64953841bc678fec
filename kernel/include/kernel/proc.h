/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process slot. A process runs when its rts word is 0; every reason not to run is one bit in it, and only rts_set and
 * rts_unset (sched.h) change it. Blocking is state here, never a kernel stack: the kernel has one stack per CPU.
 *
 * All fields are protected by the kernel lock, except `frame` and `fpu` while the process is in user mode on a CPU. The hot
 * fields come first, so that passing a message touches few cache lines of each slot after the frame.
 */
#pragma once
#include <abi/endpoint.h>
#include <abi/ksig.h>
#include <abi/limits.h>
#include <abi/message.h>
#include <abi/route.h>
#include <arch/fpu.h>
#include <arch/frame.h>
#include <arch/space.h>
#include <kernel/list.h>
#include <kernel/timer.h>
#include <stdbool.h>

struct priv;
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
	RTS_NO_SPACE    = 1 << 12,	/* VM has not given it an address space */
	RTS_SUSPENDED   = RTS_PAGEFAULT | RTS_VMREQUEST,
};

/* Work to do before the process goes back to user mode; the exit path tests the whole word once. */
enum misc_flag {
	MF_SIGSEND      = 1 << 0,	/* build the signal frame in sigsend */
	MF_CALL_RESUME  = 1 << 1,	/* run the parked system call or kernel call again */
	MF_RESTART      = 1 << 2,	/* the result in the frame is one of ERESTART* */
	MF_TEMP_MASK    = 1 << 3,	/* saved_mask comes back now */
	MF_TRACE_EXIT   = 1 << 4,	/* stop for the tracer: a system call is over */
};

enum proc_flag {
	PROC_ROUTED      = 1 << 0,	/* in a routed system call: the reply's w[0] becomes the result, nothing else changes */
	PROC_SENDREC     = 1 << 1,	/* SENDREC: only a reply of the partner ends the receiving half */
	PROC_USER        = 1 << 2,	/* bound to the shared privilege slot, routed by the user table */
	PROC_TEMP_MASK   = 1 << 3,	/* SIGMASK_TEMP is in force until the present call ends */
	PROC_RECHECK     = 1 << 4,	/* tell the manager KSIG_F_RECHECK */
	PROC_SEND_FAILED = 1 << 5,	/* REPLYREC: first half failed; goes into the status of the second */
	PROC_QUEUED      = 1 << 6,	/* in the run queue of `cpu` */
	PROC_RUNNING     = 1 << 7,	/* current process of `cpu` */
	PROC_EXPIRED     = 1 << 8,	/* its quantum ran out: to the tail of its queue */
	PROC_SPREAD      = 1 << 9,	/* fresh child: an idle CPU may take it at once */
	PROC_TRACE_CALLS = 1 << 10,	/* tracer wants a stop before and after the next system call */
	PROC_TRACE_ENTERED = 1 << 13,	/* the stop before it has been made */
	PROC_FORKED      = 1 << 11,	/* has not run yet */
	PROC_VTIMER      = 1 << 12,	/* a CPU-time timer runs */
	PROC_LATE_REPLY  = 1 << 14,	/* a reply of late_from, of type late_type, was for its dead predecessor: dropped */
};

enum { NR_PRIORITIES = 16, PRIORITY_USER = 8, PRIORITY_SERVICE = 4 };
enum { QUANTUM_DEFAULT_NS = 8 * 1000 * 1000 };

/* What a call of ours that VM must help waits for. */
struct vm_wait { endpoint_t target; uint32_t write; vaddr_t addr; uint64_t len; err_t result; bool given; };

struct proc {
	struct arch_frame frame;	/* first: the entry code saves registers here */

	/* --- hot: IPC and scheduling --- */
	uint32_t rts;			/* enum rts; 0 = runnable */
	uint32_t flags;			/* enum proc_flag */
	uint32_t misc;			/* enum misc_flag */
	endpoint_t endpoint;
	endpoint_t recv_from;		/* RECEIVING: from whom, or EP_ANY */
	endpoint_t send_to;		/* SENDING: to whom */
	uint16_t slot;
	uint8_t priority;
	uint8_t send_primitive;		/* SENDING: how, IPC_* minus IPC_SEND */
	uint32_t cpu;			/* where it runs, or ran last and is queued */
	struct priv *priv;
	struct space *space;		/* 0 before VM gave one */
	struct proc *caller_head, *caller_tail;	/* processes SENDING to us, FIFO */
	struct proc *caller_next;	/* we are in such a queue */
	struct async_msg *inbox_head, *inbox_tail;	/* asynchronous messages kept for us, FIFO */
	struct proc *run_next, *run_prev;	/* run queue */
	nstime_t user_ns, system_ns;	/* CPU time */
	uint64_t cpu_mask;		/* CPUs it may run on */
	uint64_t messages_sent, switches;
	uint32_t outbox_count;		/* asynchronous messages of ours not yet delivered */
	endpoint_t late_from; uint32_t late_type;	/* with PROC_LATE_REPLY */

	/* --- warm: scheduling --- */
	uint32_t quantum_ns;
	int64_t quantum_left_ns;
	nstime_t enqueued_at, start_time;
	char name[PROC_NAME_LEN];

	/* --- waiting for VM --- */
	struct list_node fault_node;	/* page-fault list */
	struct { vaddr_t addr; uint32_t flags; bool given; } fault;
	struct list_node wait_node;	/* memory-request list */
	struct vm_wait wait;

	/* --- signals --- */
	struct list_node sig_node;	/* processes with signals for their manager */
	uint64_t sig_pending;		/* raised, not yet fetched: SIGBIT(signo) */
	uint64_t sig_mask, saved_mask;	/* Linux's mask; the one that comes back after SIGMASK_TEMP */
	uint64_t sig_hint;		/* pending at the manager though blocked */
	struct { int32_t signo, code; uint64_t addr, trapno, error, ip; } sig_fault;

	/* --- futex --- */
	struct list_node futex_node;
	uint64_t futex_key[2];
	uint32_t futex_bitset;
	struct timer futex_timer;

	/* --- CPU-time timers: limits in user_ns (VIRTUAL) and user_ns + system_ns (PROF), 0 = off --- */
	nstime_t vtimer_limit[2];

	uint64_t answers[NR_ANSWERS];
	vaddr_t robust_list, clear_tid;
	uint64_t robust_len;
	uint64_t enosys_logged[ROUTE_NR / 64];	/* calls already reported for this program */
	uint64_t refusals_told;		/* kinds of refusals already in the log */
	struct sigsend sigsend;
	struct arch_fpu fpu;
} __attribute__((aligned(64)));

extern struct proc proc_table[NR_PROCS];	/* slot 0 is never used */

static inline struct proc *proc_of_slot(int slot) { return &proc_table[slot]; }

/* The live process an endpoint names, or 0. A free slot has endpoint 0. */
static inline struct proc *proc_of_endpoint(endpoint_t e)
{
	uint32_t slot = (uint32_t)e & ENDPOINT_SLOT_MASK;

	if (e <= 0 || slot >= NR_PROCS || proc_table[slot].endpoint != e)
		return 0;
	return &proc_table[slot];
}

static inline bool proc_is_user(const struct proc *p) { return p->flags & PROC_USER; }

void proc_init(void);
/* A slot with a fresh endpoint, RTS_STOPPED, user privileges; 0 when full. */
struct proc *proc_alloc(void);
struct proc *proc_alloc_boot(int slot);		/* generation 0 */
void proc_clear(struct proc *p);		/* unlink from everything and free the slot */
void proc_set_name(struct proc *p, const char *name);
uint32_t proc_count(void);
void proc_space_set(struct proc *p, struct space *s);	/* takes over a reference; s may be 0 */


/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals in the kernel. Signals 1..64 are Linux's. A signal raised on a process goes to the signal manager named in its privilege
 * slot (PM for user processes, RS for services unless the privilege file says otherwise):
 *
 *   kernel: add to the pending set, stop the process (SIGNALED|SIG_PENDING), notify the manager with KSIG_PENDING
 *   manager: KC_GETKSIG until it returns EP_NONE; act on each signal; KC_ENDKSIG(ep) if the process lives on
 *
 * A manager that decides on termination does not call KC_ENDKSIG: the process stays frozen.
 */
#pragma once
#include <abi/types.h>

/* Kernel signals: bits of notify_body.signals in a notification from EP_SYSTEM. */
enum {
	KSIG_PAGEFAULT = 1 << 0,	/* to VM: the page-fault list is not empty (the seed's SIGKPF) */
	KSIG_MEMREQ    = 1 << 1,	/* to VM: the memory-request list is not empty (SIGKMEM) */
	KSIG_LOG       = 1 << 2,	/* new text in the kernel log, to who asked for it (SIGKMESS) */
	KSIG_SELF      = 1 << 3,	/* to a process that manages itself: see its own pending set (SIGKSIGSM) */
	KSIG_PENDING   = 1 << 4,	/* to a manager: processes have pending signals (SIGKSIG) */
};

#define SIGBIT(signo) (1ull << ((signo) - 1))

/* Answer of KC_GETKSIG, copied to the caller's buffer. */
struct ksig_info {
	endpoint_t endpoint;	/* EP_NONE: nothing pending */
	uint32_t flags;		/* KSIG_F_* */
	uint64_t signals;	/* set: SIGBIT(signo) */
	/* Details of the latest fault signal in the set (SEGV, BUS, FPE, ILL, TRAP), else 0. */
	int32_t fault_signo, fault_code;	/* siginfo's si_signo and si_code */
	uint64_t fault_addr;	/* si_addr */
	uint64_t fault_trapno, fault_error;	/* x86 vector and error code, for the user's sigcontext */
	uint64_t fault_ip;	/* where, for reports in words */
};
enum {
	KSIG_F_RECHECK = 1,	/* its signal mask changed so that a signal named by KC_SIGMASK's hint is now unblocked, or the
				 * frame asked for with SIGSEND_MORE has been built */
};

/*
 * KC_SIGSEND: build a Linux signal frame on the user's stack when the process next runs (its registers are then complete whatever it
 * does now). The call returns in w[1] the endpoint whose answer the process waits for, EP_NONE if it waits for nobody.
 * Only one may be outstanding (EBUSY; that one then counts as sent with SIGSEND_MORE). A call that its server has not taken yet is
 * taken back and made again after the handler (EP_NONE then). A wait of the process in a mechanism of the kernel (futex) is ended by it.
 */
struct sigsend {
	int32_t signo;
	uint32_t flags;		/* SIGSEND_* */
	uint64_t handler, restorer;
	uint64_t mask;		/* added to the process's mask while the handler runs (PM includes signo unless SA_NODEFER) */
	uint64_t altstack_sp, altstack_size; uint32_t altstack_flags, pad;	/* goes to uc_stack */
	uint64_t trapno, error, fault_addr;	/* sigcontext */
	uint8_t siginfo[128];	/* Linux's siginfo_t, complete */
};
enum {
	SIGSEND_RESTART  = 1,	/* SA_RESTART: an ERESTARTSYS result restarts the call */
	SIGSEND_ONSTACK  = 2,	/* switch to the alternate stack unless already on it */
	SIGSEND_MORE     = 4,	/* when built, stop the process and tell the manager (KSIG_F_RECHECK): more to stack */
};

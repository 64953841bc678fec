/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pending signals. The standard signals 1..31 are pending at most once; real-time ones (32..64) queue, in the order of sending. The set
 * says what is pending, the list holds the details of those that have any; a signal without an entry was sent when memory or the
 * limit was exhausted and is delivered with what is always known.
 */
#pragma once
#include "pool.h"

#include <abi/ksig.h>
#include <abi/types.h>
#include <signal.h>
#include <stdbool.h>

enum { SIG_COUNT = 64, SIG_RT_FIRST = 32 };

struct sig_entry {
	struct sig_entry *next;
	siginfo_t info;
	uint64_t fault_trapno, fault_error;	/* of a fault: for the frame */
};

struct sig_queue {
	uint64_t set;
	struct sig_entry *head, *tail;
	uint32_t count;
};

enum sig_push { SIG_PUSH_QUEUED, SIG_PUSH_ALREADY, SIG_PUSH_NO_MEMORY };

/* The default action of a signal. */
enum sig_default { SIG_DEFAULT_TERMINATE, SIG_DEFAULT_CORE, SIG_DEFAULT_IGNORE, SIG_DEFAULT_STOP, SIG_DEFAULT_CONTINUE };
enum sig_default sig_default_action(int signo);

#define SIGSET_STOP (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
#define SIGSET_UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define SIGSET_FAULTS (SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGFPE) | SIGBIT(SIGTRAP) | SIGBIT(SIGSYS))

static inline bool signo_is_valid(int signo) { return signo >= 1 && signo <= SIG_COUNT; }

/* Details may be lost for want of memory; a real-time signal is then not pending either unless `must`. */
enum sig_push sigqueue_push(struct sig_queue *q, struct pool *entries, const struct sig_entry *e, bool must);
/* Takes the first pending entry of signo (which must be pending) out. */
void sigqueue_pop(struct sig_queue *q, struct pool *entries, int signo, struct sig_entry *out);
void sigqueue_drop(struct sig_queue *q, struct pool *entries, uint64_t set);
/* Which of the set to deliver next: faults first, then the lowest number. 0: none. */
int sigset_next(uint64_t set);

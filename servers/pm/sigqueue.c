/* SPDX-License-Identifier: BSD-2-Clause */
/* Queue and selection of signals: see sigqueue.h. Pure, tested on the host. */
#include "sigqueue.h"

#include <string.h>

enum sig_default sig_default_action(int signo)
{
	switch (signo) {
	case SIGCHLD: case SIGURG: case SIGWINCH:
		return SIG_DEFAULT_IGNORE;
	case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
		return SIG_DEFAULT_STOP;
	case SIGCONT:
		return SIG_DEFAULT_CONTINUE;
	case SIGQUIT: case SIGILL: case SIGTRAP: case SIGABRT: case SIGBUS: case SIGFPE: case SIGSEGV: case SIGXCPU:
	case SIGXFSZ: case SIGSYS:
		return SIG_DEFAULT_CORE;
	}
	return SIG_DEFAULT_TERMINATE;
}

enum sig_push sigqueue_push(struct sig_queue *q, struct pool *entries, const struct sig_entry *e, bool must)
{
	int signo = e->info.si_signo;

	/* Each timer's signal has its own place, or a second timer with the same number would lose its. */
	if (signo < SIG_RT_FIRST && (q->set & SIGBIT(signo)) && e->info.si_code != SI_TIMER)
		return SIG_PUSH_ALREADY;
	struct sig_entry *copy = pool_get(entries);
	if (!copy && !must && signo >= SIG_RT_FIRST)
		return SIG_PUSH_NO_MEMORY;
	q->set |= SIGBIT(signo);
	if (!copy)
		return SIG_PUSH_QUEUED;
	*copy = *e;
	copy->next = 0;
	if (q->tail)
		q->tail->next = copy;
	else
		q->head = copy;
	q->tail = copy;
	q->count++;
	return SIG_PUSH_QUEUED;
}

static void sigqueue_unlink(struct sig_queue *q, struct sig_entry *before, struct sig_entry *e)
{
	if (before)
		before->next = e->next;
	else
		q->head = e->next;
	if (q->tail == e)
		q->tail = before;
	q->count--;
}

static bool sigqueue_has_entry(const struct sig_queue *q, int signo)
{
	for (const struct sig_entry *e = q->head; e; e = e->next)
		if (e->info.si_signo == signo)
			return true;
	return false;
}

void sigqueue_pop(struct sig_queue *q, struct pool *entries, int signo, struct sig_entry *out)
{
	struct sig_entry *before = 0, *e = q->head;

	while (e && e->info.si_signo != signo) {
		before = e;
		e = e->next;
	}
	if (!e) {
		memset(out, 0, sizeof *out);
		out->info.si_signo = signo;
		q->set &= ~SIGBIT(signo);
		return;
	}
	*out = *e;
	sigqueue_unlink(q, before, e);
	pool_put(entries, e);
	if (!sigqueue_has_entry(q, signo))
		q->set &= ~SIGBIT(signo);
}

void sigqueue_drop(struct sig_queue *q, struct pool *entries, uint64_t set)
{
	struct sig_entry *before = 0, *e = q->head, *next;

	if (!(q->set & set))
		return;
	q->set &= ~set;
	for (; e; e = next) {
		next = e->next;
		if (SIGBIT(e->info.si_signo) & set) {
			sigqueue_unlink(q, before, e);
			pool_put(entries, e);
		} else {
			before = e;
		}
	}
}

int sigset_next(uint64_t set)
{
	if (set & SIGSET_FAULTS)
		set &= SIGSET_FAULTS;
	return set ? __builtin_ctzll(set) + 1 : 0;
}

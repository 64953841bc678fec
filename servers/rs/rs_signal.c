/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manager of every service's signals: those that end it are told apart by what brought them about and go to the state machine; the
 * service stays frozen (no KC_ENDKSIG), its memory intact. All others are passed on as messages.
 *
 * RS hears of them from the kernel alone, so nobody else has to run for a death to be seen.
 */
#include "rs.h"
#include <signal.h>
#include <stdio.h>

static bool rs_ends(int signo)
{
	return signo == SIGILL || signo == SIGBUS || signo == SIGFPE || signo == SIGSEGV || signo == SIGABRT || signo == SIGKILL
		|| signo == SIGPIPE || signo == SIGSYS;
}

/* A processor exception comes with details; the same signal without them was sent by somebody. */
static enum rs_fault rs_fault_of(const struct rs_slot *s, int signo, const struct ksig_info *info)
{
	if (s->verdict == RS_VERDICT_HUNG)
		return RS_FAULT_HANG;
	if (s->verdict == RS_VERDICT_INIT_SLOW)
		return RS_FAULT_INIT_SLOW;
	if (s->verdict == RS_VERDICT_BROKEN)
		return RS_FAULT_PROTOCOL;
	if (info->fault_signo != signo)
		return RS_FAULT_SIGNAL;
	if (signo == SIGABRT)
		return info->fault_addr == EXIT_CHECK_FAILED ? RS_FAULT_CHECK : RS_FAULT_EXIT;
	return signo == SIGILL ? RS_FAULT_CHECK : RS_FAULT_CRASH;
}

static const char *rs_signal_words(int signo)
{
	switch (signo) {
	case SIGILL: return "illegal instruction or failed check";
	case SIGBUS: return "bus error";
	case SIGFPE: return "arithmetic error";
	case SIGSEGV: return "segmentation fault";
	default: return "exception";
	}
}

static void rs_fault_describe(const struct rs_slot *s, enum rs_fault fault, int signo, const struct ksig_info *info, char *p, size_t len)
{
	switch (fault) {
	case RS_FAULT_HANG:
		snprintf(p, len, "did not answer for %llu ms and was killed", (unsigned long long)(2 * s->pub->period_ns / RS_MS));
		return;
	case RS_FAULT_INIT_SLOW:
		snprintf(p, len, "did not finish within %d s and was killed", RS_INIT_SECONDS);
		return;
	case RS_FAULT_PROTOCOL:
		snprintf(p, len, "broke its protocol (%u answers that no service may give) and was killed", s->broken);
		return;
	case RS_FAULT_SIGNAL:
		snprintf(p, len, signo == SIGKILL ? "killed" : "ended by signal %d", signo);
		return;
	case RS_FAULT_EXIT:
		snprintf(p, len, "ended itself with status %d", (int)info->fault_addr);
		return;
	case RS_FAULT_CHECK: case RS_FAULT_CRASH: default:
		if (signo == SIGABRT)
			snprintf(p, len, "a check of its own failed");
		else
			snprintf(p, len, "%s at instruction %#llx, address %#llx", rs_signal_words(signo),
				(unsigned long long)info->fault_ip, (unsigned long long)info->fault_addr);
	}
}

static void rs_ended(struct rs_slot *s, int signo, const struct ksig_info *info)
{
	char words[RS_EVENT_TEXT - 32];
	enum rs_fault fault = rs_fault_of(s, signo, info);

	rs_fault_describe(s, fault, signo, info, words, sizeof(words));
	s->pub->last_signal = signo;
	s->pub->last_exit = signo == SIGABRT && info->fault_signo == signo ? (int32_t)info->fault_addr : 0;
	rs_cancel(s->pub->endpoint, false);
	rs_died(s, fault, words);
	sef_cancel();	/* the main loop has to look at deadlines and waiters again */
}

void rs_signal_pass_on(endpoint_t target, int signo)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.type = SEF_SIGNAL;
	MSG_BODY(struct sef_signal_req, &m)->signo = (uint32_t)signo;
	sef_send(target, &m, IPC_NOREPLY);
}

static bool rs_lives(const struct rs_slot *s)
{
	return s->pub->state == RS_RUNNING || s->pub->state == RS_STARTING || s->pub->state == RS_STOPPING;
}

/* A dead one stays dead, whatever else is sent to it: its successor must not be hit by that. */
err_t rs_signalled(endpoint_t target, int signo, const struct ksig_info *info)
{
	struct rs_slot *s = rs_slot_of_endpoint(target);

	if (signo == 0)
		return 0;
	if (!s || !rs_lives(s))
		return -EDEADEPT;
	if (rs_ends(signo)) {
		rs_ended(s, signo, info);
		return -EDEADEPT;
	}
	rs_signal_pass_on(target, signo);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals. The kernel's notification says what kinds there are; signals of processes we manage are fetched one process at a time
 * until none is left, because notifications coalesce. A process that the manager ends gets no KC_ENDKSIG: it stays frozen.
 */
#include "sef_private.h"
#include <signal.h>

static err_t sef_manage_signals(const struct ksig_info *info)
{
	err_t r = 0;

	for (int signo = 1; signo <= 64 && r == 0; signo++)
		if (info->signals & SIGBIT(signo))
			r = sef_cb.signal_manager(info->endpoint, signo, info);
	if (r == 0 && (info->flags & KSIG_F_RECHECK))
		r = sef_cb.signal_manager(info->endpoint, 0, info);
	return r;
}

static void sef_own_signals(uint64_t signals)
{
	for (int signo = 1; signo <= 64; signo++)
		if (signals & SIGBIT(signo))
			sef_cb.signal_handler(signo);
}

static void sef_manage_pending(void)
{
	struct ksig_info info;

	while (sys_getksig(&info) == 0 && info.endpoint != EP_NONE) {
		if (info.endpoint == sef_self())
			sef_own_signals(info.signals);
		else if (sef_manage_signals(&info) != 0)
			continue;
		sys_endksig(info.endpoint);
	}
}

void sef_kernel_notified(const struct notify_body *body)
{
	uint64_t for_service = body->signals & (KSIG_PAGEFAULT | KSIG_MEMREQ | KSIG_LOG);

	if (for_service && sef_cb.kernel_signals)
		sef_cb.kernel_signals(for_service);
	if (body->signals & (KSIG_PENDING | KSIG_SELF))
		sef_manage_pending();
}

void sef_signal_null(int signo)
{
	(void)signo;
}

void sef_signal_term(int signo)
{
	if (signo == SIGTERM)
		sef_exit(0);
}

void sef_signal_posix_default(int signo)
{
	switch (signo) {
	case SIGCHLD: case SIGWINCH: case SIGCONT: case SIGTSTP: case SIGTTIN: case SIGTTOU: case SIGURG:
		return;
	default:
		sef_exit(1);
	}
}

err_t sef_manager_null(endpoint_t target, int signo, const struct ksig_info *info)
{
	(void)target, (void)signo, (void)info;
	return 0;
}

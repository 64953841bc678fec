/* SPDX-License-Identifier: BSD-2-Clause */
/* Touching memory that may fault: which signal came, with which code and address. */
#pragma once
#include "check.h"
#include <setjmp.h>

static sigjmp_buf segv_back;
static volatile int segv_signal, segv_code;
static void *volatile segv_addr;

static void segv_handler(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	segv_signal = sig;
	segv_code = si->si_code;
	segv_addr = si->si_addr;
	siglongjmp(segv_back, 1);
}

UNUSED static void segv_catch(void)
{
	on_siginfo(SIGSEGV, segv_handler, 0);
	on_siginfo(SIGBUS, segv_handler, 0);
}

/* The code of the fault that reading makes; 0: none. segv_signal and segv_addr tell the rest. */
UNUSED static int fault_read(const volatile void *p)
{
	segv_signal = segv_code = 0;
	if (sigsetjmp(segv_back, 1))
		return segv_code;
	(void)*(const volatile char *)p;
	return 0;
}

UNUSED static int fault_write(volatile void *p, int value)
{
	segv_signal = segv_code = 0;
	if (sigsetjmp(segv_back, 1))
		return segv_code;
	*(volatile char *)p = (char)value;
	return 0;
}

UNUSED static int fault_call(void *p)
{
	segv_signal = segv_code = 0;
	if (sigsetjmp(segv_back, 1))
		return segv_code;
	((void (*)(void))p)();
	return 0;
}

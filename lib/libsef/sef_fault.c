/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failing on request of RS (`service fi`): a healthy service crashes, hangs or ends so that its recovery can be tried. Works between two
 * requests, in the main loop; faults in the middle of a request are the business of kill(1) and of the driver `faulty`.
 */
#include "sef_private.h"

static _Noreturn void fault_hang(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static _Noreturn void fault_sleep(void)
{
	struct message m;

	for (;;)
		ipc_receive(EP_RS, &m, 0);
}

void sef_fault_inject(uint32_t kind)
{
	switch (kind) {
	case SEF_FI_CRASH:
		*(volatile int *)0 = 0;
		break;
	case SEF_FI_CHECK:
		fail_stop("failed check on request");
	case SEF_FI_EXIT:
		sef_exit(0);
	case SEF_FI_HANG:
		fault_hang();
	case SEF_FI_SLEEP:
		fault_sleep();
	default:
		if (sef_cb.fault && kind < SEF_NR_FAULT_KINDS)
			sef_cb.fault((enum sef_fault_kind)kind);
		else
			log_warn("asked to fail in way %u, which is none of mine", kind);
	}
}

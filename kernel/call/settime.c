/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SETTIME: the real time. Futex waits for a real time that are in progress keep their deadline. */
#include <arch/clock.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>

err_t kcall_SETTIME(struct proc *caller, struct kcall *c)
{
	nstime_t now = arch_now_ns();

	(void)caller;
	if (c->w[0] < now)
		return -EINVAL;
	arch_clock_set_boot_realtime(c->w[0] - now);
	return 0;
}

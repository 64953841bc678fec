/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_TIMES: CPU time of a process, and the time since boot. */
#include <arch/clock.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/sched.h>

err_t kcall_TIMES(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);

	if (!p)
		return -EDEADEPT;
	c->w[1] = p->user_ns;
	c->w[2] = p->system_ns;
	c->w[3] = arch_now_ns();
	return 0;
}

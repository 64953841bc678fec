/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_VTIMER: timers that run with the CPU time of a process: user time (SIGVTALRM) or all (SIGPROF). */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/sched.h>

err_t kcall_VTIMER(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);
	uint64_t which = c->w[1], ns = c->w[2];
	nstime_t used;

	if (!p)
		return -EDEADEPT;
	if (which > VTIMER_PROF)
		return -EINVAL;
	used = which == VTIMER_VIRTUAL ? p->user_ns : p->user_ns + p->system_ns;
	c->w[1] = p->vtimer_limit[which] > used ? p->vtimer_limit[which] - used : 0;
	if (ns == ~0ull)
		return 0;
	p->vtimer_limit[which] = ns ? used + ns : 0;
	if (ns) {
		p->flags |= PROC_VTIMER;
		sched_take_off(p);	/* the CPU that runs it must look at the timer */
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SIGMASK: the signal mask of a process, on behalf of its servers. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

err_t kcall_SIGMASK(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);
	uint64_t op = c->w[1], mask = c->w[2];

	if (!p)
		return -EDEADEPT;
	if (op > SIGMASK_HINT)
		return -EINVAL;
	c->w[1] = p->sig_mask;
	if (op == SIGMASK_SET) {
		signal_mask_set(p, mask);
	} else if (op == SIGMASK_TEMP) {
		if (!(p->flags & PROC_TEMP_MASK))
			p->saved_mask = p->sig_mask;
		p->flags |= PROC_TEMP_MASK;
		signal_mask_set(p, mask);
	} else if (op == SIGMASK_HINT) {
		p->sig_hint = mask;
		signal_mask_set(p, p->sig_mask);
	}
	return 0;
}

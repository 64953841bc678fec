/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_KILL: raise a signal through the manager of the process. Details of a fault may be given (VM: why it could not be resolved). */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/signal.h>

err_t kcall_KILL(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);
	struct sig_detail d = { .code = (int32_t)c->w[2], .addr = c->w[3] };

	if (!p)
		return -EDEADEPT;
	if (c->w[1] < 1 || c->w[1] > SIG_MAX)
		return -EINVAL;
	if (p->rts & RTS_PAGEFAULT) {
		d.trapno = 14;
		d.error = p->fault.flags;
	}
	d.ip = arch_frame_pc(&p->frame);
	signal_raise(p, (int)c->w[1], c->w[2] ? &d : 0);
	/* Whoever raises a signal on itself waits for its manager's verdict with the call done. */
	return 0;
}

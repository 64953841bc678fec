/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_RUNCTL: stop and resume a process, see what it does. STOP returns when it is off every CPU with complete registers. */
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/sched.h>

static uint32_t runctl_flags(const struct proc *p)
{
	uint32_t flags = 0;

	if (p->rts & RTS_STOPPED)
		flags |= RUNCTL_F_STOPPED;
	if ((p->flags & PROC_ROUTED) || (p->rts & (RTS_FUTEX | RTS_VMREQUEST)))
		flags |= RUNCTL_F_IN_CALL;
	if (p->rts & RTS_FUTEX)
		flags |= RUNCTL_F_FUTEX;
	return flags;
}

err_t kcall_RUNCTL(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);

	if (!p)
		return -EDEADEPT;
	if (p == caller && c->w[1] == RUNCTL_STOP)
		return -EINVAL;
	switch (c->w[1]) {
	case RUNCTL_STOP:
		rts_set(p, RTS_STOPPED);
		sched_take_off(p);
		break;
	case RUNCTL_RESUME:
		rts_unset(p, RTS_STOPPED);
		break;
	case RUNCTL_QUERY:
		break;
	default:
		return -EINVAL;
	}
	c->w[1] = (uint64_t)(int64_t)ipc_waits_for(p);
	c->w[2] = runctl_flags(p);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SPACE: which address space a process has. For VM. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/sched.h>

/* A process must not run while its space is exchanged under it. */
static void space_replace(struct proc *p, struct space *s)
{
	rts_set(p, RTS_NO_SPACE);
	sched_take_off(p);
	proc_space_set(p, s);
}

static err_t space_share(struct proc *caller, struct proc *p, struct kcall *c)
{
	struct proc *other = kcall_target(caller, c, 2);

	if (!other)
		return -EDEADEPT;
	if (!other->space)
		return -EINVAL;
	space_get(other->space);
	space_replace(p, other->space);
	return 0;
}

static err_t space_fresh(struct proc *p)
{
	struct space *s = space_new();

	if (!s)
		return -ENOMEM;
	space_replace(p, s);
	return 0;
}

err_t kcall_SPACE(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);

	if (!p)
		return -EDEADEPT;
	if (p == caller && c->w[1] != SPACE_ROOT)
		return -EPERM;
	switch (c->w[1]) {
	case SPACE_NEW: return space_fresh(p);
	case SPACE_DESTROY: c->w[1] = p->space && p->space->dma; space_replace(p, 0); return 0;
	case SPACE_SHARE: return space_share(caller, p, c);
	case SPACE_ROOT: c->w[1] = p->space ? p->space->root : 0; return p->space ? 0 : -EINVAL;
	default: return -EINVAL;
	}
}

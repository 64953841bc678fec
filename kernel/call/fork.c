/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KC_FORK: a new process with the registers of its parent and result 0, or (parent NONE) an empty service or the first user process. Born
 * stopped; without KFORK_THREAD it has no memory until VM gives it some. A child of a service has user privileges and waits for RS.
 */
#include <arch/fpu.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/priv.h>
#include <kernel/sched.h>

static uint64_t fork_count;

uint64_t kcall_fork_count(void)
{
	return fork_count;
}

/* Boot services are known by endpoint and privilege id, so one that was given up comes back to both. Nobody else gets them meanwhile. */
static err_t fork_boot(const struct proc *caller, endpoint_t e, struct proc **out)
{
	if (caller->endpoint != EP_RS)
		return -EPERM;
	if (e < EP_RS || e > EP_BOOT_LAST)
		return -EINVAL;
	if (proc_of_slot(e)->rts != RTS_SLOT_FREE)
		return -EBUSY;
	*out = proc_alloc_boot(e);
	(*out)->priv = priv_alloc(*out, e);
	(*out)->flags &= ~(uint32_t)PROC_USER;
	return 0;
}

static void fork_inherit(struct proc *child, struct proc *parent, uint32_t flags)
{
	arch_fpu_copy(&child->fpu, &parent->fpu);
	string_copy(child->name, parent->name, sizeof(child->name));
	child->priority = proc_is_user(parent) ? parent->priority : PRIORITY_USER;
	child->quantum_ns = parent->quantum_ns;
	child->cpu_mask = parent->cpu_mask;
	child->sig_mask = parent->flags & PROC_TEMP_MASK ? parent->saved_mask : parent->sig_mask;
	memcpy(child->answers, parent->answers, sizeof(child->answers));
	child->flags |= PROC_SPREAD;
	if (!proc_is_user(parent))
		child->rts |= RTS_NO_PRIV;
	if (flags & KFORK_THREAD) {
		space_get(parent->space);
		proc_space_set(child, parent->space);
	} else {
		/* The robust list is registered memory of the parent: a copy has it at the same place only until its own set-up. */
		child->robust_len = 0;
	}
}

err_t kcall_FORK(struct proc *caller, struct kcall *c)
{
	uint32_t flags = (uint32_t)c->w[1];
	bool none = (endpoint_t)c->w[0] == EP_NONE;
	struct proc *parent = none ? 0 : kcall_target(caller, c, 0), *child;

	if (!none && !parent)
		return -EDEADEPT;
	if (!none && (flags & KFORK_THREAD) && !parent->space)
		return -EINVAL;
	if (none && flags & KFORK_THREAD)
		return -EINVAL;
	if (parent && parent != caller)
		sched_take_off(parent);	/* its registers must be complete */
	if (none && (flags & KFORK_BOOT)) {
		err_t err = fork_boot(caller, (endpoint_t)c->w[2], &child);

		if (err)
			return err;
	} else {
		child = proc_alloc();
	}
	if (!child)
		return -EAGAIN;
	if (none && (flags & KFORK_USER)) {
		string_copy(child->name, "init", sizeof(child->name));
	} else if (none) {
		child->rts |= RTS_NO_PRIV;
		child->priority = PRIORITY_SERVICE;
		string_copy(child->name, "service", sizeof(child->name));
	} else if (!arch_frame_fork(&child->frame, &parent->frame, flags & KFORK_STACK ? c->w[2] : 0, flags & KFORK_SETTLS ? c->w[3] : 0)) {
		proc_clear(child);
		return -EINVAL;
	} else {
		fork_inherit(child, parent, flags);
	}
	fork_count++;
	c->w[1] = (uint64_t)child->endpoint;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_CLEAR: the slot is free again, everybody who waits for the process learns of its death. A free slot is fine. */
#include <kernel/errno.h>
#include <kernel/kcall.h>

err_t kcall_CLEAR(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);

	if (p == caller)
		return -EINVAL;
	if (p)
		proc_clear(p);
	return 0;
}

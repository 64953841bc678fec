/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_UPDATE: swap two process slots for a live update. Not there yet: answers ENOSYS. */
#include <kernel/errno.h>
#include <kernel/kcall.h>

err_t kcall_UPDATE(struct proc *caller, struct kcall *c)
{
	(void)caller;
	(void)c;
	return -ENOSYS;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_TRACE: ptrace's mechanism. Not there yet: answers ENOSYS. */
#include <kernel/errno.h>
#include <kernel/kcall.h>

err_t kcall_TRACE(struct proc *caller, struct kcall *c)
{
	(void)caller;
	(void)c;
	return -ENOSYS;
}

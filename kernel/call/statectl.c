/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_STATECTL: the caller tells about itself. CLEAR_IPC_REFS: it has forgotten who waits for it; they get EDEADSRCDST. */
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>

err_t kcall_STATECTL(struct proc *caller, struct kcall *c)
{
	if (c->w[0] != STATECTL_CLEAR_IPC_REFS)
		return -EINVAL;
	ipc_clear_refs(caller, -EDEADSRCDST);
	return 0;
}

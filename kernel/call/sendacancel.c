/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SENDACANCEL: drops the caller's undelivered asynchronous messages. */
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>

err_t kcall_SENDACANCEL(struct proc *caller, struct kcall *c)
{
	endpoint_t dst = (endpoint_t)c->w[0];

	if (dst != EP_ANY && !proc_of_endpoint(dst))
		return -EDEADEPT;
	c->w[1] = async_cancel(caller, dst);
	return 0;
}

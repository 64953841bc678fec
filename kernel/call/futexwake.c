/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_FUTEXWAKE: wakes as the process itself would; for the word that tells of a thread's end. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/route.h>

err_t kcall_FUTEXWAKE(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);

	if (!p)
		return -EDEADEPT;
	c->w[1] = futex_wake_address(p, c->w[1], (uint32_t)c->w[2]);
	return 0;
}

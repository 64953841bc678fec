/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_VIRCOPY: memory of one process to that of another, for those who may read and write anybody's. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>

err_t kcall_VIRCOPY(struct proc *caller, struct kcall *c)
{
	struct proc *src = kcall_target(caller, c, 0), *dst = kcall_target(caller, c, 2);
	uint64_t src_addr = c->w[1], len = c->w[4], flags = c->w[5];

	c->w[1] = 0;
	if (!src || !dst)
		return -EDEADEPT;
	if (flags & ~(uint64_t)COPY_TRY)
		return -EINVAL;
	return mem_copy(caller, (struct mem_range){ dst, c->w[3] }, (struct mem_range){ src, src_addr }, len,
		flags & COPY_TRY ? MEM_TRY : 0, &c->w[1]);
}

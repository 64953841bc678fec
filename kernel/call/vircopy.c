/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_VIRCOPY: memory of one process to that of another, for those who may read and write anybody's. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>

/* *done: of this turn. */
static err_t vircopy(struct proc *caller, const struct kcall *c, uint64_t *done)
{
	struct proc *src = kcall_target(caller, c, 0), *dst = kcall_target(caller, c, 2);

	if (!src || !dst)
		return -EDEADEPT;
	if (c->w[5] & ~(uint64_t)COPY_TRY)
		return -EINVAL;
	return mem_copy(caller, (struct mem_range){ dst, c->w[3] }, (struct mem_range){ src, c->w[1] }, c->w[4],
		c->w[5] & COPY_TRY ? MEM_TRY : 0, done);
}

/* w[6] bytes were copied in earlier turns. */
err_t kcall_VIRCOPY(struct proc *caller, struct kcall *c)
{
	uint64_t done = 0;
	err_t err = vircopy(caller, c, &done);

	c->w[6] += done;
	if (err == -EUNFINISHED) {
		c->w[1] += done;
		c->w[3] += done;
		c->w[4] -= done;
	} else {
		c->w[1] = c->w[6];
	}
	return err;
}

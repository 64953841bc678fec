/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_PTFRAMES: frames for page tables, from VM and back to it. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/lib.h>
#include <kernel/mem.h>

enum { PTFRAMES_MAX = 256 };

static err_t ptframes_give(struct proc *caller, struct kcall *c, uint64_t n)
{
	static paddr_t frames[PTFRAMES_MAX];
	err_t err = mem_read(caller, frames, c->w[1], n * sizeof(frames[0]));

	if (err)
		return err;
	for (c->w[1] = 0; !err && c->w[1] < n; c->w[1] += !err)
		err = ptframe_give(frames[c->w[1]]);
	c->w[2] = ptframe_pool();
	return err;
}

/* Written before they are taken: a fault must not lose frames. */
static err_t ptframes_take(struct proc *caller, struct kcall *c, uint64_t n)
{
	static const paddr_t zeros[PTFRAMES_MAX];
	vaddr_t to = c->w[1];
	err_t err;

	n = min_u64(n, ptframe_pool());
	err = mem_write(caller, to, zeros, n * sizeof(paddr_t));
	if (err)
		return err;
	for (c->w[1] = 0; c->w[1] < n; c->w[1]++) {
		paddr_t f = ptframe_take();

		mem_write(caller, to + c->w[1] * sizeof(f), &f, sizeof(f));
	}
	c->w[2] = ptframe_pool();
	return 0;
}

err_t kcall_PTFRAMES(struct proc *caller, struct kcall *c)
{
	uint64_t n = c->w[2];
	err_t err;

	if (n > PTFRAMES_MAX || c->w[0] > PTFRAMES_TAKE)
		err = -EINVAL;
	else
		return c->w[0] == PTFRAMES_GIVE ? ptframes_give(caller, c, n) : ptframes_take(caller, c, n);
	c->w[1] = 0;
	return err;
}

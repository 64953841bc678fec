/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SETANSWER: what getpid() and the like return, kept in the slot by the server that knows. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>

err_t kcall_SETANSWER(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);
	uint64_t answers[NR_ANSWERS];
	err_t err;

	if (!p)
		return -EDEADEPT;
	err = mem_read(caller, answers, c->w[2], sizeof(answers));
	if (err)
		return err;
	for (int i = 0; i < NR_ANSWERS; i++)
		if (c->w[1] >> i & 1)
			p->answers[i] = answers[i];
	return 0;
}

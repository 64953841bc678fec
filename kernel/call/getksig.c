/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_GETKSIG: the next process of the caller that has signals, with its set, which is cleared. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/signal.h>

err_t kcall_GETKSIG(struct proc *caller, struct kcall *c)
{
	struct ksig_info info = { .endpoint = EP_NONE };
	bool got = signal_fetch(caller, &info);
	err_t err = mem_write(caller, c->w[0], &info, sizeof(info));

	if (!err && got)
		signal_fetched(proc_of_endpoint(info.endpoint));
	return err;
}

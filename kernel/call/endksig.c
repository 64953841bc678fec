/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_ENDKSIG: the manager is done with the signals of a process that lives on. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/signal.h>

err_t kcall_ENDKSIG(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);

	return p ? signal_end(caller, p) : -EDEADEPT;
}

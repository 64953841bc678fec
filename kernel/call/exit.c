/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_EXIT: a service ends. Its manager sees SIGABRT with the status as address; the call never returns. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/route.h>

err_t kcall_EXIT(struct proc *caller, struct kcall *c)
{
	mech_exit(caller, c->w);
	return -ENORESULT;
}

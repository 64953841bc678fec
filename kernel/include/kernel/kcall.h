/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls. Each kcall_NAME checks everything, then acts; it returns 0 or a negative error, -ESUSPEND when parked (the whole
 * call runs again, so results are written last), -EUNFINISHED after a part of something long (the call is made again with what is then in
 * w), -ENORESULT when the caller's registers are not to be touched.
 */
#pragma once
#include <abi/kcall.h>
#include <kernel/proc.h>

struct kcall { uint64_t w[MSG_WORDS]; };	/* in: arguments; out: results, stored for the caller if the call did not suspend */
typedef err_t kcall_fn(struct proc *caller, struct kcall *c);

#define X(name, basic, what) kcall_fn kcall_##name;
KCALLS(X)
#undef X

uint64_t kcall_fork_count(void);	/* processes made since boot */
void kcall_run(struct proc *p);		/* IPC_KCALL of p */

/* The process that word i names (EP_SELF: the caller), or 0. */
struct proc *kcall_target(struct proc *caller, const struct kcall *c, int i);

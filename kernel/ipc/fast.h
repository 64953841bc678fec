/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <kernel/proc.h>

/* Lock held. The process to resume with everything done and the lock dropped, or 0 with nothing done. */
struct proc *ipc_fast(struct proc *p, uint64_t number);

/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <kernel/kcall.h>

/* The operations at ops (n of them, in caller's memory), for KC_MAP and VMCTL_RESOLVE. *done: carried out. */
err_t map_run(struct proc *caller, vaddr_t ops, uint64_t n, uint64_t *done);

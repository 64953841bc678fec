/* SPDX-License-Identifier: BSD-2-Clause */
/* What poll, select and epoll share. */
#pragma once
#include "usermem.h"
#include "vfs.h"

/* The signal mask of ppoll, pselect6, epoll_pwait: in force until the call ends. mask 0: none given. */
int temp_sigmask(struct call *c, vaddr_t mask, uint64_t size);
/* A relative time to a deadline. -EINVAL */
int deadline_from_ns(int64_t s, int64_t ns, nstime_t *deadline);

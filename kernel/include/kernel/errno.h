/* SPDX-License-Identifier: BSD-2-Clause */
/* The Linux error numbers that the kernel uses, with Linux's values. Those between services are in abi/errno.h. */
#pragma once
#include <abi/errno.h>

enum {
	EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, E2BIG = 7, ENOEXEC = 8, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EBUSY = 16,
	EEXIST = 17, EINVAL = 22, ENOSPC = 28, EDOM = 33, ENOSYS = 38, ELOOP = 40, ETIMEDOUT = 110,

	/* Inside the kernel only: the caller was parked for VM and the whole call will run again; no result yet. */
	ESUSPEND = 900,
	/* Inside the kernel only: the call has set the caller's registers itself, or the caller never returns. */
	ENORESULT = 901,
	/* Inside the kernel only: c->w has become the arguments of what is left to do; the caller makes the call again, after whoever
	 * waits for the kernel. */
	EUNFINISHED = 902,
	ERROR_INTERNAL_FIRST = 600,	/* codes from here on become EIO for user processes */
};

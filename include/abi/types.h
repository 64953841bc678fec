/* SPDX-License-Identifier: BSD-2-Clause */
/* Scalar domains that the kernel and every service agree on. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef int32_t endpoint_t;	/* names one life of one process: generation and slot, see endpoint.h */
typedef int32_t err_t;		/* 0 or a negative error number; counts never travel in it */
typedef int32_t grant_t;	/* names an entry of a grant table, see grant.h */
typedef uint64_t paddr_t;	/* physical address, bytes */
typedef uint64_t vaddr_t;	/* virtual address of some process, bytes */
typedef uint64_t nstime_t;	/* nanoseconds since boot unless said otherwise */

enum { PAGE_SHIFT = 12, PAGE_BYTES = 1 << PAGE_SHIFT };

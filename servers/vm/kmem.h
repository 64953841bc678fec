/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM's own memory. VM cannot ask itself by system call, so it maps frames into its own space: small objects from slabs of one page,
 * larger ones as runs of pages. Sizes are given again when freeing. Out of memory is a NULL, for the requester to hear of.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { KMEM_ARENA_PAGES = 1 << 18 };		/* 1 GiB of addresses */

void kmem_init(uintptr_t base);			/* where the arena lies in VM's address space */
void *kmem_alloc(size_t size);			/* contents undefined */
void *kmem_zalloc(size_t size);
void kmem_free(void *p, size_t size);		/* NULL is fine */
uint64_t kmem_pages_used(void);			/* pages that hold objects */
uint64_t kmem_pages_spare(void);		/* pages mapped but empty */

/* Provided by the owner: back [addr, addr + npages) with frames, and give them up again. 0 or -ENOMEM. */
int kmem_backend_map(uintptr_t addr, uint32_t npages);
void kmem_backend_unmap(uintptr_t addr, uint32_t npages);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of page tables, collected and handed to the kernel in one call. Operations take effect in order. Neighbouring pages become one
 * operation. There is one collection; whoever adds to it flushes it before the request is over.
 */
#pragma once
#include "frame.h"
#include <abi/vmmap.h>

/* Page-table pages: the kernel refuses to go on when its pool is empty; the mapper then gives it frames and goes on. */

void map_add(uint32_t kind, endpoint_t ep, vaddr_t addr, frame_t f, uint32_t prot);	/* MAP_FRAMES or MAP_ZERO, one page */
void map_add_run(endpoint_t ep, vaddr_t addr, paddr_t paddr, uint64_t npages, uint32_t prot);
void map_add_copy(endpoint_t ep, vaddr_t addr, frame_t f, frame_t src, uint32_t prot);
void map_add_unmap(endpoint_t ep, vaddr_t addr, uint64_t npages);
void map_add_protect(endpoint_t ep, vaddr_t addr, uint64_t npages, uint32_t prot);
void map_add_share(uint32_t kind, endpoint_t ep, endpoint_t src, vaddr_t addr, uint64_t npages);

/* 0, or the first error since the last flush. -ENOMEM only when VM's own reserve is gone too. */
err_t map_flush(void);
/* Flush, let the process run whose page fault this resolves, fetch the next fault: true if there was one. */
bool map_flush_resolve(endpoint_t ep, struct page_fault *next, err_t *err);

bool ptframes_give(void);		/* some frames for the kernel's pool; false: none left */
void ptframes_trim(void);		/* take back what the pool has too much of */
uint64_t ptframes_pool(void);		/* frames in the pool now */
uint64_t ptframes_given(void);		/* given and not taken back */

/* SPDX-License-Identifier: BSD-2-Clause */
/* VM's own address space: fixed places for the frame table and the heap, mapped by VM itself. */
#pragma once
#include "frame.h"

#define OWN_FRAMES_BASE 0x200000000000ull	/* the table of frames */
#define OWN_HEAP_BASE   0x210000000000ull	/* kmem's arena */

/* Before there are records of frames: npages zeroed frames from paddr on at addr. */
void own_map_run(vaddr_t addr, paddr_t paddr, uint64_t npages);

/* SPDX-License-Identifier: BSD-2-Clause */
/* How often each frame of RAM is mapped, over all address spaces: a frame that is mapped anywhere cannot become a page table. */
#pragma once
#include <abi/types.h>

extern struct frame_counts { uint32_t *mapped; uint64_t frames; } frame_counts;

static inline void frame_mapped(paddr_t frame)
{
	if (frame >> PAGE_SHIFT < frame_counts.frames)
		frame_counts.mapped[frame >> PAGE_SHIFT]++;
}

static inline void frame_unmapped(paddr_t frame)
{
	if (frame >> PAGE_SHIFT < frame_counts.frames)
		frame_counts.mapped[frame >> PAGE_SHIFT]--;
}

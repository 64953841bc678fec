/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of physical memory: who holds how many references, which are free.
 *
 * A frame is named by its number (physical address / 4096). Number 0 is never handed out, so 0 means "none" everywhere. All levels of
 * callers share one pool; the reserves decide who is refused first when it runs low: users, then services, VM itself last, so
 * that a process that eats memory never stops those who can end it.
 */
#pragma once
#include <abi/types.h>
#include <stdbool.h>

typedef uint32_t frame_t;
enum { FRAME_NONE = 0 };

enum frame_level { FRAME_FOR_USER, FRAME_FOR_SERVICE, FRAME_FOR_VM, FRAME_LEVELS };

/* Bytes of bookkeeping needed for frame numbers below `count`. */
uint64_t frame_table_bytes(uint32_t count);
/* `table` is zeroed memory of that size. Every frame starts as not managed (holes, the kernel's own). */
void frame_init(void *table, uint32_t count);
void frame_set_reserve(enum frame_level level, uint32_t frames);

void frame_add(frame_t first, uint32_t n);	/* these become managed and free */
void frame_adopt(frame_t f);			/* this becomes managed and has one more reference */
bool frame_managed(frame_t f);
bool frame_any_managed(paddr_t first, paddr_t last);	/* of the frames with these bytes */

frame_t frame_alloc(enum frame_level level);	/* one reference; FRAME_NONE when refused */
/* n neighbours, first a multiple of `align` frames, all below number `below` (0: anywhere); one reference each. */
frame_t frame_alloc_contig(enum frame_level level, uint32_t n, uint32_t align, uint32_t below);
void frame_get(frame_t f);
bool frame_put(frame_t f);			/* true: that was the last reference, the frame is free */
uint32_t frame_refs(frame_t f);

uint32_t frame_free_count(void);
uint32_t frame_total(void);
bool frame_available(enum frame_level level, uint32_t n);	/* would n single allocations succeed now? */

static inline paddr_t frame_addr(frame_t f) { return (paddr_t)f << PAGE_SHIFT; }
static inline frame_t frame_of(paddr_t p) { return (frame_t)(p >> PAGE_SHIFT); }

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pagemap says which frame is behind each page of an address space or of a shared object. It is a sorted array of leaves, 64 pages
 * each, made when the first page in them appears and freed with the last; small things stay small, and walking a range
 * costs what is present, not what is reserved. The map holds no references itself: its user counts.
 */
#pragma once
#include "frame.h"

enum { LEAF_SHIFT = 6, LEAF_PAGES = 1 << LEAF_SHIFT };

struct leaf {
	uint32_t key;		/* page number >> LEAF_SHIFT */
	uint32_t used;		/* entries that are not FRAME_NONE */
	frame_t *frames;	/* LEAF_PAGES of them */
};
struct pagemap {
	struct leaf *leaves;	/* by key */
	uint32_t count, room;
	uint32_t last;		/* leaf found last */
	uint64_t pages;		/* entries in all leaves */
};

frame_t pagemap_get(struct pagemap *m, uint64_t page);
/* Where the next set of `page` cannot fail. -ENOMEM. */
err_t pagemap_reserve(struct pagemap *m, uint64_t page);
err_t pagemap_set(struct pagemap *m, uint64_t page, frame_t f);	/* f != FRAME_NONE; replaces */
frame_t pagemap_clear(struct pagemap *m, uint64_t page);	/* what was there */
/* The first page present in [from, to): true and *page, *f. */
bool pagemap_next(struct pagemap *m, uint64_t from, uint64_t to, uint64_t *page, frame_t *f);
/* Calls frame_put for all in [from, to) and forgets them; returns how many. */
uint64_t pagemap_drop(struct pagemap *m, uint64_t from, uint64_t to);
/* dst (empty) gets the same pages in [from, to) and takes a reference on each. On -ENOMEM dst has a part: drop it. */
err_t pagemap_copy(struct pagemap *dst, struct pagemap *src, uint64_t from, uint64_t to);
void pagemap_fini(struct pagemap *m);	/* drops all and frees the memory */

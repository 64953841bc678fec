/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of bytes whose memory comes page by page as it fills, so that an empty pipe costs nothing. Pure.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_PAGE = 4096 };

struct ring {
	uint8_t **pages;	/* npages pointers; NULL: not there at present */
	unsigned npages;
	size_t head, used;	/* first byte; bytes held */
	bool pinned;		/* a writer is filling what ring_write_at gave it: places must not move */
};

bool ring_init(struct ring *r, size_t bytes);	/* a multiple of RING_PAGE */
void ring_fini(struct ring *r);
static inline size_t ring_size(const struct ring *r) { return (size_t)r->npages * RING_PAGE; }
static inline size_t ring_room(const struct ring *r) { return ring_size(r) - r->used; }
/* Where the next bytes go / come from, contiguous: at most *len. NULL: full (or no memory) / empty. */
uint8_t *ring_write_at(struct ring *r, size_t *len);
const uint8_t *ring_read_at(const struct ring *r, size_t *len);
const uint8_t *ring_peek_at(const struct ring *r, size_t offset, size_t *len);
void ring_wrote(struct ring *r, size_t n);
void ring_took(struct ring *r, size_t n);	/* gives pages back that are empty now */
bool ring_resize(struct ring *r, size_t bytes);	/* false: no memory; the contents must fit */

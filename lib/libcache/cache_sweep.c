/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sweeps: dirty pages in the order of their places on the device. A sweep is made by going through a list once; then it is written from its
 * beginning to its end, as fast as transfers may be started, and what lies together on the device goes together.
 *
 *   sweep_add ... --sweep_sort--> sweep_write (as often as there is room for transfers) --sweep_is_done--> sweep_fini
 *
 * Between two steps a page of the sweep may have been written, changed, dropped, or have become another page: each is looked at again
 * when its turn comes, and what may not be written then is passed over. Who must know that something was written waits for it.
 *
 * A sweep of a few pages needs no memory. Where there is none for more, a sweep takes what it has room for, and another follows.
 */
#include "cache_private.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

void sweep_init(struct sweep *s, uint64_t mark, bool meta)
{
	s->entry = s->small;
	s->n = s->at = 0;
	s->room = SWEEP_SMALL;
	s->mark = mark;
	s->meta = meta;
}

void sweep_fini(struct sweep *s)
{
	if (s->entry != s->small)
		free(s->entry);
	sweep_init(s, 0, false);
}

/* Room for all that can be dirty, twice: sorting goes to and fro. */
static bool sweep_grow(struct sweep *s)
{
	struct sweep_entry *big = s->entry == s->small ? malloc(2 * cache.nr_dirty * sizeof *big) : NULL;
	if (!big || cache.nr_dirty <= s->n) {
		free(big);
		return false;
	}
	memcpy(big, s->small, s->n * sizeof *big);
	s->entry = big;
	s->room = cache.nr_dirty;
	return true;
}

bool sweep_add(struct sweep *s, struct cache_page *p)
{
	if (s->n == s->room && !sweep_grow(s))
		return false;
	s->entry[s->n++] = (struct sweep_entry){ p->pos[__builtin_ctz(p->dirty)], p };
	return true;
}

/* ---- sorting ---------------------------------------------------------------------------------------------------- */

static void sort_few(struct sweep_entry *e, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct sweep_entry one = e[i];
		size_t k = i;
		for (; k > 0 && e[k - 1].pos > one.pos; k--)
			e[k] = e[k - 1];
		e[k] = one;
	}
}

/* By one digit of the position, keeping the order of equal ones. */
static void sort_digit(const struct sweep_entry *from, struct sweep_entry *to, size_t n, unsigned shift)
{
	uint32_t start[DIGITS] = { 0 }, sum = 0;
	for (size_t i = 0; i < n; i++)
		start[from[i].pos >> shift & (DIGITS - 1)]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		uint32_t count = start[d];
		start[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[start[from[i].pos >> shift & (DIGITS - 1)]++] = from[i];
}

/* Positions are multiples of a block and end with the device: two or three digits say all about most of them. */
static void sort_many(struct sweep *s, const struct cache_dev *dev)
{
	struct sweep_entry *from = s->entry, *to = s->entry + s->room, *swap;
	for (unsigned shift = (unsigned)__builtin_ctz(dev->block); shift < 64 && dev->bytes >> shift; shift += DIGIT_BITS) {
		sort_digit(from, to, s->n, shift);
		swap = from, from = to, to = swap;
	}
	if (from != s->entry)
		memcpy(s->entry, from, s->n * sizeof *from);
}

void sweep_sort(struct sweep *s, const struct cache_dev *dev)
{
	if (s->entry == s->small)
		sort_few(s->entry, s->n);
	else
		sort_many(s, dev);
}

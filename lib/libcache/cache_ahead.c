/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading before it is asked for. A reader that goes through a file from its beginning, or goes on where it was, finds the next pages
 * already on their way: the window behind what he asks for doubles with each step up to WINDOW_MAX. The next piece is begun when
 * half of the window is used up, so that the device has always something to do. One who jumps gets what he asks for in one transfer.
 */
#include "cache_private.h"

enum { BATCH = 64, WINDOW_MIN = 16, WINDOW_MAX = 128 };

struct batch { struct cache_page *page[BATCH]; unsigned n; };

static void batch_read(struct batch *b)
{
	pages_read(b->page, b->n);
	for (unsigned i = 0; i < b->n; i++)
		page_unpin(b->page[i]);
	b->n = 0;
}

/* The page, pinned, in the batch. False: no room for more. */
static bool batch_add(struct batch *b, struct cache_file *f, uint64_t index)
{
	struct cache_page *p = page_find(f, index);
	if (p && (p->flags & PAGE_MAPPING || p->reading || p->valid == f->dev->all))
		return true;
	if (p) {
		p->pins++;
		page_settle(p);
	} else {
		p = page_new(f, index);
		if (!p)
			return false;
		cache.stats.misses++;
		if (page_map(p)) {
			page_unpin(p);
			return false;
		}
	}
	b->page[b->n++] = p;
	if (b->n == BATCH)
		batch_read(b);
	return true;
}

static void read_range(struct cache_file *f, uint64_t first, uint64_t end)
{
	struct batch b = { .n = 0 };
	for (uint64_t i = first; i < end; i++)
		if (!batch_add(&b, f, i))
			break;
	batch_read(&b);
}

static bool is_sequential(const struct cache_file *f, uint64_t first)
{
	return first == f->ahead_next || first + 1 == f->ahead_next;
}

static void window_grow(struct cache_file *f)
{
	uint32_t w = f->ahead_window * 2;
	f->ahead_window = w < WINDOW_MIN ? WINDOW_MIN : w > WINDOW_MAX ? WINDOW_MAX : w;
}

void cache_ahead(struct cache_file *f, uint64_t first, uint64_t count)
{
	uint64_t pages = (f->size + CACHE_PAGE - 1) / CACHE_PAGE, from = first;
	uint64_t end = first < pages ? (count < pages - first ? first + count : pages) : first;

	if (!is_sequential(f, first)) {
		f->ahead_window = 0;
		f->ahead_end = 0;
	} else if (end + f->ahead_window / 2 >= f->ahead_end) {
		window_grow(f);
		from = f->ahead_end > first ? f->ahead_end : first;
		end = end + f->ahead_window < pages ? end + f->ahead_window : pages;
	} else {
		from = end;	/* it is on its way */
	}
	f->ahead_next = first + count;
	if (from < end)
		f->ahead_end = end;
	read_range(f, from, end);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of file contents, and the sparse trees that hold them.
 *
 * Pages come from VM in runs, already backed by frames (MAP_POPULATE), because a fault for each page would cost more than the copy. A
 * freed page goes to a small stack of ready pages; beyond that its frame is given back (MADV_DONTNEED) and only the address is kept.
 * An exported page may still be mapped by others: its frame is always given back, never used again by us.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tmpfs.h"

enum { RUN_PAGES = 32, READY_MAX = 64, FANOUT = 512, FANOUT_BITS = 9, HEIGHT_MAX = 5 };

static struct page_pool {
	void *ready[READY_MAX];		/* backed by frames, contents undefined */
	size_t nr_ready;
	void **bare;			/* addresses without frames (read as zero when touched) */
	size_t nr_bare, room_bare;
	uint64_t in_use, limit;
} pool = { .limit = UINT64_MAX };

static bool bare_push(void *page)
{
	if (pool.nr_bare == pool.room_bare) {
		size_t room = pool.room_bare ? 2 * pool.room_bare : 256;
		void **more = realloc(pool.bare, room * sizeof *more);
		if (!more)
			return false;
		pool.bare = more;
		pool.room_bare = room;
	}
	pool.bare[pool.nr_bare++] = page;
	return true;
}

static bool pool_refill(void)
{
	uint8_t *run = mmap(NULL, RUN_PAGES * TMPFS_BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (run == MAP_FAILED)
		return false;
	for (int i = RUN_PAGES - 1; i >= 0; i--)
		pool.ready[pool.nr_ready++] = run + (size_t)i * TMPFS_BLOCK;
	return true;
}

void *page_alloc(bool zero)
{
	void *page;
	if (pool.in_use >= pool.limit)
		return NULL;
	if (pool.nr_ready == 0 && pool.nr_bare) {
		page = pool.bare[--pool.nr_bare];
	} else {
		if (pool.nr_ready == 0 && !pool_refill())
			return NULL;
		page = pool.ready[--pool.nr_ready];
		if (zero)
			memset(page, 0, TMPFS_BLOCK);
	}
	pool.in_use++;
	return page;
}

void page_free(void *page, bool exported)
{
	pool.in_use--;
	if (!exported && pool.nr_ready < READY_MAX - RUN_PAGES) {
		pool.ready[pool.nr_ready++] = page;
		return;
	}
	madvise(page, TMPFS_BLOCK, MADV_DONTNEED);
	if (!bare_push(page))
		munmap(page, TMPFS_BLOCK);
}

uint64_t page_count(void) { return pool.in_use; }
void page_limit_set(uint64_t pages) { pool.limit = pages; }
uint64_t page_limit(void) { return pool.limit; }
uint64_t page_room(void) { return pool.limit > pool.in_use ? pool.limit - pool.in_use : 0; }

/* ---- trees --------------------------------------------------------------------------------------------------------- */

static uint64_t tree_span(int height)	/* pages that a tree of this height can hold */
{
	return height == 0 ? 0 : 1ull << (FANOUT_BITS * height);
}

static bool tree_grow(struct page_tree *t, uint64_t index)
{
	while (index >= tree_span(t->height)) {
		if (t->height == HEIGHT_MAX)
			return false;
		void **table = calloc(FANOUT, sizeof *table);
		if (!table)
			return false;
		table[0] = t->root;
		t->root = table;
		t->height++;
	}
	return true;
}

uintptr_t *page_tree_slot(struct page_tree *t, uint64_t index, bool create)
{
	if (index >= tree_span(t->height) && (!create || !tree_grow(t, index)))
		return NULL;
	void **table = t->root;
	for (int level = t->height - 1; level > 0; level--) {
		void **child = &table[index >> (FANOUT_BITS * level) & (FANOUT - 1)];
		if (!*child && (!create || !(*child = calloc(FANOUT, sizeof(void *)))))
			return NULL;
		table = *child;
	}
	return (uintptr_t *)&table[index & (FANOUT - 1)];
}

static void slot_drop(struct page_tree *t, uintptr_t slot)
{
	page_free(page_slot_addr(slot), slot & PAGE_EXPORTED);
	t->count--;
}

/* Drop what lies at or behind `first` below a table of the given level whose first index is base. True: the table is now empty. */
static bool table_truncate(struct page_tree *t, void **table, int level, uint64_t base, uint64_t first)
{
	bool empty = true;
	uint64_t step = 1ull << (FANOUT_BITS * level);
	for (uint64_t i = 0; i < FANOUT; i++) {
		uint64_t start = base + i * step;
		if (!table[i])
			continue;
		if (start + step <= first) {
			empty = false;
		} else if (level == 0) {
			slot_drop(t, (uintptr_t)table[i]);
			table[i] = NULL;
		} else if (table_truncate(t, table[i], level - 1, start, first)) {
			free(table[i]);
			table[i] = NULL;
		} else {
			empty = false;
		}
	}
	return empty;
}

void page_tree_truncate(struct page_tree *t, uint64_t first)
{
	if (!t->root || first >= tree_span(t->height))
		return;
	if (table_truncate(t, t->root, t->height - 1, 0, first)) {
		free(t->root);
		t->root = NULL;
		t->height = 0;
	}
}

static uint64_t table_next(void **table, int level, uint64_t base, uint64_t from)
{
	uint64_t step = 1ull << (FANOUT_BITS * level);
	for (uint64_t i = from > base ? (from - base) / step : 0; i < FANOUT; i++) {
		if (!table[i])
			continue;
		uint64_t found = level == 0 ? base + i : table_next(table[i], level - 1, base + i * step, from);
		if (found != UINT64_MAX)
			return found;
	}
	return UINT64_MAX;
}

uint64_t page_tree_next(const struct page_tree *t, uint64_t from)
{
	return t->root && from < tree_span(t->height) ? table_next(t->root, t->height - 1, 0, from) : UINT64_MAX;
}

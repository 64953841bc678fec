/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages: finding, getting, evicting, dropping.
 *
 *   free --page_new--> MAPPING --map()--> in the table --evicted, dropped--> free
 *
 * A page in the table is pinned (pins > 0), or in transfer (reading, writing), or dirty, or on the list of those that may be evicted;
 * page_settle() puts it where it belongs after each change. That list is in order of use, and a page that was used more than once
 * gets a second turn, so that reading one large file does not drive out the metadata.
 *
 * Between two waits nothing else runs, so nothing here is locked; after a wait everything is looked at again.
 * If the process dies, what was dirty is lost, as at a power cut.
 */
#include "cache_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <libfiber/fiber.h>

enum { TABLE_MIN = 1024, SECOND_TURNS = 64, FRAMES_AT_ONCE = 64 };

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct cache cache;

void cache_scribble(void) { memset(cache.pages, 0x5a, cache.nr_touched * sizeof *cache.pages); }

/* ---- waiting --------------------------------------------------------------------------------------------------- */

struct cache_waiter { struct cache_list link; struct fiber *fiber; const void *what; bool woken; };

void cache_wait(const void *what)
{
	struct cache_waiter w = { .fiber = fiber_self(), .what = what };
	if (!w.fiber) {
		fprintf(stderr, "libcache: must wait, but this is no fiber\n");
		abort();
	}
	clist_append(&cache.waiters, &w.link);
	while (!w.woken)
		fiber_yield();
}

void cache_wake(const void *what)
{
	struct cache_list *next;
	for (struct cache_list *l = cache.waiters.next; l != &cache.waiters; l = next) {
		struct cache_waiter *w = clist_entry(l, struct cache_waiter, link);
		next = l->next;
		if (w->what != what)
			continue;
		clist_remove(l);
		w->woken = true;
		fiber_wake(w->fiber);
	}
}

/* ---- set-up ---------------------------------------------------------------------------------------------------- */

int cache_init(uint64_t bytes)
{
	clist_init(&cache.evictable);
	clist_init(&cache.devs);
	clist_init(&cache.waiters);
	cache.gen = 1;
	cache.nr_pages = bytes / CACHE_PAGE;
	cache.arena_bytes = cache.nr_pages * CACHE_PAGE;
	cache.arena = mmap(NULL, cache.arena_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cache.arena == MAP_FAILED)
		return -ENOMEM;
	cache.table_mask = TABLE_MIN - 1;
	while (cache.table_mask < cache.nr_pages)
		cache.table_mask = cache.table_mask * 2 + 1;
	cache.table = calloc(cache.table_mask + 1, sizeof(struct cache_page *));
	cache.pages = calloc(cache.nr_pages, sizeof *cache.pages);
	return cache.table && cache.pages ? cache_io_init() : -ENOMEM;
}

void *cache_arena(uint64_t *bytes)
{
	*bytes = cache.arena_bytes;
	return cache.arena;
}

void cache_set_clock(int64_t (*now)(void)) { cache.clock = now; }

void cache_stats(struct cache_stats *out)
{
	*out = cache.stats;
	out->pages = cache.nr_pages;
	out->free = cache.nr_free + cache.nr_pages - cache.nr_touched;
	out->dirty = cache.nr_dirty;
}

/* Byte n of the device is byte n of its own file. */
static int meta_map(struct cache_file *f, uint64_t index, uint64_t pos[CACHE_BLOCKS_MAX])
{
	const struct cache_dev *dev = f->dev;
	for (uint32_t i = 0; i < dev->blocks_per_page; i++) {
		uint64_t at = index * CACHE_PAGE + (uint64_t)i * dev->block;
		pos[i] = at + dev->block <= dev->bytes ? at : CACHE_HOLE;
	}
	return 0;
}

static const struct cache_file_ops meta_ops = { .map = meta_map };

static bool block_size_ok(uint32_t b) { return b >= 512 && b <= CACHE_PAGE && (b & (b - 1)) == 0; }

static void dev_block_set(struct cache_dev *dev, uint32_t block)
{
	dev->block = block;
	dev->blocks_per_page = CACHE_PAGE / block;
	dev->all = (uint8_t)((1u << dev->blocks_per_page) - 1);
}

struct cache_dev *cache_dev_open(const struct cache_backend *backend, void *ctx, uint64_t bytes, uint32_t block_bytes)
{
	struct cache_dev *dev = block_size_ok(block_bytes) ? calloc(1, sizeof *dev) : NULL;
	if (!dev)
		return NULL;
	dev->backend = backend;
	dev->ctx = ctx;
	dev->bytes = bytes;
	dev_block_set(dev, block_bytes);
	clist_init(&dev->files);
	clist_init(&dev->dirty_data);
	clist_init(&dev->dirty_meta);
	clist_init(&dev->running);
	clist_init(&dev->queued);
	sweep_init(&dev->background, 0, false);
	clist_append(&cache.devs, &dev->link);
	cache_file_init(&dev->meta, dev, &meta_ops, bytes);
	return dev;
}

int cache_dev_set_block(struct cache_dev *dev, uint32_t block_bytes)
{
	if (!block_size_ok(block_bytes))
		return -EINVAL;
	if (!clist_empty(&dev->dirty_data) || !clist_empty(&dev->dirty_meta))
		return -EBUSY;
	for (struct cache_list *l = dev->meta.pages.next; l != &dev->meta.pages; l = l->next)
		if (clist_entry(l, struct cache_page, in_file)->pins)
			return -EBUSY;
	cache_drop(&dev->meta, 0);
	dev_block_set(dev, block_bytes);
	return 0;
}

uint64_t cache_dev_bytes(const struct cache_dev *dev) { return dev->bytes; }
uint32_t cache_dev_block(const struct cache_dev *dev) { return dev->block; }
struct cache_file *cache_dev_meta(struct cache_dev *dev) { return &dev->meta; }

void cache_dev_close(struct cache_dev *dev)
{
	cache_drop(&dev->meta, 0);
	while (dev->nr_io || dev->ticking)
		cache_wait(dev);
	sweep_fini(&dev->background);
	clist_remove(&dev->link);
	free(dev);
}

void cache_file_init(struct cache_file *f, struct cache_dev *dev, const struct cache_file_ops *ops, uint64_t size)
{
	memset(f, 0, sizeof *f);
	f->dev = dev;
	f->ops = ops;
	f->size = size;
	clist_init(&f->pages);
	clist_init(&f->dirty);
	clist_append(&dev->files, &f->in_dev);
}

void cache_file_fini(struct cache_file *f)
{
	cache_drop(f, 0);
	clist_remove(&f->in_dev);
}

/* ---- the table of pages ----------------------------------------------------------------------------------------- */

/* Pages that follow each other have slots that do: who goes through a file goes through the table, not to another page of it each time. */
static struct cache_page **table_slot(const struct cache_file *f, uint64_t index)
{
	uint64_t h = ((uint64_t)(uintptr_t)f >> 4) * 0x9e3779b97f4a7c15ull;
	return &cache.table[((h >> 24 ^ h >> 44) + index) & cache.table_mask];
}

struct cache_page *page_find(const struct cache_file *f, uint64_t index)
{
	struct cache_page *p = *table_slot(f, index);
	while (p && (p->file != f || p->index != index))
		p = p->chain;
	return p;
}

static void table_remove(struct cache_page *p)
{
	struct cache_page **at = table_slot(p->file, p->index);
	while (*at != p)
		at = &(*at)->chain;
	*at = p->chain;
	p->chain = NULL;
}

/* The frame may be in use elsewhere: VM gets it back, and a new one comes with the next touch. */
static void page_renew_frame(struct cache_page *p)
{
	madvise(p->data, CACHE_PAGE, MADV_DONTNEED);
	memset(p->data, 0, CACHE_PAGE);
}

static void page_free(struct cache_page *p)
{
	clist_remove(&p->in_order);
	clist_remove(&p->in_file);
	if (p->flags & PAGE_MAPPED)
		page_renew_frame(p);
	if (p->flags & PAGE_MAPPED_WRITE)
		p->file->nr_mapped_write--;
	p->file = NULL;
	p->flags = 0;
	p->chain = cache.free;
	cache.free = p;
	cache.nr_free++;
	cache_wake(&cache);
}

static void account_dirty(struct cache_page *p, bool dirty)
{
	if (dirty == !!(p->flags & PAGE_COUNTED))
		return;
	p->flags ^= PAGE_COUNTED;
	cache.nr_dirty += dirty ? 1 : (uint64_t)-1;
	clist_remove(&p->in_file);
	clist_append(dirty ? &p->file->dirty : &p->file->pages, &p->in_file);
}

static bool page_may_be_evicted(const struct cache_page *p)
{
	return !(p->flags & PAGE_MAPPED_WRITE) && (!(p->flags & PAGE_MAPPED_READ) || p->file->ops->unmap);
}

void page_settle(struct cache_page *p)
{
	struct cache_dev *dev = p->file->dev;
	bool dirty = p->dirty || p->writing;
	bool was_dirty = p->flags & PAGE_COUNTED;

	account_dirty(p, dirty);
	if (dirty && !was_dirty) {
		clist_remove(&p->in_order);
		clist_append(page_is_meta(p) ? &dev->dirty_meta : &dev->dirty_data, &p->in_order);
	}
	if (dirty)
		return;
	bool busy = p->pins || p->reading;
	if (was_dirty || busy)
		clist_remove(&p->in_order);
	if (busy)
		return;
	if (p->flags & PAGE_DROPPED) {
		page_free(p);
	} else if (clist_empty(&p->in_order) && page_may_be_evicted(p)) {
		clist_append(&cache.evictable, &p->in_order);
		cache_wake(&cache);
	}
}

void page_unpin(struct cache_page *p)
{
	p->pins--;
	page_settle(p);
}

/* ---- pages for new contents ------------------------------------------------------------------------------------- */

/* The one to go: the least recently used, but for a few that were used again since they were last looked at. */
static struct cache_page *evict_choose(void)
{
	struct cache_page *p = NULL;
	for (int turn = 0; turn < SECOND_TURNS && !clist_empty(&cache.evictable); turn++) {
		p = clist_entry(cache.evictable.next, struct cache_page, in_order);
		if (!(p->flags & PAGE_USED_AGAIN))
			break;
		p->flags &= (uint8_t)~PAGE_USED_AGAIN;
		clist_remove(&p->in_order);
		clist_append(&cache.evictable, &p->in_order);
	}
	return p;
}

static bool evict_one(void)
{
	struct cache_page *p = evict_choose();
	if (!p)
		return false;
	if (p->flags & PAGE_MAPPED)
		p->file->ops->unmap(p->file, p->index);
	table_remove(p);
	page_free(p);
	cache.stats.evictions++;
	return true;
}

/* Frames come now, not in the middle of a transfer, and many at once: a fault for each would cost more than what is done with the page. */
static void frames_take(void)
{
	uint8_t *from = cache.arena + cache.nr_touched * CACHE_PAGE;
	uint64_t left = cache.nr_pages - cache.nr_touched, bytes = (left < FRAMES_AT_ONCE ? left : FRAMES_AT_ONCE) * CACHE_PAGE;
	if (madvise(from, bytes, MADV_POPULATE_WRITE) != 0)
		memset(from, 0, bytes);
}

struct cache_page *page_take_spare(void)
{
	struct cache_page *p;
	if (!cache.free && cache.nr_touched < cache.nr_pages) {
		if (cache.nr_touched % FRAMES_AT_ONCE == 0)
			frames_take();
		p = &cache.pages[cache.nr_touched];
		p->data = cache.arena + cache.nr_touched++ * CACHE_PAGE;
		clist_init(&p->in_order);
		clist_init(&p->in_file);
		return p;
	}
	if (!cache.free && !evict_one())
		return NULL;
	p = cache.free;
	cache.free = p->chain;
	cache.nr_free--;
	p->chain = NULL;
	return p;
}

void page_give_spare(struct cache_page *p)
{
	p->chain = cache.free;
	cache.free = p;
	cache.nr_free++;
	cache_wake(&cache);
}

struct cache_page *page_new(struct cache_file *f, uint64_t index)
{
	struct cache_page *p = page_take_spare();
	if (!p)
		return NULL;
	struct cache_page **slot = table_slot(f, index);
	p->file = f;
	p->index = index;
	p->pins = 1;
	p->writers = 0;
	p->valid = p->dirty = p->reading = p->writing = p->failures = p->marks = 0;
	p->flags = PAGE_MAPPING;
	p->error = 0;
	p->chain = *slot;
	*slot = p;
	clist_append(&f->pages, &p->in_file);
	return p;
}

static void page_drop(struct cache_page *p)
{
	table_remove(p);
	p->flags |= PAGE_DROPPED;
	p->dirty = 0;
	cache_wake(p);
	page_settle(p);
}

int page_map(struct cache_page *p)
{
	struct cache_dev *dev = p->file->dev;
	uint64_t pos[CACHE_BLOCKS_MAX];

	for (int i = 0; i < CACHE_BLOCKS_MAX; i++)
		pos[i] = CACHE_HOLE;
	int r = p->file->ops->map(p->file, p->index, pos);
	p->flags &= (uint8_t)~PAGE_MAPPING;
	if (r && !(p->flags & PAGE_DROPPED))
		page_drop(p);
	for (uint32_t i = 0; r == 0 && i < dev->blocks_per_page; i++) {
		p->pos[i] = pos[i];
		if (pos[i] != CACHE_HOLE)
			continue;
		memset(p->data + i * dev->block, 0, dev->block);
		p->valid |= (uint8_t)(1 << i);
	}
	cache_wake(p);
	return r;
}

/* Room for one more page. 0: look again; -ENOMEM: every page is held. */
static int room_wait(struct cache_dev *dev)
{
	write_some(dev);
	for (struct cache_list *l = cache.devs.next; cache.nr_io == 0 && l != &cache.devs; l = l->next)
		write_some(clist_entry(l, struct cache_dev, link));
	if (cache.nr_io == 0 && cache.nr_dirty == 0 && clist_empty(&cache.evictable))
		return -ENOMEM;
	if (!cache.free && clist_empty(&cache.evictable))
		cache_wait(&cache);
	return 0;
}

/* ---- getting a page --------------------------------------------------------------------------------------------- */

static int page_make(struct cache_file *f, uint64_t index, unsigned flags, struct cache_page **out)
{
	if (flags & CACHE_NOWAIT)
		return -EAGAIN;
	cache.stats.misses++;
	struct cache_page *p = page_new(f, index);
	if (!p) {
		*out = NULL;
		return room_wait(f->dev);
	}
	int r = page_map(p);
	if (r)
		page_unpin(p);
	*out = r ? NULL : p;
	return r;
}

/* One step towards a page that may be given out. 0: it may; 1: look again; an error. */
static int page_step(struct cache_page *p, unsigned flags)
{
	bool overwrite = flags & CACHE_OVERWRITE;
	uint8_t missing = p->file->dev->all & (uint8_t)~p->valid;
	bool wait = (p->flags & PAGE_MAPPING) || p->reading || (flags & CACHE_WRITE && p->writing);
	/* Not for those who hold it for other blocks: one of them may be the caller, who then forgot this one (cache_forget_blocks). */
	wait = wait || (missing && p->flags & PAGE_OVERWRITTEN && !overwrite);

	if (!wait && (!missing || overwrite))
		return 0;
	if (flags & CACHE_NOWAIT)
		return -EAGAIN;
	if (wait) {
		cache_wait(p);
		return p->error && !p->reading && !overwrite ? p->error : 1;
	}
	p->error = 0;
	if (!pages_read(&p, 1))
		cache_wait(&cache.free_io);
	else if (p->reading)
		cache_wait(p);
	return p->error && !p->reading ? p->error : 1;
}

static int page_ready(struct cache_page *p, unsigned flags)
{
	int r = 1;
	while (r == 1 && !(p->flags & PAGE_DROPPED))
		r = page_step(p, flags);
	return p->flags & PAGE_DROPPED ? -ESTALE : r;
}

int cache_get(struct cache_file *f, uint64_t index, unsigned flags, struct cache_page **out)
{
	struct cache_page *p;
	int r;

	if ((flags & (CACHE_WRITE | CACHE_NOTHROTTLE | CACHE_NOWAIT)) == CACHE_WRITE)
		write_throttle(f->dev);
	do {
		p = page_find(f, index);
		if (p) {
			p->pins++;
			p->flags |= PAGE_USED_AGAIN;
			cache.stats.hits++;
			page_settle(p);
		} else {
			r = page_make(f, index, flags, &p);
			if (r)
				return r;
		}
		r = p ? page_ready(p, flags) : -ESTALE;
		if (p && r)
			page_unpin(p);
	} while (r == -ESTALE);
	if (r)
		return r;
	if (flags & CACHE_WRITE)
		p->writers++;
	if (flags & CACHE_OVERWRITE && p->valid != f->dev->all)
		p->flags |= PAGE_OVERWRITTEN;
	*out = p;
	return 0;
}

const uint8_t *cache_peek(const struct cache_file *f, uint64_t index)
{
	struct cache_page *p = page_find(f, index);
	if (!p || p->flags & PAGE_MAPPING || p->valid != f->dev->all)
		return NULL;
	p->flags |= PAGE_USED_AGAIN;
	cache.stats.hits++;
	return p->data;
}

void cache_put(struct cache_page *p, unsigned flags)
{
	if (flags & CACHE_WRITE && --p->writers == 0) {
		p->flags &= (uint8_t)~PAGE_OVERWRITTEN;
		cache_wake(p);
		if (p->dirty)
			cache_wake(&cache);	/* it may be written now */
	}
	page_unpin(p);
}

void cache_place(struct cache_page *p, unsigned block, uint64_t pos)
{
	p->pos[block] = pos;
	if (pos == CACHE_HOLE)
		p->dirty &= (uint8_t)~(1u << block);
	page_settle(p);
}

uint64_t cache_position(const struct cache_page *p, unsigned block) { return p->pos[block]; }

/* ---- dropping --------------------------------------------------------------------------------------------------- */

/* The first page of the list at or behind `first`. */
static struct cache_page *list_page_from(struct cache_list *list, uint64_t first)
{
	for (struct cache_list *l = list->next; l != list; l = l->next) {
		struct cache_page *p = clist_entry(l, struct cache_page, in_file);
		if (p->index >= first && !(p->flags & PAGE_DROPPED))
			return p;
	}
	return NULL;
}

static void drop_list(struct cache_list *list, uint64_t first)
{
	struct cache_page *p;
	while ((p = list_page_from(list, first))) {
		p->dirty = 0;
		if (p->reading || p->writing || p->flags & PAGE_MAPPING)
			cache_wait(p);
		else
			page_drop(p);
	}
}

void cache_drop(struct cache_file *f, uint64_t first)
{
	drop_list(&f->dirty, first);
	drop_list(&f->pages, first);
	if (first == 0)
		f->ahead_next = f->ahead_end = f->ahead_window = 0;
}

/* The blocks of page p that lie in [pos, pos + len) of the device. */
static uint8_t blocks_within(const struct cache_page *p, uint64_t pos, uint64_t len)
{
	const struct cache_dev *dev = p->file->dev;
	uint8_t bits = 0;
	for (uint32_t i = 0; i < dev->blocks_per_page; i++)
		if (p->pos[i] != CACHE_HOLE && p->pos[i] >= pos && p->pos[i] < pos + len)
			bits |= (uint8_t)(1 << i);
	return bits;
}

static void forget_in_page(struct cache_file *meta, uint64_t index, uint64_t pos, uint64_t len)
{
	struct cache_page *p;
	while ((p = page_find(meta, index))) {
		uint8_t bits = p->flags & PAGE_MAPPING ? 0 : blocks_within(p, pos, len);
		p->dirty &= (uint8_t)~bits;
		if (!(p->flags & PAGE_MAPPING) && !((p->reading | p->writing) & bits)) {
			p->valid &= (uint8_t)~bits;
			p->marks &= (uint8_t)~bits;
			page_settle(p);
			return;
		}
		cache_wait(p);
	}
}

/* Asks for each page of a range that may be there, or looks at each page that is there whether it is in the range: what is less. */
void cache_forget_blocks(struct cache_dev *dev, uint64_t pos, uint64_t len)
{
	uint64_t first = pos / CACHE_PAGE, pages = len ? (pos + len - 1) / CACHE_PAGE - first + 1 : 0;
	if (pages > cache.nr_touched) {
		for (uint64_t i = 0; i < cache.nr_touched; i++)
			if (cache.pages[i].file == &dev->meta && cache.pages[i].index - first < pages)
				forget_in_page(&dev->meta, cache.pages[i].index, pos, len);
		return;
	}
	for (uint64_t i = 0; i < pages; i++)
		forget_in_page(&dev->meta, first + i, pos, len);
}

/* ---- pages that VM has ------------------------------------------------------------------------------------------ */

void cache_mapped(struct cache_page *p, bool write)
{
	if (write && !(p->flags & PAGE_MAPPED_WRITE)) {
		p->flags |= PAGE_MAPPED_WRITE;
		p->sum = page_sum(p->data);
		p->file->nr_mapped_write++;
		if (!p->file->dev->mapped_since)
			p->file->dev->mapped_since = cache.clock ? cache.clock() : 1;
	} else if (!write) {
		p->flags |= PAGE_MAPPED_READ;
	}
	page_settle(p);
}

static void unmapped_list(struct cache_list *list)
{
	struct cache_list *next;
	for (struct cache_list *l = list->next; l != list; l = next) {
		struct cache_page *p = clist_entry(l, struct cache_page, in_file);
		next = l->next;
		if (!(p->flags & PAGE_MAPPED))
			continue;
		if (p->flags & PAGE_MAPPED_WRITE) {
			p->file->nr_mapped_write--;
			page_mapped_check(p);
		}
		p->flags &= (uint8_t)~PAGE_MAPPED;
		page_settle(p);
	}
}

void cache_unmapped(struct cache_file *f)
{
	unmapped_list(&f->dirty);
	unmapped_list(&f->pages);
}

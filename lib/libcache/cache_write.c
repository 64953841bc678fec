/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing back. Dirty pages stand in two lists of their device, data and metadata, the oldest first. They go to the device in sweeps
 * (cache_sweep.c): in the order of their places there.
 *
 * A sync writes what became dirty before it began: each sync begins a new generation, and pages carry the one in which they became
 * dirty, so that a program that goes on writing cannot keep a sync from ending. When its sweep is through it waits for the pages of
 * its scope one by one, from the front of the list: each leaves the list with its transfer, so nothing is looked at twice.
 *
 * Without a sync, writing begins when START of the cache is dirty: a sweep of all that is dirty then, which goes on by itself with each
 * transfer that ends. Who writes pays for the copy only, until LIMIT is dirty: then he waits for transfers. The cache has a quarter of the
 * memory in most services, so the two are a tenth and a fifth of it.
 */
#include "cache_private.h"

#include <errno.h>
#include <string.h>

/* As many transfers as a disk takes at a time; others leave room for those who wait for what they read. */
enum { START_PERCENT = 40, LIMIT_PERCENT = 80, SYNC_IO = 32, BACKGROUND_IO = 16, FEW_PAGES = 16 };

uint64_t page_sum(const uint8_t *data)
{
	const uint64_t *w = (const uint64_t *)(const void *)data;
	uint64_t sum = 0x6a09e667f3bcc908ull;
	for (unsigned i = 0; i < CACHE_PAGE / sizeof *w; i++)
		sum = (sum ^ w[i]) * 0x9e3779b97f4a7c15ull + (sum >> 29);
	return sum;
}

/* ---- becoming dirty --------------------------------------------------------------------------------------------- */

void cache_dirty(struct cache_page *p, size_t from, size_t len)
{
	const struct cache_dev *dev = p->file->dev;
	if (p->flags & PAGE_DROPPED || len == 0)
		return;
	if (!p->dirty) {
		p->gen = cache.gen;
		p->since = cache.clock ? cache.clock() : 0;
	}
	for (size_t i = from / dev->block; i < dev->blocks_per_page && i * dev->block < from + len; i++) {
		uint8_t bit = (uint8_t)(1u << i);
		if (i * dev->block >= from && (i + 1) * dev->block <= from + len)
			p->valid |= bit;
		if (p->pos[i] != CACHE_HOLE && p->valid & bit)
			p->dirty |= bit;
	}
	page_settle(p);
}

/* A page that programs write by themselves: have they? Nobody knows which of its blocks, so all of them count. */
uint64_t page_mapped_check(struct cache_page *p)
{
	uint64_t sum = page_sum(p->data);
	if (p->sum != sum)
		cache_dirty(p, 0, CACHE_PAGE);
	return sum;
}

static void mapped_check_list(struct cache_list *list)
{
	struct cache_list *next;
	for (struct cache_list *l = list->next; l != list; l = next) {
		struct cache_page *p = clist_entry(l, struct cache_page, in_file);
		next = l->next;
		if (p->flags & PAGE_MAPPED_WRITE)
			page_mapped_check(p);
	}
}

/* Also those that are dirty: for other blocks, perhaps, or because older contents are on their way. */
static void mapped_check(struct cache_file *f)
{
	if (!f->nr_mapped_write)
		return;
	mapped_check_list(&f->dirty);
	mapped_check_list(&f->pages);
}

static void dev_mapped_check(struct cache_dev *dev)
{
	bool any = false;
	for (struct cache_list *l = dev->files.next; l != &dev->files; l = l->next) {
		struct cache_file *f = clist_entry(l, struct cache_file, in_dev);
		mapped_check(f);
		any = any || f->nr_mapped_write;
	}
	dev->mapped_since = !any ? 0 : cache.clock ? cache.clock() : 1;
}

/* ---- what a sync is about --------------------------------------------------------------------------------------- */

struct scope {
	struct cache_list *list;
	bool of_file;		/* the list is of one file (linked by in_file) */
	uint64_t mark;		/* generations up to this one */
	uint64_t first, last;	/* pages */
};

static struct cache_page *scope_page(const struct scope *s, struct cache_list *l)
{
	return s->of_file ? clist_entry(l, struct cache_page, in_file) : clist_entry(l, struct cache_page, in_order);
}

/* Of a page that is dirty again while it is written nobody knows when it became dirty before. */
static bool page_is_due(const struct cache_page *p, uint64_t mark)
{
	return p->writing ? p->dirty || p->gen <= mark : p->dirty && p->gen <= mark;
}

static bool scope_has(const struct scope *s, const struct cache_page *p)
{
	cache.stats.looked_at++;
	return p->index >= s->first && p->index <= s->last && page_is_due(p, s->mark);
}

/* The one that has to be waited for next, or NULL. */
static struct cache_page *scope_first(const struct scope *s)
{
	for (struct cache_list *l = s->list->next; l != s->list; l = l->next)
		if (scope_has(s, scope_page(s, l)))
			return scope_page(s, l);
	return NULL;
}

static void scope_collect(const struct scope *s, const struct cache_dev *dev, struct sweep *sweep)
{
	for (struct cache_list *l = s->list->next; l != s->list; l = l->next) {
		struct cache_page *p = scope_page(s, l);
		if (scope_has(s, p) && page_writable(p) && !sweep_add(sweep, p))
			break;
	}
	sweep_sort(sweep, dev);
}

static void sweep_finish(struct sweep *s, struct cache_dev *dev)
{
	for (;;) {
		sweep_write(s, dev, SYNC_IO);
		if (sweep_is_done(s))
			return;
		cache_wait(dev->nr_io ? (const void *)dev : &cache.free_io);
	}
}

/* Until nothing in the scope is dirty. Pages that failed, or were held when their turn came, make another sweep. */
static void scope_sync(const struct scope *s, struct cache_dev *dev)
{
	struct cache_page *p;
	while ((p = scope_first(s))) {
		struct sweep sweep;
		if (p->writing || !page_writable(p)) {
			cache_wait(p);
			continue;
		}
		sweep_init(&sweep, s->mark, page_is_meta(p));
		scope_collect(s, dev, &sweep);
		sweep_finish(&sweep, dev);
		sweep_fini(&sweep);
	}
}

/* One page of a file; a few of them need no look at all that are dirty. */
static void page_sync(struct cache_file *f, uint64_t index, uint64_t mark)
{
	struct cache_page *p;
	while ((p = page_find(f, index)) && page_is_due(p, mark)) {
		struct sweep sweep;
		if (p->writing || !page_writable(p)) {
			cache_wait(p);
			continue;
		}
		sweep_init(&sweep, mark, page_is_meta(p));
		sweep_add(&sweep, p);
		sweep_finish(&sweep, f->dev);
	}
}

static int error_take(int *error)
{
	int e = *error;
	*error = 0;
	return e;
}

static void file_sync(struct cache_file *f, uint64_t first, uint64_t last)
{
	mapped_check(f);
	struct scope s = { .list = &f->dirty, .of_file = true, .mark = cache.gen++, .first = first, .last = last };
	if (last - first >= FEW_PAGES)
		scope_sync(&s, f->dev);
	for (uint64_t i = first; last - first < FEW_PAGES && i <= last; i++)
		page_sync(f, i, s.mark);
}

int cache_sync(struct cache_file *f)
{
	file_sync(f, 0, UINT64_MAX);
	return error_take(&f->error);
}

int cache_sync_range(struct cache_file *f, uint64_t from, uint64_t len)
{
	if (len == 0)
		return 0;
	file_sync(f, from / CACHE_PAGE, (from + len - 1) / CACHE_PAGE);
	return error_take(&f->error);
}

void cache_dev_write_data(struct cache_dev *dev)
{
	struct scope data = { .list = &dev->dirty_data, .mark = cache.gen++, .last = UINT64_MAX };
	scope_sync(&data, dev);
}

bool cache_file_is_dirty(const struct cache_file *f) { return !clist_empty(&f->dirty); }

/* Data, then metadata. */
static void dev_write_all(struct cache_dev *dev)
{
	cache_dev_write_data(dev);
	struct scope meta = { .list = &dev->dirty_meta, .mark = cache.gen++, .last = UINT64_MAX };
	scope_sync(&meta, dev);
}

int cache_dev_sync(struct cache_dev *dev)
{
	dev_mapped_check(dev);
	dev_write_all(dev);
	int flush = cache_dev_flush(dev);
	int error = error_take(&dev->error);
	return error ? error : flush;
}

/* ---- without being asked ---------------------------------------------------------------------------------------- */

void write_more(struct cache_dev *dev)
{
	struct sweep *s = &dev->background;
	if (dev->sweeping || s->n == 0)
		return;
	sweep_write(s, dev, BACKGROUND_IO);
	if (sweep_is_done(s))
		sweep_fini(s);
}

/* All that is dirty, data before metadata. */
static void background_begin(struct cache_dev *dev)
{
	struct cache_list *lists[] = { &dev->dirty_data, &dev->dirty_meta };
	for (int meta = 0; meta < 2 && dev->background.n == 0; meta++) {
		struct scope scope = { .list = lists[meta], .mark = UINT64_MAX, .last = UINT64_MAX };
		sweep_init(&dev->background, UINT64_MAX, meta);
		scope_collect(&scope, dev, &dev->background);
	}
}

/* A sweep may be at its end without anybody having noticed: it stopped for want of transfers, which others had, and the rest was written by
 * a sync. Then there is nothing to go on with, and who waits for room needs a new one. */
void write_some(struct cache_dev *dev)
{
	write_more(dev);
	if (dev->sweeping || dev->background.n || cache.nr_dirty == cache.nr_writing)
		return;
	background_begin(dev);
	write_more(dev);
}

void write_throttle(struct cache_dev *dev)
{
	uint64_t limit = cache.nr_pages * LIMIT_PERCENT / 100;
	if ((cache.nr_dirty - cache.nr_writing) * 100 > cache.nr_pages * START_PERCENT)
		write_some(dev);
	while (cache.nr_dirty > limit && dev->nr_io > 0) {
		cache_wait(dev);
		write_some(dev);
	}
}

static int64_t list_since(const struct cache_list *list)
{
	return clist_empty(list) ? INT64_MAX : clist_entry(list->next, struct cache_page, in_order)->since;
}

static int64_t dev_since(const struct cache_dev *dev)
{
	int64_t data = list_since(&dev->dirty_data), meta = list_since(&dev->dirty_meta);
	int64_t since = data < meta ? data : meta;
	return dev->mapped_since && dev->mapped_since < since ? dev->mapped_since : since;
}

int64_t cache_next_tick(void)
{
	int64_t first = INT64_MAX;
	for (struct cache_list *l = cache.devs.next; l != &cache.devs; l = l->next) {
		const struct cache_dev *dev = clist_entry(l, struct cache_dev, link);
		int64_t since = dev_since(dev);
		if (!dev->ticking && since < first)
			first = since;
	}
	return first == INT64_MAX ? 0 : first + CACHE_AGE;
}

static struct cache_dev *dev_aged(int64_t now)
{
	for (struct cache_list *l = cache.devs.next; l != &cache.devs; l = l->next) {
		struct cache_dev *dev = clist_entry(l, struct cache_dev, link);
		int64_t since = dev_since(dev);
		if (!dev->ticking && since != INT64_MAX && since + CACHE_AGE <= now)
			return dev;
	}
	return NULL;
}

void cache_tick(int64_t now)
{
	struct cache_dev *dev;
	while ((dev = dev_aged(now))) {
		dev->ticking = true;
		if (dev->mapped_since)
			dev_mapped_check(dev);
		dev_write_all(dev);
		dev->ticking = false;
		cache_wake(dev);
	}
}

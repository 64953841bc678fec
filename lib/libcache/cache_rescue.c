/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dirty blocks out of a dead cache's memory (cache_rescue.h). The same program file has its variables at the same addresses, so `cache` is
 * read where ours lies; from there on nothing of the dead one is believed. Its addresses are numbers here: they are only ever given to
 * read(). Pages are found by counting through the array, and what one points to has to lie where it must.
 *
 *   1. every page's header is checked: so nothing is handed over from a cache that is not sound, and a page that only looks clean now
 *      is missed in the count of dirty ones (the dead one may have been in the middle of counting: one more or less is sound)
 *   2. blocks of data are handed over
 *   3. blocks of metadata
 */
#include <libcache/cache_rescue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cache_private.h"

enum { PAGES_AT_ONCE = 128 };

struct rescue {
	struct cache_rescue *r;
	struct cache old;
	struct cache_dev dev;		/* the one device of a service that can be rescued */
	uintptr_t dev_at;		/* 0: nothing is open */
	struct cache_page page[PAGES_AT_ONCE];
	uint8_t data[CACHE_PAGE];
	uint64_t nr_dirty;		/* pages counted as dirty */
	bool meta;			/* this pass is for metadata */
};

static int old_read(struct rescue *s, uintptr_t addr, void *p, size_t len)
{
	return s->r->read(s->r->ctx, (const void *)addr, p, len) ? -EUCLEAN : 0;
}

static int cache_read(struct rescue *s)
{
	const struct cache *c = &s->old;
	if (old_read(s, (uintptr_t)&cache, &s->old, sizeof s->old))
		return -EUCLEAN;
	if (c->gen == 0)	/* it never came to cache_init() */
		return c->arena || c->pages ? -EUCLEAN : 0;
	bool sizes_ok = c->arena_bytes % CACHE_PAGE == 0 && c->arena_bytes / CACHE_PAGE == c->nr_pages && c->nr_touched <= c->nr_pages;
	return c->pages && c->arena && sizes_ok ? 0 : -EUCLEAN;
}

static bool block_is_sound(const struct cache_dev *d)
{
	uint32_t per = d->blocks_per_page;
	return d->block >= 512 && d->block <= CACHE_PAGE && (d->block & (d->block - 1)) == 0 && per == CACHE_PAGE / d->block &&
	       d->all == (1u << per) - 1;
}

/* The list of devices runs in a ring through the variable itself. */
static int dev_read(struct rescue *s)
{
	const struct cache_dev *d = &s->dev;
	if (s->old.gen == 0)
		return 0;
	if (s->old.devs.next == &cache.devs)
		return s->old.nr_dirty ? -EUCLEAN : 0;
	s->dev_at = (uintptr_t)s->old.devs.next - offsetof(struct cache_dev, link);
	if (old_read(s, s->dev_at, &s->dev, sizeof s->dev))
		return -EUCLEAN;
	bool alone = d->link.next == &cache.devs && d->link.prev == &cache.devs;
	return alone && block_is_sound(d) && d->bytes == s->r->device_bytes ? 0 : -EUCLEAN;
}

static bool is_meta(const struct rescue *s, const struct cache_page *p)
{
	return (uintptr_t)p->file == s->dev_at + offsetof(struct cache_dev, meta);
}

/* The blocks that may differ from those on the device. What a program may write through a mapping may always. */
static uint8_t blocks_due(const struct cache_page *p)
{
	uint8_t due = p->dirty | p->writing;
	if (!p->file || p->flags & (PAGE_MAPPING | PAGE_DROPPED))
		return 0;
	return p->flags & PAGE_MAPPED_WRITE ? due | p->valid : due;
}

static bool place_ok(const struct rescue *s, uint64_t pos)
{
	return pos % s->dev.block == 0 && pos < s->dev.bytes && s->dev.bytes - pos >= s->dev.block;
}

/* ---- what is done with each page ---------------------------------------------------------------------------------- */

/* The last one may just have been taken from the arena. */
static bool data_is_there(const struct rescue *s, const struct cache_page *p, uint64_t index)
{
	bool is_new = index + 1 == s->old.nr_touched && !p->data;
	return is_new || (uintptr_t)p->data == (uintptr_t)s->old.arena + index * CACHE_PAGE;
}

static int page_check(struct rescue *s, const struct cache_page *p, uint64_t index)
{
	uint8_t due = blocks_due(p), bits = p->valid | p->dirty | p->reading | p->writing;
	if (!data_is_there(s, p, index) || (p->file && bits & (uint8_t)~s->dev.all))
		return -EUCLEAN;
	s->nr_dirty += !!(p->flags & PAGE_COUNTED);
	for (uint32_t i = 0; i < s->dev.blocks_per_page; i++)
		if (due >> i & 1 && p->pos[i] != CACHE_HOLE && !place_ok(s, p->pos[i]))
			return -EUCLEAN;
	return 0;
}

/* As many blocks in one piece as lie behind each other. */
static int blocks_give(struct rescue *s, const struct cache_page *p, uint8_t due)
{
	uint32_t block = s->dev.block, n;
	for (uint32_t i = 0; i < s->dev.blocks_per_page; i += n) {
		n = 1;
		if (!(due >> i & 1) || p->pos[i] == CACHE_HOLE)
			continue;
		while (i + n < s->dev.blocks_per_page && due >> (i + n) & 1 && p->pos[i + n] == p->pos[i] + (uint64_t)n * block)
			n++;
		int r = s->r->blocks(s->r->ctx, p->pos[i], s->data + i * block, n * block);
		if (r)
			return r;
		s->r->done += n * block;
	}
	return 0;
}

static int page_give(struct rescue *s, const struct cache_page *p, uint64_t index)
{
	uint8_t due = blocks_due(p);
	(void)index;
	if (!due || is_meta(s, p) != s->meta)
		return 0;
	int r = old_read(s, (uintptr_t)p->data, s->data, CACHE_PAGE);
	return r ? r : blocks_give(s, p, due);
}

static int pages_each(struct rescue *s, int (*each)(struct rescue *s, const struct cache_page *p, uint64_t index))
{
	for (uint64_t first = 0; first < s->old.nr_touched; first += PAGES_AT_ONCE) {
		uint64_t left = s->old.nr_touched - first, n = left < PAGES_AT_ONCE ? left : PAGES_AT_ONCE;
		if (old_read(s, (uintptr_t)s->old.pages + first * sizeof s->page[0], s->page, n * sizeof s->page[0]))
			return -EUCLEAN;
		for (uint64_t i = 0; i < n; i++) {
			int r = each(s, &s->page[i], first + i);
			if (r)
				return r;
		}
	}
	return 0;
}

static int pages_check(struct rescue *s)
{
	int r = pages_each(s, page_check);
	uint64_t wrong = s->nr_dirty > s->old.nr_dirty ? s->nr_dirty - s->old.nr_dirty : s->old.nr_dirty - s->nr_dirty;
	return r || wrong <= 1 ? r : -EUCLEAN;
}

int cache_rescue(struct cache_rescue *r)
{
	struct rescue *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->r = r;
	int result = cache_read(s);
	if (!result)
		result = dev_read(s);
	if (!result && s->dev_at && !(result = pages_check(s)) && !(result = pages_each(s, page_give))) {
		s->meta = true;
		result = pages_each(s, page_give);
	}
	free(s);
	return result;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dirty blocks out of a dead cache's memory (cache_rescue.h). The same program file has its variables at the same addresses, so `cache` is
 * read where ours lies; from there on nothing of the dead one is believed: pages are found by counting through the array, and what
 * one points to has to lie where it must.
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
	struct cache_dev *dev_at;
	struct cache_page page[PAGES_AT_ONCE];
	uint8_t data[CACHE_PAGE];
	bool meta;			/* this pass is for metadata */
};

static int old_read(struct rescue *s, const void *addr, void *p, size_t len)
{
	return s->r->read(s->r->ctx, addr, p, len) ? -EUCLEAN : 0;
}

static int cache_read(struct rescue *s)
{
	if (old_read(s, &cache, &s->old, sizeof s->old))
		return -EUCLEAN;
	const struct cache *c = &s->old;
	if (c->gen == 0)	/* it never came to cache_init() */
		return 0;
	if (c->nr_touched > c->nr_pages || c->arena_bytes != c->nr_pages * CACHE_PAGE || !c->pages || !c->arena)
		return -EUCLEAN;
	return 0;
}

/* The list of devices runs in a ring through the variable itself. */
static int dev_read(struct rescue *s)
{
	struct cache_list *first = s->old.devs.next;
	if (first == &cache.devs)
		return 0;	/* nothing is open */
	s->dev_at = clist_entry(first, struct cache_dev, link);
	if (old_read(s, s->dev_at, &s->dev, sizeof s->dev))
		return -EUCLEAN;
	const struct cache_dev *d = &s->dev;
	bool block_ok = d->block >= 512 && d->block <= CACHE_PAGE && (d->block & (d->block - 1)) == 0;
	bool alone = d->link.next == &cache.devs && d->link.prev == &cache.devs;
	return block_ok && alone && d->blocks_per_page == CACHE_PAGE / d->block && d->bytes == s->r->device_bytes ? 0 : -EUCLEAN;
}

static bool is_meta(const struct rescue *s, const struct cache_page *p) { return p->file == &s->dev_at->meta; }

/* The blocks that may differ from those on the device. What a program may write through a mapping may always. */
static uint8_t blocks_due(const struct rescue *s, const struct cache_page *p)
{
	uint8_t due = p->dirty | p->writing;
	if (!p->file || p->flags & (PAGE_MAPPING | PAGE_DROPPED))
		return 0;
	if (p->flags & PAGE_MAPPED_WRITE)
		due |= p->valid;
	return due & s->dev.all;
}

static bool place_ok(const struct rescue *s, uint64_t pos)
{
	return pos % s->dev.block == 0 && pos < s->dev.bytes && s->dev.bytes - pos >= s->dev.block;
}

/* As many blocks in one piece as lie behind each other. */
static int blocks_give(struct rescue *s, const struct cache_page *p, uint8_t due)
{
	uint32_t block = s->dev.block, n;
	for (uint32_t i = 0; i < s->dev.blocks_per_page; i += n) {
		n = 1;
		if (!(due >> i & 1) || p->pos[i] == CACHE_HOLE)
			continue;
		if (!place_ok(s, p->pos[i]))
			return -EUCLEAN;
		while (i + n < s->dev.blocks_per_page && due >> (i + n) & 1 && p->pos[i + n] == p->pos[i] + (uint64_t)n * block)
			n++;
		if (!place_ok(s, p->pos[i] + (uint64_t)(n - 1) * block))
			return -EUCLEAN;
		int r = s->r->blocks(s->r->ctx, p->pos[i], s->data + i * block, n * block);
		if (r)
			return r;
		s->r->done += n * block;
	}
	return 0;
}

/* Page number `index` of the arena. */
static int page_give(struct rescue *s, const struct cache_page *p, uint64_t index)
{
	uint8_t due = blocks_due(s, p);
	if (!due || is_meta(s, p) != s->meta)
		return 0;
	if (p->data != s->old.arena + index * CACHE_PAGE || old_read(s, p->data, s->data, CACHE_PAGE))
		return -EUCLEAN;
	return blocks_give(s, p, due);
}

static int pages_give(struct rescue *s)
{
	for (uint64_t first = 0; first < s->old.nr_touched; first += PAGES_AT_ONCE) {
		uint64_t left = s->old.nr_touched - first, n = left < PAGES_AT_ONCE ? left : PAGES_AT_ONCE;
		if (old_read(s, s->old.pages + first, s->page, n * sizeof s->page[0]))
			return -EUCLEAN;
		for (uint64_t i = 0; i < n; i++) {
			int r = page_give(s, &s->page[i], first + i);
			if (r)
				return r;
		}
	}
	return 0;
}

int cache_rescue(struct cache_rescue *r)
{
	struct rescue *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->r = r;
	int result = cache_read(s);
	if (!result && s->old.gen)
		result = dev_read(s);
	if (!result && s->dev_at && !(result = pages_give(s))) {
		s->meta = true;
		result = pages_give(s);
	}
	free(s);
	return result;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfers. Blocks that lie one after the other on the device go in one transfer, whichever pages they belong to.
 *
 *   io_new --> filled --io_submit--> queued (touches bytes of one before it) --> running --cache_io_done--> free
 *
 * The number of transfers is fixed: who finds none free waits for cache.free_io. A page that is written while a program has it mapped for
 * writing is copied first, so that what goes to the device is one state of it.
 */
#include "cache_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TRANSFERS = 64 };

int cache_io_init(void)
{
	struct cache_io *ios = calloc(TRANSFERS, sizeof *ios);
	clist_init(&cache.free_io);
	for (int i = 0; ios && i < TRANSFERS; i++)
		clist_append(&cache.free_io, &ios[i].link);
	return ios ? 0 : -ENOMEM;
}

struct cache_io *io_new(struct cache_dev *dev, enum cache_op op)
{
	if (clist_empty(&cache.free_io))
		return NULL;
	struct cache_io *io = clist_entry(cache.free_io.next, struct cache_io, link);
	clist_remove(&io->link);
	io->op = op;
	io->dev = dev;
	io->pos = io->len = 0;
	io->nsegs = io->nparts = 0;
	io->backend_private = NULL;
	return io;
}

static void io_free(struct cache_io *io)
{
	clist_append(&cache.free_io, &io->link);
	cache_wake(&cache.free_io);
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

static bool io_overlaps(const struct cache_io *a, const struct cache_io *b)
{
	return a->pos < b->pos + b->len && b->pos < a->pos + a->len;
}

/* Does it touch bytes of one in the list that stands before `end`? */
static bool overlaps_any(const struct cache_io *io, struct cache_list *list, const struct cache_list *end)
{
	for (struct cache_list *l = list->next; l != end; l = l->next)
		if (io_overlaps(io, clist_entry(l, struct cache_io, link)))
			return true;
	return false;
}

static void io_run(struct cache_io *io)
{
	struct cache_dev *dev = io->dev;
	clist_append(&dev->running, &io->link);
	dev->backend->start(dev->ctx, io);
}

static void io_submit(struct cache_io *io)
{
	struct cache_dev *dev = io->dev;

	dev->nr_io++;
	dev->nr_writes += io->op == CACHE_OP_WRITE;
	cache.nr_io++;
	cache.stats.reads += io->op == CACHE_OP_READ;
	cache.stats.writes += io->op == CACHE_OP_WRITE;
	*(io->op == CACHE_OP_READ ? &cache.stats.read_bytes : &cache.stats.written_bytes) += io->len;
	if (overlaps_any(io, &dev->running, &dev->running) || overlaps_any(io, &dev->queued, &dev->queued))
		clist_append(&dev->queued, &io->link);
	else
		io_run(io);
}

static void queue_run(struct cache_dev *dev)
{
	struct cache_list *l = dev->queued.next;
	while (l != &dev->queued) {
		struct cache_io *io = clist_entry(l, struct cache_io, link);
		if (overlaps_any(io, &dev->running, &dev->running) || overlaps_any(io, &dev->queued, l)) {
			l = l->next;
			continue;
		}
		clist_remove(l);
		io_run(io);
		l = dev->queued.next;	/* it may have ended at once and changed the queue */
	}
}

/* ---- the end of a transfer -------------------------------------------------------------------------------------- */

static void part_read(const struct cache_part *part, int error)
{
	struct cache_page *p = part->page;
	p->reading &= (uint8_t)~part->blocks;
	p->marks &= (uint8_t)~part->blocks;
	if (error)
		p->error = error;
	else
		p->valid |= part->blocks;
}

static void give_up(struct cache_page *p, uint8_t blocks, int error)
{
	struct cache_file *f = p->file;
	p->dirty &= (uint8_t)~blocks;
	p->failures = 0;
	if (!f->error)
		f->error = error;
	if (!f->dev->error)
		f->dev->error = error;
}

static void part_written(const struct cache_part *part, int error)
{
	struct cache_page *p = part->page;
	p->writing &= (uint8_t)~part->blocks;
	cache.nr_writing -= !p->writing;
	if (part->copy)
		page_give_spare(part->copy);
	if (!error) {
		p->failures = 0;
		return;
	}
	p->dirty |= part->blocks;
	if (++p->failures >= CACHE_WRITE_TRIES)
		give_up(p, part->blocks, error);
}

static void part_done(const struct cache_io *io, const struct cache_part *part, int error)
{
	struct cache_page *p = part->page;
	struct cache_file *f = p->file;

	if (io->op == CACHE_OP_READ)
		part_read(part, error);
	else
		part_written(part, error);
	cache_wake(p);
	if (io->op == CACHE_OP_WRITE)
		cache_wake(f);
	page_settle(p);
}

void cache_io_done(struct cache_io *io, int64_t result)
{
	struct cache_dev *dev = io->dev;
	int error = result < 0 ? (int)result : io->op != CACHE_OP_FLUSH && (uint64_t)result < io->len ? -EIO : 0;

	clist_remove(&io->link);
	dev->nr_io--;
	dev->nr_writes -= io->op == CACHE_OP_WRITE;
	cache.nr_io--;
	cache.stats.errors += error != 0;
	if (io->flushed) {
		*io->flush_error = error;
		*io->flushed = true;
	}
	io->flushed = NULL;
	for (uint32_t i = 0; i < io->nparts; i++)
		part_done(io, &io->part[i], error);
	io_free(io);
	queue_run(dev);
	write_more(dev);
	cache_wake(dev);
	cache_wake(&cache);
}

int cache_dev_flush(struct cache_dev *dev)
{
	struct cache_io *io;
	bool done = false;
	int error = 0;

	while (!(io = io_new(dev, CACHE_OP_FLUSH)))
		cache_wait(&cache.free_io);
	io->flushed = &done;
	io->flush_error = &error;
	io_submit(io);
	while (!done)
		cache_wait(dev);
	return error;
}

/* ---- making transfers of pages ---------------------------------------------------------------------------------- */

struct gather { struct cache_io *io; enum cache_op op; uint32_t most; /* transfers of that kind at a time */ };

static void gather_end(struct gather *g)
{
	if (g->io)
		io_submit(g->io);
	g->io = NULL;
}

/* Room for one more part at `pos`: the transfer at hand, or a new one, or NULL. */
static struct cache_io *gather_io(struct gather *g, struct cache_dev *dev, uint64_t pos)
{
	struct cache_io *io = g->io;
	if (io && (io->dev != dev || io->pos + io->len != pos || io->nparts == CACHE_IO_SEGS))
		gather_end(g);
	if (!g->io && !(g->op == CACHE_OP_WRITE && dev->nr_writes >= g->most)) {
		g->io = io_new(dev, g->op);
		if (g->io)
			g->io->pos = pos;
	}
	return g->io;
}

static void io_add(struct cache_io *io, struct cache_page *p, struct cache_page *copy, uint32_t first, uint32_t n)
{
	uint32_t block = p->file->dev->block, len = n * block;
	uint8_t *addr = (copy ? copy : p)->data + first * block;
	struct cache_seg *last = io->nsegs ? &io->seg[io->nsegs - 1] : NULL;

	io->part[io->nparts++] = (struct cache_part){ p, copy, (uint8_t)(((1u << n) - 1) << first) };
	io->len += len;
	if (last && last->addr + last->len == addr)
		last->len += len;
	else
		io->seg[io->nsegs++] = (struct cache_seg){ addr, len };
}

/* What a program may write at any time is copied, so that the blocks written are of one moment. One copy serves one run of blocks. */
static struct cache_page *page_copy(struct cache_page *p, enum cache_op op)
{
	struct cache_page *copy = op == CACHE_OP_WRITE && p->flags & PAGE_MAPPED_WRITE ? page_take_spare() : NULL;
	if (copy)
		memcpy(copy->data, p->data, CACHE_PAGE);
	return copy;
}

/* Add those blocks of the page in runs that lie together on the device. False: no transfer was free for the rest. */
static bool gather_page(struct gather *g, struct cache_page *p, uint8_t blocks)
{
	struct cache_dev *dev = p->file->dev;
	for (uint32_t i = 0, n; i < dev->blocks_per_page; i += n) {
		n = 1;
		if (!(blocks & 1 << i) || p->pos[i] == CACHE_HOLE)
			continue;
		while (i + n < dev->blocks_per_page && blocks & 1 << (i + n) && p->pos[i + n] == p->pos[i] + (uint64_t)n * dev->block)
			n++;
		struct cache_io *io = gather_io(g, dev, p->pos[i]);
		if (!io)
			return false;
		uint8_t run = (uint8_t)(((1u << n) - 1) << i);
		io_add(io, p, page_copy(p, g->op), i, n);
		if (g->op == CACHE_OP_READ) {
			p->reading |= run;
		} else {
			cache.nr_writing += !p->writing;
			p->writing |= run;
			p->dirty &= (uint8_t)~run;
		}
		page_settle(p);
	}
	return true;
}

bool pages_read(struct cache_page **pages, unsigned n)
{
	struct gather g = { .op = CACHE_OP_READ };
	bool all = true;
	for (unsigned i = 0; i < n && all; i++) {
		struct cache_page *p = pages[i];
		uint8_t blocks = p->file->dev->all & (uint8_t)~(p->valid | p->reading);
		if (p->flags & (PAGE_MAPPING | PAGE_DROPPED | PAGE_OVERWRITTEN) || !blocks)
			continue;
		p->error = 0;
		all = gather_page(&g, p, blocks);
	}
	gather_end(&g);
	return all;
}

bool page_writable(const struct cache_page *p)
{
	return p->dirty & (uint8_t)~p->writing && !p->writers && !p->reading;
}

/* Is the page still one that the sweep is about? */
static bool sweep_has(const struct sweep *s, const struct cache_dev *dev, const struct cache_page *p)
{
	return p->file && p->file->dev == dev && page_is_meta(p) == s->meta && p->gen <= s->mark && page_writable(p);
}

void sweep_write(struct sweep *s, struct cache_dev *dev, uint32_t most)
{
	struct gather g = { .op = CACHE_OP_WRITE, .most = most };
	dev->sweeping = true;
	for (; s->at < s->n; s->at++) {
		struct cache_page *p = s->entry[s->at].page;
		if (!sweep_has(s, dev, p))
			continue;
		if (p->flags & PAGE_MAPPED_WRITE)
			p->sum = page_mapped_check(p);
		if (!gather_page(&g, p, p->dirty & (uint8_t)~p->writing))
			break;
	}
	gather_end(&g);
	dev->sweeping = false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfers of the cache as requests to a block driver. Recovery is libbdev's: a transfer waits until the driver's successor has done it,
 * or ends with -EIO when there will be none.
 */
#include <libcache/cache_bdev.h>

#include <errno.h>
#include <stdlib.h>

#include <abi/endpoint.h>
#include <libfiber/fiber.h>
#include <libsys/ipc.h>
#include <libsys/kcall.h>

#include "cache_private.h"

struct transfer {
	struct bdev_io io;
	struct cache_io *of;
	struct bdev_vec vec[CACHE_IO_SEGS];
	struct transfer *next;
};

struct opening { struct fiber *fiber; bool done; err_t result; };

static struct cache_bdev {
	struct transfer *free;		/* as many as the cache has transfers, in the end */
	nstime_t bdev_deadline;		/* 0: none */
	nstime_t armed;			/* what the kernel was told; 0: nothing */
} cb;

/* ---- time ------------------------------------------------------------------------------------------------------ */

static int64_t clock_now(void) { return (int64_t)sys_uptime(); }

static void deadline_set(nstime_t deadline) { cb.bdev_deadline = deadline; }

err_t cache_bdev_init(void)
{
	return bdev_memory_add(cache.arena, cache.arena_bytes);
}

err_t cache_bdev_startup(void)
{
	static const struct bdev_hooks hooks = { .set_alarm = deadline_set };
	cache_set_clock(clock_now);
	err_t r = bdev_startup(&hooks);
	return r ? r : cache_bdev_init();
}

/* The alarm is moved only forward: one that comes too early does no harm. */
void cache_bdev_before_receive(void)
{
	nstime_t next = (nstime_t)cache_next_tick();
	if (!next || (cb.bdev_deadline && cb.bdev_deadline < next))
		next = cb.bdev_deadline;
	if (!next || (cb.armed && cb.armed <= next))
		return;
	cb.armed = next;
	sys_setalarm(next, NULL);
}

static void on_alarm(void)
{
	nstime_t now = sys_uptime();
	cb.armed = 0;
	if (cb.bdev_deadline && cb.bdev_deadline <= now) {
		cb.bdev_deadline = 0;
		bdev_alarm(now);
	}
	cache_tick((int64_t)now);
}

bool cache_bdev_message(const struct message *m, uint32_t status)
{
	if (!ipc_is_notify(status) || m->source != EP_CLOCK)
		return bdev_message(m, status);
	on_alarm();
	return true;
}

/* ---- transfers ------------------------------------------------------------------------------------------------- */

static void transfer_done(struct bdev_io *io, int64_t result)
{
	struct transfer *t = io->owner;
	struct cache_io *of = t->of;
	t->next = cb.free;
	cb.free = t;
	cache_io_done(of, result);
}

static struct transfer *transfer_new(struct cache_io *of)
{
	struct transfer *t = cb.free;
	if (t)
		cb.free = t->next;
	else
		t = malloc(sizeof *t);
	if (!t)
		abort();	/* a few hundred kilobytes at most: nothing works without them */
	t->io = (struct bdev_io){ .pos = of->pos, .len = of->len, .nvec = of->nsegs, .vec = t->vec, .done = transfer_done, .owner = t };
	t->of = of;
	return t;
}

static void bdev_start(void *ctx, struct cache_io *of)
{
	static const uint32_t ops[] = { [CACHE_OP_READ] = BDEV_READ, [CACHE_OP_WRITE] = BDEV_WRITE, [CACHE_OP_FLUSH] = BDEV_FLUSH };
	struct transfer *t = transfer_new(of);
	t->io.dev = ctx;
	t->io.op = ops[of->op];
	for (uint32_t i = 0; i < of->nsegs; i++)
		t->vec[i] = (struct bdev_vec){ of->seg[i].addr, of->seg[i].len };
	if (of->nsegs == 1) {	/* spares the driver fetching the list */
		t->io.data = of->seg[0].addr;
		t->io.nvec = 0;
	}
	bdev_submit(&t->io);
}

static const struct cache_backend bdev_backend = { .start = bdev_start };

/* The page in which the old end lay has blocks now that it did not have. */
static void page_regrow(struct cache_dev *dev, struct cache_page *p)
{
	for (uint32_t i = 0; i < dev->blocks_per_page; i++) {
		uint64_t at = p->index * CACHE_PAGE + (uint64_t)i * dev->block;
		if (p->pos[i] != CACHE_HOLE || at + dev->block > dev->bytes)
			continue;
		p->pos[i] = at;
		p->valid &= (uint8_t)~(1 << i);
	}
}

static void dev_resized(struct cache_dev *dev, uint64_t bytes)
{
	uint64_t old = dev->bytes;
	struct cache_page *p = old % CACHE_PAGE && bytes > old ? page_find(&dev->meta, old / CACHE_PAGE) : NULL;
	dev->bytes = dev->meta.size = bytes;
	if (p && !(p->flags & PAGE_MAPPING))
		page_regrow(dev, p);
}

static void happened(struct bdev *b, int event)
{
	for (struct cache_list *l = cache.devs.next; event == BDEV_EVENT_RESIZED && l != &cache.devs; l = l->next) {
		struct cache_dev *dev = clist_entry(l, struct cache_dev, link);
		if (dev->ctx == b)
			dev_resized(dev, bdev_size(b));
	}
}

static void opened(struct bdev *dev, err_t result)
{
	struct opening *o = bdev_owner(dev);
	if (o->done)
		return;
	o->result = result;
	o->done = true;
	fiber_wake(o->fiber);
}

static err_t open_and_wait(const char *label, uint32_t minor, uint32_t access, struct bdev **out)
{
	struct opening o = { .fiber = fiber_self() };
	struct bdev_options options = { .opened = opened, .event = happened, .owner = &o };
	err_t r = bdev_open(label, minor, access, &options, out);
	if (r)
		return r;
	while (!o.done)
		fiber_yield();
	if (o.result)
		bdev_close(*out);
	return o.result;
}

err_t cache_bdev_open(const char *label, uint32_t minor, uint32_t access, uint32_t block_bytes, struct cache_dev **out)
{
	struct bdev *b;
	err_t r = open_and_wait(label, minor, access, &b);
	if (r)
		return r;
	uint32_t block = block_bytes ? block_bytes : (uint32_t)bdev_block_size(b);
	*out = cache_dev_open(&bdev_backend, b, bdev_size(b), block);
	if (*out)
		return 0;
	bdev_close(b);
	return -ENOMEM;
}

void cache_bdev_close(struct cache_dev *dev)
{
	struct bdev *b = dev->ctx;
	cache_dev_close(dev);
	bdev_close(b);
}

struct bdev *cache_bdev_of(const struct cache_dev *dev) { return dev->ctx; }

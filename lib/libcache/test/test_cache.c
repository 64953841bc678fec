/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache against a model: fibers read, write, drop, sync and read ahead at random in several files scattered over a small device,
 * through a cache that holds a fraction of it, with transfers that end in any order and some that fail. What is read is what was written;
 * after a sync that reported no error the device holds what was written before it.
 */
#include <libcache/cache_host.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libfiber/fiber.h>

#include "expect.h"

enum { FILES = 5, PAGES = 60, CACHE_PAGES = 48, DEVICE = (FILES + 1) * PAGES * CACHE_PAGE, STEPS = 60000, MAX_BUSY = 12 };

struct model {
	struct cache_file f;
	uint8_t bytes[PAGES * CACHE_PAGE];
	bool locked[PAGES], writing[PAGES];
	bool dropping;
	unsigned users;
};

static struct {
	struct cache_host host;
	struct cache_dev *dev;
	struct model model[FILES];
	uint8_t meta[PAGES * CACHE_PAGE];
	bool meta_locked[PAGES];
	uint32_t seed, block;
	unsigned round, steps, busy, errors_reported;
	int64_t now;
	bool inject;	/* transfers fail now and then */
	bool lossy;	/* so often that contents are given up */
} t;

static uint32_t rnd(uint32_t n)
{
	t.seed = t.seed * 1664525u + 1013904223u;
	return (t.seed >> 8) % n;
}

static int64_t test_clock(void) { return t.now; }

/* Block b of file n lies at a place that is neither in order nor far from order. The device's first PAGES pages are metadata. */
static uint64_t place(unsigned n, uint64_t b)
{
	uint64_t blocks = PAGES * (CACHE_PAGE / t.block);
	return ((uint64_t)(n + 1) * blocks + (b ^ (n & 3))) * t.block;
}

static int map(struct cache_file *f, uint64_t index, uint64_t pos[CACHE_BLOCKS_MAX])
{
	struct model *m = (struct model *)(void *)((uint8_t *)f - offsetof(struct model, f));
	uint64_t per_page = CACHE_PAGE / t.block;
	struct cache_page *p;

	if (rnd(4) == 0 && t.host.deferred) {	/* asking for places reads metadata */
		int r = cache_get(cache_dev_meta(t.dev), rnd(PAGES), CACHE_READ, &p);
		if (r)
			return r;
		cache_put(p, CACHE_READ);
	}
	for (uint64_t i = 0; i < per_page; i++)
		pos[i] = place((unsigned)(m - t.model), index * per_page + i);
	return 0;
}

static const struct cache_file_ops ops = { .map = map };

static void do_write(struct model *m, uint64_t index)
{
	struct cache_page *p;
	uint64_t per_page = CACHE_PAGE / t.block, first = rnd((uint32_t)per_page), n = 1 + rnd((uint32_t)(per_page - first));
	bool whole = rnd(2);
	unsigned flags = CACHE_WRITE | (whole ? CACHE_OVERWRITE : 0);
	size_t from = first * t.block, len = n * t.block;

	if (!whole) {
		from += rnd(t.block);
		len = 1 + rnd((uint32_t)(CACHE_PAGE - from));
	}
	if (m->locked[index])
		return;
	m->locked[index] = true;
	int r = cache_get(&m->f, index, flags, &p);
	EXPECT(r == 0 || (r == -EIO && t.inject));
	if (r == 0) {
		uint8_t value = (uint8_t)rnd(256);
		memset(p->data + from, value, len);
		memset(m->bytes + index * CACHE_PAGE + from, value, len);
		cache_dirty(p, from, len);
		cache_put(p, flags);
	}
	m->locked[index] = false;
}

static void do_read(struct model *m, uint64_t index)
{
	struct cache_page *p;
	if (rnd(2))
		cache_ahead(&m->f, index, 1 + rnd(8));
	if (m->locked[index])
		return;
	m->locked[index] = true;
	const uint8_t *peeked = cache_peek(&m->f, index);
	EXPECT(!peeked || memcmp(peeked, m->bytes + index * CACHE_PAGE, CACHE_PAGE) == 0 || t.lossy);
	int r = cache_get(&m->f, index, CACHE_READ, &p);
	EXPECT(r == 0 || (r == -EIO && t.inject));
	if (r == 0) {
		EXPECT(memcmp(p->data, m->bytes + index * CACHE_PAGE, CACHE_PAGE) == 0 || t.lossy);
		cache_put(p, CACHE_READ);
	}
	m->locked[index] = false;
}

static void do_meta(void)
{
	struct cache_page *p;
	uint32_t index = rnd(PAGES);
	if (t.meta_locked[index])
		return;
	t.meta_locked[index] = true;
	int r = cache_get(cache_dev_meta(t.dev), index, CACHE_WRITE | CACHE_NOTHROTTLE, &p);
	EXPECT(r == 0 || (r == -EIO && t.inject));
	if (r == 0) {
		EXPECT(memcmp(p->data, t.meta + index * CACHE_PAGE, CACHE_PAGE) == 0 || t.lossy);
		size_t at = rnd(CACHE_PAGE);
		p->data[at] = t.meta[index * CACHE_PAGE + at] = (uint8_t)rnd(256);
		cache_dirty(p, at, 1);
		cache_put(p, CACHE_WRITE);
	}
	t.meta_locked[index] = false;
}

/* Who changes one block of a page forgets another, and gets the page again before letting go: so a tree of tables is freed. */
static void forget_beside(uint32_t index)
{
	struct cache_page *p, *again;
	uint32_t first = t.block * rnd(CACHE_PAGE / t.block), other = first ^ t.block;
	if (cache_get(cache_dev_meta(t.dev), index, CACHE_WRITE | CACHE_NOTHROTTLE, &p))
		return;
	p->data[first] = t.meta[index * CACHE_PAGE + first] = (uint8_t)rnd(256);
	cache_dirty(p, first, 1);
	cache_forget_blocks(t.dev, index * CACHE_PAGE + other, t.block);
	int r = cache_get(cache_dev_meta(t.dev), index, CACHE_READ, &again);
	EXPECT(r == 0 || (r == -EIO && t.inject));
	if (r == 0) {
		EXPECT(again == p && (memcmp(p->data, t.meta + index * CACHE_PAGE, CACHE_PAGE) == 0 || t.lossy));
		cache_put(again, CACHE_READ);
	}
	cache_put(p, CACHE_WRITE);
}

/* More pages than the cache has, none of them changed: they come back from the device as they were. */
static void forget_all(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		if (t.meta_locked[i])
			return;
	memset(t.meta_locked, true, sizeof t.meta_locked);
	int r = cache_sync_range(cache_dev_meta(t.dev), 0, sizeof t.meta);
	t.errors_reported += r != 0;
	if (r == 0 && !t.lossy)
		cache_forget_blocks(t.dev, 0, sizeof t.meta);
	for (unsigned i = 0; i < PAGES && r == 0 && !t.lossy && !t.host.deferred; i++) {
		struct cache_page *p;
		EXPECT(!cache_peek(cache_dev_meta(t.dev), i) && cache_get(cache_dev_meta(t.dev), i, CACHE_READ, &p) == 0);
		cache_put(p, CACHE_READ);
	}
	memset(t.meta_locked, false, sizeof t.meta_locked);
}

static void do_forget(void)
{
	uint32_t index = rnd(PAGES);
	if (rnd(8) == 0) {
		forget_all();
		return;
	}
	if (t.meta_locked[index] || t.block == CACHE_PAGE)
		return;
	t.meta_locked[index] = true;
	int r = cache_sync_range(cache_dev_meta(t.dev), index * CACHE_PAGE, CACHE_PAGE);
	EXPECT(r == 0 || t.inject);
	t.errors_reported += r != 0;
	if (r == 0 && !t.lossy)
		forget_beside(index);
	t.meta_locked[index] = false;
}

static void check_device(const struct model *m, unsigned n, uint64_t index, const uint8_t *wanted)
{
	uint64_t per_page = CACHE_PAGE / t.block;
	uint8_t buf[CACHE_PAGE];
	for (uint64_t b = 0; b < per_page; b++) {
		uint64_t pos = m ? place(n, index * per_page + b) : index * CACHE_PAGE + b * t.block;
		EXPECT_EQ(pread(t.host.fd, buf + b * t.block, t.block, (off_t)pos), t.block);
	}
	EXPECT(memcmp(buf, wanted, CACHE_PAGE) == 0);
}

/* One page, kept from others meanwhile, is on the device after a sync. */
static void do_sync(struct model *m, uint64_t index)
{
	if (m->locked[index])
		return;
	m->locked[index] = true;
	int r = rnd(2) ? cache_sync(&m->f) : cache_dev_sync(t.dev);
	EXPECT(r == 0 || t.inject);
	t.errors_reported += r != 0;
	if (r == 0 && !t.lossy)
		check_device(m, (unsigned)(m - t.model), index, m->bytes + index * CACHE_PAGE);
	m->locked[index] = false;
}

/* All users have gone: the contents come back from the device as the last sync left them. */
static void do_drop(struct model *m)
{
	for (unsigned i = 0; i < PAGES; i++)
		if (m->locked[i])
			return;
	if (m->users > 1)
		return;
	m->dropping = true;
	int r = cache_sync(&m->f);
	t.errors_reported += r != 0;
	cache_drop(&m->f, rnd(PAGES));
	m->dropping = false;
}

static void one_step(void)
{
	struct model *m = &t.model[rnd(FILES)];
	uint64_t index = rnd(3) ? rnd(8) : rnd(PAGES);
	if (m->dropping)
		return;
	m->users++;
	switch (rnd(40)) {
	case 0: do_sync(m, index); break;
	case 1: do_drop(m); break;
	case 2: t.now += CACHE_AGE / 3; cache_tick(t.now); break;
	case 3: case 4: case 5: case 6: do_meta(); break;
	case 7: do_forget(); break;
	default:
		if (rnd(2))
			do_write(m, index);
		else
			do_read(m, index);
	}
	m->users--;
}

static void round_end(void)
{
	t.host.fail_reads = t.host.fail_writes = 0;
	int r = cache_dev_sync(t.dev);
	t.errors_reported += r != 0;
	for (unsigned n = 0; n < FILES; n++)
		for (unsigned i = 0; i < PAGES && !t.lossy; i++)
			check_device(&t.model[n], n, i, t.model[n].bytes + i * CACHE_PAGE);
	for (unsigned i = 0; i < PAGES && !t.lossy; i++)
		check_device(NULL, 0, i, t.meta + i * CACHE_PAGE);
	struct cache_stats st;
	cache_stats(&st);
	EXPECT_EQ(st.dirty, 0);
	EXPECT(t.lossy == (t.errors_reported > 0));
	for (unsigned n = 0; n < FILES; n++)
		cache_file_fini(&t.model[n].f);
	cache_dev_close(t.dev);
	cache_stats(&st);
	EXPECT_EQ(st.free, st.pages);
	printf("round %u: block %u, %llu reads, %llu writes, %llu failed, %u syncs with errors\n", t.round, t.block,
		(unsigned long long)t.host.reads, (unsigned long long)t.host.writes, (unsigned long long)t.host.failed, t.errors_reported);
}

static void round_begin(void)
{
	static const uint32_t blocks[] = { 4096, 1024, 2048, 512 };
	cache_host_init(&t.host, DEVICE);
	t.block = blocks[t.round % 4];
	t.host.seed = t.round;
	t.host.deferred = t.round >= 4;
	t.inject = t.round >= 8;
	t.lossy = t.round >= 12;
	t.host.fail_reads = t.inject ? 30 : 0;
	t.host.fail_writes = t.lossy ? 400 : t.inject ? 10 : 0;
	t.errors_reported = 0;
	t.steps = 0;
	t.dev = cache_dev_open(&cache_host_backend, &t.host, DEVICE, t.block);
	memset(t.meta, 0, sizeof t.meta);
	for (unsigned n = 0; n < FILES; n++) {
		memset(&t.model[n], 0, sizeof t.model[n]);
		cache_file_init(&t.model[n].f, t.dev, &ops, sizeof t.model[n].bytes);
	}
}

static void round_turn(void)
{
	if (t.dev)
		round_end();
	if (t.dev && ++t.round == 16)
		exit(expect_end());
	round_begin();
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		if (t.busy < MAX_BUSY && t.steps < STEPS / 4) {
			t.steps++;
			t.busy++;
			one_step();
			t.busy--;
			if (rnd(3))
				continue;
		} else if (t.busy == 0) {
			t.busy++;
			round_turn();
			t.busy--;
		}
		cache_host_step(&t.host);
	}
}

static void first(void)
{
	if (!t.dev)
		round_begin();
	loop();
}

int main(void)
{
	t.seed = 1;
	EXPECT_EQ(cache_init(CACHE_PAGES * CACHE_PAGE), 0);
	cache_set_clock(test_clock);
	fibers_run(64 * 1024, first);
	return 1;
}

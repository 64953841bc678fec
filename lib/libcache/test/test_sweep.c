/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How dirty pages go to the device: in the order of their places, as few transfers as there are gaps, each page looked at a few times only;
 * and what one who writes pays for before the limits are reached: no transfer, no reading of what is overwritten.
 */
#include <libcache/cache_host.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libfiber/fiber.h>

#include "expect.h"

enum { PAGES = 4096, CACHE_PAGES = 8192, DEVICE = 2 * PAGES * CACHE_PAGE };

static struct {
	struct cache_host host;
	struct cache_dev *dev;
	struct cache_file f;
	uint64_t last_pos;
	unsigned backwards;
	bool begun;
} t;

static void start(void *ctx, struct cache_io *io)
{
	if (io->op == CACHE_OP_WRITE) {
		t.backwards += io->pos < t.last_pos;
		t.last_pos = io->pos;
	}
	cache_host_backend.start(ctx, io);
}

static const struct cache_backend backend = { .start = start };

static int map(struct cache_file *f, uint64_t index, uint64_t pos[CACHE_BLOCKS_MAX])
{
	(void)f;
	pos[0] = (PAGES + index) * CACHE_PAGE;
	return 0;
}

static const struct cache_file_ops ops = { .map = map };

static void write_page(uint64_t index)
{
	struct cache_page *p;
	EXPECT_EQ(cache_get(&t.f, index, CACHE_WRITE | CACHE_OVERWRITE, &p), 0);
	memset(p->data, (int)index, CACHE_PAGE);
	cache_dirty(p, 0, CACHE_PAGE);
	cache_put(p, CACHE_WRITE | CACHE_OVERWRITE);
}

/* Every `step`th page, in an order that jumps about. */
static unsigned write_scattered(unsigned count, unsigned step)
{
	for (unsigned i = 0; i < count; i++)
		write_page((uint64_t)(i * 1237 % count) * step);
	return count;
}

static void begin(bool deferred)
{
	struct cache_stats st;
	t.host.deferred = deferred;
	t.host.writes = t.host.reads = 0;
	t.last_pos = t.backwards = 0;
	cache_stats(&st);
	EXPECT_EQ(st.dirty, 0);
}

static uint64_t looked_at(void)
{
	struct cache_stats st;
	cache_stats(&st);
	return st.looked_at;
}

/* Pages that lie together, written in disorder: full transfers, in order, and nothing was read. */
static void test_together(bool deferred)
{
	begin(deferred);
	unsigned n = write_scattered(2048, 1);
	EXPECT_EQ(t.host.writes + t.host.waiting, 0);	/* before START nobody is bothered */
	EXPECT_EQ(cache_sync(&t.f), 0);
	EXPECT_EQ(t.host.writes, n / CACHE_IO_SEGS);
	EXPECT_EQ(t.host.reads, 0);
	EXPECT_EQ(t.backwards, 0);
}

/* Pages with gaps between them: a transfer each, still in order, and the list of dirty pages is not gone through for each of them. */
static void test_gaps(bool deferred)
{
	begin(deferred);
	uint64_t before = looked_at();
	unsigned n = write_scattered(1024, 3);
	EXPECT_EQ(cache_sync(&t.f), 0);
	EXPECT_EQ(t.host.writes, n);
	EXPECT_EQ(t.backwards, 0);
	EXPECT(looked_at() - before < 8 * n);
}

/* Not even one transfer ends, and still one may write until LIMIT; writing has begun at START, in order. */
static void test_limit(void)
{
	begin(true);
	write_scattered(PAGES, 1);
	EXPECT(t.host.waiting > 0);
	EXPECT_EQ(t.host.writes, 0);
	EXPECT_EQ(t.backwards, 0);
	while (cache_host_step(&t.host))	/* what has begun goes on by itself, without anybody who writes or waits */
		;
	EXPECT(t.host.writes >= CACHE_PAGES * 40 / 100 / CACHE_IO_SEGS);
	EXPECT_EQ(cache_sync(&t.f), 0);
}

static void test_all(void)
{
	test_together(false);
	test_together(true);
	test_gaps(false);
	test_gaps(true);
	test_limit();
	cache_file_fini(&t.f);
	cache_dev_close(t.dev);
	exit(expect_end());
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		if (!t.begun) {
			t.begun = true;
			test_all();
		}
		cache_host_step(&t.host);
	}
}

int main(void)
{
	cache_host_init(&t.host, DEVICE);
	EXPECT_EQ(cache_init(CACHE_PAGES * CACHE_PAGE), 0);
	t.dev = cache_dev_open(&backend, &t.host, DEVICE, CACHE_PAGE);
	cache_file_init(&t.f, t.dev, &ops, PAGES * CACHE_PAGE);
	fibers_run(64 * 1024, loop);
	return 1;
}

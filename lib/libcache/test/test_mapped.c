/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that programs write by themselves, without telling anybody: what they stored before a sync is on the device after it, whatever
 * else is happening to the page. A page has four blocks here.
 */
#include <libcache/cache_host.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libfiber/fiber.h>

#include "expect.h"

enum { BLOCK = 1024, PAGES = 16, DEVICE = 2 * PAGES * CACHE_PAGE };

static struct {
	struct cache_host host;
	struct cache_dev *dev;
	struct cache_file f;
	uint8_t *data;
	unsigned begun, done;
} t;

static int map(struct cache_file *f, uint64_t index, uint64_t pos[CACHE_BLOCKS_MAX])
{
	(void)f;
	for (uint64_t i = 0; i < CACHE_PAGE / BLOCK; i++)
		pos[i] = (PAGES + index) * CACHE_PAGE + i * BLOCK;
	return 0;
}

static const struct cache_file_ops ops = { .map = map };

/* The page, given to VM for writing. Its first block is changed in the usual way. */
static uint8_t *page_mapped(uint64_t index, uint8_t value)
{
	struct cache_page *p;
	EXPECT_EQ(cache_get(&t.f, index, CACHE_WRITE, &p), 0);
	cache_mapped(p, true);
	p->data[0] = value;
	cache_dirty(p, 0, 1);
	cache_put(p, CACHE_WRITE);
	return p->data;
}

static uint8_t on_device(uint64_t index, unsigned block)
{
	uint8_t byte = 0;
	EXPECT_EQ(pread(t.host.fd, &byte, 1, (off_t)((PAGES + index) * CACHE_PAGE + block * BLOCK)), 1);
	return byte;
}

static void stored_beside_a_dirty_block(void)
{
	uint8_t *data = page_mapped(0, 1);
	data[2 * BLOCK] = 2;
	EXPECT_EQ(cache_sync(&t.f), 0);
	EXPECT(on_device(0, 0) == 1 && on_device(0, 2) == 2);
	data = page_mapped(0, 3);
	data[3 * BLOCK] = 4;
	cache_unmapped(&t.f);
	EXPECT_EQ(cache_sync(&t.f), 0);
	EXPECT(on_device(0, 0) == 3 && on_device(0, 3) == 4);
}

/* A sync, with whose transfer nothing moves until the other has begun. */
static void first(void)
{
	stored_beside_a_dirty_block();
	t.data = page_mapped(1, 5);
	t.host.deferred = true;
	EXPECT_EQ(cache_sync(&t.f), 0);
	EXPECT_EQ(on_device(1, 0), 5);
	t.done++;
}

/* The older contents are with the driver when the program stores more and asks for a sync of its own. */
static void second(void)
{
	EXPECT_EQ(t.host.waiting, 1);
	t.data[BLOCK] = 6;
	EXPECT_EQ(cache_sync(&t.f), 0);
	EXPECT(on_device(1, 0) == 5 && on_device(1, 1) == 6);
	t.done++;
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		if (t.done == 2)
			exit(expect_end());
		t.begun++;
		if (t.begun == 1)
			first();
		else if (t.begun == 2)
			second();
		else
			cache_host_step(&t.host);
	}
}

int main(void)
{
	cache_host_init(&t.host, DEVICE);
	EXPECT_EQ(cache_init(2 * PAGES * CACHE_PAGE), 0);
	t.dev = cache_dev_open(&cache_host_backend, &t.host, DEVICE, BLOCK);
	cache_file_init(&t.f, t.dev, &ops, PAGES * CACHE_PAGE);
	fibers_run(64 * 1024, loop);
	return 1;
}

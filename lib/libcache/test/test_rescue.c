/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rescue of a dead cache. A cache is brought at random into every state that pages can be in: dirty in part or in whole, with the
 * driver, dirty again meanwhile, held, mapped by a program, without places yet, being read. Then its memory is copied, as if the process
 * had died just then:
 *
 *  - what is handed over, put on the device as it was, makes the device what it ought to be; metadata comes after data;
 *  - out of a damaged copy come sound blocks or -EUCLEAN: nothing outside the device, no crash, no end of patience.
 *
 * RESCUE_SEEDS=N: so many caches instead of 60, each damaged 100 times.
 */
#include <libcache/cache_rescue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libcache/cache_host.h>
#include <libfiber/fiber.h>

#include "cache_private.h"
#include "expect.h"

enum { FILES = 2, PAGES = 40, CACHE_PAGES = 64, DEVICE = (FILES + 1) * PAGES * CACHE_PAGE, MAX_BUSY = 10, DAMAGES = 100 };
enum { REGIONS = 4, READS_MAX = 1000 };
enum { DIRTY, WRITING, WRITING_AND_DIRTY, READING, HELD, MAPPED, MAPPING, STATES };

struct region { uintptr_t at; size_t len; uint8_t *copy; };

static struct {
	struct cache_host host;
	struct cache_dev *dev;
	struct cache_file file[FILES];
	bool locked[FILES + 1][PAGES];		/* file FILES is the metadata */
	uint8_t wanted[DEVICE], device[DEVICE];
	uint32_t seed, block;
	unsigned round, rounds, steps, busy, reads, given_meta, outcomes[2];
	bool stop;
	unsigned seen[STATES];			/* at the moments of death */
	struct region region[REGIONS];		/* of the dead one's memory */
} t;

static uint32_t rnd(uint32_t n)
{
	t.seed = t.seed * 1664525u + 1013904223u;
	return (t.seed >> 8) % n;
}

/* ---- a cache at work ---------------------------------------------------------------------------------------------- */

static struct cache_file *file_of(unsigned n) { return n == FILES ? cache_dev_meta(t.dev) : &t.file[n]; }

/* Files lie behind the metadata; their blocks are in no order, and the last page of each has a hole. */
static uint64_t place(unsigned n, uint64_t b)
{
	uint64_t blocks = PAGES * (CACHE_PAGE / t.block);
	return n == FILES ? b * t.block : b == blocks - 1 ? CACHE_HOLE : ((n + 1) * blocks + (b ^ n)) * t.block;
}

static int map(struct cache_file *f, uint64_t index, uint64_t pos[CACHE_BLOCKS_MAX])
{
	unsigned n = (unsigned)(f - t.file), per = CACHE_PAGE / t.block;
	struct cache_page *p;
	if (rnd(3) == 0 && cache_get(cache_dev_meta(t.dev), rnd(PAGES), CACHE_READ, &p) == 0)	/* waits */
		cache_put(p, CACHE_READ);
	for (unsigned i = 0; i < per; i++)
		pos[i] = place(n, index * per + i);
	return 0;
}

static const struct cache_file_ops ops = { .map = map };

static bool lock(unsigned n, unsigned index)
{
	bool was = t.locked[n][index];
	t.locked[n][index] = true;
	return !was;
}

/* Whole blocks of a page get other contents. */
static void change(struct cache_page *p, unsigned n, unsigned first, unsigned count)
{
	unsigned per = CACHE_PAGE / t.block;
	for (unsigned i = first; i < first + count; i++) {
		uint64_t pos = place(n, p->index * per + i);
		if (pos == CACHE_HOLE)
			continue;
		memset(p->data + i * t.block, (int)rnd(256), t.block);
		memcpy(t.wanted + pos, p->data + i * t.block, t.block);
	}
}

static void do_write(unsigned n, unsigned index)
{
	unsigned per = CACHE_PAGE / t.block, first = rnd(per), count = 1 + rnd(per - first);
	unsigned flags = CACHE_WRITE | (rnd(2) ? CACHE_OVERWRITE : 0u);
	struct cache_page *p;
	if (!lock(n, index))
		return;
	if (cache_get(file_of(n), index, flags, &p) == 0) {
		change(p, n, first, count);
		cache_dirty(p, first * t.block, count * t.block);
		if (n != FILES && rnd(6) == 0)	/* held for a while */
			cache_sync(cache_dev_meta(t.dev));
		cache_put(p, flags);
	}
	t.locked[n][index] = false;
}

/* A program has it, and writes whenever it likes. */
static void do_map(unsigned n, unsigned index)
{
	struct cache_page *p;
	if (n == FILES || !lock(n, index))
		return;
	if (cache_get(file_of(n), index, CACHE_WRITE, &p) == 0) {
		cache_mapped(p, true);
		cache_put(p, CACHE_WRITE);
		change(p, n, rnd(CACHE_PAGE / t.block), 1);
	}
	t.locked[n][index] = false;
}

/* What is dropped is not wanted: the device may have any of its states. */
static void do_drop(unsigned n)
{
	for (unsigned i = PAGES / 2; i < PAGES; i++)
		if (n == FILES || t.locked[n][i])
			return;
	memset(&t.locked[n][PAGES / 2], true, PAGES / 2);
	if (cache_sync(&t.file[n]) == 0)
		cache_drop(&t.file[n], PAGES / 2);
	memset(&t.locked[n][PAGES / 2], false, PAGES / 2);
}

static void one_step(void)
{
	unsigned n = rnd(FILES + 1), index = rnd(PAGES);
	if (rnd(6) == 0)	/* again and again: some of these are being written */
		do_map(n, rnd(4));
	switch (rnd(20)) {
	case 0: case 4: cache_sync(file_of(n)); break;
	case 1: do_drop(n); break;
	case 2: cache_ahead(file_of(n), index, 1 + rnd(8)); break;
	case 3: do_map(n, index); break;
	default: do_write(n, index);
	}
}

/* ---- its memory --------------------------------------------------------------------------------------------------- */

static void states_count(void)
{
	for (uint64_t i = 0; i < cache.nr_touched; i++) {
		const struct cache_page *p = &cache.pages[i];
		if (!p->file)
			continue;
		const bool is[STATES] = { p->dirty, p->writing, p->writing && p->dirty, p->reading, p->writers,
			p->flags & PAGE_MAPPED_WRITE, p->flags & PAGE_MAPPING };
		for (unsigned k = 0; k < STATES; k++)
			t.seen[k] += is[k];
	}
}

static void region_take(unsigned i, const void *at, size_t len)
{
	free(t.region[i].copy);
	t.region[i] = (struct region){ (uintptr_t)at, len, malloc(len) };
	memcpy(t.region[i].copy, at, len);
}

static void memory_take(void)
{
	region_take(0, &cache, sizeof cache);
	region_take(1, t.dev, sizeof *t.dev);
	region_take(2, cache.pages, cache.nr_pages * sizeof *cache.pages);
	region_take(3, cache.arena, cache.arena_bytes);
}

static int memory_read(void *ctx, const void *addr, void *p, size_t len)
{
	uintptr_t at = (uintptr_t)addr;
	(void)ctx;
	EXPECT(++t.reads < READS_MAX);
	if (t.reads >= READS_MAX)
		return -EIO;
	for (unsigned i = 0; i < REGIONS; i++) {
		const struct region *r = &t.region[i];
		if (at < r->at || at - r->at >= r->len || r->len - (at - r->at) < len)
			continue;
		memcpy(p, r->copy + (at - r->at), len);
		return 0;
	}
	return -EFAULT;
}

static int blocks_take(void *ctx, uint64_t pos, const void *data, uint32_t len)
{
	bool inside = len && len <= CACHE_PAGE && pos % 512 == 0 && pos < DEVICE && len <= DEVICE - pos;
	bool meta = pos < PAGES * CACHE_PAGE;
	EXPECT(inside);
	EXPECT(ctx || meta || !t.given_meta);	/* ctx: the memory is damaged, and any file may look like another */
	t.given_meta += meta;
	if (inside)
		memcpy(t.device + pos, data, len);
	return 0;
}

static int rescue(bool damaged)
{
	struct cache_rescue r = { .read = memory_read, .blocks = blocks_take, .ctx = damaged ? &t : NULL, .device_bytes = DEVICE };
	t.reads = t.given_meta = 0;
	return cache_rescue(&r);
}

static void sound_is_whole(void)
{
	EXPECT_EQ(pread(t.host.fd, t.device, DEVICE, 0), DEVICE);
	EXPECT_EQ(rescue(false), 0);
	EXPECT(memcmp(t.device, t.wanted, DEVICE) == 0);
}

/* ---- damage ------------------------------------------------------------------------------------------------------- */

static uint64_t any_word(void)
{
	const struct region *r = &t.region[rnd(REGIONS)];
	switch (rnd(5)) {
	case 0: return rnd(5000);
	case 1: return r->at + rnd((uint32_t)r->len);
	case 2: return UINT64_MAX - rnd(5000);
	case 3: return (uint64_t)rnd(1u << 24) << rnd(40);
	default: return (uint64_t)rnd(1u << 24) << 40 | (uint64_t)rnd(1u << 24) << 16 | rnd(1u << 16);
	}
}

/* The tables, not the contents of pages. */
static void damage_one(void)
{
	struct region *r = &t.region[rnd(4) ? 2 : rnd(2)];
	uint32_t at = rnd((uint32_t)r->len), left = (uint32_t)r->len - at;
	uint64_t word = any_word();
	switch (rnd(4)) {
	case 0: r->copy[at] ^= (uint8_t)(1u << rnd(8)); break;
	case 1: memset(r->copy + at, (int)rnd(256), 1 + rnd(left < 3000 ? left : 3000)); break;
	default: memcpy(r->copy + (at & ~7u), &word, left < 8 ? left : 8);
	}
}

static void damaged_is_noticed_or_sound(void)
{
	struct region kept[3];
	memcpy(kept, t.region, sizeof kept);
	for (unsigned i = 0; i < DAMAGES; i++) {
		for (unsigned k = 0; k < 3; k++)
			memcpy(t.region[k].copy = malloc(kept[k].len), kept[k].copy, kept[k].len);
		for (unsigned n = 1 + rnd(3); n; n--)
			damage_one();
		int r = rescue(true);
		EXPECT(r == 0 || r == -EUCLEAN);
		t.outcomes[r != 0]++;
		for (unsigned k = 0; k < 3; k++)
			free(t.region[k].copy);
	}
	memcpy(t.region, kept, sizeof kept);
}

/* All of a table is gone: this may not pass for a cache that had nothing to write. */
static void destroyed_is_noticed(void)
{
	static const uint8_t patterns[] = { 0, 0x5a, 0xa5, 0xff };
	for (unsigned i = 0; i < 2 * sizeof patterns && cache.nr_dirty > 1; i++) {
		struct region *r = &t.region[i % 2 ? 2 : 0];
		uint8_t *kept = r->copy;
		r->copy = malloc(r->len);
		memset(r->copy, patterns[i / 2], r->len);
		EXPECT(rescue(true) == -EUCLEAN || (i == 0 && r == &t.region[0]));	/* zeros: it never began */
		free(r->copy);
		r->copy = kept;
	}
}

/* ---- rounds ------------------------------------------------------------------------------------------------------- */

static void round_begin(void)
{
	static const uint32_t blocks[] = { 1024, 4096, 512, 2048 };
	t.block = blocks[t.round % 4];
	t.seed = t.round + 1;
	t.host.seed = t.round;
	t.host.deferred = true;
	t.steps = 50 + rnd(400);
	t.dev = cache_dev_open(&cache_host_backend, &t.host, DEVICE, t.block);
	for (unsigned n = 0; n < FILES; n++) {
		memset(&t.file[n], 0, sizeof t.file[n]);
		cache_file_init(&t.file[n], t.dev, &ops, PAGES * CACHE_PAGE);
	}
}

static void round_end(void)
{
	for (unsigned n = 0; n < FILES; n++)
		cache_unmapped(&t.file[n]);
	EXPECT_EQ(cache_dev_sync(t.dev), 0);
	for (unsigned n = 0; n < FILES; n++)
		cache_file_fini(&t.file[n]);
	cache_dev_close(t.dev);
	EXPECT_EQ(pread(t.host.fd, t.device, DEVICE, 0), DEVICE);
	EXPECT(memcmp(t.device, t.wanted, DEVICE) == 0);	/* else this test is wrong */
}

static void end(void)
{
	for (unsigned k = 0; k < STATES; k++)
		EXPECT(t.seen[k]);
	printf("ok rescue: %u caches; damaged, %u were still sound, %u were noticed\n", t.round, t.outcomes[0], t.outcomes[1]);
	for (unsigned i = 0; i < REGIONS; i++)
		free(t.region[i].copy);
	exit(expect_end());
}

static void death(void)
{
	states_count();
	memory_take();
	sound_is_whole();
	damaged_is_noticed_or_sound();
	destroyed_is_noticed();
	t.stop = true;
}

static void turn(void)
{
	if (t.dev)
		round_end();
	t.round += t.dev != NULL;
	if (t.round == t.rounds)
		end();
	round_begin();
	t.stop = false;
}

static void at_work(void (*what)(void))
{
	t.busy++;
	what();
	t.busy--;
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		if (!t.stop && t.steps == 0)
			death();
		if (!t.stop && t.busy < MAX_BUSY) {
			t.steps--;
			at_work(one_step);
			if (rnd(3))
				continue;
		} else if (t.stop && t.busy == 0) {
			at_work(turn);
		}
		if (t.stop || rnd(3) == 0)
			cache_host_step(&t.host);
	}
}

int main(void)
{
	const char *seeds = getenv("RESCUE_SEEDS");
	t.rounds = seeds ? (unsigned)strtoul(seeds, NULL, 10) : 60;
	t.stop = true;
	cache_host_init(&t.host, DEVICE);
	EXPECT_EQ(cache_init(CACHE_PAGES * CACHE_PAGE), 0);
	fibers_run(64 * 1024, loop);
	return 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events in any order: requests, answers, lies, silence, deaths with the endpoint kept or not, RS willing, busy or refusing, many seeds.
 * Every request is answered once; what is read is what was written last (or, where a write has failed, one of the two).
 */
#include "world.h"
#include <abi/endpoint.h>
#include <errno.h>
#include <expect.h>
#include <stdlib.h>
#include <string.h>

enum { SECTORS = WORLD_DISK / 512, IOS = 40, STEPS = 600, SEEDS = 400 };
#define MS 1000000ull

static struct request { struct bdev_io io; bool busy; uint8_t tag; } reqs[IOS];
static uint8_t arena[IOS * 4 * 512], elsewhere[IOS * 4 * 512];
static uint8_t sector_tag[SECTORS];
static bool sector_unknown[SECTORS];
static uint32_t sector_users[SECTORS];	/* -1u = a writer */
static struct bdev *dev[2];
static uint32_t seed, done_good, done_bad;
static uint8_t next_tag;

static uint32_t rnd(uint32_t n) { seed = seed * 1664525 + 1013904223; return (seed >> 8) % n; }

static void request_done(struct bdev_io *io, int64_t result)
{
	struct request *r = io->owner;
	uint64_t first = io->pos / 512, n = io->len / 512;

	EXPECT(r->busy);
	EXPECT(result == (int64_t)io->len || result == -EIO);
	result < 0 ? done_bad++ : done_good++;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t s = first + i;
		if (io->op == BDEV_WRITE) {
			sector_users[s] = 0;
			sector_tag[s] = r->tag;
			sector_unknown[s] = result < 0;
		} else {
			sector_users[s]--;
			if (result > 0 && !sector_unknown[s])
				EXPECT_EQ(((uint8_t *)io->data)[i * 512], sector_tag[s]);
		}
	}
	r->busy = false;
}

static bool sectors_free(uint64_t first, uint64_t n, bool write)
{
	for (uint64_t s = first; s < first + n; s++)
		if (sector_users[s] == -1u || (write && sector_users[s]))
			return false;
	return true;
}

static void submit(void)
{
	struct request *r = &reqs[rnd(IOS)];
	uint64_t n = 1 + rnd(4), first = rnd(SECTORS - 4);
	bool write = rnd(2);
	uint8_t *memory = (rnd(4) ? arena : elsewhere) + (r - reqs) * 4 * 512;

	if (r->busy || !sectors_free(first, n, write))
		return;
	for (uint64_t s = first; s < first + n; s++)
		sector_users[s] = write ? -1u : sector_users[s] + 1;
	r->busy = true;
	r->tag = ++next_tag;
	memset(memory, write ? r->tag : 0, n * 512);
	r->io = (struct bdev_io){ .dev = dev[rnd(2)], .op = write ? BDEV_WRITE : BDEV_READ, .pos = first * 512, .len = n * 512,
		.data = memory, .done = request_done, .owner = r };
	bdev_submit(&r->io);
}

/* The driver's instance takes requests in their order and may have several in progress. */
static struct { struct message m[WORLD_QUEUE]; uint32_t n, instance; } work;

static void take(void)
{
	if (work.instance != world.instance)
		work.n = 0;
	work.instance = world.instance;
	if (!world.alive || !world.nr_inbox)
		return;
	struct message m = world_take(0);
	if (m.type == BDEV_OPEN || m.type == BDEV_CLOSE || !world.opens[MSG_BODY(struct bdev_req, &m)->minor])
		world_answer(&m, world_execute(&m));
	else
		work.m[work.n++] = m;
}

/* It finishes some request; mostly it does what it should. */
static void serve(uint32_t mischief)
{
	struct message m;
	struct bdev_req *req = MSG_BODY(struct bdev_req, &m);
	int64_t result;
	uint32_t i;

	take();
	if (!world.alive || !work.n || rnd(3) == 0)
		return;
	i = rnd(work.n);
	m = work.m[i];
	work.m[i] = work.m[--work.n];
	switch (rnd(100) < mischief ? rnd(4) : 9) {
	case 0: return;				/* no answer */
	case 1:
		world_execute(&m);
		req->id += 1 + rnd(1000);
		world_answer(&m, (int64_t)req->len);
		return;
	case 2: world_execute(&m); world_answer(&m, (int64_t)req->len + 512); return;
	case 3: world_answer(&m, (int64_t)req->len / 2); return;
	}
	result = world_execute(&m);
	world_answer(&m, result);
}

static void rs_decides(void)
{
	uint32_t what = rnd(10);

	if (!world.rs_open)
		return;
	world_rs_answers(what < 7 ? 0 : what < 8 ? -EBUSY : what < 9 ? -EPERM : -ESRCH);
	if (what < 7)
		world_die(rnd(2));
}

static void step(uint32_t mischief)
{
	switch (rnd(16)) {
	case 0: case 1: case 2: case 3: submit(); break;
	case 4: case 5: case 6: case 7: serve(mischief); break;
	case 8: case 9: case 10: case 11: if (!world_deliver_news()) world_deliver_answer(); break;
	case 12: rs_decides(); break;
	case 13: if (mischief && !rnd(4)) world_die(rnd(2)); break;
	case 14: if (!world.alive) world_start(rnd(2) ? world.ep : world.ep + 1); break;
	case 15: world_pass(rnd(3) ? rnd(20) * MS : rnd(4000) * MS); break;
	}
	if (mischief && !rnd(300))
		rnd(2) ? world_give_up() : world_take_down();
}

/* No mischief any more: everything comes to an end. */
static void settle(void)
{
	for (int i = 0; i < 200; i++) {
		while (world.rs_open) {
			world_rs_answers(0);
			world_die(true);
		}
		if (!world.alive)
			world_start(world.ep);
		world_deliver();
		for (int k = 0; k < 4 * IOS; k++)
			serve(0);
		world_deliver();
		world_pass(1000 * MS);
	}
	for (int i = 0; i < IOS; i++)
		EXPECT(!reqs[i].busy);
	for (int s = 0; s < SECTORS; s++)
		if (!sector_unknown[s])
			EXPECT_EQ(world.disk[s * 512], sector_tag[s]);
}

static void run(uint32_t s)
{
	seed = s;
	work.n = work.instance = 0;
	world_init();
	memset(reqs, 0, sizeof(reqs));
	memset(sector_users, 0, sizeof(sector_users));
	memset(sector_unknown, 0, sizeof(sector_unknown));
	memset(sector_tag, 0, sizeof(sector_tag));
	bdev_memory_add(arena, sizeof(arena));
	for (uint32_t i = 0; i < 2; i++)
		EXPECT_EQ(bdev_open("disk", i, BDEV_ACCESS_READ | BDEV_ACCESS_WRITE, 0, &dev[i]), 0);
	world_start(100);
	for (int i = 0; i < STEPS; i++)
		step(s % 3 == 0 ? 0 : s % 3 == 1 ? 5 : 30);
	settle();
	for (int i = 0; i < 2; i++)
		bdev_close(dev[i]);
	settle();
	EXPECT_EQ(bdev_core.peers->devs == 0, 1);
	EXPECT(world.nr_grants <= 1);
	free(bdev_core.peers->slots);
	free(bdev_core.peers->segs);
	free(bdev_core.peers);
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : SEEDS;

	for (uint32_t s = 1; s <= n && !expect_failures; s++) {
		run(s);
		if (expect_failures)
			printf("seed %u\n", s);
	}
	printf("%u requests good, %u ended with EIO\n", done_good, done_bad);
	return expect_end();
}

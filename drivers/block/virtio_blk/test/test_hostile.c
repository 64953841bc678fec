/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver with a device that lies (fake.c): each request is answered once and in bounded time, what is answered well is right, nothing
 * is touched that must not be (the sanitizers see to it), and when the device has come to its senses everything works again.
 * VBLK_SEEDS=N: so many devices.
 */
#include "fake.h"
#include <expect.h>
#include <stdlib.h>
#include <string.h>

enum { REGIONS = 24, REGION = 65536, STEPS = 300, SEEDS = 240, PATIENCE = 400 };
#define SECOND 1000000000ull

struct region {
	bool busy, known;		/* known: the disk has what model says */
	uint32_t type;
	uint64_t pos, len;
	uint8_t *buf;
	uint8_t model[REGION];
};
static struct { struct vblk_disk disk; struct region regions[REGIONS]; uint32_t busy, good, failed; } t;

static void model_change(struct region *r, uint64_t at)
{
	if (r->type == BDEV_WRITE)
		memcpy(r->model + at, r->buf, r->len);
	else if (r->type == BDEV_DISCARD)
		memset(r->model + at, 0, r->len);
}

static void answer_check(struct region *r, int64_t result)
{
	uint64_t at = r->pos % REGION;

	if (result < 0) {
		t.failed++;
		r->known = r->known && r->type == BDEV_READ;
		return;
	}
	t.good++;
	EXPECT_EQ(result, r->type == BDEV_DISCARD ? 0 : (int64_t)r->len);
	if (r->type == BDEV_READ)
		EXPECT(!r->known || memcmp(r->buf, r->model + at, r->len) == 0);
	else
		model_change(r, at);
}

void fake_answered(const struct bdev_request *req, int64_t result)
{
	struct region *r = &t.regions[req->id];

	EXPECT(req->id < REGIONS && r->busy);
	answer_check(r, result);
	fake_area_remove(r->buf);
	free(r->buf);
	r->buf = 0;
	r->busy = false;
	t.busy--;
}

static void bytes_make(uint8_t *p, uint64_t len)
{
	uint64_t x = (uint64_t)rand() << 20 | 1;

	for (uint64_t i = 0; i + 8 <= len; i += 8, x = x * 6364136223846793005u + 1442695040888963407u)
		memcpy(p + i, &x, 8);
}

static void request_begin(uint32_t id, uint32_t type, uint64_t at, uint64_t len, uint32_t flags)
{
	struct region *r = &t.regions[id];
	struct bdev_seg seg = { 0 };
	struct bdev_request req = { .client = 1, .type = type, .id = id, .flags = flags, .pos = id * (uint64_t)REGION + at, .len = len,
		.nsegs = 1, .segs = &seg };
	int64_t result;

	r->busy = true;
	r->type = type;
	r->pos = req.pos;
	r->len = len;
	r->buf = malloc(len);
	bytes_make(r->buf, len);
	t.busy++;
	fake_area_add(r->buf, len);
	fake_buffer(r->buf, len);
	result = type == BDEV_DISCARD ? vblk_command(&t.disk, &req) : vblk_transfer(&t.disk, &req);
	if (result != BDEV_LATER)
		fake_answered(&req, result);
}

static void request_any(void)
{
	static const uint32_t types[] = { BDEV_READ, BDEV_WRITE, BDEV_DISCARD };
	uint32_t id = (uint32_t)rand() % REGIONS, block = t.disk.block_size, type = types[rand() % 3];
	uint64_t at = (uint64_t)rand() % (REGION / block) * block, len = (1 + (uint64_t)rand() % ((REGION - at) / block)) * block;
	uint32_t flags = type == BDEV_WRITE ? (uint32_t)rand() % 2 * BDEV_FUA : type == BDEV_DISCARD ? BDEV_ZERO : 0;

	if (!t.regions[id].busy)
		request_begin(id, type, at, len, flags);
}

static void table_read(void)
{
	uint8_t *p = malloc(512 * 8);

	fake_area_add(p, 512 * 8);
	if (vblk_read_now(&t.disk, 0, (paddr_t)(uintptr_t)p, 512 * 8) == 0 && t.regions[0].known && !t.regions[0].busy)
		EXPECT(memcmp(p, t.regions[0].model, 512 * 8) == 0);
	fake_area_remove(p);
	free(p);
}

static void step(void)
{
	switch (rand() % 16) {
	case 0: case 1: case 2: case 3: request_any(); break;
	case 4: vblk_completions(&t.disk); break;
	case 5:
		fake.now += (uint64_t)rand() % (3 * SECOND);
		vblk_timeouts(&t.disk, fake.now);
		break;
	case 6: vblk_size_look(&t.disk); break;
	case 7:
		if (rand() % 8 == 0)
			table_read();
		break;
	default: fake_step(); break;
	}
}

/* What is under way comes to an end in bounded time. */
static void all_end(void)
{
	for (int i = 0; i < PATIENCE && t.busy; i++) {
		for (int k = 0; k < 8; k++)
			fake_step();
		vblk_completions(&t.disk);
		fake.now += SECOND;
		vblk_timeouts(&t.disk, fake.now);
	}
	EXPECT_EQ(t.busy, 0);
}

/* The device is sane: within a few tries it is set up again, and each region can be written and read. */
static void all_works(void)
{
	uint32_t failed;

	for (int tries = 0; tries < 4; tries++) {
		fake.now += 2 * SECOND;
		request_begin(0, BDEV_WRITE, 0, 4096, 0);
		all_end();
	}
	failed = t.failed;
	for (uint32_t type = BDEV_WRITE, i = 0; i < 2 * REGIONS; i++, type = i < REGIONS ? BDEV_WRITE : BDEV_READ) {
		request_begin(i % REGIONS, type, 0, REGION, 0);
		all_end();
		t.regions[i % REGIONS].known = true;
	}
	EXPECT_EQ(t.failed, failed);
}

static void one_device(unsigned seed, bool lying)
{
	uint32_t block = seed % 3 == 0 ? 4096 : 512;

	srand(seed);
	memset(&t, 0, sizeof(t));
	fake_power_on(block);
	for (int i = 0; i < REGIONS; i++)
		t.regions[i].known = true;
	if (seed % 5 == 4)
		fake.features &= ~VIRTIO_F_INDIRECT;
	if (vblk_disk_init(&t.disk, 8, 0) != 0) {
		EXPECT(!"a sane device is refused");
		return;
	}
	fake.lying = lying;
	for (int i = 0; i < STEPS; i++)
		step();
	all_end();
	fake_honest(block);
	all_works();
	EXPECT_EQ(fake.wrong, 0);
	fake_power_off();
}

static void sane_device(uint32_t segs_max, uint32_t size_max)
{
	srand(1);
	memset(&t, 0, sizeof(t));
	fake_power_on(512);
	fake.features &= ~VIRTIO_F_INDIRECT;
	fake.segs_max = segs_max;
	fake.size_max = size_max;
	EXPECT_EQ(vblk_disk_init(&t.disk, 8, 0), 0);
}

/* What the driver reads for itself may need several requests, too. */
static void table_is_read_in_parts(void)
{
	uint8_t *p = calloc(1, 16384);

	sane_device(2, 4096);
	bytes_make(fake.disk, 16384);
	fake_area_add(p, 16384);
	EXPECT_EQ(vblk_read_now(&t.disk, 0, (paddr_t)(uintptr_t)p, 16384), 0);
	EXPECT(memcmp(p, fake.disk, 16384) == 0);
	fake_area_remove(p);
	free(p);
	fake_power_off();
}

/* A request of more parts than there are slots, of which some are answered between resets, but never all. */
static void device_that_answers_some_parts_only(void)
{
	sane_device(2, 4096);
	fake.lazy = 1;
	request_begin(0, BDEV_WRITE, 0, REGION, 0);
	all_end();
	EXPECT_EQ(t.failed, 1);
	fake_power_off();
}

/* A new size that shows at a reset first. */
static void size_that_changes_before_a_reset_is_told(void)
{
	sane_device(64, 1 << 20);
	fake.sectors /= 2;
	EXPECT_EQ(vblk_disk_start(&t.disk), 0);
	EXPECT(vblk_size_look(&t.disk));
	EXPECT_EQ(t.disk.sectors, fake.sectors);
	fake_power_off();
}

int main(void)
{
	const char *words = getenv("VBLK_SEEDS");
	unsigned seeds = words ? (unsigned)atoi(words) : SEEDS, good = 0, failed = 0, lies = 0;

	table_is_read_in_parts();
	device_that_answers_some_parts_only();
	size_that_changes_before_a_reset_is_told();
	for (unsigned seed = 0; seed < seeds && !expect_failures; seed++) {
		one_device(seed, seed % 8 != 0);
		good += t.good;
		failed += t.failed;
		lies += fake.lies;
		if (expect_failures)
			printf("seed %u\n", seed);
	}
	printf("%u requests good, %u failed, %u lies\n", good, failed, lies);
	return expect_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a block driver that knows what it wrote: random reads and writes, several in flight, everything read is compared. A sector
 * whose write ended with an error may hold the old or the new contents afterwards. Ends with a line in the log:
 *	finished: R reads, W writes, E errors, X wrong
 *
 *	disk_user LABEL[:MINOR] REQUESTS [SEED]
 */
#include <errno.h>
#include <libbdev/bdev.h>
#include <libsef/sef.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, BLOCK = 4096, BLOCKS = 128, IN_FLIGHT = 8, MAX_BLOCKS = 8 };

struct request { struct bdev_io io; bool busy; uint32_t first, n; };

static struct disk_user {
	struct bdev *dev;
	uint32_t left, busy, seed, check_at;
	uint64_t reads, writes, errors, wrong;
	struct request requests[IN_FLIGHT];
	uint32_t now[BLOCKS], old[BLOCKS];	/* what a block holds; what else it may hold; 0 = anything */
	bool used[BLOCKS], finished;
} user;

static uint8_t arena[IN_FLIGHT][MAX_BLOCKS * BLOCK] __attribute__((aligned(4096)));

static uint32_t rnd(uint32_t n)
{
	user.seed = user.seed * 1664525 + 1013904223;
	return (user.seed >> 8) % n;
}

static void fill(uint8_t *p, uint32_t block, uint32_t tag)
{
	uint32_t *w = (uint32_t *)(void *)p;

	/* Scrambled: the filter's weak sums (xor) are to find what is wrong, not to be outwitted. */
	for (uint32_t i = 0; i < BLOCK / 4; i++) {
		uint32_t x = tag * 2654435761u + block * 97 + i;
		w[i] = (x ^ x >> 15) * (x >> 7 | 1);
	}
}

/* Each sector has one of the contents the block may have. */
static bool holds(const uint8_t *p, uint32_t block, uint32_t tag, uint32_t or_tag)
{
	static uint8_t wanted[BLOCK], or_wanted[BLOCK];

	fill(wanted, block, tag);
	fill(or_wanted, block, or_tag ? or_tag : tag);
	for (uint32_t i = 0; i < BLOCK; i += SECTOR)
		if (memcmp(p + i, wanted + i, SECTOR) != 0 && memcmp(p + i, or_wanted + i, SECTOR) != 0)
			return false;
	return true;
}

static void check(const struct request *r, int64_t result)
{
	const uint8_t *p = r->io.data;

	for (uint32_t b = r->first; b < r->first + r->n; b++, p += BLOCK) {
		if (!user.now[b] || holds(p, b, user.now[b], user.old[b]))
			continue;
		user.wrong++;
		log_warn("WRONG data in block %u (result %ld)", b, (long)result);
	}
}

/* One of two it may hold after an error; after two errors in a row we do not know any more. */
static void written(const struct request *r, int64_t result, uint32_t tag)
{
	for (uint32_t b = r->first; b < r->first + r->n; b++) {
		bool sure = user.old[b] == 0 && user.now[b];
		user.old[b] = result < 0 ? user.now[b] : 0;
		user.now[b] = result >= 0 || sure ? tag : 0;
		if (!user.now[b])
			user.old[b] = 0;
	}
}

static void pump(void);

static void done(struct bdev_io *io, int64_t result)
{
	struct request *r = (struct request *)io;

	if (result != (int64_t)io->len && result != -EIO)
		log_warn("WRONG result %ld", (long)result);
	user.errors += result < 0;
	if (io->op == BDEV_WRITE)
		written(r, result, (uint32_t)(uintptr_t)io->owner);
	else if (result > 0)
		check(r, result);
	for (uint32_t b = r->first; b < r->first + r->n; b++)
		user.used[b] = false;
	r->busy = false;
	user.busy--;
	pump();
}

static bool blocks_take(uint32_t first, uint32_t n)
{
	for (uint32_t b = first; b < first + n; b++)
		if (user.used[b])
			return false;
	memset(user.used + first, 1, n);
	return true;
}

static void start(struct request *r, bool write, uint32_t first, uint32_t n)
{
	static uint32_t tag;
	uint8_t *p = arena[r - user.requests];

	tag++;
	r->busy = true;
	r->first = first;
	r->n = n;
	user.busy++;
	for (uint32_t i = 0; write && i < n; i++)
		fill(p + i * BLOCK, first + i, tag);
	write ? user.writes++ : user.reads++;
	r->io = (struct bdev_io){ .dev = user.dev, .op = write ? BDEV_WRITE : BDEV_READ, .pos = (uint64_t)first * BLOCK,
		.len = (uint64_t)n * BLOCK, .data = p, .done = done, .owner = (void *)(uintptr_t)tag };
	bdev_submit(&r->io);
}

/* First random work, then everything is read once. */
static bool next(struct request *r)
{
	uint32_t n = 1 + rnd(MAX_BLOCKS), first = rnd(BLOCKS - MAX_BLOCKS);

	if (user.left) {
		user.left--;
		if (blocks_take(first, n))
			start(r, rnd(2), first, n);
		return true;
	}
	if (user.check_at == BLOCKS || !blocks_take(user.check_at, 1))
		return false;
	start(r, false, user.check_at++, 1);
	return true;
}

static void pump(void)
{
	for (uint32_t i = 0; i < IN_FLIGHT; i++)
		while (!user.requests[i].busy && next(&user.requests[i]))
			;
	if (user.busy || user.finished)
		return;
	user.finished = true;
	log_info("finished: %lu reads, %lu writes, %lu errors, %lu wrong", user.reads, user.writes, user.errors, user.wrong);
}

static void opened(struct bdev *dev, err_t result)
{
	log_info("open: %s, %lu bytes", result ? err_text(result) : "good", bdev_size(dev));
	if (result == 0)
		pump();
	else
		log_info("finished: not opened");
}

static const char *target;
static uint32_t target_minor;

static err_t init(const struct sef_init_info *info)
{
	static const struct bdev_options options = { .opened = opened };
	err_t r = bdev_startup(0);

	(void)info;
	if (r == 0)
		r = bdev_memory_add(arena, sizeof(arena));
	return r ? r : bdev_open(target, target_minor, BDEV_ACCESS_READ | BDEV_ACCESS_WRITE, &options, &user.dev);
}

int main(int argc, char **argv)
{
	struct message m;
	uint32_t status;
	char *colon = argc > 1 ? strchr(argv[1], ':') : 0;

	if (argc < 3)
		fail_stop("usage: disk_user LABEL[:MINOR] REQUESTS [SEED]");
	if (colon)
		*colon = 0;
	target = argv[1];
	target_minor = colon ? (uint32_t)atoi(colon + 1) : 0;
	user.left = (uint32_t)atoi(argv[2]);
	user.seed = argc > 3 ? (uint32_t)atoi(argv[3]) : 1;
	sef_startup(&(struct sef_callbacks){ .init_fresh = init, .signal_handler = sef_signal_term, .send_failed = bdev_send_failed });
	for (;;)
		if (sef_receive(EP_ANY, &m, &status) == 0)
			bdev_message(&m, status);
}

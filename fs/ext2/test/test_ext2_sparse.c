/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with a block here and there: tables of pointers stand beside each other and beside what they point to, several on one page of the
 * cache. Blocks come, and go by truncation, holes and the end of the file: what is read agrees, and at the end nothing is left.
 */
#include "host.h"

#include <linux/falloc.h>
#include <sys/statfs.h>

enum { SPOTS = 90, STEPS = 400, MARK = 32, FILES = 2 };

/* Bytes from one spot to the next: a table of its own for most, and for some a second one above it. */
static struct run { uint64_t node, stride, size; uint8_t mark[SPOTS][MARK]; } runs[FILES];

static uint64_t place(const struct run *f, unsigned i) { return f->stride * i + i % 7; }

static void spot_write(struct run *f, unsigned i)
{
	uint64_t end = place(f, i) + MARK;
	for (unsigned k = 0; k < MARK; k++)
		f->mark[i][k] = (uint8_t)(1 + host_random(255));
	CHECK(host_write(f->node, place(f, i), f->mark[i], MARK) == MARK);
	f->size = f->size > end ? f->size : end;
}

/* Everything in [from, to) is zeros from now on. */
static void marks_clear(struct run *f, uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < SPOTS; i++)
		for (unsigned k = 0; k < MARK; k++)
			if (place(f, i) + k >= from && place(f, i) + k < to)
				f->mark[i][k] = 0;
}

static void truncate_to(struct run *f, uint64_t size)
{
	struct fs_attr in = { .size = size }, a;
	CHECK(ext2_setattr(f->node, FS_SET_SIZE, &in, &a) == 0 && a.size == size);
	marks_clear(f, size, UINT64_MAX);
	f->size = size;
}

static void punch(struct run *f, uint64_t from, uint64_t len)
{
	struct fs_attr a;
	CHECK(ext2_fallocate(f->node, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, from, len, &a) == 0);
	marks_clear(f, from, from + len);
}

static void spots_agree(struct run *f)
{
	uint8_t got[MARK];
	for (unsigned i = 0; i < SPOTS; i++) {
		uint64_t at = place(f, i), want = at >= f->size ? 0 : f->size - at < MARK ? f->size - at : MARK;
		CHECK(host_read(f->node, at, got, MARK) == (int64_t)want);
		CHECK(!memcmp(got, f->mark[i], want));
	}
}

static void step(struct run *f)
{
	uint64_t all = f->stride * SPOTS, spot = host_random(SPOTS);
	switch (host_random(12)) {
	case 0: truncate_to(f, host_random(4) ? place(f, (unsigned)spot) + host_random(MARK) : 0); break;
	case 1: punch(f, f->stride * host_random(SPOTS), f->stride * (1 + host_random(9))); break;
	case 2: punch(f, f->stride * spot, all); break;
	case 3: spots_agree(f); break;
	case 4: CHECK(ext2_sync(f->node, 0) == 0); break;
	default: spot_write(f, (unsigned)spot);
	}
}

static uint64_t blocks_free_now(void)
{
	struct statfs s;
	CHECK(ext2_sync(0, 0) == 0);
	CHECK(ext2_statfs(ext2_mounted(), &s) == 0);
	return s.f_bfree;
}

static void files_make(uint32_t block, bool inner)
{
	for (unsigned n = 0; n < FILES; n++) {
		struct fs_attr a;
		uint64_t ptrs = block / 4;
		CHECK(host_create(EXT2_ROOT_INO, n ? "b" : "a", MODE_REG | 0644, &a) == 0);
		runs[n] = (struct run){ .node = a.node, .stride = block * ptrs * (inner ? 1 : ptrs / 8) };
	}
}

static void files_drop(void)
{
	for (unsigned n = 0; n < FILES; n++) {
		struct fs_name name = host_name(n ? "b" : "a");
		struct fs_attr a;
		CHECK(ext2_unlink(EXT2_ROOT_INO, &name, 0, &a) == 0);
		ext2_forget(runs[n].node, 1);
	}
}

static void test_shape(uint32_t block, bool inner, uint64_t seed)
{
	const char *image = host_path("sparse.img");
	host_run("rm -f %s; mke2fs -q -F -t ext2 -b %u %s 4M >/dev/null", image, block, image);
	CHECK(host_mount(image, false) == 0);
	host_seed(seed);
	uint64_t before = blocks_free_now();
	files_make(block, inner);
	for (unsigned i = 0; i < STEPS; i++)
		step(&runs[host_random(FILES)]);
	for (unsigned n = 0; n < FILES; n++)
		spots_agree(&runs[n]);
	files_drop();
	CHECK(blocks_free_now() == before);
	host_unmount();
	host_fsck(image);
}

int main(void)
{
	host_start(4 << 20);
	for (unsigned seed = 1; seed <= host_seeds(6); seed++)
		for (unsigned shape = 0; shape < 6; shape++)
			test_shape(1024u << shape / 2, shape % 2, seed * 6 + shape);
	return 0;
}

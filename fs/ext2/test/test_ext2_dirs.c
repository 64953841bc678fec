/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large directories: names that come, go and change their directory are found, those that went are not, and what that costs does not grow
 * with the directory. Small files made one after the other lie behind each other.
 */
#include "host.h"

#include <libfiber/fiber.h>

enum { NAMES = 3000, STEPS = 12000, GETS_MAX = 24, SMALL = 1000, FILE_BYTES = 1024 };

static struct { uint64_t node[2][NAMES]; /* 0: not there */ uint64_t dir[2]; bool begun; } t;

static const char *name_of(unsigned i)
{
	static char name[2][64];
	static unsigned turn;
	char *s = name[turn++ % 2];
	snprintf(s, sizeof name[0], i % 7 ? "%u" : "a-longer-name-for-%u", i);
	return s;
}

static void expect_name(unsigned d, unsigned i)
{
	struct fs_attr a;
	int64_t r = host_lookup(t.dir[d], name_of(i), &a);
	CHECK(t.node[d][i] ? r == 0 && a.node == t.node[d][i] : r == -ENOENT);
	if (!r)
		ext2_forget(a.node, 1);
}

static void make(unsigned d, unsigned i)
{
	struct fs_attr a;
	int64_t r = host_create(t.dir[d], name_of(i), 0100644, &a);
	CHECK(t.node[d][i] ? r == -EEXIST : r == 0);
	if (r)
		return;
	t.node[d][i] = a.node;
	ext2_forget(a.node, 1);
}

static void drop(unsigned d, unsigned i)
{
	struct fs_attr a;
	struct fs_name n = host_name(name_of(i));
	int64_t r = ext2_unlink(t.dir[d], &n, 0, &a);
	CHECK(t.node[d][i] ? r == 0 : r == -ENOENT);
	t.node[d][i] = 0;
}

static void move(unsigned d, unsigned i, unsigned k)
{
	struct fs_attr a;
	struct fs_name from = host_name(name_of(i)), to = host_name(name_of(k));
	if (!t.node[d][i] || t.node[!d][k])
		return;
	CHECK(ext2_rename(t.dir[d], &from, t.dir[!d], &to, 0, &a) == 0);
	t.node[!d][k] = t.node[d][i];
	t.node[d][i] = 0;
}

static uint64_t gets(void)
{
	struct cache_stats s;
	cache_stats(&s);
	return s.hits + s.misses;
}

static void step(void)
{
	unsigned d = host_random(2), i = host_random(NAMES);
	switch (host_random(8)) {
	case 0: move(d, i, host_random(NAMES)); break;
	case 1: case 2: drop(d, i); break;
	case 3: case 4: make(d, i); break;
	default: expect_name(d, i);
	}
}

static void count_name(void *ctx, const char *name, uint64_t ino)
{
	(void)name, (void)ino;
	(*(unsigned *)ctx)++;
}

static void expect_all(void)
{
	for (unsigned d = 0; d < 2; d++) {
		unsigned listed = 0, there = 0;
		for (unsigned i = 0; i < NAMES; i++) {
			expect_name(d, i);
			there += t.node[d][i] != 0;
		}
		CHECK(host_list(t.dir[d], count_name, &listed) >= 0);
		CHECK(listed == there);
	}
}

static void test_large(const char *image)
{
	struct fs_attr a;
	memset(t.node, 0, sizeof t.node);
	for (unsigned d = 0; d < 2; d++) {
		CHECK(host_create(EXT2_ROOT_INO, d ? "two" : "one", 040755, &a) == 0);
		t.dir[d] = a.node;
	}
	for (unsigned i = 0; i < NAMES; i++)
		make(0, i);
	uint64_t before = gets();
	for (unsigned i = 0; i < STEPS; i++)
		step();
	printf("%s: %.1f pages of the cache for each request\n", image, (double)(gets() - before) / STEPS);
	CHECK(gets() - before < (uint64_t)GETS_MAX * STEPS);
	expect_all();
}

/* As after another mount: what is found does not depend on what was remembered. */
static void remount(const char *image)
{
	struct fs_attr a;
	host_unmount();
	host_fsck(image);
	CHECK(host_mount(image, false) == 0);
	for (unsigned d = 0; d < 2; d++) {
		CHECK(host_lookup(EXT2_ROOT_INO, d ? "two" : "one", &a) == 0);
		t.dir[d] = a.node;
	}
	expect_all();
}

static void test_small(void)
{
	static uint8_t data[FILE_BYTES];
	struct fs_attr a;
	host_user = data;
	CHECK(ext2_sync(0, 0) == 0);
	uint64_t before = host_disk.writes;
	for (unsigned i = 0; i < SMALL; i++) {
		char name[32];
		snprintf(name, sizeof name, "small-%u", i);
		CHECK(host_create(t.dir[1], name, 0100644, &a) == 0);
		CHECK(host_write(a.node, 0, data, sizeof data) == sizeof data);
		ext2_forget(a.node, 1);
	}
	CHECK(ext2_sync(0, 0) == 0);
	printf("%u small files, %llu transfers\n", SMALL, (unsigned long long)(host_disk.writes - before));
	CHECK(host_disk.writes - before < SMALL / 4);
}

static void test_image(unsigned block)
{
	const char *image = host_path("image");
	host_run("rm -f %s; mke2fs -q -F -t ext2 -b %u -N 8192 %s 64M >/dev/null", image, block, image);
	CHECK(host_mount(image, false) == 0);
	test_large(image);
	remount(image);
	test_small();
	host_unmount();
	host_fsck(image);
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		if (!t.begun) {
			t.begun = true;
			test_image(1024);
			test_image(4096);
			host_end();
		}
		cache_host_step(&host_disk);
	}
}

int main(void)
{
	host_start(32 << 20);
	host_seed(1);
	fibers_run(64 * 1024, loop);
	return 1;
}

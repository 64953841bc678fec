/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged images: random bytes in every kind of structure. Whatever is there, requests end with an error or a result, within a bounded
 * number of transfers, under the sanitizers. Three small images are made once; each round damages a copy, walks all of it, changes things,
 * and unmounts.
 */
#include "host.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

enum { SHAPES = 3, IMAGE_BYTES = 1 << 20, NODES = 400, TRANSFERS_MAX = 100000, WALK_DEPTH = 6, ROUNDS = 5000, SECONDS = 40 };

static const char *const shapes[SHAPES] = { "-b 1024 -I 128 -N 64 -g 512", "-b 1024 -I 256 -N 48 -O ^resize_inode",
	"-b 4096 -I 256 -N 32" };
static struct image { uint8_t *bytes; uint32_t block; } images[SHAPES];

/* ---- the images -------------------------------------------------------------------------------------------------- */

static void populate(void)
{
	static uint8_t data[300000];
	struct fs_attr a, d;
	struct fs_name nm = host_name("long"), tg = { (const char *)data, 200 }, short_tg = host_name("target");
	struct fs_new how = { .mode = 0 };
	memset(data, 'd', sizeof data);
	CHECK(host_create(EXT2_ROOT_INO, "dir", MODE_DIR | 0755, &d) == 0);
	CHECK(host_create(EXT2_ROOT_INO, "file", MODE_REG | 0644, &a) == 0);
	CHECK(host_write(a.node, 0, data, sizeof data) == sizeof data);
	CHECK(host_create(d.node, "sparse", MODE_REG | 0644, &a) == 0);
	CHECK(host_write(a.node, 90 << 20, data, 100) == 100);
	CHECK(ext2_symlink(d.node, &nm, &tg, &how, &a) == 0);
	nm = host_name("short");
	CHECK(ext2_symlink(d.node, &nm, &short_tg, &how, &a) == 0);
	CHECK(host_create(d.node, "sub", MODE_DIR | 0700, &d) == 0);
	for (int i = 0; i < 12; i++) {
		char name[200] = "";
		snprintf(name, sizeof name, "%0*d", 10 + i * 15, i);
		CHECK(host_create(d.node, name, i % 4 ? MODE_REG | 0600 : MODE_DIR | 0700, &a) == 0);
	}
}

static void image_make(int i)
{
	const char *path = host_path("fuzz.img");
	char *image = strdup(path);
	unlink(image);
	host_run("mke2fs -q -F -t ext2 %s %s %dk >/dev/null 2>&1", shapes[i], image, IMAGE_BYTES / 1024);
	CHECK(host_mount(image, false) == 0);
	populate();
	images[i].block = ext2_mounted()->block_bytes;
	host_unmount();
	host_fsck(image);
	int fd = open(image, O_RDONLY);
	images[i].bytes = malloc(IMAGE_BYTES);
	CHECK(pread(fd, images[i].bytes, IMAGE_BYTES, 0) == IMAGE_BYTES);
	close(fd);
	free(image);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

static uint32_t value_any(uint32_t old, uint32_t blocks)
{
	switch (host_random(6)) {
	case 0:  return host_random(blocks + 2);
	case 1:  return old ^ 1u << host_random(32);
	case 2:  return UINT32_MAX - host_random(3);
	case 3:  return host_random(16);
	default: return host_random(UINT32_MAX);
	}
}

static void word_damage(uint8_t *image, uint64_t at, uint32_t blocks)
{
	uint32_t v;
	if (at + 4 > IMAGE_BYTES)
		return;
	memcpy(&v, image + at, 4);
	v = value_any(v, blocks);
	memcpy(image + at, &v, host_random(2) ? 4 : 1 + host_random(3));
}

/* Where one structure of the chosen kind lies. The damage of earlier hits may lead astray; every place is allowed. */
static uint64_t place_any(const uint8_t *image, uint32_t block)
{
	const struct ext2_super *s = (const void *)(image + EXT2_SUPER_OFFSET);
	uint64_t table = (uint64_t)(block == 1024 ? 2 : 1) * block;
	struct ext2_group_desc g;
	memcpy(&g, image + table, sizeof g);
	uint32_t inode = s->rev_level ? s->inode_size : 128;
	uint64_t inodes = (uint64_t)g.inode_table * block;
	uint32_t picked = host_random(2) ? 1 + host_random(24) : 1 + host_random(11);
	switch (host_random(8)) {
	case 0:  return EXT2_SUPER_OFFSET + host_random(host_random(2) ? 0x68 : 0x160);
	case 1:  return table + host_random(64);
	case 2:  return (uint64_t)g.block_bitmap * block + host_random(128);
	case 3:  return (uint64_t)g.inode_bitmap * block + host_random(8);
	case 4:
	case 5:  return inodes + (uint64_t)picked * inode + host_random(inode);
	case 6:  return inodes + (uint64_t)picked * inode + 40 + host_random(15) * 4;	/* a pointer */
	/* directories, tables */
	default: return (uint64_t)host_random(IMAGE_BYTES / block) * block + host_random(host_random(2) ? 64 : block);
	}
}

static void damage(uint8_t *image, uint32_t block)
{
	uint32_t hits = 1 + host_random(host_random(3) ? 4 : 40);
	for (uint32_t i = 0; i < hits; i++) {
		uint64_t at = place_any(image, block);
		if (at < IMAGE_BYTES)
			word_damage(image, at & (host_random(2) ? ~3ull : ~0ull), IMAGE_BYTES / block);
	}
}

/* ---- a life with it ---------------------------------------------------------------------------------------------- */

static struct walk { uint64_t node[NODES]; char name[NODES][256]; uint64_t dir[NODES]; unsigned count; uint64_t in; } walk;

static void walked(void *ctx, const char *name, uint64_t ino)
{
	(void)ctx;
	if (walk.count == NODES)
		return;
	walk.node[walk.count] = ino;
	walk.dir[walk.count] = walk.in;
	snprintf(walk.name[walk.count++], 256, "%s", name);
}

static void node_use(unsigned i)
{
	static uint8_t buf[70000];
	struct fs_attr a = { 0 }, in = { .size = host_random(400000), .mode = 0600 };
	uint64_t found, valid;
	void *addr;
	struct fs_name nm = host_name(walk.name[i]), to = host_name("renamed");
	if (host_lookup(walk.dir[i], walk.name[i], &a))
		return;
	host_read(a.node, host_random(2) ? 0 : host_random((uint32_t)a.size + 1), buf, sizeof buf);
	ext2_readlink(a.node, 0, (char *)buf, sizeof buf);
	ext2_seek(a.node, 0, SEEK_DATA, &found);
	ext2_seek(a.node, 0, SEEK_HOLE, &found);
	ext2_getpage(a.node, host_random(80), (int)host_random(2), &addr, &valid);
	switch (host_random(8)) {
	case 0:  host_write(a.node, host_random(300000), buf, host_random(20000)); break;
	case 1:  ext2_setattr(a.node, FS_SET_SIZE, &in, &a); break;
	case 2:  ext2_unlink(walk.dir[i], &nm, (a.mode & MODE_TYPE) == MODE_DIR ? FS_UNLINK_DIR : 0, &a); break;
	case 3:  ext2_rename(walk.dir[i], &nm, walk.dir[host_random(walk.count)], &to, 0, &a); break;
	case 4:  ext2_link(walk.dir[i], &to, a.node, &a); break;
	case 5:  ext2_fallocate(a.node, 3, host_random(100000), 1 + host_random(300000), &a); break;
	case 6:  ext2_rename(walk.dir[i], &nm, EXT2_ROOT_INO, &to, FS_RENAME_EXCHANGE, &a); break;
	default: break;
	}
	if (a.node)
		ext2_forget(a.node, 1);
}

static void tree_use(void)
{
	struct fs_attr a;
	walk.count = 0;
	walk.in = EXT2_ROOT_INO;
	host_list(EXT2_ROOT_INO, walked, NULL);
	for (unsigned i = 0; i < walk.count && walk.count < NODES / 2; i++) {
		walk.in = walk.node[i];
		if (ext2_getattr(walk.in, &a) == 0 && (a.mode & MODE_TYPE) == MODE_DIR)
			host_list(walk.in, walked, NULL);
	}
	for (unsigned i = 0; i < walk.count; i++)
		node_use(i);
	host_create(EXT2_ROOT_INO, "new", MODE_REG | 0644, &a);
	host_create(EXT2_ROOT_INO, "newdir", MODE_DIR | 0755, &a);
	ext2_sync(0, 0);
}

static struct counts { unsigned mounted, noticed; } counts;

static void round_run(const char *image, bool readonly)
{
	struct statfs s;
	host_again = host_random(3) == 0;
	if (host_mount(image, readonly))
		return;
	counts.mounted++;
	ext2_statfs(ext2_mounted(), &s);
	tree_use();
	counts.noticed += ext2_mounted()->damaged;
	CHECK(host_disk.reads + host_disk.writes < TRANSFERS_MAX);
	ext2_unmount();		/* an error is right where there is damage */
	CHECK(!ext2_mounted());
	cache_dev_close(host_dev);
	close(host_disk.fd);
}

int main(void)
{
	unsigned rounds;
	host_start(96 << 20);
	rounds = host_seeds(1) > 1 ? host_seeds(1) * 100 : ROUNDS;
	for (int i = 0; i < SHAPES; i++)
		image_make(i);
	char *image = strdup(host_path("fuzz.img"));
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint8_t *copy = malloc(IMAGE_BYTES);
	const char *first = getenv("EXT2_FIRST");
	if (!getenv("EXT2_WORDS"))
		CHECK(freopen("/dev/null", "w", stdout));	/* what ext2 says about each */
	for (unsigned i = first ? (unsigned)atoi(first) : 0; i < rounds; i++) {
		const struct image *from = &images[i % SHAPES];
		host_seed(i + 1);
		memcpy(copy, from->bytes, IMAGE_BYTES);
		damage(copy, from->block);
		CHECK(pwrite(fd, copy, IMAGE_BYTES, 0) == IMAGE_BYTES);
		alarm(SECONDS);
		if (first)
			fprintf(stderr, "round %u\n", i);
		round_run(image, i % 7 == 0);
	}
	fprintf(stderr, "ok %u damaged images: %u mounted, damage noticed in %u\n", rounds, counts.mounted, counts.noticed);
	CHECK(counts.mounted > rounds / 3 && counts.noticed > rounds / 10);
	free(copy);
	free(image);
	for (int i = 0; i < SHAPES; i++)
		free(images[i].bytes);
	close(fd);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking over from an instance that died in the middle of something. Its cache is on the disk by now (rescue.c), but requests that were
 * at work are there in part, what it kept outside of the cache (counts, the list of orphans) is out of date, and it cannot be asked. So
 * all inodes in use are read once and the blocks they own are marked:
 *
 *   owned, but free in the bitmap       is marked there, before anything can be allocated: nothing is given away twice
 *   owned by two                        damage: read-only
 *   owned by nobody, but marked         was taken by a request that did not end: free again. The same for numbers of inodes
 *   inode in use without links          was unlinked while open, or did not get its name: an orphan again, kept until VFS has said who has
 *                                       it open, or to the end
 *
 * Counts of free blocks and inodes follow from the bitmaps. What is not put right here are counts of links that are too high (a name that
 * was half made or half removed). So the superblock goes on saying that the file system was not unmounted cleanly, until e2fsck has looked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ext2.h"

struct recount {
	struct ext2 *fs;
	uint8_t *owned;			/* a bit for each block */
	uint32_t found, given_back;	/* owned, but free in the bitmap; the other way round */
	uint32_t orphans, orphan[ORPHANS_KEPT_MAX];
	uint32_t dirs;			/* in the group at hand */
};

static int pointers_own(struct recount *c, uint32_t ino, const uint32_t *slots, uint32_t n, int level);

static bool own(struct recount *c, uint32_t block)
{
	uint8_t bit = (uint8_t)(1u << block % 8), *byte = &c->owned[block / 8];
	bool first = !(*byte & bit);
	*byte |= bit;
	return first;
}

static int table_own(struct recount *c, uint32_t ino, uint32_t block, int level)
{
	uint32_t bytes = c->fs->block_bytes;
	uint32_t *copy = malloc(bytes);	/* the page is not held while more are read */
	struct buf b;
	int r = copy ? buf_get(c->fs, block, CACHE_READ, &b) : -ENOMEM;
	if (!r) {
		memcpy(copy, b.data, bytes);
		buf_put(&b);
		r = pointers_own(c, ino, copy, bytes / 4, level - 1);
	}
	free(copy);
	return r;
}

/* What mke2fs made (the room for more descriptors) lies among the metadata and is nobody else's business. */
static bool is_reserved(const struct ext2 *fs, uint32_t ino) { return ino < fs->first_ino && ino != EXT2_ROOT_INO; }

static int pointers_own(struct recount *c, uint32_t ino, const uint32_t *slots, uint32_t n, int level)
{
	bool reserved = is_reserved(c->fs, ino);
	for (uint32_t i = 0; i < n; i++) {
		if (!slots[i])
			continue;
		if (reserved && !ext2_block_is_data(c->fs, slots[i]))
			continue;
		if (!ext2_block_is_data(c->fs, slots[i]))
			return ext2_damaged(c->fs, "inode %u points to block %u, which cannot be", ino, slots[i]);
		if (!own(c, slots[i])) {	/* never twice below a table: on a damaged disk that would have no end */
			if (reserved)
				continue;
			return ext2_damaged(c->fs, "block %u belongs to inode %u and to another one", slots[i], ino);
		}
		int r = level ? table_own(c, ino, slots[i], level) : 0;
		if (r)
			return r;
	}
	return 0;
}

static int inode_own(struct recount *c, const struct inode *n)
{
	int r = 0;
	if (n->file_acl && ext2_block_is_data(c->fs, n->file_acl))
		own(c, n->file_acl);	/* may be shared */
	if (!inode_has_blocks(n))
		return 0;
	r = pointers_own(c, n->ino, n->block, EXT2_NDIR, 0);
	for (int level = 1; level <= 3 && !r; level++)
		r = pointers_own(c, n->ino, &n->block[EXT2_NDIR + level - 1], 1, level);
	return r;
}

/* An inode of the bitmap. -ESTALE: it is none. */
static int number_recount(struct recount *c, uint32_t ino)
{
	struct inode *n;
	int r = inode_get(c->fs, ino, &n);
	if (r)
		return is_reserved(c->fs, ino) && r == -ESTALE ? 0 : r;
	bool orphan = n->nlink == 0 && !is_reserved(c->fs, ino);
	r = inode_own(c, n);
	c->dirs += inode_is_dir(n);
	if (!r && orphan && c->orphans == ORPHANS_KEPT_MAX)
		r = -ENOSPC;
	else if (!r && orphan)
		c->orphan[c->orphans++] = ino;
	n->refs += orphan;	/* it is not to be freed now */
	inode_put(n);
	n->refs -= orphan;
	return r;
}

static int bitmap_store(struct ext2 *fs, uint32_t block, const uint8_t *from)
{
	struct buf b;
	int r = buf_get(fs, block, CACHE_WRITE, &b);
	if (r)
		return r;
	memcpy(b.data, from, fs->block_bytes);
	buf_dirty(fs, &b);
	buf_put(&b);
	return 0;
}

static int bitmap_copy(struct ext2 *fs, uint32_t block, uint8_t *to)
{
	struct buf b;
	int r = buf_get(fs, block, CACHE_READ, &b);
	if (r)
		return r;
	memcpy(to, b.data, fs->block_bytes);
	buf_put(&b);
	return 0;
}

static uint32_t bits_clear(const uint8_t *map, uint32_t n)
{
	uint32_t clear = 0;
	for (uint32_t i = 0; i < n; i++)
		clear += !(map[i / 8] >> i % 8 & 1);
	return clear;
}

static void table_ahead(struct ext2 *fs, const struct group *g)
{
	uint64_t from = (uint64_t)g->inode_table * fs->block_bytes, bytes = (uint64_t)fs->super.inodes_per_group * fs->inode_bytes;
	cache_ahead(fs->meta, from / CACHE_PAGE, (bytes + CACHE_PAGE - 1) / CACHE_PAGE);
}

static int group_inodes_recount(struct recount *c, uint32_t group, uint8_t *map)
{
	struct ext2 *fs = c->fs;
	struct group *g = &fs->groups[group];
	uint32_t per = fs->super.inodes_per_group;
	int r = bitmap_copy(fs, g->inode_bitmap, map);
	c->dirs = 0;
	if (!r && bits_clear(map, per) < per)
		table_ahead(fs, g);
	bool changed = false;
	for (uint32_t i = 0; i < per && !r; i++) {
		if (map[i / 8] >> i % 8 & 1)
			r = number_recount(c, group * per + i + 1);
		if (r != -ESTALE)
			continue;
		map[i / 8] &= (uint8_t)~(1u << i % 8);
		changed = true;
		r = 0;
	}
	if (!r && changed)
		r = bitmap_store(fs, g->inode_bitmap, map);
	g->free_inodes = bits_clear(map, per);
	g->used_dirs = c->dirs;
	return r;
}

/* Bit by bit: owned, or metadata. */
static void bitmap_correct(struct recount *c, uint32_t group, uint8_t *map)
{
	uint32_t first = group_first_block(c->fs, group), blocks = group_blocks(c->fs, group);
	for (uint32_t i = 0; i < blocks; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8);
		bool owned = c->owned[(first + i) / 8] >> (first + i) % 8 & 1;
		if (owned == !!(map[i / 8] & bit) || (!owned && !ext2_block_is_data(c->fs, first + i)))
			continue;
		map[i / 8] ^= bit;
		*(owned ? &c->found : &c->given_back) += 1;
	}
}

static int group_blocks_recount(struct recount *c, uint32_t group, uint8_t *map)
{
	struct group *g = &c->fs->groups[group];
	uint32_t changes = c->found + c->given_back;
	int r = bitmap_copy(c->fs, g->block_bitmap, map);
	if (r)
		return r;
	bitmap_correct(c, group, map);
	g->free_blocks = bits_clear(map, group_blocks(c->fs, group));
	g->dirty = true;
	return c->found + c->given_back == changes ? 0 : bitmap_store(c->fs, g->block_bitmap, map);
}

static void totals_set(struct ext2 *fs)
{
	fs->super.free_blocks = fs->super.free_inodes = 0;
	for (uint32_t i = 0; i < fs->nr_groups; i++) {
		fs->super.free_blocks += fs->groups[i].free_blocks;
		fs->super.free_inodes += fs->groups[i].free_inodes;
	}
	fs->counts_dirty = true;
}

static int orphan_keep(struct ext2 *fs, uint32_t ino)
{
	struct inode *n;
	int r = inode_get(fs, ino, &n);
	if (r)
		return r;
	n->refs++;
	n->kept = true;
	r = inode_link_drop(n, 0);
	inode_put(n);
	return r;
}

static int recount(struct recount *c)
{
	struct ext2 *fs = c->fs;
	uint8_t *map = malloc(fs->block_bytes);
	int r = map ? 0 : -ENOMEM;
	for (uint32_t g = 0; g < fs->nr_groups && !r; g++)
		r = group_inodes_recount(c, g, map);
	for (uint32_t g = 0; g < fs->nr_groups && !r; g++)
		r = group_blocks_recount(c, g, map);
	free(map);
	if (r)
		return r;
	totals_set(fs);
	fs->super.last_orphan = 0;
	for (uint32_t i = 0; i < c->orphans && !r; i++)
		r = orphan_keep(fs, c->orphan[i]);
	return r;
}

int ext2_take_over(struct ext2 *fs)
{
	struct recount *c = calloc(1, sizeof *c);
	int r = c ? 0 : -ENOMEM;
	if (c) {
		c->fs = fs;
		c->owned = calloc(1, fs->super.blocks_count / 8 + 1);
		r = c->owned ? recount(c) : -ENOMEM;
		if (!r)
			printf("ext2: taken over: %u blocks marked, %u given back, %u files without a name\n", c->found, c->given_back,
			       c->orphans);
		free(c->owned);
	}
	free(c);
	return r;
}

int64_t ext2_revive(uint64_t node, uint64_t count, struct fs_attr *attr)
{
	struct inode *n;
	int r = inode_get(ext2_mounted(), node, &n);
	if (r)
		return r;
	n->refs += count;
	if (n->kept) {
		n->kept = false;
		n->refs--;
	}
	inode_attr(n, attr);
	fs_renew_pages(n->ino);	/* programs have pages of the dead one's cache */
	inode_put(n);
	return 0;
}

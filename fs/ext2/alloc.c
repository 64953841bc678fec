/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks and inode numbers: bitmaps, one of each kind for every group.
 *
 * Near each other: a file's blocks behind each other, in the group of its inode; an inode in the group of its directory; directories of the
 * root spread over the groups, other directories stay with their parent while there is room.
 *
 * What is freed is held until the next commit has written all metadata: before that an inode on the disk may still point to it, and if
 * the power failed after it had been given to another file, one of the two would be lost. Held bits are in two generations: `bit 0`
 * bitmaps of what was freed since the last commit began, and those of what that commit covers. They are marked in the same byte array,
 * first half and second half.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ext2.h"

static bool bit_get(const uint8_t *map, uint32_t bit) { return map[bit / 8] >> bit % 8 & 1; }
static void bit_set(uint8_t *map, uint32_t bit) { map[bit / 8] |= (uint8_t)(1u << bit % 8); }
static void bit_clear(uint8_t *map, uint32_t bit) { map[bit / 8] &= (uint8_t)~(1u << bit % 8); }

/* ---- held ------------------------------------------------------------------------------------------------------ */

static bool held_has(const struct ext2 *fs, const uint8_t *held, uint32_t bit)
{
	return held && (bit_get(held, bit) || bit_get(held + fs->block_bytes, bit));
}

/* Without memory for the bitmap a bit cannot be held: the cost is the guarantee after a power cut, not the operation. */
static void held_add(struct ext2 *fs, uint8_t **held, uint32_t bit)
{
	if (!*held)
		*held = calloc(2, fs->block_bytes);
	if (!*held)
		return;
	bit_set(*held, bit);
	fs->held++;
}

static void held_shift(const struct ext2 *fs, uint8_t *held)
{
	for (uint32_t i = 0; held && i < fs->block_bytes; i++)
		held[fs->block_bytes + i] |= held[i];
	if (held)
		memset(held, 0, fs->block_bytes);
}

void held_begin(struct ext2 *fs)
{
	for (uint32_t i = 0; fs->held && i < fs->nr_groups; i++) {
		held_shift(fs, fs->groups[i].held_blocks);
		held_shift(fs, fs->groups[i].held_inodes);
	}
}

static uint64_t held_clear(const struct ext2 *fs, uint8_t **held)
{
	uint64_t left = 0;
	if (!*held)
		return 0;
	for (uint32_t i = 0; i < fs->block_bytes; i++)
		left += (uint64_t)__builtin_popcount((*held)[i]);
	memset(*held + fs->block_bytes, 0, fs->block_bytes);
	if (!left) {
		free(*held);
		*held = NULL;
	}
	return left;
}

void held_release(struct ext2 *fs)
{
	uint64_t left = 0;
	for (uint32_t i = 0; fs->held && i < fs->nr_groups; i++)
		left += held_clear(fs, &fs->groups[i].held_blocks) + held_clear(fs, &fs->groups[i].held_inodes);
	fs->held = left;
}

void held_fini(struct ext2 *fs)
{
	for (uint32_t i = 0; fs->groups && i < fs->nr_groups; i++) {
		free(fs->groups[i].held_blocks);
		free(fs->groups[i].held_inodes);
	}
}

/* ---- blocks ---------------------------------------------------------------------------------------------------- */

static void blocks_count(struct ext2 *fs, uint32_t group, int32_t freed)
{
	struct group *g = &fs->groups[group];
	g->free_blocks = (uint32_t)((int64_t)g->free_blocks + freed < 0 ? 0 : (int64_t)g->free_blocks + freed);
	fs->super.free_blocks = (uint32_t)((int64_t)fs->super.free_blocks + freed < 0 ? 0 : (int64_t)fs->super.free_blocks + freed);
	g->dirty = fs->counts_dirty = true;
}

/* The first bit in [from, to) that may be given away, or `to`. */
static uint32_t bit_find(const struct ext2 *fs, const uint8_t *map, const uint8_t *held, uint32_t from, uint32_t to)
{
	while (from < to) {
		if (from % 8 == 0 && map[from / 8] == 0xff)
			from += 8;
		else if (bit_get(map, from) || held_has(fs, held, from))
			from++;
		else
			return from;
	}
	return to;
}

/* Eight in a row make a better start than the first hole that comes. */
static uint32_t byte_find(const struct ext2 *fs, const uint8_t *map, const uint8_t *held, uint32_t from, uint32_t to)
{
	for (uint32_t byte = (from + 7) / 8; byte < to / 8; byte++)
		if (map[byte] == 0 && (!held || (held[byte] | held[fs->block_bytes + byte]) == 0))
			return byte * 8;
	return to;
}

static uint32_t start_find(const struct ext2 *fs, const uint8_t *map, const uint8_t *held, uint32_t goal, uint32_t end)
{
	uint32_t bit;
	if (goal < end && bit_find(fs, map, held, goal, goal + 1) == goal)
		return goal;
	if ((bit = byte_find(fs, map, held, goal, end)) < end || (bit = byte_find(fs, map, held, 0, end)) < end)
		return bit;
	if ((bit = bit_find(fs, map, held, goal < end ? goal : 0, end)) < end)
		return bit;
	return bit_find(fs, map, held, 0, end);
}

static bool range_is_data(const struct ext2 *fs, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!ext2_block_is_data(fs, first + i))
			return false;
	return true;
}

/* 1: allocated. 0: this group has nothing for us. */
static int group_alloc(struct ext2 *fs, uint32_t group, uint32_t goal, uint32_t want, uint32_t *first, uint32_t *got)
{
	struct group *g = &fs->groups[group];
	struct buf b;
	uint32_t end = group_blocks(fs, group), count = 1;
	int r = buf_get(fs, g->block_bitmap, CACHE_WRITE, &b);
	if (r)
		return r;
	uint32_t bit = start_find(fs, b.data, g->held_blocks, goal, end);
	while (bit < end && count < want && bit + count < end &&
	       bit_find(fs, b.data, g->held_blocks, bit + count, bit + count + 1) == bit + count)
		count++;
	*first = group_first_block(fs, group) + bit;
	*got = count;
	r = bit >= end ? 0 : range_is_data(fs, *first, count) ? 1 :
		ext2_damaged(fs, "the bitmap of group %u says that block %u is free, which holds metadata", group, *first);
	for (uint32_t i = 0; r == 1 && i < count; i++)
		bit_set(b.data, bit + i);
	if (r == 1) {
		buf_dirty(fs, &b);
		blocks_count(fs, group, -(int32_t)count);
	}
	buf_put(&b);
	return r;
}

int blocks_alloc(struct ext2 *fs, uint32_t goal, uint32_t want, uint32_t *first, uint32_t *got)
{
	uint32_t base = fs->super.first_data_block, per = fs->super.blocks_per_group;
	if (goal < base || goal >= fs->super.blocks_count)
		goal = base;
	uint32_t home = (goal - base) / per;
	for (uint32_t i = 0; i < fs->nr_groups; i++) {
		uint32_t group = (home + i) % fs->nr_groups;
		if (!fs->groups[group].free_blocks)
			continue;
		int r = group_alloc(fs, group, i ? 0 : (goal - base) % per, want, first, got);
		if (r)
			return r < 0 ? r : 0;
	}
	return -ENOSPC;
}

static int group_free(struct ext2 *fs, uint32_t group, uint32_t bit, uint32_t count)
{
	struct group *g = &fs->groups[group];
	struct buf b;
	int r = buf_get(fs, g->block_bitmap, CACHE_WRITE, &b);
	if (r)
		return r;
	for (uint32_t i = 0; i < count && !r; i++) {
		if (!bit_get(b.data, bit + i)) {
			r = ext2_damaged(fs, "block %u is freed twice", group_first_block(fs, group) + bit + i);
			break;
		}
		bit_clear(b.data, bit + i);
		held_add(fs, &g->held_blocks, bit + i);
		blocks_count(fs, group, 1);
	}
	buf_dirty(fs, &b);
	buf_put(&b);
	return r;
}

int blocks_free(struct ext2 *fs, uint32_t first, uint32_t count)
{
	uint32_t base = fs->super.first_data_block, per = fs->super.blocks_per_group;
	while (count) {
		uint32_t group = (first - base) / per, bit = (first - base) % per;
		uint32_t part = count < per - bit ? count : per - bit;
		int r = group_free(fs, group, bit, part);
		if (r)
			return r;
		first += part;
		count -= part;
	}
	return 0;
}

int block_in_use(struct ext2 *fs, uint32_t block)
{
	uint32_t base = fs->super.first_data_block, per = fs->super.blocks_per_group;
	struct buf b;
	int r = buf_get(fs, fs->groups[(block - base) / per].block_bitmap, CACHE_READ, &b);
	if (r)
		return r;
	r = bit_get(b.data, (block - base) % per);
	buf_put(&b);
	return r;
}

/* ---- inode numbers --------------------------------------------------------------------------------------------- */

static void inodes_count(struct ext2 *fs, uint32_t group, bool dir, int freed)
{
	struct group *g = &fs->groups[group];
	if (freed > 0 || g->free_inodes)
		g->free_inodes += (uint32_t)freed;
	if (freed > 0 || fs->super.free_inodes)
		fs->super.free_inodes += (uint32_t)freed;
	if (dir && (freed < 0 || g->used_dirs))
		g->used_dirs -= (uint32_t)freed;
	g->dirty = fs->counts_dirty = true;
}

/* A directory of the root goes where much is free and few directories are. */
static uint32_t group_for_top(const struct ext2 *fs)
{
	uint32_t best = 0, mean_inodes = fs->super.free_inodes / fs->nr_groups, mean_blocks = fs->super.free_blocks / fs->nr_groups;
	bool found = false;
	for (uint32_t i = 0; i < fs->nr_groups; i++) {
		const struct group *g = &fs->groups[i];
		if (!g->free_inodes || g->free_inodes < mean_inodes || g->free_blocks < mean_blocks)
			continue;
		if (!found || g->used_dirs < fs->groups[best].used_dirs)
			best = i;
		found = true;
	}
	return best;
}

static uint32_t group_for(const struct ext2 *fs, uint32_t parent, bool dir)
{
	uint32_t home = (parent - 1) / fs->super.inodes_per_group;
	if (dir && parent == EXT2_ROOT_INO)
		return group_for_top(fs);
	if (!dir)
		return home;
	uint32_t least = fs->super.free_blocks / fs->nr_groups / 4;
	for (uint32_t i = 0; i < fs->nr_groups; i++) {
		uint32_t group = (home + i) % fs->nr_groups;
		if (fs->groups[group].free_inodes && fs->groups[group].free_blocks >= least)
			return group;
	}
	return home;
}

static int group_ino_alloc(struct ext2 *fs, uint32_t group, bool dir, uint32_t *ino)
{
	struct group *g = &fs->groups[group];
	struct buf b;
	int r = buf_get(fs, g->inode_bitmap, CACHE_WRITE, &b);
	if (r)
		return r;
	uint32_t end = fs->super.inodes_per_group, from = group == 0 ? fs->first_ino - 1 : 0;
	uint32_t bit = bit_find(fs, b.data, g->held_inodes, from < end ? from : end, end);
	if (bit < end) {
		bit_set(b.data, bit);
		buf_dirty(fs, &b);
		inodes_count(fs, group, dir, -1);
		*ino = group * fs->super.inodes_per_group + bit + 1;
	}
	buf_put(&b);
	return bit < end;
}

int ino_alloc(struct ext2 *fs, uint32_t parent, bool dir, uint32_t *ino)
{
	uint32_t start = group_for(fs, parent, dir);
	for (uint32_t i = 0; i < fs->nr_groups; i++) {
		uint32_t group = (start + i) % fs->nr_groups;
		if (!fs->groups[group].free_inodes)
			continue;
		int r = group_ino_alloc(fs, group, dir, ino);
		if (r)
			return r < 0 ? r : 0;
	}
	return -ENOSPC;
}

int ino_free(struct ext2 *fs, uint32_t ino, bool dir)
{
	uint32_t group = (ino - 1) / fs->super.inodes_per_group, bit = (ino - 1) % fs->super.inodes_per_group;
	struct group *g = &fs->groups[group];
	struct buf b;
	int r = buf_get(fs, g->inode_bitmap, CACHE_WRITE, &b);
	if (r)
		return r;
	if (!bit_get(b.data, bit)) {
		r = ext2_damaged(fs, "inode %u is freed twice", ino);
	} else {
		bit_clear(b.data, bit);
		buf_dirty(fs, &b);
		held_add(fs, &g->held_inodes, bit);
		inodes_count(fs, group, dir, 1);
	}
	buf_put(&b);
	return r;
}

int ino_in_use(struct ext2 *fs, uint32_t ino)
{
	uint32_t group = (ino - 1) / fs->super.inodes_per_group;
	struct buf b;
	int r = buf_get(fs, fs->groups[group].inode_bitmap, CACHE_READ, &b);
	if (r)
		return r;
	r = bit_get(b.data, (ino - 1) % fs->super.inodes_per_group);
	buf_put(&b);
	return r;
}

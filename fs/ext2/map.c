/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From blocks of a file to blocks of the disk: 12 direct pointers in the inode, then trees of one, two and three levels.
 *
 * A new table of pointers is on the disk, full of zeros, before anything points to it: were the power cut between the two, e2fsck would
 * find a file full of impossible blocks and clear it. A table is freed after what it points to, and every block is looked up in the
 * bitmap before it is read as a table while freeing: so damage that makes a tree point to itself ends at the second visit.
 */
#include <errno.h>
#include <string.h>

#include "ext2.h"

/* The way to a pointer: level 0 = in the inode; else block[slot[0]] is the top table, slot[1..] the indexes below. */
struct path { int level; uint32_t slot[4]; };

static int path_make(const struct ext2 *fs, uint64_t at, struct path *p)
{
	uint64_t ptrs = fs->ptrs, span = 1;
	if (at < EXT2_NDIR) {
		*p = (struct path){ .level = 0, .slot = { (uint32_t)at } };
		return 0;
	}
	at -= EXT2_NDIR;
	for (int level = 1; level <= 3; level++) {
		span *= ptrs;
		if (at < span) {
			*p = (struct path){ .level = level, .slot = { (uint32_t)(EXT2_NDIR + level - 1) } };
			for (int i = level; i > 0; i--, at /= ptrs)
				p->slot[i] = (uint32_t)(at % ptrs);
			return 0;
		}
		at -= span;
	}
	return -EFBIG;
}

static int pointer_check(const struct inode *n, uint32_t block)
{
	if (!block || ext2_block_is_data(n->fs, block))
		return 0;
	return ext2_damaged(n->fs, "inode %u points to block %u, which cannot be", n->ino, block);
}

/* How many slots from the first on are alike: blocks one behind the other, or all holes. */
static uint32_t run_length(const uint32_t *slots, uint32_t room, uint32_t want)
{
	uint32_t count = 1, max = room < want ? room : want;
	while (count < max && slots[count] == (slots[0] ? slots[0] + count : 0))
		count++;
	return count;
}

/* Blocks missing behind `at` when the table at depth `depth` of the path is missing. */
static uint32_t hole_length(const struct ext2 *fs, const struct path *p, int depth, uint32_t want)
{
	uint64_t span = 1, inside = 0;
	for (int i = p->level; i >= depth; i--) {
		inside += p->slot[i] * span;
		span *= fs->ptrs;
	}
	return span - inside < want ? (uint32_t)(span - inside) : want;
}

static int run_checked(const struct inode *n, const uint32_t *slots, uint32_t room, uint32_t want, uint32_t *block, uint32_t *count)
{
	uint32_t c = run_length(slots, room, want);
	int r = pointer_check(n, slots[0]);
	if (!r && slots[0] && c > 1)
		r = pointer_check(n, slots[0] + c - 1);
	*block = slots[0];
	*count = c;
	return r;
}

int map_find(struct inode *n, uint64_t at, uint32_t want, uint32_t *block, uint32_t *count)
{
	struct ext2 *fs = n->fs;
	struct path p;
	struct buf b;
	int r = path_make(fs, at, &p);
	if (r)
		return r;
	if (p.level == 0)
		return run_checked(n, &n->block[at], EXT2_NDIR - (uint32_t)at, want, block, count);
	uint32_t table = n->block[p.slot[0]];
	for (int i = 1; ; i++) {
		if (!table) {
			*block = 0;
			*count = hole_length(fs, &p, i, want);
			return 0;
		}
		if ((r = pointer_check(n, table)) || (r = buf_get(fs, table, CACHE_READ, &b)))
			return r;
		const uint32_t *slots = (const uint32_t *)(const void *)b.data + p.slot[i];
		if (i == p.level)
			r = run_checked(n, slots, fs->ptrs - p.slot[i], want, block, count);
		else
			table = *slots;
		buf_put(&b);
		if (r || i == p.level)
			return r;
	}
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

enum { NEAR_BYTES = 32768 };

static uint32_t inode_group(const struct inode *n) { return (n->ino - 1) / n->fs->super.inodes_per_group; }

/* Different starts keep files that grow at the same time apart. */
static uint32_t goal_apart(const struct inode *n)
{
	uint32_t group = inode_group(n);
	return group_first_block(n->fs, group) + n->ino % 16 * (group_blocks(n->fs, group) / 16);
}

/* Small files behind each other, as they are made: they are written back together, and read together as a rule. */
static uint32_t goal_near(const struct inode *n)
{
	uint32_t group = inode_group(n), first = group_first_block(n->fs, group), next = n->fs->groups[group].next_near;
	return next >= first && next < first + group_blocks(n->fs, group) ? next : first;
}

/* A file that began small and goes on growing meets the next small one soon: then it moves to where there is room. */
static bool goal_is_lost(const struct inode *n)
{
	return n->began_near && n->goal < n->fs->super.blocks_count && block_in_use(n->fs, n->goal) == 1;
}

static uint32_t goal_of(struct inode *n, uint32_t want)
{
	if (n->goal && !goal_is_lost(n))
		return n->goal;
	for (int i = EXT2_NDIR - 1; i >= 0 && !n->goal; i--)
		if (n->block[i])
			return n->block[i] + 1;
	n->began_near = !n->goal && (uint64_t)want * n->fs->block_bytes <= NEAR_BYTES;
	return n->began_near ? goal_near(n) : goal_apart(n);
}

static int take(struct inode *n, uint32_t want, uint32_t *first, uint32_t *got)
{
	int r = blocks_alloc(n->fs, goal_of(n, want), want, first, got);
	if (r)
		return r;
	n->goal = *first + *got;
	n->sectors += *got * (n->fs->block_bytes / 512);
	if (n->began_near)
		n->fs->groups[inode_group(n)].next_near = n->goal;
	return 0;
}

static int blocks_drop(struct inode *n, uint32_t first, uint32_t count)
{
	uint32_t sectors = count * (n->fs->block_bytes / 512);
	n->sectors -= sectors < n->sectors ? sectors : n->sectors;
	return blocks_free(n->fs, first, count);
}

static int table_drop(struct inode *n, uint32_t table)
{
	cache_forget_blocks(n->fs->dev, (uint64_t)table * n->fs->block_bytes, n->fs->block_bytes);
	return blocks_drop(n, table, 1);
}

static int table_new(struct inode *n, uint32_t *table)
{
	struct buf b;
	uint32_t got;
	int r = take(n, 1, table, &got);
	if (r)
		return r;
	if (!(r = buf_new(n->fs, *table, &b))) {
		buf_put(&b);
		r = buf_write_now(n->fs, *table);
	}
	if (r)
		table_drop(n, *table);
	return r;
}

/* The table at slots[slot] of `parent` (0: of the inode), made if it is missing. */
static int table_below(struct inode *n, uint32_t parent, uint32_t slot, uint32_t *table)
{
	struct buf b;
	int r = 0;
	if (parent) {
		if ((r = buf_get(n->fs, parent, CACHE_READ, &b)))
			return r;
		*table = ((uint32_t *)(void *)b.data)[slot];
		buf_put(&b);
	} else {
		*table = n->block[slot];
	}
	if (*table)
		return pointer_check(n, *table);
	if ((r = table_new(n, table)))
		return r;
	if (!parent) {
		n->block[slot] = *table;
		return 0;
	}
	if ((r = buf_get(n->fs, parent, CACHE_WRITE, &b))) {
		table_drop(n, *table);
		return r;
	}
	((uint32_t *)(void *)b.data)[slot] = *table;
	buf_dirty(n->fs, &b);
	buf_put(&b);
	return 0;
}

/* Fill the holes that begin at slots[0], at most `want`. */
static int holes_fill(struct inode *n, uint32_t *slots, uint32_t room, uint32_t want, uint32_t *block, uint32_t *count, bool *fresh)
{
	int r = run_checked(n, slots, room, want, block, count);
	*fresh = false;
	if (r || *block)
		return r;
	uint32_t holes = *count;
	if ((r = take(n, holes, block, count)))
		return r;
	for (uint32_t i = 0; i < *count; i++)
		slots[i] = *block + i;
	*fresh = true;
	return 0;
}

int map_make(struct inode *n, uint64_t at, uint32_t want, uint32_t *block, uint32_t *count, bool *fresh)
{
	struct path p;
	struct buf b;
	uint32_t table = 0;
	int r = path_make(n->fs, at, &p);
	if (r)
		return r;
	if (p.level == 0)
		return holes_fill(n, &n->block[at], EXT2_NDIR - (uint32_t)at, want, block, count, fresh);
	for (int i = 0; i < p.level; i++)
		if ((r = table_below(n, table, p.slot[i], &table)))
			return r;
	if ((r = buf_get(n->fs, table, CACHE_WRITE, &b)))
		return r;
	uint32_t slot = p.slot[p.level];
	r = holes_fill(n, (uint32_t *)(void *)b.data + slot, n->fs->ptrs - slot, want, block, count, fresh);
	if (!r && *fresh)
		buf_dirty(n->fs, &b);
	buf_put(&b);
	return r;
}

/* ---- freeing --------------------------------------------------------------------------------------------------- */

/* Directories and links have their contents in the cache of metadata. */
static int run_free(struct inode *n, uint32_t first, uint32_t count)
{
	if (!inode_is_reg(n))
		cache_forget_blocks(n->fs->dev, (uint64_t)first * n->fs->block_bytes, (uint64_t)count * n->fs->block_bytes);
	return blocks_drop(n, first, count);
}

/* Slots [from, to) of an array become holes. Blocks behind each other go together. */
static int slots_free(struct inode *n, uint32_t *slots, uint32_t from, uint32_t to)
{
	while (from < to) {
		uint32_t block, count;
		int r = run_checked(n, &slots[from], to - from, to - from, &block, &count);
		if (r)
			return r;
		memset(&slots[from], 0, count * sizeof *slots);
		if (block && (r = run_free(n, block, count)))
			return r;
		from += count;
	}
	return 0;
}

/* What a table covers: `level` levels above the blocks, the first of which is block `base` of the file; [from, to) is to go. */
struct range { int level; uint64_t base, from, to; };

static int tree_free(struct inode *n, uint32_t *slot, const struct range *g);

static int table_free_part(struct inode *n, struct buf *b, const struct range *g, uint64_t step)
{
	uint32_t *slots = (uint32_t *)(void *)b->data;
	uint64_t first = g->from > g->base ? (g->from - g->base) / step : 0;
	uint64_t last = (g->to - g->base + step - 1) / step;
	if (last > n->fs->ptrs)
		last = n->fs->ptrs;
	if (g->level == 1)
		return slots_free(n, slots, (uint32_t)first, (uint32_t)last);
	for (uint64_t i = first; i < last; i++) {
		struct range below = { g->level - 1, g->base + i * step, g->from, g->to };
		int r = tree_free(n, &slots[i], &below);
		if (r)
			return r;
	}
	return 0;
}

static int tree_free(struct inode *n, uint32_t *slot, const struct range *g)
{
	struct ext2 *fs = n->fs;
	uint64_t step = 1;
	struct buf b;
	if (!*slot)
		return 0;
	for (int i = 1; i < g->level; i++)
		step *= fs->ptrs;
	bool whole = g->from <= g->base && g->to >= g->base + step * fs->ptrs;
	uint32_t table = *slot;
	int r = pointer_check(n, table);
	if (r || (r = block_in_use(fs, table)) < 0)
		return r;
	if (!r)
		return ext2_damaged(fs, "inode %u points to the free block %u", n->ino, table);
	if ((r = buf_get(fs, table, CACHE_WRITE, &b)))
		return r;
	r = table_free_part(n, &b, g, step);
	buf_dirty(fs, &b);
	buf_put(&b);
	if (r || !whole)
		return r;
	*slot = 0;
	return table_drop(n, table);
}

int map_free(struct inode *n, uint64_t from, uint64_t to)
{
	uint64_t base = EXT2_NDIR, span = 1, p = n->fs->ptrs, all = EXT2_NDIR + p + p * p + p * p * p;
	n->run.count = 0;
	if (to > all)
		to = all;
	if (from < EXT2_NDIR) {
		int r = slots_free(n, n->block, (uint32_t)from, to < EXT2_NDIR ? (uint32_t)to : EXT2_NDIR);
		if (r)
			return r;
	}
	for (int level = 1; level <= 3; level++) {
		span *= n->fs->ptrs;
		struct range g = { level, base, from, to };
		if (from < base + span && to > base) {
			int r = tree_free(n, &n->block[EXT2_NDIR + level - 1], &g);
			if (r)
				return r;
		}
		base += span;
	}
	n->goal = 0;
	return 0;
}

/* ---- for the cache --------------------------------------------------------------------------------------------- */

/*
 * map_find() for one who goes through the file: as many blocks as lie behind each other are looked up at once and kept until the map
 * changes. A hole is not kept: a page of it may be given a place at any time.
 */
static int run_find(struct inode *n, uint64_t at, uint32_t want, uint32_t *block, uint32_t *count)
{
	enum { RUN_MAX = 128 };
	struct map_run *run = &n->run;
	if (at < run->at || at - run->at >= run->count) {
		run->count = 0;
		int r = map_find(n, at, RUN_MAX, block, count);
		if (r || !*block) {
			*count = *count < want ? *count : want;
			return r;
		}
		*run = (struct map_run){ .at = at, .block = *block, .count = *count };
	}
	uint32_t in_run = (uint32_t)(at - run->at), left = run->count - in_run;
	*block = run->block + in_run;
	*count = left < want ? left : want;
	return 0;
}

int map_file_page(struct cache_file *f, uint64_t index, uint64_t pos[CACHE_BLOCKS_MAX])
{
	struct inode *n = (struct inode *)f;
	uint32_t bytes = n->fs->block_bytes, per = CACHE_PAGE / bytes;
	uint64_t end = (n->size + bytes - 1) / bytes;
	for (uint32_t i = 0; i < per; ) {
		uint64_t at = index * per + i;
		uint32_t block = 0, count = 1;
		int r = at < end ? run_find(n, at, per - i, &block, &count) : 0;
		if (r)
			return r;
		for (uint32_t k = 0; k < count; k++, i++, at++)
			if (!block || at >= end || (at >= n->fresh_from && at < n->fresh_to))
				pos[i] = CACHE_HOLE;
			else
				pos[i] = (uint64_t)(block + k) * bytes;
	}
	return 0;
}

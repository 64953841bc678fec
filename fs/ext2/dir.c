/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories: blocks of entries, searched from the front, or where a table in memory says (dir_index.c). An index on the disk (dir_index)
 * lies in what looks like free space to such a search, so indexed directories are read like others; before the first change the flag is
 * taken away, and from then on the directory is a plain one.
 *
 * Each block is checked as a whole before it is used, once as long as it stays in the cache and nobody else takes it for writing; nothing
 * behind the first bad entry is looked at. A new block is on the disk, empty, before the inode points to it: what lay there before may
 * look like entries.
 */
#include <errno.h>
#include <string.h>

#include "ext2.h"

enum { NAME_USUAL = 32 };	/* bytes of an entry, to begin with */
static const uint8_t type_of_mode[16] = { [1] = 5, [2] = 3, [4] = 2, [6] = 4, [8] = 1, [10] = 7, [12] = 6 };
static const uint8_t mode_of_type[8] = { 0, 8, 4, 2, 6, 1, 12, 10 };

static uint32_t entry_bytes(uint32_t name_len) { return (EXT2_DIRENT_HEAD + name_len + 3) & ~3u; }

static struct ext2_dirent *entry_at(struct buf *b, uint32_t offset) { return (struct ext2_dirent *)(void *)(b->data + offset); }

static int block_check(const struct inode *dir, struct buf *b)
{
	struct ext2 *fs = dir->fs;
	if (b->known)
		return 0;
	for (uint32_t at = 0; at < fs->block_bytes; ) {
		const struct ext2_dirent *e = entry_at(b, at);
		bool fits = at + EXT2_DIRENT_HEAD <= fs->block_bytes && e->rec_len >= EXT2_DIRENT_HEAD && e->rec_len % 4 == 0 &&
			e->rec_len <= fs->block_bytes - at;
		if (!fits || (e->inode && (entry_bytes(e->name_len) > e->rec_len || e->inode > fs->super.inodes_count || !e->name_len)))
			return ext2_damaged(fs, "directory %u has a bad entry in block %u at byte %u", dir->ino, b->block, at);
		at += e->rec_len;
	}
	buf_know(fs, b);
	return 0;
}

/* After a change that leaves good what was: the block need not be checked again. */
static void block_dirty(struct ext2 *fs, struct buf *b)
{
	buf_dirty(fs, b);
	if (b->known)
		buf_know(fs, b);
}

static uint64_t dir_blocks(const struct inode *dir) { return dir->size / dir->fs->block_bytes; }

/* Block `at` of the directory, checked. */
static int dir_block(struct inode *dir, uint64_t at, unsigned flags, struct buf *b)
{
	uint32_t block, count;
	int r = map_find(dir, at, 1, &block, &count);
	if (r)
		return r;
	if (!block)
		return ext2_damaged(dir->fs, "directory %u has a hole at block %llu", dir->ino, (unsigned long long)at);
	if ((r = buf_get(dir->fs, block, flags, b)))
		return r;
	if ((r = block_check(dir, b)))
		buf_put(b);
	return r;
}

/* ---- finding --------------------------------------------------------------------------------------------------- */

static bool block_find(struct inode *dir, struct buf *b, const struct fs_name *name, struct dir_slot *slot)
{
	uint32_t prev = 0, step;
	for (uint32_t at = 0; at < dir->fs->block_bytes; prev = at, at += step) {
		const struct ext2_dirent *e = entry_at(b, at);
		step = e->rec_len;
		if (e->inode && e->name_len == name->len && !memcmp(e->name, name->name, name->len)) {
			slot->ino = e->inode;
			slot->block = b->block;
			slot->offset = (uint16_t)at;
			slot->prev = (uint16_t)prev;
			slot->type = dir->fs->has_filetype ? e->type : 0;
			return true;
		}
	}
	return false;
}

/* 0, -ENOENT: not in this block, or an error. */
static int find_in(struct inode *dir, uint64_t at, const struct fs_name *name, struct dir_slot *slot)
{
	struct buf b;
	int r = dir_block(dir, at, CACHE_READ, &b);
	if (r)
		return r;
	bool found = block_find(dir, &b, name, slot);
	buf_put(&b);
	slot->at = at;
	return found ? 0 : -ENOENT;
}

static int find_anywhere(struct inode *dir, const struct fs_name *name, struct dir_slot *slot)
{
	uint64_t blocks = dir_blocks(dir);
	int r = -ENOENT;
	for (uint64_t at = 0; at < blocks && r == -ENOENT; at++)
		r = find_in(dir, at, name, slot);
	return r;
}

static int find_indexed(struct inode *dir, const struct fs_name *name, struct dir_slot *slot)
{
	uint32_t hash = dir_hash(name->name, name->len), probe = 0;
	uint64_t at;
	int r = -ENOENT;
	while (r == -ENOENT && dir_index_next(dir->index, hash, &probe, &at))
		r = find_in(dir, at, name, slot);
	return r;
}

static void block_index(struct inode *dir, struct buf *b, uint64_t at, struct dir_index **x)
{
	uint32_t step;
	for (uint32_t i = 0; i < dir->fs->block_bytes && *x; i += step) {
		const struct ext2_dirent *e = entry_at(b, i);
		step = e->rec_len;
		if (e->inode)
			dir_index_add(dir->fs, x, dir_hash(e->name, e->name_len), at);
	}
}

/* It waits, and others who search may do the same meanwhile; nobody changes the directory. Where it fails there is none. */
static void index_make(struct inode *dir)
{
	uint64_t blocks = dir_blocks(dir);
	struct dir_index *x = dir_index_new(dir->fs, (uint32_t)(dir->size / NAME_USUAL));
	for (uint64_t at = 0; at < blocks && x; at++) {
		struct buf b;
		if (dir_block(dir, at, CACHE_READ, &b)) {
			dir_index_drop(dir->fs, &x);
			break;
		}
		block_index(dir, &b, at, &x);
		buf_put(&b);
	}
	dir->index_failed = !x;
	if (!dir->index)
		dir->index = x;
	else
		dir_index_drop(dir->fs, &x);
}

int dir_find(struct inode *dir, const struct fs_name *name, struct dir_slot *slot)
{
	if (!dir->index && !dir->index_failed && dir_blocks(dir) > 1)
		index_make(dir);
	return dir->index ? find_indexed(dir, name, slot) : find_anywhere(dir, name, slot);
}

int dir_parent(struct inode *dir, uint32_t *parent, struct dir_slot *slot)
{
	static const struct fs_name dots = { "..", 2 };
	struct buf b;
	int r = dir_block(dir, 0, CACHE_READ, &b);
	if (r)
		return r;
	bool found = block_find(dir, &b, &dots, slot);
	slot->at = 0;
	buf_put(&b);
	if (!found)
		return ext2_damaged(dir->fs, "directory %u has no entry '..'", dir->ino);
	*parent = slot->ino;
	return 0;
}

static bool is_dots(const struct ext2_dirent *e)
{
	return e->name[0] == '.' && (e->name_len == 1 || (e->name_len == 2 && e->name[1] == '.'));
}

int dir_is_empty(struct inode *dir)
{
	uint64_t blocks = dir_blocks(dir);
	bool empty = true;
	for (uint64_t i = 0; i < blocks && empty; i++) {
		struct buf b;
		int r = dir_block(dir, i, CACHE_READ, &b);
		if (r)
			return r;
		for (uint32_t at = 0; at < dir->fs->block_bytes && empty; at += entry_at(&b, at)->rec_len) {
			const struct ext2_dirent *e = entry_at(&b, at);
			empty = !e->inode || is_dots(e);
		}
		buf_put(&b);
	}
	return empty;
}

/* ---- changing -------------------------------------------------------------------------------------------------- */

static int change_begin(struct inode *dir)
{
	if (!(dir->flags & EXT2_FL_INDEX))
		return 0;
	dir->flags &= ~(uint32_t)EXT2_FL_INDEX;
	return inode_store(dir);
}

static void entry_write(const struct ext2 *fs, struct ext2_dirent *e, uint32_t rec_len, uint32_t ino, uint32_t mode,
			const struct fs_name *name)
{
	e->inode = ino;
	e->rec_len = (uint16_t)rec_len;
	e->name_len = (uint8_t)name->len;
	e->type = fs->has_filetype ? type_of_mode[mode >> 12 & 15] : 0;
	memcpy(e->name, name->name, name->len);
}

/* Room in an entry that is free, or behind the name of one that is longer than it needs. */
static bool block_add(const struct ext2 *fs, struct buf *b, const struct fs_name *name, uint32_t ino, uint32_t mode)
{
	uint32_t need = entry_bytes((uint32_t)name->len), step;
	for (uint32_t at = 0; at < fs->block_bytes; at += step) {
		struct ext2_dirent *e = entry_at(b, at);
		uint32_t used = e->inode ? entry_bytes(e->name_len) : 0;
		step = e->rec_len;
		if (step - used < need)
			continue;
		if (used)
			e->rec_len = (uint16_t)used;
		entry_write(fs, entry_at(b, at + used), step - used, ino, mode, name);
		return true;
	}
	return false;
}

/* A block with one free entry over all of it, already on the disk; not yet part of the directory. */
static int block_prepare(struct inode *dir, uint32_t block, uint32_t parent)
{
	struct ext2 *fs = dir->fs;
	struct buf b;
	int r = buf_new(fs, block, &b);
	if (r)
		return r;
	uint32_t at = 0;
	if (parent) {
		entry_write(fs, entry_at(&b, 0), 12, dir->ino, MODE_DIR, &(struct fs_name){ ".", 1 });
		entry_write(fs, entry_at(&b, 12), fs->block_bytes - 12, parent, MODE_DIR, &(struct fs_name){ "..", 2 });
	} else {
		entry_at(&b, at)->rec_len = (uint16_t)fs->block_bytes;
	}
	buf_dirty(fs, &b);
	buf_put(&b);
	return buf_write_now(fs, block);
}

/*
 * A further block. The pointer to it is made first, in the cache; should that pointer reach the disk before the block does and the power
 * fail just then, the block's old contents would be taken for entries. So the block is written before the pointer can be: nothing
 * waits in between but the writing itself, and the inode is stored after it.
 */
static int dir_grow(struct inode *dir, uint32_t parent)
{
	uint32_t block, count;
	bool fresh;
	uint64_t at = dir_blocks(dir);
	if (dir->size + dir->fs->block_bytes > INT32_MAX)
		return -ENOSPC;
	int r = map_make(dir, at, 1, &block, &count, &fresh);
	if (r)
		return r;
	if ((r = block_prepare(dir, block, parent))) {
		map_free(dir, at, at + 1);
		return r;
	}
	dir->size += dir->fs->block_bytes;
	return inode_store(dir);
}

int dir_init(struct inode *dir, uint32_t parent) { return dir_grow(dir, parent); }

static int try_block(struct inode *dir, uint64_t at, const struct fs_name *name, uint32_t ino, uint32_t mode)
{
	struct buf b;
	int r = dir_block(dir, at, CACHE_WRITE, &b);
	if (r)
		return r;
	r = block_add(dir->fs, &b, name, ino, mode) ? 0 : -EAGAIN;
	if (!r)
		block_dirty(dir->fs, &b);
	else
		buf_know(dir->fs, &b);
	buf_put(&b);
	if (!r)
		dir_index_add(dir->fs, &dir->index, dir_hash(name->name, name->len), at);
	return r;
}

int dir_add(struct inode *dir, const struct fs_name *name, uint32_t ino, uint32_t mode)
{
	int r = change_begin(dir);
	for (uint64_t at = dir->dir_hint; !r && at < dir_blocks(dir); at++) {
		r = try_block(dir, at, name, ino, mode);
		if (r != -EAGAIN)
			return r;
		if (name->len <= 16)	/* a longer one may not have fitted where another would */
			dir->dir_hint = at + 1;
		r = 0;
	}
	if (r || (r = dir_grow(dir, 0)))
		return r;
	return try_block(dir, dir_blocks(dir) - 1, name, ino, mode);
}

int dir_remove(struct inode *dir, const struct dir_slot *slot)
{
	struct buf b;
	int r = change_begin(dir);
	if (r || (r = buf_get(dir->fs, slot->block, CACHE_WRITE, &b)))
		return r;
	struct ext2_dirent *e = entry_at(&b, slot->offset);
	dir_index_remove(dir->fs, &dir->index, dir_hash(e->name, e->name_len), slot->at);
	if (slot->offset == slot->prev)		/* the first of the block */
		e->inode = 0;
	else
		entry_at(&b, slot->prev)->rec_len += e->rec_len;
	block_dirty(dir->fs, &b);
	buf_put(&b);
	if (slot->at < dir->dir_hint)
		dir->dir_hint = slot->at;
	return 0;
}

int dir_set(struct inode *dir, const struct dir_slot *slot, uint32_t ino, uint32_t mode)
{
	struct buf b;
	int r = change_begin(dir);
	if (r || (r = buf_get(dir->fs, slot->block, CACHE_WRITE, &b)))
		return r;
	struct ext2_dirent *e = entry_at(&b, slot->offset);
	e->inode = ino;
	if (dir->fs->has_filetype)
		e->type = type_of_mode[mode >> 12 & 15];
	block_dirty(dir->fs, &b);
	buf_put(&b);
	return 0;
}

/* ---- listing --------------------------------------------------------------------------------------------------- */

/* A cookie is the byte offset of the next entry. 1: the buffer is full. */
static int block_list(struct inode *dir, struct buf *b, uint64_t base, uint64_t cookie, struct fs_dirlist *list)
{
	uint32_t step;
	for (uint32_t at = 0; at < dir->fs->block_bytes; at += step) {
		const struct ext2_dirent *e = entry_at(b, at);
		uint32_t mode = dir->fs->has_filetype && e->type < 8 ? (uint32_t)mode_of_type[e->type] << 12 : 0;
		step = e->rec_len;
		if (base + at < cookie || !e->inode)
			continue;
		if (!fs_dirlist_add(list, e->inode, mode, e->name, e->name_len, base + at + step))
			return 1;
	}
	return 0;
}

int dir_list(struct inode *dir, uint64_t cookie, struct fs_dirlist *list)
{
	uint32_t bytes = dir->fs->block_bytes;
	size_t before = list->used;
	uint64_t blocks = dir_blocks(dir);
	for (uint64_t at = cookie / bytes; at < blocks; at++) {
		struct buf b;
		int r = dir_block(dir, at, CACHE_READ, &b);
		if (r)
			return list->used > before ? 0 : r;
		r = block_list(dir, &b, at * bytes, cookie, list);
		buf_put(&b);
		if (r)
			return list->used > before ? 0 : -EINVAL;
	}
	return 0;
}

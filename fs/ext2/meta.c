/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of metadata (bitmaps, inode tables, indirect blocks, directories): pieces of the pages of the device's own cache file. */
#include <string.h>

#include "ext2.h"

static uint8_t buf_bit(const struct ext2 *fs, const struct buf *b)
{
	return (uint8_t)(1u << (size_t)(b->data - b->page->data) / fs->block_bytes);
}

int buf_get(struct ext2 *fs, uint32_t block, unsigned flags, struct buf *b)
{
	uint64_t pos = (uint64_t)block * fs->block_bytes;
	int r = cache_get(fs->meta, pos / CACHE_PAGE, flags | CACHE_NOTHROTTLE, &b->page);
	if (r)
		return r;
	b->data = b->page->data + pos % CACHE_PAGE;
	b->block = block;
	b->flags = flags | CACHE_NOTHROTTLE;
	b->known = b->page->marks & buf_bit(fs, b);
	if (flags & CACHE_WRITE)
		b->page->marks &= (uint8_t)~buf_bit(fs, b);
	return 0;
}

int buf_new(struct ext2 *fs, uint32_t block, struct buf *b)
{
	unsigned flags = CACHE_WRITE | (fs->block_bytes == CACHE_PAGE ? CACHE_OVERWRITE : 0u);
	int r = buf_get(fs, block, flags, b);
	if (r)
		return r;
	memset(b->data, 0, fs->block_bytes);
	buf_dirty(fs, b);
	return 0;
}

void buf_know(const struct ext2 *fs, struct buf *b)
{
	uint32_t mine = b->flags & CACHE_WRITE ? 1 : 0;
	b->known = true;
	if (b->page->writers == mine)
		b->page->marks |= buf_bit(fs, b);
}

void buf_dirty(struct ext2 *fs, struct buf *b)
{
	cache_dirty(b->page, (size_t)(b->data - b->page->data), fs->block_bytes);
}

void buf_put(struct buf *b)
{
	cache_put(b->page, b->flags);
	b->page = NULL;
}

int buf_write_now(struct ext2 *fs, uint32_t block)
{
	return cache_sync_range(fs->meta, (uint64_t)block * fs->block_bytes, fs->block_bytes);
}

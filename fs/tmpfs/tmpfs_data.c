/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contents of regular files: reading, writing, holes, size changes, pages for VM to map. Bytes move straight between the page here
 * and the asking process. A transfer that meets missing memory there ends early with what it has done, or with -ESOFTFAULT if that is
 * nothing, so that VFS can make the memory present and ask again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <abi/errno.h>

#include "tmpfs.h"

enum { FALLOC_KEEP_SIZE = 1, FALLOC_PUNCH_HOLE = 2, FALLOC_ZERO_RANGE = 16 };

static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }

static struct node *file_get(uint64_t id, int64_t *error)
{
	struct node *n = node_get(id);
	*error = !n ? -ESTALE : node_is_dir(n) ? -EISDIR : !node_is_reg(n) ? -EINVAL : 0;
	return n;
}

/* The page that holds byte `at`, or NULL for a hole. */
static uint8_t *file_page(struct node *n, uint64_t at)
{
	uintptr_t *slot = page_tree_slot(&n->pages, at / TMPFS_BLOCK, false);
	return slot && *slot ? page_slot_addr(*slot) : NULL;
}

static const uint8_t *page_there(void *file, uint64_t index) { return file_page(file, index * TMPFS_BLOCK); }

static int64_t hole_read(const struct fs_data *data, uint64_t done, uint64_t len)
{
	uint64_t part = fs_page_part(data->offset + done, len - done);
	int64_t r = fs_data_zero(data, done, part);
	return r ? r : (int64_t)part;
}

int64_t file_read(uint64_t id, const struct fs_data *data)
{
	int64_t r;
	struct node *n = file_get(id, &r);
	if (r)
		return r;
	if (data->offset >= n->size)
		return 0;
	uint64_t len = min_u64(data->len, n->size - data->offset), done = 0;
	struct fs_pieces pieces;
	while (done < len) {
		fs_pieces_gather(&pieces, data->offset + done, len - done, page_there, n);
		r = pieces.n ? fs_pieces_out(data, done, &pieces) : hole_read(data, done, len);
		if (r < 0)
			return done ? (int64_t)done : r;
		done += (uint64_t)r;
	}
	if (n->atime_ns <= n->mtime_ns || n->atime_ns <= n->ctime_ns)
		n->atime_ns = fs_now();
	return (int64_t)done;
}

/* A page for the file, within the limits of its instance; not yet entered. */
static uint8_t *file_page_alloc(struct node *n, bool zero)
{
	return n->instance->pages < n->instance->max_pages ? page_alloc(zero) : NULL;
}

static void file_page_enter(struct node *n, uintptr_t *slot, uint8_t *page)
{
	*slot = (uintptr_t)page;
	n->pages.count++;
	n->instance->pages++;
}

/* Where the bytes of a write come from: the asking process, or our own memory while unpacking. */
struct source { const struct fs_data *data; const uint8_t *own; };

static int64_t source_fetch(const struct source *s, uint64_t at, void *to, size_t len)
{
	if (s->data)
		return fs_data_in(s->data, at, to, len);
	memcpy(to, s->own + at, len);
	return 0;
}

/* Write within one page. A page made for it disappears again if the bytes cannot be fetched. */
static int64_t page_write(struct node *n, uint64_t at, const struct source *s, uint64_t done, size_t len)
{
	uintptr_t *slot = page_tree_slot(&n->pages, at / TMPFS_BLOCK, true);
	if (!slot)
		return -ENOSPC;
	bool fresh = *slot == 0;
	uint8_t *page = fresh ? file_page_alloc(n, len < TMPFS_BLOCK) : page_slot_addr(*slot);
	if (!page)
		return -ENOSPC;
	int64_t r = source_fetch(s, done, page + at % TMPFS_BLOCK, len);
	if (r && fresh)
		page_free(page, false);
	else if (fresh)
		file_page_enter(n, slot, page);
	return r;
}

static int64_t file_store(struct node *n, uint64_t offset, const struct source *s, uint64_t len)
{
	uint64_t done = 0;
	while (done < len) {
		uint64_t at = offset + done;
		uint64_t part = fs_page_part(at, len - done);
		int64_t r = page_write(n, at, s, done, part);
		if (r && !done)
			return r;
		if (r)
			break;
		done += part;
		if (offset + done > n->size)
			n->size = offset + done;
	}
	return (int64_t)done;
}

int64_t file_write(uint64_t id, const struct fs_data *data, uint64_t flags, struct fs_rep *rep)
{
	int64_t r;
	struct node *n = file_get(id, &r);
	if (r)
		return r;
	uint64_t offset = flags & FS_WRITE_APPEND ? n->size : data->offset;
	if (offset > INT64_MAX || data->len > (uint64_t)INT64_MAX - offset)
		return -EFBIG;
	struct source s = { .data = data };
	r = file_store(n, offset, &s, data->len);
	if (r > 0)
		n->mtime_ns = n->ctime_ns = fs_now();
	rep->offset = offset;
	rep->size = n->size;
	return r;
}

int64_t file_write_own(struct node *n, uint64_t offset, const void *from, size_t len)
{
	struct source s = { .own = from };
	return file_store(n, offset, &s, len);
}

void file_truncate_pages(struct node *n, uint64_t first)
{
	uint64_t before = n->pages.count;
	page_tree_truncate(&n->pages, first);
	n->instance->pages -= before - n->pages.count;
}

/* Bytes of the last page behind the new end must read as zeros if the file grows again. */
static void tail_zero(struct node *n, uint64_t size)
{
	uint8_t *page = size % TMPFS_BLOCK ? file_page(n, size) : NULL;
	if (page)
		memset(page + size % TMPFS_BLOCK, 0, TMPFS_BLOCK - size % TMPFS_BLOCK);
}

int64_t file_resize(struct node *n, uint64_t size)
{
	if (size > INT64_MAX)
		return -EFBIG;
	if (size < n->size) {
		uint64_t keep = (size + TMPFS_BLOCK - 1) / TMPFS_BLOCK;
		fs_forget_pages(n->id, keep);
		file_truncate_pages(n, keep);
		tail_zero(n, size);
	}
	n->size = size;
	n->mtime_ns = n->ctime_ns = fs_now();
	return 0;
}

int64_t file_getpage(uint64_t id, uint64_t page, int write, void **addr, uint64_t *valid)
{
	int64_t r;
	struct node *n = file_get(id, &r);
	(void)write;	/* the frame itself is shared, so a writer needs nothing else */
	if (r)
		return r;
	if (page >= (n->size + TMPFS_BLOCK - 1) / TMPFS_BLOCK)
		return -ENXIO;
	uintptr_t *slot = page_tree_slot(&n->pages, page, true);
	if (!slot)
		return -ENOSPC;
	if (!*slot) {
		uint8_t *fresh = file_page_alloc(n, true);
		if (!fresh)
			return -ENOSPC;
		file_page_enter(n, slot, fresh);
	}
	*(volatile uint8_t *)page_slot_addr(*slot);	/* make sure a frame is there for VM to find */
	*slot |= PAGE_EXPORTED;
	*addr = page_slot_addr(*slot);
	*valid = min_u64(n->size - page * TMPFS_BLOCK, TMPFS_BLOCK);
	return 0;
}

int64_t file_seek(uint64_t id, uint64_t offset, int whence, uint64_t *found)
{
	int64_t r;
	struct node *n = file_get(id, &r);
	if (r)
		return r;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (offset >= n->size)
		return -ENXIO;
	uint64_t page = offset / TMPFS_BLOCK;
	if (whence == SEEK_DATA) {
		page = page_tree_next(&n->pages, page);
		if (page == UINT64_MAX || page * TMPFS_BLOCK >= n->size)
			return -ENXIO;
	} else {
		while (page * TMPFS_BLOCK < n->size && page_tree_next(&n->pages, page) == page)
			page++;
	}
	uint64_t at = page * TMPFS_BLOCK;
	*found = at < offset ? offset : min_u64(at, n->size);
	return 0;
}

/* Is there room for what the file lacks of these pages? Asked first, so that a request that fails leaves nothing behind. */
static bool range_fits(struct node *n, uint64_t first, uint64_t last)
{
	const struct instance *i = n->instance;
	uint64_t room = min_u64(i->max_pages > i->pages ? i->max_pages - i->pages : 0, page_room()), there = 0;

	if (last - first < room)
		return true;
	for (uint64_t p = page_tree_next(&n->pages, first); p <= last; p = page_tree_next(&n->pages, p + 1))
		there++;
	return last - first + 1 - there <= room;
}

static int64_t range_allocate(struct node *n, uint64_t first, uint64_t last)
{
	if (!range_fits(n, first / TMPFS_BLOCK, last / TMPFS_BLOCK))
		return -ENOSPC;
	for (uint64_t page = first / TMPFS_BLOCK; page <= last / TMPFS_BLOCK; page++) {
		uintptr_t *slot = page_tree_slot(&n->pages, page, true);
		uint8_t *fresh = slot && !*slot ? file_page_alloc(n, true) : NULL;
		if (!slot || (!*slot && !fresh))
			return -ENOSPC;
		if (fresh)
			file_page_enter(n, slot, fresh);
	}
	return 0;
}

static void range_zero(struct node *n, uint64_t offset, uint64_t end)
{
	while (offset < end) {
		uint64_t part = fs_page_part(offset, end - offset);
		uint8_t *page = file_page(n, offset);
		if (page)
			memset(page + offset % TMPFS_BLOCK, 0, part);
		else	/* a whole run of holes may be skipped at once */
			part = min_u64(end, page_tree_next(&n->pages, offset / TMPFS_BLOCK) > UINT64_MAX / TMPFS_BLOCK ? end
				: page_tree_next(&n->pages, offset / TMPFS_BLOCK) * TMPFS_BLOCK) - offset;
		offset += part;
	}
}

int64_t file_fallocate(uint64_t id, uint64_t mode, uint64_t offset, uint64_t len, struct fs_attr *attr)
{
	int64_t r;
	struct node *n = file_get(id, &r);
	if (r)
		return r;
	if (len == 0)
		return -EINVAL;
	if (offset > INT64_MAX || len > (uint64_t)INT64_MAX - offset)
		return -EFBIG;
	if (mode & ~(uint64_t)(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_PUNCH_HOLE) && !(mode & FALLOC_KEEP_SIZE))
		return -EOPNOTSUPP;
	uint64_t end = offset + len;
	if (mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE))
		range_zero(n, offset, min_u64(end, n->size));
	if (!(mode & FALLOC_PUNCH_HOLE) && (r = range_allocate(n, offset, end - 1)))
		return r;
	if (!(mode & FALLOC_KEEP_SIZE) && end > n->size)
		n->size = end;
	n->mtime_ns = n->ctime_ns = fs_now();
	node_fill_attr(n, attr);
	return 0;
}

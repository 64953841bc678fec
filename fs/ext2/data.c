/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contents of regular files. They lie in the pages of the cache, which are the very pages that VM maps. A page's blocks get their place on
 * the disk when they are written, before the page is dirty, so that writing back never needs metadata.
 *
 * A write takes all the blocks that it will need at once where it can, so that they lie behind each other. Until each of them has
 * contents it is "fresh" (inode.fresh_from..to): the cache is told that it is a hole, and nobody reads what lay there before.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ext2.h"

enum { FALLOC_KEEP_SIZE = 1, FALLOC_PUNCH_HOLE = 2, FALLOC_ZERO_RANGE = 16 };

static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* The file, locked. */
static int file_get(uint64_t id, bool write, struct inode **out)
{
	struct ext2 *fs = ext2_mounted();
	int r = inode_get(fs, id, out);
	if (r)
		return r;
	if (!inode_is_reg(*out))
		r = inode_is_dir(*out) ? -EISDIR : -EINVAL;
	if (!r) {
		lock_get(&(*out)->lock, write);
		if (!write || !fs->readonly)
			return 0;
		lock_put(&(*out)->lock);
		r = -EROFS;
	}
	inode_put(*out);
	return r;
}

static void file_put(struct inode *n)
{
	lock_put(&n->lock);
	inode_put(n);
}

static void size_set(struct inode *n, uint64_t size)
{
	struct ext2 *fs = n->fs;
	n->size = n->file.size = size;
	if (size > INT32_MAX && !(fs->super.feature_ro_compat & EXT2_RO_LARGE_FILE)) {
		fs->super.feature_ro_compat |= EXT2_RO_LARGE_FILE;
		fs->counts_dirty = true;
	}
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static const uint8_t *page_there(void *file, uint64_t index) { return cache_peek(file, index); }

/* A page that has to be waited for. */
static int64_t page_read(struct inode *n, const struct fs_data *data, uint64_t done, uint64_t len)
{
	uint64_t at = data->offset + done, part = fs_page_part(at, len - done);
	struct cache_page *p;
	int64_t r = cache_get(&n->file, at / CACHE_PAGE, CACHE_READ, &p);
	if (r)
		return r;
	r = fs_data_out(data, done, p->data + at % CACHE_PAGE, part);
	cache_put(p, CACHE_READ);
	return r ? r : (int64_t)part;
}

static int64_t read_pages(struct inode *n, const struct fs_data *data, uint64_t len)
{
	uint64_t done = 0, first = data->offset / CACHE_PAGE;
	struct fs_pieces pieces;
	if (len)
		cache_ahead(&n->file, first, (data->offset + len - 1) / CACHE_PAGE - first + 1);
	while (done < len) {
		fs_pieces_gather(&pieces, data->offset + done, len - done, page_there, &n->file);
		int64_t r = pieces.n ? fs_pieces_out(data, done, &pieces) : page_read(n, data, done, len);
		if (r < 0)
			return done ? (int64_t)done : r;
		done += (uint64_t)r;
	}
	return (int64_t)done;
}

int64_t ext2_read(uint64_t node, const struct fs_data *data)
{
	struct inode *n;
	int64_t r = file_get(node, false, &n);
	if (r)
		return r;
	if (data->offset < n->size)
		r = read_pages(n, data, min_u64(data->len, n->size - data->offset));
	if (r > 0 && !n->fs->readonly && (n->atime_ns <= n->mtime_ns || n->atime_ns <= n->ctime_ns)) {
		n->atime_ns = fs_now();
		inode_store(n);
	}
	file_put(n);
	return r;
}

/* ---- placing --------------------------------------------------------------------------------------------------- */

static bool is_fresh(const struct inode *n, uint64_t at) { return at >= n->fresh_from && at < n->fresh_to; }

/* Where block `at`, which the page takes for a hole, is to go. `want` blocks will be asked for one after the other. */
static int place_find(struct inode *n, uint64_t at, uint32_t want, uint32_t *block)
{
	uint32_t count;
	bool fresh;
	if (is_fresh(n, at))
		return map_find(n, at, 1, block, &count);
	int r = map_make(n, at, want, block, &count, &fresh);
	if (!r && fresh) {
		n->fresh_from = at;
		n->fresh_to = at + count;
	}
	return r;
}

/* See that the bytes [from, from + len) of a page held for writing have places. `after`: blocks that will be written behind them. */
static int page_place(struct inode *n, struct cache_page *p, uint64_t from, uint64_t len, uint64_t after)
{
	uint32_t bytes = n->fs->block_bytes, first = (uint32_t)(from / bytes), last = (uint32_t)((from + len - 1) / bytes);
	for (uint32_t i = first; i <= last; i++) {
		uint64_t at = p->index * (CACHE_PAGE / bytes) + i;
		uint64_t want = min_u64(last - i + 1 + after, 1u << 16);
		uint32_t block;
		if (cache_position(p, i) != CACHE_HOLE)
			continue;
		int r = place_find(n, at, (uint32_t)want, &block);
		if (r)
			return r;
		cache_place(p, i, (uint64_t)block * bytes);
		cache_dirty(p, i * bytes, bytes);
		if (is_fresh(n, at))
			n->fresh_from = at + 1;
	}
	return 0;
}

/* Zero the bytes of the page of `size` behind `size`, and take the places of the blocks behind it. */
static int tail_zero(struct inode *n, uint64_t size, bool unplace)
{
	struct cache_page *p;
	uint32_t in_page = (uint32_t)(size % CACHE_PAGE), bytes = n->fs->block_bytes;
	if (!in_page)
		return 0;
	int r = cache_get(&n->file, size / CACHE_PAGE, CACHE_WRITE | CACHE_NOTHROTTLE, &p);
	if (r)
		return r;
	memset(p->data + in_page, 0, CACHE_PAGE - in_page);
	if (in_page % bytes && cache_position(p, in_page / bytes) != CACHE_HOLE)
		cache_dirty(p, in_page, bytes - in_page % bytes);
	for (uint32_t i = (in_page + bytes - 1) / bytes; unplace && i < CACHE_PAGE / bytes; i++)
		cache_place(p, i, CACHE_HOLE);
	cache_put(p, CACHE_WRITE | CACHE_NOTHROTTLE);
	return 0;
}

/* Nothing lies behind the end of the file any more. */
static int tail_free(struct inode *n)
{
	uint32_t bytes = n->fs->block_bytes;
	cache_drop(&n->file, (n->size + CACHE_PAGE - 1) / CACHE_PAGE);
	int r = tail_zero(n, n->size, true);
	return r ? r : map_free(n, (n->size + bytes - 1) / bytes, UINT64_MAX);
}

/* After a write: blocks that were taken but not filled go back. */
static int fresh_free(struct inode *n)
{
	int r = n->fresh_from < n->fresh_to ? map_free(n, n->fresh_from, n->fresh_to) : 0;
	n->fresh_from = n->fresh_to = 0;
	return r;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* Pages held for one copy. */
enum { BATCH_PAGES = 16 };
struct batch { struct cache_page *page[BATCH_PAGES]; unsigned n; uint64_t at, bytes; /* of the file */ };

static unsigned write_flags(uint64_t part) { return CACHE_WRITE | (part == CACHE_PAGE ? CACHE_OVERWRITE : 0u); }

/* One more page for the bytes [at, at + part), with its place. `rest`: bytes that will be written behind them. */
static int page_take(struct inode *n, struct batch *b, uint64_t at, uint64_t part, uint64_t rest)
{
	uint32_t bytes = n->fs->block_bytes;
	struct cache_page *p;
	int r = cache_get(&n->file, at / CACHE_PAGE, write_flags(part), &p);
	if (r)
		return r;
	if ((r = page_place(n, p, at % CACHE_PAGE, part, (rest + bytes - 1) / bytes))) {
		cache_put(p, write_flags(part));
		return r;
	}
	b->page[b->n++] = p;
	b->bytes += part;
	return 0;
}

/* As many pages from `at` on as one copy takes. An error only if there is none: after others it will come again. */
static int batch_take(struct inode *n, struct batch *b, uint64_t at, uint64_t len)
{
	int r = 0;
	b->n = 0;
	b->at = at;
	b->bytes = 0;
	while (b->n < BATCH_PAGES && b->bytes < len && !r) {
		uint64_t part = fs_page_part(at + b->bytes, len - b->bytes);
		r = page_take(n, b, at + b->bytes, part, len - b->bytes - part);
	}
	return b->n ? 0 : r;
}

/* Byte `from` of the request on. The bytes that came: all, or as many whole pages as memory of the process is there for; or an error. */
static int64_t batch_fill(const struct batch *b, const struct fs_data *data, uint64_t from)
{
	struct fs_pieces s;
	uint64_t done = 0, part;
	int64_t r = 0;
	s.n = 0;
	s.bytes = 0;
	for (unsigned i = 0; i < b->n; i++, done += part) {
		part = fs_page_part(b->at + done, b->bytes - done);
		fs_pieces_add(&s, b->page[i]->data + (b->at + done) % CACHE_PAGE, part);
	}
	if (fs_pieces_in(data, from, &s) == 0)
		return (int64_t)done;
	done = 0;
	for (unsigned i = 0; i < b->n && !r; i++) {
		part = fs_page_part(b->at + done, b->bytes - done);
		r = fs_data_in(data, from + done, b->page[i]->data + (b->at + done) % CACHE_PAGE, part);
		done += r ? 0 : part;
	}
	return done ? (int64_t)done : r;
}

/* The first `filled` bytes have new contents. */
static void batch_put(struct batch *b, int64_t filled)
{
	uint64_t done = 0;
	for (unsigned i = 0; i < b->n; i++) {
		uint64_t part = fs_page_part(b->at + done, b->bytes - done);
		if ((int64_t)done < filled)
			cache_dirty(b->page[i], (b->at + done) % CACHE_PAGE, part);
		cache_put(b->page[i], write_flags(part));
		done += part;
	}
}

static int64_t write_pages(struct inode *n, const struct fs_data *data, uint64_t offset)
{
	uint64_t done = 0;
	int64_t r = 0;
	while (done < data->len && r >= 0) {
		struct batch b;
		if ((r = batch_take(n, &b, offset + done, data->len - done)))
			break;
		r = batch_fill(&b, data, done);
		batch_put(&b, r);
		done += r > 0 ? (uint64_t)r : 0;
		if (r > 0 && offset + done > n->size)
			size_set(n, offset + done);
	}
	int r2 = fresh_free(n);
	if (r < 0 && offset + data->len > n->size)
		tail_free(n);
	return done ? (int64_t)done : r < 0 ? r : r2;
}

static int64_t write_locked(struct inode *n, const struct fs_data *data, uint64_t offset)
{
	uint64_t max = n->fs->size_max;
	if (data->len == 0)
		return 0;
	if (offset >= max)
		return -EFBIG;
	struct fs_data within = *data;
	within.len = min_u64(data->len, max - offset);
	int64_t r = offset > n->size ? tail_zero(n, n->size, false) : 0;
	if (r)
		return r;
	r = write_pages(n, &within, offset);
	if (r > 0)
		inode_touch(n);
	int stored = inode_store(n);
	return r > 0 && stored ? stored : r;
}

static int64_t write_once(uint64_t node, const struct fs_data *data, uint64_t flags, struct fs_rep *rep)
{
	struct inode *n;
	int64_t r = file_get(node, true, &n);
	if (r)
		return r;
	uint64_t offset = flags & FS_WRITE_APPEND ? n->size : data->offset;
	r = write_locked(n, data, offset);
	rep->offset = offset;
	rep->size = n->size;
	file_put(n);
	return r;
}

int64_t ext2_write(uint64_t node, const struct fs_data *data, uint64_t flags, struct fs_rep *rep)
{
	int tries = 0;
	int64_t r;
	do
		r = write_once(node, data, flags, rep);
	while (r == -ENOSPC && ext2_space_again(ext2_mounted(), r, &tries));
	return r;
}

int64_t data_resize(struct inode *n, uint64_t size)
{
	int64_t r = 0;
	if (size > n->fs->size_max)
		return -EFBIG;
	if (size < n->size) {
		if (n->mapped)
			fs_forget_pages(n->ino, (size + CACHE_PAGE - 1) / CACHE_PAGE);
		size_set(n, size);
		r = tail_free(n);
	} else if (size > n->size) {
		r = tail_zero(n, n->size, false);
		if (!r)
			size_set(n, size);
	}
	inode_touch(n);
	int stored = inode_store(n);
	return r ? r : stored;
}

/* ---- pages for VM ---------------------------------------------------------------------------------------------- */

static int64_t page_export(struct inode *n, uint64_t index, bool write, void **addr, uint64_t *valid)
{
	unsigned flags = write ? CACHE_WRITE : CACHE_READ;
	struct cache_page *p;
	if (index >= (n->size + CACHE_PAGE - 1) / CACHE_PAGE)
		return -ENXIO;
	cache_ahead(&n->file, index, 1);
	int64_t r = cache_get(&n->file, index, flags, &p);
	if (r)
		return r;
	*valid = min_u64(n->size - index * CACHE_PAGE, CACHE_PAGE);
	if (write && (r = page_place(n, p, 0, *valid, 0)) == 0)
		r = inode_store(n);
	if (!r) {
		memset(p->data + *valid, 0, CACHE_PAGE - *valid);
		cache_mapped(p, write);
		n->mapped = true;
		*addr = p->data;
	}
	cache_put(p, flags);
	return r;
}

int64_t ext2_getpage(uint64_t node, uint64_t page, int write, void **addr, uint64_t *valid)
{
	int tries = 0;
	int64_t r;
	do {
		struct inode *n;
		r = file_get(node, write, &n);
		if (r)
			return r;
		r = page_export(n, page, write, addr, valid);
		if (write)
			fresh_free(n);
		file_put(n);
	} while (r == -ENOSPC && ext2_space_again(ext2_mounted(), r, &tries));
	return r;
}

/* ---- holes ----------------------------------------------------------------------------------------------------- */

int64_t ext2_seek(uint64_t node, uint64_t offset, int whence, uint64_t *found)
{
	struct inode *n;
	int64_t r = file_get(node, false, &n);
	if (r)
		return r;
	uint32_t bytes = n->fs->block_bytes;
	uint64_t at = offset / bytes, end = (n->size + bytes - 1) / bytes;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		r = -EINVAL;
	else if (offset >= n->size)
		r = -ENXIO;
	while (!r && at < end) {
		uint32_t block, count;
		r = map_find(n, at, UINT32_MAX, &block, &count);
		if (!r && (block != 0) == (whence == SEEK_DATA))
			break;
		at += r ? 0 : count;
	}
	if (!r && at >= end && whence == SEEK_DATA)
		r = -ENXIO;
	if (!r)
		*found = at * bytes < offset ? offset : min_u64(at * bytes, n->size);
	file_put(n);
	return r;
}

/* The bytes [from, from + len) of one page become zeros; whole blocks lose their places. */
static int page_punch(struct inode *n, uint64_t index, uint64_t from, uint64_t len)
{
	uint32_t bytes = n->fs->block_bytes;
	unsigned flags = CACHE_WRITE | (len == CACHE_PAGE ? CACHE_OVERWRITE : 0u);
	struct cache_page *p;
	int r = cache_get(&n->file, index, flags, &p);
	if (r)
		return r;
	memset(p->data + from, 0, len);
	for (uint32_t i = 0; i < CACHE_PAGE / bytes; i++)
		if (i * bytes >= from && (i + 1) * bytes <= from + len)
			cache_place(p, i, CACHE_HOLE);
	cache_dirty(p, from, len);
	cache_put(p, flags);
	return 0;
}

static int64_t punch(struct inode *n, uint64_t from, uint64_t to)
{
	uint32_t bytes = n->fs->block_bytes;
	uint64_t end = to;
	if (to == n->size)	/* the rest of the last block goes too */
		end = (to + bytes - 1) / bytes * bytes;
	for (uint64_t at = from; at < end; ) {
		uint64_t in_page = at % CACHE_PAGE, part = fs_page_part(at, end - at);
		uint32_t block, count;
		int r = map_find(n, at / bytes, UINT32_MAX, &block, &count);
		if (!r && !block && count > CACHE_PAGE / bytes && in_page == 0) {	/* a long hole is one already */
			at += min_u64(end - at, (uint64_t)count * bytes / CACHE_PAGE * CACHE_PAGE);
			continue;
		}
		if (!r)
			r = page_punch(n, at / CACHE_PAGE, in_page, part);
		if (r)
			return r;
		at += part;
	}
	uint64_t first = (from + bytes - 1) / bytes, last = end / bytes;
	return first < last ? map_free(n, first, last) : 0;
}

static int64_t reserve(struct inode *n, uint64_t from, uint64_t to)
{
	uint32_t bytes = n->fs->block_bytes;
	int64_t r = from > n->size ? tail_zero(n, n->size, false) : 0;
	if ((to - from) / bytes > (uint64_t)n->fs->super.free_blocks + n->sectors / (bytes / 512))
		return -ENOSPC;
	for (uint64_t at = from; at < to && !r; ) {
		uint64_t part = fs_page_part(at, to - at);
		struct cache_page *p;
		r = cache_get(&n->file, at / CACHE_PAGE, CACHE_WRITE, &p);
		if (r)
			break;
		r = page_place(n, p, at % CACHE_PAGE, part, (to - at - part + bytes - 1) / bytes);
		cache_put(p, CACHE_WRITE);
		at += part;
		if (!r && at > n->size)
			size_set(n, at);
	}
	int r2 = fresh_free(n);
	if (r && to > n->size)
		tail_free(n);
	return r ? r : r2;
}

static int64_t fallocate_locked(struct inode *n, uint64_t mode, uint64_t offset, uint64_t end)
{
	uint64_t before = n->size;
	int64_t r = 0;
	if (mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE)) {
		if (offset < n->size)
			r = punch(n, offset, min_u64(end, n->size));
		if (!r && !(mode & FALLOC_KEEP_SIZE) && end > n->size)
			r = data_resize(n, end);
	} else if (mode & FALLOC_KEEP_SIZE && end > n->size) {
		r = -EOPNOTSUPP;	/* blocks behind the end have no place in this format */
	} else {
		r = reserve(n, offset, end);
	}
	if (!r || n->size != before)
		inode_touch(n);
	int stored = inode_store(n);
	return r ? r : stored;
}

int64_t ext2_fallocate(uint64_t node, uint64_t mode, uint64_t offset, uint64_t len, struct fs_attr *attr)
{
	uint64_t known = FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE;
	int tries = 0;
	int64_t r;
	if (mode & ~known || (mode & FALLOC_PUNCH_HOLE && !(mode & FALLOC_KEEP_SIZE)))
		return -EOPNOTSUPP;
	if (len == 0 || offset + len < offset)
		return len ? -EFBIG : -EINVAL;
	do {
		struct inode *n;
		if ((r = file_get(node, true, &n)))
			return r;
		r = offset + len > n->fs->size_max ? -EFBIG : fallocate_locked(n, mode, offset, offset + len);
		inode_attr(n, attr);
		file_put(n);
	} while (r == -ENOSPC && ext2_space_again(ext2_mounted(), r, &tries));
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inodes in memory: a table by number. One is kept while a request works on it (users) or VFS knows it (refs); after that for a while, with
 * the pages of its file, in the order of last use.
 *
 * An inode without links stands in the list of orphans, here and on the disk (superblock -> dtime -> dtime ...), until the last
 * reference goes: then its blocks and its number are freed. After a crash the next mount, or e2fsck, finds it there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libfiber/fiber.h>

#include "ext2.h"

enum { NS_PER_S = 1000000000, EXTRA_NEEDED = EXT2_EXTRA_BYTES - 4 /* up to crtime_extra */ };

/* ---- the table ------------------------------------------------------------------------------------------------- */

static struct inode **bucket_of(struct ext2 *fs, uint32_t ino) { return &fs->buckets[ino % INODE_BUCKETS]; }

static struct inode *table_find(struct ext2 *fs, uint32_t ino)
{
	struct inode *n = *bucket_of(fs, ino);
	while (n && n->ino != ino)
		n = n->hash_next;
	return n;
}

static void table_remove(struct inode *n)
{
	struct inode **at = bucket_of(n->fs, n->ino);
	while (*at && *at != n)
		at = &(*at)->hash_next;
	if (*at)
		*at = n->hash_next;
}

static void lru_remove(struct inode *n)
{
	if (!n->in_lru)
		return;
	*(n->lru_prev ? &n->lru_prev->lru_next : &n->fs->lru_first) = n->lru_next;
	*(n->lru_next ? &n->lru_next->lru_prev : &n->fs->lru_last) = n->lru_prev;
	n->in_lru = false;
	n->fs->nr_unused--;
}

static void lru_add(struct inode *n)
{
	n->lru_prev = n->fs->lru_last;
	n->lru_next = NULL;
	*(n->lru_prev ? &n->lru_prev->lru_next : &n->fs->lru_first) = n;
	n->fs->lru_last = n;
	n->in_lru = true;
	n->fs->nr_unused++;
}

static const struct cache_file_ops file_ops = { .map = map_file_page };

static struct inode *table_add(struct ext2 *fs, uint32_t ino)
{
	struct inode *n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->fs = fs;
	n->ino = ino;
	n->users = 1;
	cache_file_init(&n->file, fs->dev, &file_ops, 0);
	n->hash_next = *bucket_of(fs, ino);
	*bucket_of(fs, ino) = n;
	return n;
}

static void inode_forget(struct inode *n)
{
	struct ext2 *fs = n->fs;
	lru_remove(n);
	table_remove(n);
	fs->leaving++;
	cache_file_fini(&n->file);
	dir_index_drop(fs, &n->index);
	free(n);
	if (--fs->leaving == 0 && fs->unmounter)
		fiber_wake(fs->unmounter);
}

/*
 * Make room: the one unused for longest, after its contents are written, and with them those of all others, which are next. Another request
 * may begin to use it meanwhile.
 */
static void unused_trim(struct ext2 *fs)
{
	while (fs->nr_unused > INODES_UNUSED_MAX) {
		struct inode *n = fs->lru_first;
		lru_remove(n);
		n->users++;
		if (cache_file_is_dirty(&n->file))
			cache_dev_write_data(fs->dev);
		int r = cache_sync(&n->file);
		if (n->users > 1 || n->refs || n->nlink == 0) {
			inode_put(n);
			continue;
		}
		n->users--;
		if (r) {	/* what could not be written stays, to be tried again */
			lru_add(n);
			return;
		}
		inode_forget(n);
	}
}

/* ---- disk <-> memory ------------------------------------------------------------------------------------------- */

static bool is_device(uint32_t mode) { return (mode & MODE_TYPE) == MODE_CHR || (mode & MODE_TYPE) == MODE_BLK; }

static uint32_t acl_sectors(const struct inode *n) { return n->file_acl ? n->fs->block_bytes / 512 : 0; }

bool inode_has_blocks(const struct inode *n)
{
	if (inode_is_link(n))
		return n->sectors > acl_sectors(n) || n->size >= sizeof n->block;
	return inode_is_reg(n) || inode_is_dir(n);
}

static int64_t time_load(uint32_t seconds, uint32_t extra)
{
	int64_t s = (int64_t)(int32_t)seconds + ((int64_t)(extra & 3) << 32), last = INT64_MAX / NS_PER_S - 1;	/* the year 2262 */
	return (s < last ? s : last) * NS_PER_S + (extra >> 2) % NS_PER_S;
}

static uint32_t time_extra(int64_t ns)
{
	int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;
	if (rest < 0)
		s--, rest += NS_PER_S;
	return (uint32_t)rest << 2 | (uint32_t)((s - (int32_t)(uint32_t)s) >> 32 & 3);
}

static uint32_t time_seconds(int64_t ns) { return (uint32_t)(ns / NS_PER_S - (ns % NS_PER_S < 0)); }

static int inode_where(struct ext2 *fs, uint32_t ino, uint32_t *block, uint32_t *offset)
{
	uint32_t group = (ino - 1) / fs->super.inodes_per_group;
	uint64_t at = (uint64_t)((ino - 1) % fs->super.inodes_per_group) * fs->inode_bytes;
	*block = fs->groups[group].inode_table + (uint32_t)(at / fs->block_bytes);
	*offset = (uint32_t)(at % fs->block_bytes);
	return 0;
}

static void times_load(struct inode *n, const struct ext2_raw_inode *raw)
{
	bool extra = n->fs->inode_bytes >= EXT2_INODE_BASE + EXT2_EXTRA_BYTES && raw->extra_isize >= EXTRA_NEEDED;
	n->fine_times = extra;
	n->atime_ns = time_load(raw->atime, extra ? raw->atime_extra : 0);
	n->mtime_ns = time_load(raw->mtime, extra ? raw->mtime_extra : 0);
	n->ctime_ns = time_load(raw->ctime, extra ? raw->ctime_extra : 0);
	n->btime_ns = extra ? time_load(raw->crtime, raw->crtime_extra) : 0;
}

static void inode_decode(struct inode *n, const struct ext2_raw_inode *raw)
{
	bool high = n->fs->super.creator_os == EXT2_OS_LINUX;
	n->mode = raw->mode;
	n->uid = raw->uid | (high ? (uint32_t)raw->uid_high << 16 : 0);
	n->gid = raw->gid | (high ? (uint32_t)raw->gid_high << 16 : 0);
	n->nlink = raw->links;
	n->flags = raw->flags;
	n->generation = raw->generation;
	n->sectors = raw->sectors;
	n->file_acl = raw->file_acl;
	n->dtime = raw->dtime;
	n->size = raw->size | (inode_is_reg(n) ? (uint64_t)raw->size_high << 32 : 0);
	memcpy(n->block, raw->block, sizeof n->block);
	times_load(n, raw);
	n->goal = 0;
	n->file.size = inode_is_reg(n) ? n->size : 0;
}

static bool type_is_known(uint32_t mode)
{
	uint32_t t = mode >> 12;
	return t == 1 || t == 2 || t == 4 || t == 6 || t == 8 || t == 10 || t == 12;
}

static int inode_check(struct inode *n)
{
	struct ext2 *fs = n->fs;
	if (!type_is_known(n->mode))
		return ext2_damaged(fs, "inode %u has the impossible mode 0%o", n->ino, n->mode);
	if (inode_has_blocks(n) && n->flags & (EXT2_FL_EXTENTS | EXT2_FL_INLINE))
		return ext2_damaged(fs, "inode %u has flags of another file system (0x%x)", n->ino, n->flags);
	if (n->size > fs->size_max)
		return ext2_damaged(fs, "inode %u has the impossible size %llu", n->ino, (unsigned long long)n->size);
	if (inode_is_dir(n) && (n->size % fs->block_bytes || n->size == 0) && n->nlink)
		return ext2_damaged(fs, "directory %u has the impossible size %llu", n->ino, (unsigned long long)n->size);
	if (inode_is_link(n) && n->size >= fs->block_bytes)
		return ext2_damaged(fs, "symbolic link %u is %llu bytes long", n->ino, (unsigned long long)n->size);
	if (n->file_acl && !ext2_block_is_data(fs, n->file_acl))
		return ext2_damaged(fs, "inode %u has attributes in block %u, which cannot be", n->ino, n->file_acl);
	return 0;
}

static int inode_load(struct inode *n)
{
	uint32_t block, offset;
	struct buf b;
	int r = ino_in_use(n->fs, n->ino);
	if (r < 0)
		return r;
	if (r == 0)
		return -ESTALE;
	inode_where(n->fs, n->ino, &block, &offset);
	if ((r = buf_get(n->fs, block, CACHE_READ, &b)))
		return r;
	struct ext2_raw_inode raw = { 0 };
	memcpy(&raw, b.data + offset, n->fs->inode_bytes < sizeof raw ? n->fs->inode_bytes : sizeof raw);
	buf_put(&b);
	if (raw.links == 0 && raw.mode == 0)
		return -ESTALE;
	inode_decode(n, &raw);
	return inode_check(n);
}

static void times_store(const struct inode *n, struct ext2_raw_inode *raw)
{
	raw->atime = time_seconds(n->atime_ns);
	raw->mtime = time_seconds(n->mtime_ns);
	raw->ctime = time_seconds(n->ctime_ns);
	if (!n->fine_times)
		return;
	raw->atime_extra = time_extra(n->atime_ns);
	raw->mtime_extra = time_extra(n->mtime_ns);
	raw->ctime_extra = time_extra(n->ctime_ns);
	raw->crtime = time_seconds(n->btime_ns);
	raw->crtime_extra = time_extra(n->btime_ns);
}

static void inode_encode(const struct inode *n, struct ext2_raw_inode *raw)
{
	raw->mode = (uint16_t)n->mode;
	raw->uid = (uint16_t)n->uid;
	raw->gid = (uint16_t)n->gid;
	if (n->fs->super.creator_os == EXT2_OS_LINUX) {
		raw->uid_high = (uint16_t)(n->uid >> 16);
		raw->gid_high = (uint16_t)(n->gid >> 16);
	}
	raw->links = n->unborn ? 0 : (uint16_t)n->nlink;
	raw->flags = n->flags;
	raw->generation = n->generation;
	raw->sectors = n->sectors;
	raw->file_acl = n->file_acl;
	raw->dtime = n->dtime;
	raw->size = (uint32_t)n->size;
	if (inode_is_reg(n))
		raw->size_high = (uint32_t)(n->size >> 32);
	memcpy(raw->block, n->block, sizeof n->block);
	times_store(n, raw);
}

static int store(const struct inode *n, bool fresh)
{
	uint32_t block, offset, bytes = n->fs->inode_bytes;
	struct ext2_raw_inode raw = { 0 };
	struct buf b;
	inode_where(n->fs, n->ino, &block, &offset);
	int r = buf_get(n->fs, block, CACHE_WRITE, &b);
	if (r)
		return r;
	uint32_t known = bytes < sizeof raw ? bytes : (uint32_t)sizeof raw;
	if (fresh)
		memset(b.data + offset, 0, bytes);
	else
		memcpy(&raw, b.data + offset, known);
	if (fresh && n->fine_times)
		raw.extra_isize = EXT2_EXTRA_BYTES;
	inode_encode(n, &raw);
	memcpy(b.data + offset, &raw, known);
	buf_dirty(n->fs, &b);
	buf_put(&b);
	return 0;
}

int inode_store(struct inode *n) { return store(n, false); }

void inode_touch(struct inode *n) { n->mtime_ns = n->ctime_ns = fs_now(); }

/* ---- orphans --------------------------------------------------------------------------------------------------- */

static int orphan_add(struct inode *n)
{
	struct ext2 *fs = n->fs;
	lock_get(&fs->orphan_lock, true);
	n->is_orphan = true;
	n->orphan_prev = NULL;
	n->orphan_next = fs->orphans;
	n->dtime = fs->orphans ? fs->orphans->ino : 0;
	if (fs->orphans)
		fs->orphans->orphan_prev = n;
	fs->orphans = n;
	fs->super.last_orphan = n->ino;
	fs->counts_dirty = true;
	int r = inode_store(n);
	lock_put(&fs->orphan_lock);
	return r;
}

/* `on_disk` false: the inode stays in the disk's list, for e2fsck. */
static void orphan_remove(struct inode *n, bool on_disk)
{
	struct ext2 *fs = n->fs;
	if (!n->is_orphan)
		return;
	lock_get(&fs->orphan_lock, true);
	uint32_t next = n->orphan_next ? n->orphan_next->ino : 0;
	if (n->orphan_next)
		n->orphan_next->orphan_prev = n->orphan_prev;
	*(n->orphan_prev ? &n->orphan_prev->orphan_next : &fs->orphans) = n->orphan_next;
	if (on_disk && n->orphan_prev) {
		n->orphan_prev->dtime = next;
		inode_store(n->orphan_prev);
	} else if (on_disk) {
		fs->super.last_orphan = next;
		fs->counts_dirty = true;
	}
	n->is_orphan = false;
	lock_put(&fs->orphan_lock);
}

int inode_link_drop(struct inode *n, uint32_t links)
{
	n->nlink = links;
	n->ctime_ns = fs_now();
	return links || n->is_orphan ? inode_store(n) : orphan_add(n);
}

/* A block of extended attributes may be shared by several inodes. */
static int attributes_free(struct inode *n)
{
	struct buf b;
	if (!n->file_acl)
		return 0;
	int r = buf_get(n->fs, n->file_acl, CACHE_WRITE, &b);
	if (r)
		return r;
	struct ext2_xattr_head *head = (void *)b.data;
	bool last = head->refcount <= 1;
	if (head->magic != EXT2_XATTR_MAGIC)
		r = ext2_damaged(n->fs, "block %u of inode %u does not hold attributes", n->file_acl, n->ino);
	else if (!last)
		head->refcount--, buf_dirty(n->fs, &b);
	buf_put(&b);
	if (!r && last) {
		cache_forget_blocks(n->fs->dev, (uint64_t)n->file_acl * n->fs->block_bytes, n->fs->block_bytes);
		r = blocks_free(n->fs, n->file_acl, 1);
	}
	n->file_acl = 0;
	return r;
}

/* Free an inode without links. On damage it stays as it is: e2fsck will know. */
static void inode_delete(struct inode *n)
{
	struct ext2 *fs = n->fs;
	bool dir = inode_is_dir(n);
	n->gone = true;
	if (n->mapped)
		fs_forget_pages(n->ino, 0);
	cache_drop(&n->file, 0);
	if (fs->readonly || n->ino < fs->first_ino || (inode_has_blocks(n) && map_free(n, 0, UINT64_MAX)) || attributes_free(n)) {
		orphan_remove(n, false);
		return;
	}
	orphan_remove(n, true);
	n->size = 0;
	n->sectors = 0;
	memset(n->block, 0, sizeof n->block);
	n->dtime = time_seconds(fs_now());
	if (inode_store(n) == 0)
		ino_free(fs, n->ino, dir);
}

/* An unclean end left these. Each was unlinked while in use, so it is freed by the last inode_put. */
void orphans_clean(struct ext2 *fs)
{
	uint32_t ino = fs->super.last_orphan, cleaned = 0;
	while (ino && !fs->readonly && cleaned <= fs->super.inodes_count) {
		struct inode *n;
		if (ino < fs->first_ino || inode_get(fs, ino, &n))
			break;
		uint32_t next = n->dtime;
		if (n->nlink || n->is_orphan) {		/* a truncation of ext3, or a list that e2fsck has to repair */
			inode_put(n);
			break;
		}
		fs->super.last_orphan = next;
		fs->counts_dirty = true;
		inode_put(n);
		ino = next;
		cleaned++;
	}
	if (!fs->readonly && fs->super.last_orphan) {
		fs->super.last_orphan = 0;
		fs->counts_dirty = true;
	}
}

/* ---- use ------------------------------------------------------------------------------------------------------- */

static int loading_wait(struct inode *n, struct inode **out)
{
	if (n->loading) {
		lock_get(&n->lock, false);
		lock_put(&n->lock);
	}
	if (!n->error && !n->gone) {
		*out = n;
		return 0;
	}
	int r = n->error ? n->error : -ESTALE;
	inode_put(n);
	return r;
}

int inode_get(struct ext2 *fs, uint64_t ino, struct inode **out)
{
	if (!fs || ino == 0 || ino > fs->super.inodes_count)
		return -ESTALE;
	struct inode *n = table_find(fs, (uint32_t)ino);
	if (n) {
		lru_remove(n);
		n->users++;
		return loading_wait(n, out);
	}
	if (!(n = table_add(fs, (uint32_t)ino)))
		return -ENOMEM;
	n->loading = true;
	lock_get(&n->lock, true);
	n->error = inode_load(n);
	n->loading = false;
	lock_put(&n->lock);
	return loading_wait(n, out);
}

/* One user less; an unmount waits for the last. */
static void users_drop(struct inode *n)
{
	if (--n->users == 0 && n->fs->unmounter)
		fiber_wake(n->fs->unmounter);
}

void inode_put(struct inode *n)
{
	if (n->users > 1 || n->refs) {
		users_drop(n);
		return;
	}
	if (!n->error && !n->gone && n->nlink == 0) {
		inode_delete(n);
		if (n->users > 1) {	/* somebody came meanwhile and learns that it is gone */
			users_drop(n);
			return;
		}
	}
	users_drop(n);
	if (n->error || n->gone) {
		inode_forget(n);
		return;
	}
	if (n->mapped) {
		n->mapped = false;
		cache_unmapped(&n->file);
	}
	lru_add(n);
	unused_trim(n->fs);
}

void inode_ref_drop(struct inode *n, uint64_t count)
{
	n->refs -= count < n->refs ? count : n->refs;
}

static void inode_fill(struct inode *n, const struct inode *dir, const struct fs_new *how)
{
	struct ext2 *fs = n->fs;
	n->mode = how->mode & (MODE_TYPE | 07777);
	n->uid = how->uid;
	n->gid = how->gid;
	n->nlink = inode_is_dir(n) ? 2 : 1;
	n->flags = dir->flags & EXT2_FL_INHERITED;
	n->generation = (uint32_t)fs_now();
	n->fine_times = fs->inode_bytes >= EXT2_INODE_BASE + EXT2_EXTRA_BYTES;
	n->atime_ns = n->mtime_ns = n->ctime_ns = n->btime_ns = fs_now();
	if (is_device(n->mode)) {
		uint32_t dev = (uint32_t)how->rdev;
		bool is_short = !(dev & 0xffff0000u);
		n->block[is_short ? 0 : 1] = dev;
	}
}

int inode_new(struct ext2 *fs, struct inode *dir, const struct fs_new *how, struct inode **out)
{
	uint32_t ino;
	bool is_dir = (how->mode & MODE_TYPE) == MODE_DIR;
	int r = ino_alloc(fs, dir->ino, is_dir, &ino);
	if (r)
		return r;
	struct inode *old = table_find(fs, ino);
	if (old && (old->users || old->refs))
		return ext2_damaged(fs, "inode %u is in use and free at the same time", ino);
	if (old)
		inode_forget(old);
	struct inode *n = table_add(fs, ino);
	if (!n) {
		ino_free(fs, ino, is_dir);
		return -ENOMEM;
	}
	lock_get(&n->lock, true);
	inode_fill(n, dir, how);
	n->unborn = true;
	if ((r = store(n, true))) {
		n->gone = true;
		lock_put(&n->lock);
		inode_put(n);
		ino_free(fs, ino, is_dir);
		return r;
	}
	*out = n;
	return 0;
}

static uint32_t rdev_of(const struct inode *n) { return n->block[0] ? n->block[0] & 0xffff : n->block[1]; }

void inode_attr(const struct inode *n, struct fs_attr *attr)
{
	*attr = (struct fs_attr){ .node = n->ino, .mode = n->mode, .nlink = n->nlink, .uid = n->uid, .gid = n->gid,
		.rdev = is_device(n->mode) ? rdev_of(n) : 0, .size = n->size, .blocks = n->sectors, .atime_ns = n->atime_ns,
		.mtime_ns = n->mtime_ns, .ctime_ns = n->ctime_ns, .btime_ns = n->btime_ns, .blksize = n->fs->block_bytes };
}

static bool inodes_in_use(const struct ext2 *fs)
{
	for (int i = 0; i < INODE_BUCKETS; i++)
		for (const struct inode *n = fs->buckets[i]; n; n = n->hash_next)
			if (n->users)
				return true;
	return false;
}

void inodes_wait(struct ext2 *fs)
{
	fs->unmounter = fiber_self();
	while (fs->leaving || inodes_in_use(fs))
		fiber_yield();
	fs->unmounter = NULL;
}

void inodes_fini(struct ext2 *fs)
{
	for (int i = 0; i < INODE_BUCKETS; i++) {
		struct inode *n;
		while ((n = fs->buckets[i])) {
			lru_remove(n);
			n->users = 1;
			n->refs = 0;
			if (!n->gone && !n->error && n->nlink == 0)
				inode_delete(n);
			else
				cache_sync(&n->file);
			inode_forget(n);
		}
	}
}

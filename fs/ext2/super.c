/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounting and unmounting, what to do about damage, and commits.
 *
 * The superblock and the counts of the groups are kept here and written to the cache at each commit; in between the disk's are out of
 * date, which e2fsck puts right after a crash. While mounted for writing the superblock does not say "valid".
 *
 * Commit: the contents of files first, then all metadata, then a flush of the device. Commits are one at a time; who comes while one is
 * under way waits for the next, and all who wait share it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>

#include "ext2.h"

enum { ERRORS_SAID_MAX = 50, NS_PER_S = 1000000000 };
static const uint32_t INCOMPAT_KNOWN = EXT2_INCOMPAT_FILETYPE, RO_KNOWN = EXT2_RO_SPARSE_SUPER | EXT2_RO_LARGE_FILE;

static struct ext2 *mounted;

struct ext2 *ext2_mounted(void) { return mounted; }

/* ---- geometry -------------------------------------------------------------------------------------------------- */

uint32_t group_first_block(const struct ext2 *fs, uint32_t group)
{
	return fs->super.first_data_block + group * fs->super.blocks_per_group;
}

uint32_t group_blocks(const struct ext2 *fs, uint32_t group)
{
	uint32_t rest = fs->super.blocks_count - group_first_block(fs, group);
	return rest < fs->super.blocks_per_group ? rest : fs->super.blocks_per_group;
}

static bool is_power_of(uint32_t n, uint32_t base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

bool group_has_super(const struct ext2 *fs, uint32_t group)
{
	if (group <= 1 || !(fs->super.feature_ro_compat & EXT2_RO_SPARSE_SUPER) || fs->super.rev_level == 0)
		return true;
	return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

/* Blocks at the start of a group that hold the superblock, the descriptors, and room for more of these. */
static uint32_t group_head_blocks(const struct ext2 *fs, uint32_t group)
{
	if (!group_has_super(fs, group))
		return 0;
	return 1 + fs->group_table_blocks + fs->super.reserved_gdt_blocks;
}

static uint32_t inode_table_blocks(const struct ext2 *fs)
{
	return (uint32_t)(((uint64_t)fs->super.inodes_per_group * fs->inode_bytes + fs->block_bytes - 1) / fs->block_bytes);
}

bool ext2_block_is_data(const struct ext2 *fs, uint32_t block)
{
	if (block < fs->super.first_data_block || block >= fs->super.blocks_count)
		return false;
	uint32_t group = (block - fs->super.first_data_block) / fs->super.blocks_per_group;
	const struct group *g = &fs->groups[group];
	return block - group_first_block(fs, group) >= group_head_blocks(fs, group) && block != g->block_bitmap &&
		block != g->inode_bitmap && (block < g->inode_table || block - g->inode_table >= inode_table_blocks(fs));
}

/* ---- damage ---------------------------------------------------------------------------------------------------- */

static int super_store(struct ext2 *fs)
{
	struct cache_page *page;
	unsigned flags = CACHE_WRITE | CACHE_NOTHROTTLE;
	int r = cache_get(fs->meta, 0, flags, &page);
	if (r)
		return r;
	memcpy(page->data + EXT2_SUPER_OFFSET, &fs->super, sizeof fs->super);
	cache_dirty(page, EXT2_SUPER_OFFSET, EXT2_SUPER_BYTES);
	cache_put(page, flags);
	return 0;
}

int ext2_damaged(struct ext2 *fs, const char *format, ...)
{
	va_list args;
	if (fs->errors_said++ < ERRORS_SAID_MAX) {
		va_start(args, format);
		printf("ext2: damaged: ");
		vprintf(format, args);
		printf("%s\n", fs->readonly ? "" : "; from now on read-only, to be repaired with e2fsck");
		va_end(args);
	}
	bool was_readonly = fs->readonly;
	fs->damaged = fs->readonly = true;
	fs->super.state |= EXT2_STATE_ERROR;
	if (!was_readonly)
		super_store(fs);
	return -EUCLEAN;
}

/* ---- mounting -------------------------------------------------------------------------------------------------- */

static int refuse(const char *why)
{
	printf("ext2: not mounted: %s\n", why);
	return -EINVAL;
}

static int super_check(struct ext2 *fs)
{
	const struct ext2_super *s = &fs->super;
	if (s->magic != EXT2_MAGIC)
		return refuse("no ext2 file system here (wrong magic number)");
	if (s->rev_level > 1)
		return refuse("unknown revision");
	if (s->log_block_size > 2)
		return refuse("blocks of more than 4096 bytes are not supported");
	fs->block_bytes = 1024u << s->log_block_size;
	fs->inode_bytes = s->rev_level ? s->inode_size : EXT2_INODE_BASE;
	fs->first_ino = s->rev_level ? s->first_ino : EXT2_FIRST_INO_REV0;
	if (fs->inode_bytes < EXT2_INODE_BASE || fs->inode_bytes > fs->block_bytes || fs->inode_bytes & (fs->inode_bytes - 1))
		return refuse("impossible size of inodes");
	uint32_t bits = 8 * fs->block_bytes;
	if (!s->blocks_per_group || s->blocks_per_group > bits || !s->inodes_per_group || s->inodes_per_group > bits)
		return refuse("impossible size of groups");
	if (s->first_data_block != (fs->block_bytes == 1024) || s->blocks_count <= s->first_data_block + 8)
		return refuse("impossible number of blocks");
	if ((uint64_t)s->blocks_count * fs->block_bytes > cache_dev_bytes(fs->dev))
		return refuse("the device is smaller than the file system");
	fs->nr_groups = (s->blocks_count - s->first_data_block - 1) / s->blocks_per_group + 1;
	if ((uint64_t)fs->nr_groups * s->inodes_per_group != s->inodes_count || fs->first_ino < 3 || fs->first_ino > s->inodes_count)
		return refuse("impossible number of inodes");
	return 0;
}

static int features_check(struct ext2 *fs, bool readonly)
{
	struct ext2_super *s = &fs->super;
	if (s->rev_level == 0)
		s->feature_compat = s->feature_incompat = s->feature_ro_compat = 0, s->reserved_gdt_blocks = 0;
	if (s->feature_incompat & ~INCOMPAT_KNOWN) {
		printf("ext2: not mounted: unknown features (incompatible 0x%x)\n", s->feature_incompat & ~INCOMPAT_KNOWN);
		return -EINVAL;
	}
	fs->has_filetype = s->feature_incompat & EXT2_INCOMPAT_FILETYPE;
	if (!(s->feature_ro_compat & ~RO_KNOWN))
		return 0;
	fs->forced_readonly = true;
	if (!readonly)
		printf("ext2: read-only: unknown features (0x%x)\n", s->feature_ro_compat & ~RO_KNOWN);
	return 0;
}

static bool group_contains(const struct ext2 *fs, uint32_t group, uint32_t block, uint32_t count)
{
	uint32_t first = group_first_block(fs, group), blocks = group_blocks(fs, group);
	return block >= first + group_head_blocks(fs, group) && block - first < blocks && count <= blocks - (block - first);
}

static int group_load(struct ext2 *fs, uint32_t index, const struct ext2_group_desc *d)
{
	struct group *g = &fs->groups[index];
	*g = (struct group){ .block_bitmap = d->block_bitmap, .inode_bitmap = d->inode_bitmap, .inode_table = d->inode_table,
		.free_blocks = d->free_blocks, .free_inodes = d->free_inodes, .used_dirs = d->used_dirs };
	if (!group_contains(fs, index, g->block_bitmap, 1) || !group_contains(fs, index, g->inode_bitmap, 1) ||
	    !group_contains(fs, index, g->inode_table, inode_table_blocks(fs))) {
		printf("ext2: not mounted: the descriptor of group %u is damaged; run e2fsck\n", index);
		return -EUCLEAN;
	}
	if (g->free_blocks > group_blocks(fs, index))
		g->free_blocks = group_blocks(fs, index);
	if (g->free_inodes > fs->super.inodes_per_group)
		g->free_inodes = fs->super.inodes_per_group;
	return 0;
}

static int groups_load(struct ext2 *fs)
{
	uint32_t per_block = fs->block_bytes / sizeof(struct ext2_group_desc);
	fs->group_table_block = fs->super.first_data_block + 1;
	fs->group_table_blocks = (fs->nr_groups + per_block - 1) / per_block;
	if ((uint64_t)fs->group_table_blocks + fs->super.reserved_gdt_blocks + 4 > group_blocks(fs, 0))
		return refuse("the descriptors of groups have no room");
	fs->groups = calloc(fs->nr_groups, sizeof *fs->groups);
	if (!fs->groups)
		return -ENOMEM;
	for (uint32_t i = 0; i < fs->nr_groups; i += per_block) {
		struct buf b;
		int r = buf_get(fs, fs->group_table_block + i / per_block, CACHE_READ, &b);
		if (r)
			return r;
		const struct ext2_group_desc *d = (const void *)b.data;
		for (uint32_t k = 0; k < per_block && i + k < fs->nr_groups && !r; k++)
			r = group_load(fs, i + k, &d[k]);
		buf_put(&b);
		if (r)
			return r;
	}
	return 0;
}

/* The largest file: what three levels of pointers reach, and what fits the 32-bit count of sectors. */
static void limits_set(struct ext2 *fs)
{
	uint64_t p = fs->ptrs, blocks = EXT2_NDIR + p + p * p + p * p * p;
	uint64_t by_sectors = (uint64_t)UINT32_MAX * 512 / fs->block_bytes;
	by_sectors -= by_sectors / p + by_sectors / (p * p) + 4;
	fs->size_max = (blocks < by_sectors ? blocks : by_sectors) * fs->block_bytes;
	if (fs->super.rev_level == 0 && fs->size_max > INT32_MAX)
		fs->size_max = INT32_MAX;
	fs->overhead = fs->super.first_data_block;
	for (uint32_t i = 0; i < fs->nr_groups; i++)
		fs->overhead += group_head_blocks(fs, i) + 2 + inode_table_blocks(fs);
	if (fs->overhead > fs->super.blocks_count)
		fs->overhead = fs->super.blocks_count;
}

static int super_load(struct ext2 *fs)
{
	struct cache_page *page;
	int r = cache_get(fs->meta, 0, CACHE_READ, &page);
	if (r)
		return r;
	memcpy(&fs->super, page->data + EXT2_SUPER_OFFSET, sizeof fs->super);
	cache_put(page, CACHE_READ);
	return 0;
}

static int fs_load(struct ext2 *fs, bool readonly)
{
	int r = super_load(fs);
	if (r || (r = super_check(fs)) || (r = features_check(fs, readonly)))
		return r;
	fs->readonly = readonly || fs->forced_readonly;
	fs->ptrs = fs->block_bytes / 4;
	if ((r = cache_dev_set_block(fs->dev, fs->block_bytes)) || (r = groups_load(fs)))
		return r;
	limits_set(fs);
	fs->mount_state = fs->super.state;
	bool errors = fs->mount_state & EXT2_STATE_ERROR;
	if (errors || !(fs->mount_state & EXT2_STATE_VALID))
		printf("ext2: was not unmounted cleanly%s; e2fsck is advised\n", errors ? ", and has errors" : "");
	return 0;
}

static int root_check(struct ext2 *fs)
{
	struct inode *root;
	int r = inode_get(fs, EXT2_ROOT_INO, &root);
	if (r)
		return r == -ESTALE ? refuse("there is no root directory; run e2fsck") : r;
	if (!inode_is_dir(root) || root->nlink == 0)
		r = refuse("the root directory is damaged; run e2fsck");
	inode_put(root);
	return r;
}

/* From now on the disk says "in use": a crash is seen at the next mount. */
static int writing_begin(struct ext2 *fs)
{
	fs->super.state &= (uint16_t)~EXT2_STATE_VALID;
	fs->super.mnt_count++;
	fs->super.mtime = (uint32_t)(fs_now() / NS_PER_S);
	int r = super_store(fs);
	if (!r)
		r = cache_sync(fs->meta);
	return r ? r : cache_dev_flush(fs->dev);
}

static int writing_end(struct ext2 *fs)
{
	int r = ext2_commit(fs, NULL);
	if (r || fs->damaged)
		return r;
	fs->super.state |= fs->mount_state & EXT2_STATE_VALID;
	if ((r = super_store(fs)) || (r = cache_sync(fs->meta)))
		return r;
	return cache_dev_flush(fs->dev);
}

static void fs_free(struct ext2 *fs)
{
	held_fini(fs);
	free(fs->groups);
	free(fs);
}

/* After the death of an instance. What cannot be taken over is shown read-only. */
static void again(struct ext2 *fs, bool lost)
{
	fs->lost = lost;
	int r = fs->readonly ? 0 : ext2_take_over(fs);
	if (r)
		printf("ext2: cannot be taken over: error %d; read-only, to be repaired with e2fsck\n", r);
	if (r || lost)
		fs->readonly = fs->forced_readonly = true;
}

static int mount_as(struct cache_dev *dev, bool readonly, bool is_again, bool lost)
{
	if (mounted)
		return -EBUSY;
	struct ext2 *fs = calloc(1, sizeof *fs);
	if (!fs)
		return -ENOMEM;
	fs->dev = dev;
	fs->meta = cache_dev_meta(dev);
	int r = fs_load(fs, readonly);
	if (!r)
		r = root_check(fs);
	if (!r && is_again)
		again(fs, lost);
	if (!r && !fs->readonly)
		r = writing_begin(fs);
	if (r) {
		fs->readonly = true;
		inodes_fini(fs);
		fs_free(fs);
		return r;
	}
	mounted = fs;
	if (!fs->readonly && !is_again)
		orphans_clean(fs);
	return 0;
}

int ext2_mount(struct cache_dev *dev, bool readonly) { return mount_as(dev, readonly, false, false); }
int ext2_mount_again(struct cache_dev *dev, bool readonly, bool lost) { return mount_as(dev, readonly || lost, true, lost); }

int ext2_remount(bool readonly)
{
	struct ext2 *fs = mounted;
	int r = 0;
	if (readonly == fs->readonly)
		return 0;
	if (!readonly && (fs->forced_readonly || fs->damaged))
		return -EROFS;
	if (readonly && !(r = writing_end(fs)))
		fs->readonly = true;
	else if (!readonly && !(r = writing_begin(fs))) {
		fs->readonly = false;
		orphans_clean(fs);
	}
	return r;
}

int ext2_unmount(void)
{
	struct ext2 *fs = mounted;
	if (!fs)
		return -EINVAL;
	inodes_wait(fs);
	bool was_writable = !fs->readonly || fs->damaged;
	inodes_fini(fs);
	int r = was_writable ? writing_end(fs) : 0;
	if (r)
		printf("ext2: not everything could be written at unmount: error %d\n", r);
	mounted = NULL;
	fs_free(fs);
	return r;
}

/* ---- commits --------------------------------------------------------------------------------------------------- */

static void desc_fill(struct ext2_group_desc *d, struct group *g)
{
	d->free_blocks = (uint16_t)g->free_blocks;
	d->free_inodes = (uint16_t)g->free_inodes;
	d->used_dirs = (uint16_t)g->used_dirs;
	g->dirty = false;
}

static int counts_store(struct ext2 *fs)
{
	uint32_t per_block = fs->block_bytes / sizeof(struct ext2_group_desc);
	if (!fs->counts_dirty)
		return 0;
	fs->counts_dirty = false;
	for (uint32_t i = 0; i < fs->nr_groups; i++) {
		struct buf b;
		if (!fs->groups[i].dirty)
			continue;
		int r = buf_get(fs, fs->group_table_block + i / per_block, CACHE_WRITE, &b);
		if (r)
			return r;
		desc_fill((struct ext2_group_desc *)(void *)b.data + i % per_block, &fs->groups[i]);
		buf_dirty(fs, &b);
		buf_put(&b);
	}
	fs->super.wtime = (uint32_t)(fs_now() / NS_PER_S);
	return super_store(fs);
}

static int commit_do(struct ext2 *fs, bool all)
{
	held_begin(fs);
	int r = counts_store(fs);
	int r2 = all ? cache_dev_sync(fs->dev) : cache_sync(fs->meta);
	int r3 = all || r2 ? 0 : cache_dev_flush(fs->dev);
	r = r ? r : r2 ? r2 : r3;
	if (!r)
		held_release(fs);
	return r;
}

int ext2_commit(struct ext2 *fs, struct inode *only)
{
	int data = only ? cache_sync(&only->file) : 0;
	uint64_t mine = fs->commits_begun + 1;
	int r = 0;
	lock_get(&fs->commit_lock, true);
	if (!only || fs->commits_done < mine) {
		uint64_t this = ++fs->commits_begun;
		r = commit_do(fs, !only);
		if (!r)
			fs->commits_done = this;
	}
	lock_put(&fs->commit_lock);
	return data ? data : r;
}

bool ext2_space_again(struct ext2 *fs, int64_t result, int *tries)
{
	return result == -ENOSPC && fs->held && (*tries)++ < 2 && ext2_commit(fs, NULL) == 0;
}

int ext2_statfs(struct ext2 *fs, struct statfs *out)
{
	const struct ext2_super *s = &fs->super;
	uint64_t id[2];
	memcpy(id, s->uuid, sizeof id);
	id[0] ^= id[1];
	out->f_type = EXT2_MAGIC;
	out->f_bsize = out->f_frsize = fs->block_bytes;
	out->f_blocks = s->blocks_count - fs->overhead;
	out->f_bfree = s->free_blocks;
	out->f_bavail = s->free_blocks > s->r_blocks_count ? s->free_blocks - s->r_blocks_count : 0;
	out->f_files = s->inodes_count;
	out->f_ffree = s->free_inodes;
	out->f_namelen = EXT2_NAME_MAX;
	memcpy(&out->f_fsid, &id[0], sizeof out->f_fsid);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests on attributes, and fsync. */
#include <errno.h>

#include "ext2.h"

int64_t ext2_getattr(uint64_t node, struct fs_attr *attr)
{
	struct inode *n;
	int r = inode_get(ext2_mounted(), node, &n);
	if (r)
		return r;
	inode_attr(n, attr);
	inode_put(n);
	return 0;
}

static int64_t attrs_set(struct inode *n, uint64_t mask, const struct fs_attr *in)
{
	int64_t r = 0;
	if (mask & FS_SET_SIZE)
		r = !inode_is_reg(n) ? (inode_is_dir(n) ? -EISDIR : -EINVAL) : data_resize(n, in->size);
	if (r)
		return r;
	if (mask & FS_SET_MODE)
		n->mode = (n->mode & MODE_TYPE) | (in->mode & 07777);
	if (mask & FS_SET_UID)
		n->uid = in->uid;
	if (mask & FS_SET_GID)
		n->gid = in->gid;
	if (mask & FS_SET_ATIME)
		n->atime_ns = in->atime_ns;
	if (mask & FS_SET_MTIME)
		n->mtime_ns = in->mtime_ns;
	n->ctime_ns = mask & FS_SET_CTIME ? in->ctime_ns : fs_now();
	return inode_store(n);
}

int64_t ext2_setattr(uint64_t node, uint64_t mask, const struct fs_attr *in, struct fs_attr *attr)
{
	struct ext2 *fs = ext2_mounted();
	struct inode *n;
	int64_t r = inode_get(fs, node, &n);
	if (r)
		return r;
	lock_get(&n->lock, true);
	r = fs->readonly ? -EROFS : attrs_set(n, mask, in);
	if (!r)
		inode_attr(n, attr);
	lock_put(&n->lock);
	inode_put(n);
	return r;
}

int64_t ext2_sync(uint64_t node, uint64_t flags)
{
	struct ext2 *fs = ext2_mounted();
	struct inode *n;
	(void)flags;
	if (!fs)
		return -ESTALE;
	if (fs->lost)
		return -EIO;
	if (fs->readonly && !fs->damaged)
		return 0;
	if (node == 0 || node == EXT2_ROOT_INO)	/* sync(2) names the root */
		return ext2_commit(fs, NULL);
	int64_t r = inode_get(fs, node, &n);
	if (r)
		return r;
	r = ext2_commit(fs, n);
	inode_put(n);
	return r;
}

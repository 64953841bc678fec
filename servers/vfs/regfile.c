/* SPDX-License-Identifier: BSD-2-Clause */
/* Regular files, directories and O_PATH descriptors as objects behind descriptors. No state of its own. */
#include <string.h>
#include <unistd.h>

#include "fsreq.h"
#include "mount.h"
#include "open.h"
#include "perm.h"
#include "signals.h"

static const int64_t POS_MAX = INT64_MAX;

/*
 * relatime: the file system updates the access time only if it is older than the others; then what we know is old. Where the access
 * time is to stay, it is put back.
 */
static void note_access(struct file *f)
{
	enum { NOATIME = 1024 };
	struct vnode *v = f->vnode;
	if (v->attr.atime_ns > v->attr.mtime_ns && v->attr.atime_ns > v->attr.ctime_ns)
		return;
	if (!(f->flags & O_NOATIME) && !(v->mount->flags & NOATIME)) {
		v->attr_stale = true;
		return;
	}
	struct fs_attr in = { .atime_ns = v->attr.atime_ns, .ctime_ns = v->attr.ctime_ns };
	fs_setattr(v, FS_SET_ATIME | FS_SET_CTIME, &in);
}

static int64_t regular_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	(void)c;
	(void)flags;
	struct vnode *v = f->vnode;
	if (u->left == 0)
		return 0;
	if (!vnode_nocache(v) && !v->vm_refs && (uint64_t)*pos >= v->attr.size)
		return 0;
	int64_t n = fs_read(v, u, (uint64_t)*pos);
	if (n > 0)
		*pos += n;
	note_access(f);
	return n;
}

/* Writing takes away the set-id bits, except for the super-user. */
static void drop_setid(const struct client *cl, struct vnode *v)
{
	uint32_t mode = v->attr.mode;
	uint32_t drop = (mode & S_ISUID) | ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) ? S_ISGID : 0u);
	if (!drop || cl->fsuid == 0)
		return;
	struct fs_attr in = { .mode = mode & 07777 & ~drop };
	fs_setattr(v, FS_SET_MODE, &in);
}

static int write_limit(const struct client *cl, struct uio *u, int64_t pos)
{
	uint64_t limit = cl->limit_fsize < (uint64_t)POS_MAX ? cl->limit_fsize : (uint64_t)POS_MAX;
	if ((uint64_t)pos >= limit) {
		if (cl->limit_fsize < (uint64_t)POS_MAX)
			signal_send(cl->ep, SIGXFSZ);
		return -EFBIG;
	}
	if (u->left <= limit - (uint64_t)pos)
		return 0;
	uint64_t cut = limit - (uint64_t)pos;
	u->left = cut;
	if (u->count == 1)
		u->iov->iov_len = u->offset + cut;
	return 0;
}

/* Does a seal of a memfd forbid a write, or a length of `size`? */
static int sealed_against(const struct vnode *v, uint64_t size, bool write)
{
	enum { FUTURE_WRITE = 0x10 };
	if (write && v->seals & (F_SEAL_WRITE | FUTURE_WRITE))
		return -EPERM;
	if (v->seals & F_SEAL_GROW && size > v->attr.size)
		return -EPERM;
	return !write && v->seals & F_SEAL_SHRINK && size < v->attr.size ? -EPERM : 0;
}

static int64_t regular_write(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct vnode *v = f->vnode;
	struct client *cl = c->client;
	bool append = (f->flags & O_APPEND) || flags & FILE_IO_APPEND;
	if (u->left == 0)
		return 0;
	int64_t at = append ? (int64_t)v->attr.size : *pos;
	int r = sealed_against(v, (uint64_t)at + u->left, true);
	if (r == 0)
		r = write_limit(cl, u, at);
	if (r)
		return r;
	drop_setid(cl, v);
	fiber_lock_get(&v->write_lock);
	uint64_t offset = (uint64_t)*pos, size = 0;
	int64_t n = fs_write(v, u, &offset, append, &size);
	if (n > 0) {
		*pos = (int64_t)offset + n;
		if (!vnode_nocache(v))
			v->attr.size = size;
		v->attr_stale = true;
	}
	fiber_lock_put(&v->write_lock);
	return n;
}

int file_may_grow(struct client *cl, const struct vnode *v, uint64_t size)
{
	if (size <= cl->limit_fsize || size <= v->attr.size)
		return 0;
	signal_send(cl->ep, SIGXFSZ);
	return -EFBIG;
}

int file_truncate(struct client *cl, struct vnode *v, uint64_t size)
{
	int r = file_may_grow(cl, v, size);
	if (r)
		return r;
	int sealed = sealed_against(v, size, false);
	if (sealed)
		return sealed;
	struct fs_attr in = { .size = size };
	r = fs_setattr(v, FS_SET_SIZE, &in);
	if (r == 0)
		drop_setid(cl, v);
	return r;
}

static int64_t seek_result(struct file *f, int64_t base, int64_t offset)
{
	int64_t pos;
	if (__builtin_add_overflow(base, offset, &pos))
		return -EINVAL;
	if (pos < 0)
		return -EINVAL;
	f->pos = pos;
	return pos;
}

static int64_t regular_seek(struct call *c, struct file *f, int64_t offset, int whence)
{
	(void)c;
	struct vnode *v = f->vnode;
	switch (whence) {
	case SEEK_SET:
		return seek_result(f, 0, offset);
	case SEEK_CUR:
		return seek_result(f, f->pos, offset);
	case SEEK_END: {
		int r = vnode_nocache(v) ? vnode_attr_refresh(v) : 0;
		return r ? r : seek_result(f, (int64_t)v->attr.size, offset);
	}
	case SEEK_DATA:
	case SEEK_HOLE: {
		if (offset < 0 || (uint64_t)offset >= v->attr.size)
			return -ENXIO;
		int64_t r = fs_seek(v, (uint64_t)offset, whence);
		if (r < 0)
			return r;
		f->pos = r;
		return r;
	}
	default:
		return -EINVAL;
	}
}

static int64_t regular_ioctl(struct call *c, struct file *f, uint32_t request, uint64_t arg)
{
	enum { FIONREAD_NR = 0x541b };
	if (request != FIONREAD_NR)
		return -ENOTTY;
	int64_t left = (int64_t)f->vnode->attr.size - f->pos;
	int32_t n = left > INT32_MAX ? INT32_MAX : (int32_t)left;
	return user_write(c->ep, arg, &n, sizeof n);
}

static void regular_close(struct file *f)
{
	f->vnode->writers -= f->can_write;
}

const struct file_ops regular_file_ops = {
	.close = regular_close,
	.read = regular_read, .write = regular_write, .seek = regular_seek, .ioctl = regular_ioctl,
};

static int64_t directory_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	(void)c; (void)f; (void)u; (void)pos; (void)flags;
	return -EISDIR;
}

/* The position of a directory is the file system's cookie. */
static int64_t directory_seek(struct call *c, struct file *f, int64_t offset, int whence)
{
	(void)c;
	if (whence == SEEK_SET)
		return seek_result(f, 0, offset);
	if (whence == SEEK_CUR)
		return seek_result(f, f->pos, offset);
	return whence == SEEK_END ? seek_result(f, INT64_MAX, 0) : -EINVAL;
}

const struct file_ops directory_ops = { .read = directory_read, .seek = directory_seek };
const struct file_ops path_only_ops = { .kind = NULL };

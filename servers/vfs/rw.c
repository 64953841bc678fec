/* SPDX-License-Identifier: BSD-2-Clause */
/* The read and write families and lseek: unpack, check, hand to the object, keep the position. No state. */
#include <string.h>
#include <unistd.h>

#include "blkdev.h"
#include "calls.h"
#include "client.h"
#include "file.h"
#include "fsreq.h"
#include "open.h"

enum { RWF_HIPRI_F = 1, RWF_DSYNC_F = 2, RWF_SYNC_F = 4, RWF_NOWAIT_F = 8, RWF_APPEND_F = 16, RWF_ALL = 31 };

struct file *call_file(struct call *c, uint64_t fd)
{
	return fdtable_lookup(c->client->fds, (int)fd);
}

typedef int64_t io_fn(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags);

/* An interrupted transfer is made again after the signal, as with Linux. */
static int64_t io_result(int64_t n) { return n == -EINTR ? -ERESTARTSYS : n; }

/* At the file's own position. The file may be closed by another thread meanwhile, so hold it. */
static int64_t io_stream(struct call *c, struct file *f, struct uio *u, io_fn *fn, unsigned flags)
{
	int64_t n;
	file_get(f);
	if (f->ops->stream) {
		n = fn(c, f, u, &f->pos, flags);
	} else {
		fiber_lock_get(&f->pos_lock);
		int64_t pos = f->pos;
		n = fn(c, f, u, &pos, flags);
		f->pos = pos;
		fiber_lock_put(&f->pos_lock);
	}
	file_put(f);
	return io_result(n);
}

static int64_t io_at(struct call *c, struct file *f, struct uio *u, io_fn *fn, int64_t pos, unsigned flags)
{
	file_get(f);
	int64_t n = fn(c, f, u, &pos, flags);
	file_put(f);
	return io_result(n);
}

static struct file *readable(struct call *c, uint64_t fd)
{
	struct file *f = call_file(c, fd);
	return f && f->can_read ? f : NULL;
}

static struct file *writable(struct call *c, uint64_t fd)
{
	struct file *f = call_file(c, fd);
	return f && f->can_write ? f : NULL;
}

static int64_t io_single(struct call *c, struct file *f, io_fn *fn)
{
	struct uio u;
	if (!f)
		return -EBADF;
	uint64_t len = c->a[2];
	if (!user_range_ok(c->a[1], len))
		return -EFAULT;
	uio_single(&u, c->ep, c->a[1], len < USER_RW_MAX ? len : USER_RW_MAX);
	return io_stream(c, f, &u, fn, 0);
}

int64_t rq_read(struct call *c) { return io_single(c, readable(c, c->a[0]), file_read); }
int64_t rq_write(struct call *c) { return io_single(c, writable(c, c->a[0]), file_write); }

static int64_t io_single_at(struct call *c, struct file *any, struct file *f, io_fn *fn)
{
	struct uio u;
	int64_t pos = (int64_t)c->a[3];
	if (pos < 0)
		return -EINVAL;
	if (!any)
		return -EBADF;
	if (any->ops->stream)
		return -ESPIPE;
	if (!f)
		return -EBADF;
	uint64_t len = c->a[2];
	if (!user_range_ok(c->a[1], len))
		return -EFAULT;
	uio_single(&u, c->ep, c->a[1], len < USER_RW_MAX ? len : USER_RW_MAX);
	return io_at(c, f, &u, fn, pos, 0);
}

int64_t rq_pread64(struct call *c) { return io_single_at(c, call_file(c, c->a[0]), readable(c, c->a[0]), file_read); }
int64_t rq_pwrite64(struct call *c) { return io_single_at(c, call_file(c, c->a[0]), writable(c, c->a[0]), file_write); }

static int64_t io_vector(struct call *c, struct file *f, io_fn *fn, const int64_t *pos, unsigned flags)
{
	struct uio u;
	if (!f)
		return -EBADF;
	file_get(f);
	int64_t r = uio_vector(&u, c->ep, c->a[1], c->a[2]);
	if (r == 0) {
		r = pos ? io_at(c, f, &u, fn, *pos, flags) : io_stream(c, f, &u, fn, flags);
		uio_done(&u);
	}
	file_put(f);
	return r;
}

int64_t rq_readv(struct call *c) { return io_vector(c, readable(c, c->a[0]), file_read, NULL, 0); }
int64_t rq_writev(struct call *c) { return io_vector(c, writable(c, c->a[0]), file_write, NULL, 0); }

static int64_t io_vector_at(struct call *c, struct file *any, struct file *f, io_fn *fn, unsigned flags)
{
	int64_t pos = (int64_t)c->a[3];
	if (pos < 0)
		return -EINVAL;
	if (any && any->ops->stream)
		return -ESPIPE;
	return io_vector(c, f, fn, &pos, flags);
}

int64_t rq_preadv(struct call *c) { return io_vector_at(c, call_file(c, c->a[0]), readable(c, c->a[0]), file_read, 0); }
int64_t rq_pwritev(struct call *c) { return io_vector_at(c, call_file(c, c->a[0]), writable(c, c->a[0]), file_write, 0); }

static int64_t io_vector2(struct call *c, struct file *f, io_fn *fn, bool write)
{
	uint64_t flags = c->a[5];
	if (flags & ~(uint64_t)RWF_ALL || (flags & RWF_APPEND_F && !write))
		return -EOPNOTSUPP;
	unsigned how = (flags & RWF_NOWAIT_F ? FILE_IO_NOWAIT : 0u) | (flags & RWF_APPEND_F ? FILE_IO_APPEND : 0u);
	if ((int64_t)c->a[3] == -1)
		return io_vector(c, f, fn, NULL, how);
	return io_vector_at(c, call_file(c, c->a[0]), f, fn, how);
}

int64_t rq_preadv2(struct call *c) { return io_vector2(c, readable(c, c->a[0]), file_read, false); }
int64_t rq_pwritev2(struct call *c) { return io_vector2(c, writable(c, c->a[0]), file_write, true); }

int64_t rq_lseek(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if ((unsigned)c->a[2] > SEEK_HOLE)
		return -EINVAL;
	if (f->ops->stream || !f->ops->seek)
		return -ESPIPE;
	file_get(f);
	int64_t r = f->ops->seek(c, f, (int64_t)c->a[1], (int)c->a[2]);
	file_put(f);
	return r;
}

/* ---- sizes ----------------------------------------------------------------------------------------------------- */

int64_t rq_ftruncate(struct call *c)
{
	int64_t size = (int64_t)c->a[1];
	if (size < 0)
		return -EINVAL;
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (!f->vnode || !S_ISREG(f->vnode->attr.mode) || !f->can_write)
		return -EINVAL;
	file_get(f);
	int r = file_truncate(c->client, f->vnode, (uint64_t)size);
	file_put(f);
	return r;
}

static int fallocate_check(const struct file *f, int64_t mode, int64_t offset, int64_t len)
{
	enum { KEEP_SIZE = 1, PUNCH_HOLE = 2 };
	int64_t end;
	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (mode & ~(int64_t)(KEEP_SIZE | PUNCH_HOLE) || mode == PUNCH_HOLE)
		return -EOPNOTSUPP;
	if (!f->can_write)
		return -EBADF;
	if (f->ops->stream && !f->vnode)
		return -ESPIPE;
	if (!f->vnode || !S_ISREG(f->vnode->attr.mode))
		return f->vnode && vnode_is_dir(f->vnode) ? -EISDIR : f->vnode && S_ISFIFO(f->vnode->attr.mode) ? -ESPIPE : -ENODEV;
	return __builtin_add_overflow(offset, len, &end) ? -EFBIG : 0;
}

static int64_t fallocate_block(struct file *f, int64_t mode, int64_t offset, int64_t len)
{
	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (!f->can_write)
		return -EBADF;
	file_get(f);
	int r = blkdev_fallocate(f, (uint64_t)mode, (uint64_t)offset, (uint64_t)len);
	file_put(f);
	return r;
}

int64_t rq_fallocate(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (blkdev_is_file(f))
		return fallocate_block(f, (int64_t)(int)c->a[1], (int64_t)c->a[2], (int64_t)c->a[3]);
	int r = fallocate_check(f, (int64_t)(int)c->a[1], (int64_t)c->a[2], (int64_t)c->a[3]);
	if (r == 0)
		r = file_may_grow(c->client, f->vnode, c->a[2] + c->a[3]);
	if (r)
		return r;
	file_get(f);
	r = fs_fallocate(f->vnode, (uint64_t)(int)c->a[1], c->a[2], c->a[3]);
	file_put(f);
	return r;
}

int64_t rq_readahead(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || !f->can_read)
		return -EBADF;
	return f->vnode && S_ISREG(f->vnode->attr.mode) ? 0 : -EINVAL;
}

int64_t rq_fadvise64(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (f->ops->stream)
		return -ESPIPE;
	return (int64_t)c->a[2] < 0 || c->a[3] > 5 ? -EINVAL : 0;
}

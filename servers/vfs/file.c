/* SPDX-License-Identifier: BSD-2-Clause */
/* Open files: allocation from a pool, references, and the calls through their operations. They die with this process. */
#include "file.h"

#include <stdlib.h>
#include <string.h>

#include "epoll.h"
#include "fsreq.h"
#include "locks.h"
#include "mount.h"
#include "sock.h"

static struct files { struct file *free; unsigned open; uint64_t next_ino; } files = { .next_ino = 1 };

unsigned files_open_count(void) { return files.open; }
uint64_t anon_ino(void) { return files.next_ino++; }

struct file *file_new(const struct file_ops *ops, unsigned flags)
{
	struct file *f = files.free;
	if (f)
		files.free = f->object;
	else if (!(f = malloc(sizeof *f)))
		return NULL;
	memset(f, 0, sizeof *f);
	f->refs = 1;
	f->ops = ops;
	f->flags = flags;
	unsigned mode = flags & O_ACCMODE;
	f->can_read = !(flags & O_PATH) && mode != O_WRONLY;
	f->can_write = !(flags & O_PATH) && (mode == O_WRONLY || mode == O_RDWR);
	if (mode == 3)
		f->can_read = f->can_write = false;
	fiber_lock_init(&f->pos_lock);
	list_init(&f->watches);
	files.open++;
	return f;
}

void file_put(struct file *f)
{
	if (--f->refs > 0) {
		if (f->inflight && f->inflight == f->refs)
			sock_gc_start();	/* only messages have it: perhaps its own */
		return;
	}
	epoll_file_closed(f);
	if (f->has_locks && f->vnode)
		locks_drop_owner(f->vnode, f);
	if (f->ops->close)
		f->ops->close(f);
	vnode_put(f->vnode);
	f->object = files.free;
	files.free = f;
	files.open--;
}

int64_t file_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	return f->ops->read ? f->ops->read(c, f, u, pos, flags) : -EINVAL;
}

int64_t file_write(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	return f->ops->write ? f->ops->write(c, f, u, pos, flags) : -EINVAL;
}

unsigned file_poll(struct file *f, unsigned wanted)
{
	unsigned always = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return f->ops->poll ? f->ops->poll(f, wanted) : always;
}

static void anon_attr(const struct file *f, struct fs_attr *attr)
{
	memset(attr, 0, sizeof *attr);
	attr->node = f->ino;
	attr->nlink = 1;
	attr->blksize = 4096;
	attr->mode = 0600;
	if (f->ops->kind && strcmp(f->ops->kind, "pipe") == 0)
		attr->mode = S_IFIFO | 0600;
	else if (f->ops->kind && strcmp(f->ops->kind, "socket") == 0)
		attr->mode = S_IFSOCK | 0777;
}

int file_attr(struct call *c, struct file *f, struct fs_attr *attr, uint64_t *dev)
{
	(void)c;
	if (!f->vnode) {
		anon_attr(f, attr);
		*dev = 0xd;
		return 0;
	}
	struct vnode *v = vnode_get(f->vnode);
	int r = vnode_attr_refresh(v);
	if (r == 0) {
		*attr = v->attr;
		*dev = mount_dev(v->mount);
	}
	vnode_put(v);
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* open, openat, openat2, creat, close, close_range: from a name to a descriptor. State is in the descriptor tables. */
#include "open.h"

#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "blkdev.h"
#include "cdev.h"
#include "fsreq.h"
#include "locks.h"
#include "mount.h"
#include "namecache.h"
#include "perm.h"
#include "pipe.h"

enum { OPEN_VALID = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC | O_DIRECT | O_LARGEFILE
	| 0100000 | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE,
	OPEN_KEPT = ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC) };
enum { KERNEL_O_LARGEFILE = 0100000 };
enum { MOUNT_NODEV = 4 };

/* openat2's argument. */
struct open_how { uint64_t flags, mode, resolve; };
enum { RESOLVE_NO_XDEV = 1, RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4, RESOLVE_BENEATH = 8, RESOLVE_IN_ROOT = 0x10,
	RESOLVE_CACHED = 0x20 };

/* ---- new nodes ------------------------------------------------------------------------------------------------- */

void made_fill(const struct client *cl, const struct vnode *dir, unsigned mode, struct fs_made *made)
{
	memset(made, 0, sizeof *made);
	made->mode = (mode & S_IFMT) | (mode & 07777 & ~cl->fs->umask);
	made->uid = cl->fsuid;
	made->gid = cl->fsgid;
	if (dir->attr.mode & S_ISGID) {
		made->gid = dir->attr.gid;
		if (S_ISDIR(mode))
			made->mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && cl->fsuid != 0 && !client_in_group(cl, made->gid))
			made->mode &= ~(uint32_t)S_ISGID;
	}
}

int node_make(struct client *cl, struct vnode *dir, const char *name, size_t len, const struct fs_made *made, struct vnode **v)
{
	struct fs_attr attr;
	int r = perm_dir_modify(cl, dir);
	if (r)
		return r;
	r = fs_create(dir, name, len, made, &attr);
	if (r) {
		namecache_drop(dir, name, len);
		return r;
	}
	dir_changed(dir);
	if (S_ISDIR(made->mode))
		dir->attr.nlink++;
	*v = vnode_take(dir->mount, &attr);
	if (!*v) {
		namecache_drop(dir, name, len);
		return -ENOMEM;
	}
	vnode_set_place(*v, dir, name, len);
	namecache_enter(dir, name, len, *v);
	return 0;
}

int tmpfile_make(struct client *cl, struct vnode *dir, unsigned mode, struct vnode **v)
{
	static uint64_t counter;
	char name[40];
	struct fs_made made;
	struct fs_attr attr;
	size_t len = (size_t)snprintf(name, sizeof name, "#%llu.tmp", (unsigned long long)++counter);
	made_fill(cl, dir, S_IFREG | (mode & 07777), &made);
	int r = fs_create(dir, name, len, &made, &attr);
	if (r)
		return r;
	*v = vnode_take(dir->mount, &attr);
	r = fs_unlink(dir, name, len, 0, &attr);
	dir_changed(dir);
	if (!*v)
		return -ENOMEM;
	(*v)->removed = true;
	(*v)->attr.nlink = 0;
	return r;
}

/* ---- opening what exists --------------------------------------------------------------------------------------- */

static unsigned open_wants(unsigned flags)
{
	static const uint8_t by_mode[4] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
	return by_mode[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0u);
}

static int open_check(const struct client *cl, const struct vnode *v, unsigned flags)
{
	unsigned want = open_wants(flags);
	uint32_t type = v->attr.mode & S_IFMT;
	if (type == S_IFLNK)
		return -ELOOP;
	if (type == S_IFDIR && want & MAY_WRITE)
		return -EISDIR;
	if ((type == S_IFCHR || type == S_IFBLK) && v->mount->flags & MOUNT_NODEV)
		return -EACCES;
	int r = perm_check(cl, v, want);
	if (r == 0 && want & MAY_WRITE && v->running)
		r = -ETXTBSY;
	if (r)
		return r;
	return flags & O_NOATIME && !perm_is_owner(cl, v) ? -EPERM : 0;
}

static int open_simple(struct vnode *v, unsigned flags, const struct file_ops *ops, struct file **out)
{
	struct file *f = file_new(ops, flags & (unsigned)OPEN_KEPT);
	if (!f)
		return -ENFILE;
	f->vnode = vnode_get(v);
	v->writers += f->can_write;
	*out = f;
	return 0;
}

int open_vnode(struct call *c, struct client *cl, struct vnode *v, unsigned flags, struct file **out)
{
	if (flags & O_PATH)
		return open_simple(v, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW), &path_only_ops, out);
	switch (v->attr.mode & S_IFMT) {
	case S_IFREG:
		return open_simple(v, flags, &regular_file_ops, out);
	case S_IFDIR:
		return open_simple(v, flags, &directory_ops, out);
	case S_IFCHR:
		return cdev_open(c, cl, v, flags, out);
	case S_IFBLK:
		return blkdev_open(c, v, flags, out);
	case S_IFIFO:
		return fifo_open(c, v, flags, out);
	default:
		return -ENXIO;
	}
}

static int open_existing(struct call *c, struct client *cl, struct vnode *v, unsigned flags, struct file **out)
{
	if (flags & O_DIRECTORY && !vnode_is_dir(v))
		return -ENOTDIR;
	if (!(flags & O_PATH)) {
		int r = open_check(cl, v, flags);
		if (r)
			return r;
		if (flags & O_TRUNC && S_ISREG(v->attr.mode) && (r = file_truncate(cl, v, 0)))
			return r;
	}
	return open_vnode(c, cl, v, flags, out);
}

/* ---- opening by name ------------------------------------------------------------------------------------------- */

/* /proc/PID/fd/N of a pipe or socket: a new open file on the same object is possible for pipes; others share the file. */
static int open_magic(struct file *f, unsigned flags, struct file **out)
{
	if (flags & O_PATH) {
		*out = file_get(f);
		return 0;
	}
	return pipe_reopen(f, flags, out);
}

static int open_create(struct call *c, struct client *cl, struct walk *w, unsigned flags, unsigned mode, struct file **out)
{
	struct fs_made made;
	struct vnode *v;
	if (w->trailing_slash)
		return -EISDIR;
	if (vnode_nocache(w->dir))
		return -ENOENT;	/* names of /proc are not made by asking for them */
	made_fill(cl, w->dir, S_IFREG | (mode & 07777), &made);
	int r = node_make(cl, w->dir, w->name, w->len, &made, &v);
	if (r)
		return r;
	r = open_vnode(c, cl, v, flags, out);
	vnode_put(v);
	return r;
}

static int open_walked(struct call *c, struct client *cl, struct walk *w, unsigned flags, unsigned mode, struct file **out)
{
	if (w->magic)
		return open_magic(w->magic, flags, out);
	if (!(flags & O_CREAT))
		return open_existing(c, cl, w->vnode, flags, out);
	if (!w->vnode)
		return open_create(c, cl, w, flags, mode, out);
	if (flags & O_EXCL)
		return -EEXIST;
	if (vnode_is_dir(w->vnode) || w->trailing_slash)
		return vnode_is_dir(w->vnode) ? -EISDIR : -ENOTDIR;
	return open_existing(c, cl, w->vnode, flags, out);
}

static int open_tmpfile(struct call *c, struct client *cl, struct vnode *dir, unsigned flags, unsigned mode, struct file **out)
{
	struct vnode *v;
	if (!vnode_is_dir(dir))
		return -ENOTDIR;
	int r = perm_dir_modify(cl, dir);
	if (r == 0)
		r = tmpfile_make(cl, dir, mode, &v);
	if (r)
		return r;
	r = open_vnode(c, cl, v, flags & ~(unsigned)(O_TMPFILE | O_CREAT), out);
	vnode_put(v);
	return r;
}

static bool is_tmpfile(unsigned flags) { return (flags & O_TMPFILE) == O_TMPFILE; }

int open_path(struct call *c, struct client *cl, int dirfd, const char *text, unsigned flags, unsigned mode, unsigned path_flags,
	      struct file **out)
{
	struct walk w;
	bool create = flags & O_CREAT && !(flags & O_PATH) && !is_tmpfile(flags);
	if (flags & O_NOFOLLOW || (create && flags & O_EXCL))
		path_flags |= PATH_NOFOLLOW;
	if (flags & O_DIRECTORY && !create)
		path_flags |= PATH_DIRECTORY;
	if (!create)
		flags &= ~(unsigned)O_CREAT;
	for (int tries = 0;; tries++) {
		int r = path_walk(&(struct path){ c, cl, dirfd, text, path_flags }, create, &w);
		if (r == -ENOTDIR && !create && flags & O_DIRECTORY && flags & O_NOFOLLOW && !(flags & O_PATH))
			r = -ENOTDIR;
		if (r)
			return r;
		if (is_tmpfile(flags))
			r = w.vnode ? open_tmpfile(c, cl, w.vnode, flags, mode, out) : -ENOENT;
		else
			r = open_walked(c, cl, &w, flags, mode, out);
		walk_done(&w);
		if (r != -EEXIST || !create || flags & O_EXCL || tries > 3)
			return r;	/* else somebody made it meanwhile: open that */
	}
}

/* ---- calls ----------------------------------------------------------------------------------------------------- */

int64_t fd_install_new(struct call *c, struct file *f, bool cloexec)
{
	int fd = fdtable_reserve(c->client->fds, 0, c->client->limit_files);
	if (fd < 0) {
		file_put(f);
		return fd;
	}
	fdtable_install(c->client->fds, fd, f, cloexec);
	return fd;
}

static int64_t open_call(struct call *c, int dirfd, vaddr_t path, unsigned flags, unsigned mode, unsigned path_flags)
{
	char text[USER_PATH_MAX];
	struct file *f;
	if (is_tmpfile(flags) ? (flags & O_ACCMODE) == O_RDONLY : flags & (O_TMPFILE & ~O_DIRECTORY))
		return -EINVAL;
	int r = path_copy_in(c, path, text);
	if (r)
		return r;
	int fd = fdtable_reserve(c->client->fds, 0, c->client->limit_files);
	if (fd < 0)
		return fd;
	r = open_path(c, c->client, dirfd, text, flags | KERNEL_O_LARGEFILE, mode, path_flags, &f);
	if (r) {
		fdtable_release(c->client->fds, fd);
		return r == -EINTR ? -ERESTARTSYS : r;
	}
	fdtable_install(c->client->fds, fd, f, flags & O_CLOEXEC);
	return fd;
}

int64_t rq_open(struct call *c)
{
	return open_call(c, AT_FDCWD, c->a[0], (unsigned)c->a[1] & OPEN_VALID, (unsigned)c->a[2], 0);
}

int64_t rq_openat(struct call *c)
{
	return open_call(c, (int)c->a[0], c->a[1], (unsigned)c->a[2] & OPEN_VALID, (unsigned)c->a[3], 0);
}

int64_t rq_creat(struct call *c)
{
	return open_call(c, AT_FDCWD, c->a[0], O_CREAT | O_WRONLY | O_TRUNC, (unsigned)c->a[1], 0);
}

static unsigned resolve_flags(uint64_t resolve)
{
	return (resolve & RESOLVE_NO_XDEV ? PATH_NO_XDEV : 0u) | (resolve & RESOLVE_NO_MAGICLINKS ? PATH_NO_MAGIC : 0u)
	     | (resolve & RESOLVE_NO_SYMLINKS ? PATH_NO_SYMLINKS : 0u) | (resolve & RESOLVE_BENEATH ? PATH_BENEATH : 0u)
	     | (resolve & RESOLVE_IN_ROOT ? PATH_IN_ROOT : 0u);
}

int64_t rq_openat2(struct call *c)
{
	struct open_how how;
	uint64_t size = c->a[3];
	if (size < sizeof how)
		return -EINVAL;
	if (size > sizeof how)
		return -E2BIG;
	if (user_read(c->ep, c->a[2], &how, sizeof how))
		return -EFAULT;
	bool makes = how.flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY));
	if (how.flags & ~(uint64_t)OPEN_VALID || how.mode & ~07777ull || (how.mode && !makes) || how.resolve & ~0x3full
	    || (how.resolve & RESOLVE_BENEATH && how.resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (how.resolve & RESOLVE_CACHED)
		return -EAGAIN;
	return open_call(c, (int)c->a[0], c->a[1], (unsigned)how.flags, (unsigned)how.mode, resolve_flags(how.resolve));
}

static void fd_close(struct call *c, struct file *f)
{
	if (f->vnode)
		locks_drop_owner(f->vnode, c->client->fds);
	file_put(f);
}

int64_t rq_close(struct call *c)
{
	struct file *f = fdtable_remove(c->client->fds, (int)c->a[0]);
	if (!f)
		return -EBADF;
	fd_close(c, f);
	return 0;
}

int64_t rq_close_range(struct call *c)
{
	enum { CLOSE_UNSHARE = 2, CLOSE_CLOEXEC = 4 };
	uint32_t first = (uint32_t)c->a[0], last = (uint32_t)c->a[1], flags = (uint32_t)c->a[2];
	if (flags & ~(uint32_t)(CLOSE_UNSHARE | CLOSE_CLOEXEC) || first > last)
		return -EINVAL;
	if (flags & CLOSE_UNSHARE && client_unshare_files(c->client) != 0)
		return -ENOMEM;
	struct fdtable *t = c->client->fds;
	for (uint32_t fd = first; fd <= last && fd < (uint32_t)t->size; fd++) {
		struct file *f = fdtable_lookup(t, (int)fd);
		if (f && flags & CLOSE_CLOEXEC)
			fdtable_set_cloexec(t, (int)fd, true);
		else if (f)
			fd_close(c, fdtable_remove(t, (int)fd));
	}
	return 0;
}

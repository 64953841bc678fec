/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories: reading them, the working directory, the root. No state of its own. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "fsreq.h"
#include "mount.h"
#include "path.h"
#include "perm.h"
#include "report.h"

enum { READDIR_MAX = 32768 };

/* ---- getdents -------------------------------------------------------------------------------------------------- */

/* A record of the old getdents: the type goes to the last byte. In place: the layouts are equally long but for the type. */
struct old_dirent { uint64_t ino, off; uint16_t reclen; char name[]; };

static bool records_valid(const uint8_t *buf, size_t n)
{
	for (size_t at = 0; at < n;) {
		const struct dirent *d = (const struct dirent *)(const void *)(buf + at);
		if (n - at < offsetof(struct dirent, d_name) + 1 || d->d_reclen < offsetof(struct dirent, d_name) + 1
		    || d->d_reclen > n - at || d->d_reclen & 7)
			return false;
		at += d->d_reclen;
	}
	return true;
}

static void records_to_old(uint8_t *buf, size_t n)
{
	for (size_t at = 0; at < n;) {
		struct dirent *d = (struct dirent *)(void *)(buf + at);
		struct old_dirent *o = (struct old_dirent *)(void *)d;
		size_t len = d->d_reclen;
		uint8_t type = d->d_type;
		memmove(o->name, d->d_name, len - offsetof(struct dirent, d_name));
		buf[at + len - 1] = type;
		at += len;
	}
}

/* ".." of a mount's root shows the directory above. */
static void records_fix_parent(const struct vnode *dir, uint8_t *buf, size_t n)
{
	const struct vnode *covered = dir == dir->mount->root ? dir->mount->covered : NULL;
	for (size_t at = 0; covered && at < n;) {
		struct dirent *d = (struct dirent *)(void *)(buf + at);
		if (strcmp(d->d_name, "..") == 0)
			d->d_ino = covered->parent ? covered->parent->node : covered->node;
		at += d->d_reclen;
	}
}

static int64_t dir_read(struct call *c, struct file *f, uint8_t *buf, bool old)
{
	struct vnode *v = f->vnode;
	uint64_t cookie = (uint64_t)f->pos, room = (uint32_t)c->a[2];
	if (v->removed || v->attr.nlink == 0)
		return -ENOENT;
	if (room > READDIR_MAX)
		room = READDIR_MAX;
	int64_t n = fs_readdir(v, &cookie, buf, room, c->ep);
	if (n < 0)
		return n;
	if (!records_valid(buf, (size_t)n)) {
		report_broken(v->mount->fs, "", RS_BROKEN_RECORDS);
		return -EIO;
	}
	records_fix_parent(v, buf, (size_t)n);
	if (old)
		records_to_old(buf, (size_t)n);
	if (n && user_write(c->ep, c->a[1], buf, (size_t)n) != 0)
		return -EFAULT;
	f->pos = (int64_t)cookie;
	return n;
}

static int64_t getdents_call(struct call *c, bool old)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (!f->vnode || !vnode_is_dir(f->vnode))
		return -ENOTDIR;
	if (!user_range_ok(c->a[1], (uint32_t)c->a[2]))
		return -EFAULT;
	uint8_t *buf = malloc(READDIR_MAX);
	if (!buf)
		return -ENOMEM;
	file_get(f);
	fiber_lock_get(&f->pos_lock);
	int64_t r = dir_read(c, f, buf, old);
	fiber_lock_put(&f->pos_lock);
	file_put(f);
	free(buf);
	return r;
}

int64_t rq_getdents64(struct call *c) { return getdents_call(c, false); }
int64_t rq_getdents(struct call *c) { return getdents_call(c, true); }

/* ---- where a process is ---------------------------------------------------------------------------------------- */

int64_t rq_getcwd(struct call *c)
{
	char buf[USER_PATH_MAX];
	const char *start;
	struct fsctx *fs = c->client->fs;
	if (fs->cwd->removed || fs->cwd->attr.nlink == 0)
		return -ENOENT;
	int r = path_of_vnode(fs->cwd, fs->root, buf, sizeof buf, &start);
	if (r == -ERANGE)
		return -ENAMETOOLONG;
	if (r)	/* outside the root */
		return -ENOENT;
	size_t n = strlen(start) + 1;
	if (n > c->a[1])
		return -ERANGE;
	r = user_write(c->ep, c->a[0], start, n);
	return r ? r : (int64_t)n;
}

static int64_t cwd_set(struct client *cl, struct vnode *v)
{
	int r = vnode_is_dir(v) ? perm_check(cl, v, MAY_EXEC) : -ENOTDIR;
	if (r)
		return r;
	struct vnode *old = cl->fs->cwd;
	cl->fs->cwd = vnode_get(v);
	vnode_put(old);
	return 0;
}

int64_t rq_chdir(struct call *c)
{
	struct vnode *v;
	int r = path_lookup_user(c, AT_FDCWD, c->a[0], PATH_DIRECTORY, &v);
	if (r)
		return r;
	int64_t result = cwd_set(c->client, v);
	vnode_put(v);
	return result;
}

int64_t rq_fchdir(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f)
		return -EBADF;
	return f->vnode ? cwd_set(c->client, f->vnode) : -ENOTDIR;
}

int64_t rq_chroot(struct call *c)
{
	struct vnode *v;
	int r = path_lookup_user(c, AT_FDCWD, c->a[0], PATH_DIRECTORY, &v);
	if (r)
		return r;
	r = perm_check(c->client, v, MAY_EXEC);
	if (r == 0 && !client_is_root(c->client))
		r = -EPERM;
	if (r == 0) {
		struct vnode *old = c->client->fs->root;
		c->client->fs->root = vnode_get(v);
		vnode_put(old);
	}
	vnode_put(v);
	return r;
}

int64_t rq_umask(struct call *c)
{
	uint32_t old = c->client->fs->umask;
	c->client->fs->umask = (uint32_t)c->a[0] & 0777;
	return old;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Changing attributes: modes, owners, times, length by path. No state. */
#include <string.h>
#include <sys/time.h>
#include <utime.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "fsreq.h"
#include "mount.h"
#include "open.h"
#include "path.h"
#include "perm.h"

enum { FLAG_NOFOLLOW = 0x100, FLAG_EMPTY_PATH = 0x1000, NS_PER_S = 1000000000 };
static const uint32_t ID_KEEP = 0xffffffffu;

typedef int attr_fn(struct client *cl, struct vnode *v, const void *arg);

static int64_t on_path(struct call *c, int dirfd, vaddr_t path, unsigned flags, attr_fn *fn, const void *arg)
{
	struct vnode *v;
	int r = path_lookup_user(c, dirfd, path, flags, &v);
	if (r)
		return r == -ENXIO ? -EPERM : r;
	r = mount_readonly(v->mount) ? -EROFS : fn(c->client, v, arg);
	vnode_put(v);
	return r;
}

static int64_t on_fd(struct call *c, uint64_t fd, attr_fn *fn, const void *arg)
{
	struct file *f = call_file(c, fd);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (!f->vnode)
		return 0;	/* pipes and sockets take it and keep nothing */
	struct vnode *v = vnode_get(f->vnode);
	int r = mount_readonly(v->mount) ? -EROFS : fn(c->client, v, arg);
	vnode_put(v);
	return r;
}

/* ---- chmod ----------------------------------------------------------------------------------------------------- */

static int mode_set(struct client *cl, struct vnode *v, const void *arg)
{
	uint32_t mode = *(const uint32_t *)arg & 07777;
	if (vnode_is_link(v))
		return -EOPNOTSUPP;
	if (!perm_is_owner(cl, v))
		return -EPERM;
	if (cl->fsuid != 0 && !client_in_group(cl, v->attr.gid))
		mode &= ~(uint32_t)S_ISGID;
	struct fs_attr in = { .mode = mode };
	return fs_setattr(v, FS_SET_MODE, &in);
}

int64_t rq_chmod(struct call *c)
{
	uint32_t mode = (uint32_t)c->a[1];
	return on_path(c, AT_FDCWD, c->a[0], 0, mode_set, &mode);
}

int64_t rq_fchmodat(struct call *c)
{
	uint32_t mode = (uint32_t)c->a[2];
	return on_path(c, (int)c->a[0], c->a[1], 0, mode_set, &mode);
}

int64_t rq_fchmod(struct call *c)
{
	uint32_t mode = (uint32_t)c->a[1];
	return on_fd(c, c->a[0], mode_set, &mode);
}

/* ---- chown ----------------------------------------------------------------------------------------------------- */

struct owner { uint32_t uid, gid; };

static int owner_check(const struct client *cl, const struct vnode *v, const struct owner *o)
{
	if (cl->fsuid == 0)
		return 0;
	if (o->uid != ID_KEEP && (cl->fsuid != v->attr.uid || o->uid != v->attr.uid))
		return -EPERM;
	if (o->gid != ID_KEEP && (cl->fsuid != v->attr.uid || !client_in_group(cl, o->gid)))
		return -EPERM;
	return 0;
}

static int owner_set(struct client *cl, struct vnode *v, const void *arg)
{
	const struct owner *o = arg;
	int r = owner_check(cl, v, o);
	if (r)
		return r;
	struct fs_attr in = { .uid = o->uid, .gid = o->gid };
	uint64_t mask = (o->uid != ID_KEEP ? FS_SET_UID : 0u) | (o->gid != ID_KEEP ? FS_SET_GID : 0u);
	uint32_t mode = v->attr.mode, drop = 0;
	if (!S_ISDIR(mode)) {
		drop = mode & S_ISUID;
		if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
			drop |= S_ISGID;
	}
	if (drop) {
		in.mode = mode & 07777 & ~drop;
		mask |= FS_SET_MODE;
	}
	return mask ? fs_setattr(v, mask, &in) : 0;
}

int64_t rq_chown(struct call *c)
{
	struct owner o = { (uint32_t)c->a[1], (uint32_t)c->a[2] };
	return on_path(c, AT_FDCWD, c->a[0], 0, owner_set, &o);
}

int64_t rq_lchown(struct call *c)
{
	struct owner o = { (uint32_t)c->a[1], (uint32_t)c->a[2] };
	return on_path(c, AT_FDCWD, c->a[0], PATH_NOFOLLOW, owner_set, &o);
}

int64_t rq_fchown(struct call *c)
{
	struct owner o = { (uint32_t)c->a[1], (uint32_t)c->a[2] };
	return on_fd(c, c->a[0], owner_set, &o);
}

int64_t rq_fchownat(struct call *c)
{
	struct owner o = { (uint32_t)c->a[2], (uint32_t)c->a[3] };
	uint64_t flags = c->a[4];
	if (flags & ~(uint64_t)(FLAG_NOFOLLOW | FLAG_EMPTY_PATH))
		return -EINVAL;
	unsigned how = (flags & FLAG_NOFOLLOW ? PATH_NOFOLLOW : 0u) | (flags & FLAG_EMPTY_PATH ? PATH_EMPTY_OK : 0u);
	return on_path(c, (int)c->a[0], c->a[1], how, owner_set, &o);
}

/* ---- times ----------------------------------------------------------------------------------------------------- */

/* now: both are the present time, which needs write permission only. */
struct times { bool now, set_atime, set_mtime, now_atime, now_mtime; int64_t atime, mtime; };

static int times_set(struct client *cl, struct vnode *v, const void *arg)
{
	const struct times *t = arg;
	if (!t->set_atime && !t->set_mtime)
		return 0;
	if (!perm_is_owner(cl, v)) {
		int r = t->now ? perm_check(cl, v, MAY_WRITE) : -EPERM;
		if (r)
			return r;
	}
	int64_t now = time_of_day();
	struct fs_attr in = { .atime_ns = t->now_atime ? now : t->atime, .mtime_ns = t->now_mtime ? now : t->mtime };
	return fs_setattr(v, (t->set_atime ? FS_SET_ATIME : 0u) | (t->set_mtime ? FS_SET_MTIME : 0u), &in);
}

static const struct times times_now = { .now = true, .set_atime = true, .set_mtime = true, .now_atime = true, .now_mtime = true };

static int timespec_ns(const struct timespec *ts, int64_t *ns)
{
	if (ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_S)
		return -EINVAL;
	if (__builtin_mul_overflow(ts->tv_sec, (int64_t)NS_PER_S, ns) || __builtin_add_overflow(*ns, ts->tv_nsec, ns))
		*ns = ts->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return 0;
}

static int one_time(const struct timespec *ts, bool *set, bool *now, int64_t *ns)
{
	*set = ts->tv_nsec != UTIME_OMIT;
	*now = ts->tv_nsec == UTIME_NOW;
	return *set && !*now ? timespec_ns(ts, ns) : 0;
}

int64_t rq_utimensat(struct call *c)
{
	struct times t = times_now;
	struct timespec ts[2];
	uint64_t flags = c->a[3];
	if (c->a[2]) {
		if (user_read(c->ep, c->a[2], ts, sizeof ts))
			return -EFAULT;
		if (ts[0].tv_nsec == UTIME_OMIT && ts[1].tv_nsec == UTIME_OMIT)
			return 0;
		int r = one_time(&ts[0], &t.set_atime, &t.now_atime, &t.atime);
		if (r == 0)
			r = one_time(&ts[1], &t.set_mtime, &t.now_mtime, &t.mtime);
		if (r)
			return r;
		t.now = t.now_atime && t.now_mtime;
	}
	if (flags & ~(uint64_t)(FLAG_NOFOLLOW | FLAG_EMPTY_PATH))
		return -EINVAL;
	if (!c->a[1])
		return (int)c->a[0] == AT_FDCWD ? -EFAULT : flags ? -EINVAL : on_fd(c, c->a[0], times_set, &t);
	unsigned how = (flags & FLAG_NOFOLLOW ? PATH_NOFOLLOW : 0u) | (flags & FLAG_EMPTY_PATH ? PATH_EMPTY_OK : 0u);
	return on_path(c, (int)c->a[0], c->a[1], how, times_set, &t);
}

static int64_t timeval_times(struct call *c, vaddr_t from, struct times *t)
{
	struct timeval tv[2];
	*t = times_now;
	if (!from)
		return 0;
	if (user_read(c->ep, from, tv, sizeof tv))
		return -EFAULT;
	*t = (struct times){ .set_atime = true, .set_mtime = true };
	for (int i = 0; i < 2; i++)
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
	timespec_ns(&(struct timespec){ tv[0].tv_sec, tv[0].tv_usec * 1000 }, &t->atime);
	timespec_ns(&(struct timespec){ tv[1].tv_sec, tv[1].tv_usec * 1000 }, &t->mtime);
	return 0;
}

int64_t rq_utimes(struct call *c)
{
	struct times t;
	int64_t r = timeval_times(c, c->a[1], &t);
	return r ? r : on_path(c, AT_FDCWD, c->a[0], 0, times_set, &t);
}

int64_t rq_futimesat(struct call *c)
{
	struct times t;
	int64_t r = timeval_times(c, c->a[2], &t);
	if (r)
		return r;
	return c->a[1] ? on_path(c, (int)c->a[0], c->a[1], 0, times_set, &t) : on_fd(c, c->a[0], times_set, &t);
}

int64_t rq_utime(struct call *c)
{
	struct times t = times_now;
	struct utimbuf u;
	if (c->a[1]) {
		if (user_read(c->ep, c->a[1], &u, sizeof u))
			return -EFAULT;
		t = (struct times){ .set_atime = true, .set_mtime = true };
		timespec_ns(&(struct timespec){ u.actime, 0 }, &t.atime);
		timespec_ns(&(struct timespec){ u.modtime, 0 }, &t.mtime);
	}
	return on_path(c, AT_FDCWD, c->a[0], 0, times_set, &t);
}

/* ---- length ---------------------------------------------------------------------------------------------------- */

static int length_set(struct client *cl, struct vnode *v, const void *arg)
{
	if (vnode_is_dir(v))
		return -EISDIR;
	if (!S_ISREG(v->attr.mode))
		return -EINVAL;
	int r = perm_check(cl, v, MAY_WRITE);
	if (r == 0 && v->running)
		r = -ETXTBSY;
	return r ? r : file_truncate(cl, v, *(const uint64_t *)arg);
}

int64_t rq_truncate(struct call *c)
{
	uint64_t size = c->a[1];
	return (int64_t)size < 0 ? -EINVAL : on_path(c, AT_FDCWD, c->a[0], 0, length_set, &size);
}

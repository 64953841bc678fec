/* SPDX-License-Identifier: BSD-2-Clause */
/* The stat family, access, readlink: what is known about a file. Answered from cached attributes where they are complete. No state. */
#include <string.h>
#include <sys/sysmacros.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "fsreq.h"
#include "magiclink.h"
#include "mount.h"
#include "path.h"
#include "perm.h"

enum { NS_PER_S = 1000000000 };
enum { FLAG_NOFOLLOW = 0x100, FLAG_EACCESS = 0x200, FLAG_NO_AUTOMOUNT = 0x800, FLAG_EMPTY_PATH = 0x1000, FLAG_STATX_SYNC = 0x6000 };

/* Linux's struct stat of x86-64. */
struct linux_stat {
	uint64_t st_dev, st_ino, st_nlink;
	uint32_t st_mode, st_uid, st_gid, pad0;
	uint64_t st_rdev;
	int64_t st_size, st_blksize, st_blocks;
	int64_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
	int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

static void split_ns(int64_t ns, int64_t *s, int64_t *rest)
{
	*s = ns / NS_PER_S;
	*rest = ns % NS_PER_S;
	if (*rest < 0) {
		*rest += NS_PER_S;
		--*s;
	}
}

/* What a call asks about: copied out of the vnode, so that nothing can change while the answer is made. */
struct subject { struct fs_attr attr; uint64_t dev; bool mount_root; };

static int64_t stat_write(struct call *c, const struct subject *s, vaddr_t to)
{
	const struct fs_attr *a = &s->attr;
	struct linux_stat st = { .st_dev = s->dev, .st_ino = a->node, .st_nlink = a->nlink, .st_mode = a->mode, .st_uid = a->uid,
		.st_gid = a->gid, .st_rdev = a->rdev, .st_size = (int64_t)a->size, .st_blksize = a->blksize ? a->blksize : 4096,
		.st_blocks = (int64_t)a->blocks };
	split_ns(a->atime_ns, &st.atime, &st.atime_ns);
	split_ns(a->mtime_ns, &st.mtime, &st.mtime_ns);
	split_ns(a->ctime_ns, &st.ctime, &st.ctime_ns);
	return user_write(c->ep, to, &st, sizeof st);
}

static int subject_of_path(struct call *c, int dirfd, vaddr_t path, unsigned flags, struct subject *s)
{
	char text[USER_PATH_MAX];
	struct walk w;
	int r = path_copy_in(c, path, text);
	if (r)
		return r;
	r = path_walk(&(struct path){ c, c->client, dirfd, text, flags }, false, &w);
	if (r)
		return r;
	if (w.magic) {
		r = file_attr(c, w.magic, &s->attr, &s->dev);
	} else {
		r = vnode_attr_refresh(w.vnode);
		s->attr = w.vnode->attr;
		s->dev = mount_dev(w.vnode->mount);
		s->mount_root = w.vnode == w.vnode->mount->root;
	}
	walk_done(&w);
	return r;
}

static int64_t stat_path(struct call *c, int dirfd, vaddr_t path, unsigned flags, vaddr_t to)
{
	struct subject s = { .mount_root = false };
	int r = subject_of_path(c, dirfd, path, flags, &s);
	return r ? r : stat_write(c, &s, to);
}

static int subject_of_fd(struct call *c, uint64_t fd, struct subject *s)
{
	struct file *f = call_file(c, fd);
	if (!f)
		return -EBADF;
	file_get(f);
	int r = file_attr(c, f, &s->attr, &s->dev);
	file_put(f);
	return r;
}

int64_t rq_stat(struct call *c) { return stat_path(c, AT_FDCWD, c->a[0], 0, c->a[1]); }
int64_t rq_lstat(struct call *c) { return stat_path(c, AT_FDCWD, c->a[0], PATH_NOFOLLOW, c->a[1]); }

int64_t rq_fstat(struct call *c)
{
	struct subject s = { .mount_root = false };
	int r = subject_of_fd(c, c->a[0], &s);
	return r ? r : stat_write(c, &s, c->a[1]);
}

static unsigned at_flags(uint64_t flags)
{
	return (flags & FLAG_NOFOLLOW ? PATH_NOFOLLOW : 0u) | (flags & FLAG_EMPTY_PATH ? PATH_EMPTY_OK : 0u);
}

int64_t rq_newfstatat(struct call *c)
{
	if (c->a[3] & ~(uint64_t)(FLAG_NOFOLLOW | FLAG_NO_AUTOMOUNT | FLAG_EMPTY_PATH))
		return -EINVAL;
	return stat_path(c, (int)c->a[0], c->a[1], at_flags(c->a[3]), c->a[2]);
}

/* statx's answer: Linux's layout. */
struct statx_time { int64_t sec; uint32_t nsec; int32_t pad; };
struct statx_answer {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id, spare[13];
};
_Static_assert(sizeof(struct statx_answer) == 256, "struct statx");
enum { STATX_BASIC = 0x7ff, STATX_BTIME_F = 0x800, STATX_ATTR_ROOT = 0x2000 };
static const uint32_t STATX_RESERVED_F = 0x80000000u;

/* ---- statx ----------------------------------------------------------------------------------------------------- */

static struct statx_time time_split(int64_t ns)
{
	int64_t s, rest;
	split_ns(ns, &s, &rest);
	return (struct statx_time){ .sec = s, .nsec = (uint32_t)rest };
}

static void statx_fill(const struct subject *s, struct statx_answer *x)
{
	const struct fs_attr *a = &s->attr;
	memset(x, 0, sizeof *x);
	x->mask = STATX_BASIC | (a->btime_ns ? STATX_BTIME_F : 0u);
	x->blksize = a->blksize ? a->blksize : 4096;
	x->nlink = a->nlink;
	x->uid = a->uid;
	x->gid = a->gid;
	x->mode = (uint16_t)a->mode;
	x->ino = a->node;
	x->size = a->size;
	x->blocks = a->blocks;
	x->attributes_mask = STATX_ATTR_ROOT;
	x->attributes = s->mount_root ? STATX_ATTR_ROOT : 0;
	x->atime = time_split(a->atime_ns);
	x->mtime = time_split(a->mtime_ns);
	x->ctime = time_split(a->ctime_ns);
	x->btime = time_split(a->btime_ns);
	x->rdev_major = major(a->rdev);
	x->rdev_minor = minor(a->rdev);
	x->dev_major = major(s->dev);
	x->dev_minor = minor(s->dev);
}

int64_t rq_statx(struct call *c)
{
	struct subject s = { .mount_root = false };
	uint64_t flags = c->a[2], mask = c->a[3];
	if (mask & STATX_RESERVED_F || (flags & FLAG_STATX_SYNC) == FLAG_STATX_SYNC
	    || flags & ~(uint64_t)(FLAG_NOFOLLOW | FLAG_NO_AUTOMOUNT | FLAG_EMPTY_PATH | FLAG_STATX_SYNC))
		return -EINVAL;
	int r = c->a[1] == 0 && flags & FLAG_EMPTY_PATH ? -EFAULT : subject_of_path(c, (int)c->a[0], c->a[1], at_flags(flags), &s);
	if (r)
		return r;
	struct statx_answer x;
	statx_fill(&s, &x);
	return user_write(c->ep, c->a[4], &x, sizeof x);
}

/* ---- access ---------------------------------------------------------------------------------------------------- */

/* With the real ids the search of directories is judged by them too: exchange them for the walk. */
static int64_t access_as(struct call *c, int dirfd, vaddr_t path, unsigned mode, unsigned flags)
{
	struct client *cl = c->client;
	struct vnode *v;
	uint32_t fsuid = cl->fsuid, fsgid = cl->fsgid;
	if (!(flags & FLAG_EACCESS)) {
		cl->fsuid = cl->uid;
		cl->fsgid = cl->gid;
	}
	int r = path_lookup_user(c, dirfd, path, at_flags(flags), &v);
	if (r == 0) {
		r = mode ? perm_check(cl, v, mode) : 0;
		if (r == 0 && mode & MAY_EXEC && S_ISREG(v->attr.mode) && v->mount->flags & 8)
			r = -EACCES;
		vnode_put(v);
	} else if (r == -ENXIO) {
		r = 0;
	}
	cl->fsuid = fsuid;
	cl->fsgid = fsgid;
	return r;
}

static int64_t access_call(struct call *c, int dirfd, vaddr_t path, uint64_t mode, uint64_t flags)
{
	if (mode & ~7ull || flags & ~(uint64_t)(FLAG_NOFOLLOW | FLAG_EACCESS | FLAG_EMPTY_PATH))
		return -EINVAL;
	return access_as(c, dirfd, path, (unsigned)mode, (unsigned)flags);
}

int64_t rq_access(struct call *c) { return access_call(c, AT_FDCWD, c->a[0], (uint32_t)c->a[1], 0); }
int64_t rq_faccessat(struct call *c) { return access_call(c, (int)c->a[0], c->a[1], (uint32_t)c->a[2], 0); }
int64_t rq_faccessat2(struct call *c) { return access_call(c, (int)c->a[0], c->a[1], (uint32_t)c->a[2], (uint32_t)c->a[3]); }

/* ---- readlink -------------------------------------------------------------------------------------------------- */

static int64_t readlink_call(struct call *c, int dirfd, vaddr_t path, vaddr_t buf, int64_t room)
{
	char text[USER_PATH_MAX];
	struct vnode *v;
	if (room <= 0)
		return -EINVAL;
	int r = path_copy_in(c, path, text);
	if (r)
		return r;
	bool empty = !*text;
	unsigned flags = PATH_NOFOLLOW | (dirfd == AT_FDCWD ? 0u : PATH_EMPTY_OK);
	r = path_lookup(&(struct path){ c, c->client, dirfd, text, flags }, &v);
	if (r)
		return r;
	const char *target = v->link_target;
	int64_t n = target ? (int64_t)strlen(target) : 0;
	if (!vnode_is_link(v)) {
		n = empty ? -ENOENT : -EINVAL;
	} else if (v->attr.flags & FS_ATTR_MAGIC_LINK && magiclink_check(c->client, v->attr.magic) == -EACCES) {
		n = -EACCES;
	} else if (!target) {
		n = fs_readlink(v, text, sizeof text, c->ep);
		target = text;
	}
	if (n > room)
		n = room;
	if (n > 0 && user_write(c->ep, buf, target, (size_t)n) != 0)
		n = -EFAULT;
	vnode_put(v);
	return n;
}

int64_t rq_readlink(struct call *c) { return readlink_call(c, AT_FDCWD, c->a[0], c->a[1], (int)c->a[2]); }
int64_t rq_readlinkat(struct call *c) { return readlink_call(c, (int)c->a[0], c->a[1], c->a[2], (int)c->a[3]); }

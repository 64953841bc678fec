/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that make and remove names: mkdir, mknod, link, symlink, unlink, rmdir, rename and their forms with directory descriptors.
 * The name cache is corrected with each success; a failure drops what was cached of the name, so that the truth is asked again.
 */
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "fsreq.h"
#include "mount.h"
#include "namecache.h"
#include "open.h"
#include "path.h"
#include "perm.h"

enum { FLAG_REMOVEDIR = 0x200, FLAG_FOLLOW = 0x400, FLAG_EMPTY_PATH = 0x1000 };

/* ---- making ---------------------------------------------------------------------------------------------------- */

/* May a name be made where the walk ended? */
static int make_check(struct client *cl, const struct walk *w, bool directory)
{
	if (w->magic || w->vnode || w->last != LAST_NORMAL)
		return -EEXIST;
	if (w->trailing_slash && !directory)
		return -ENOENT;
	return perm_dir_modify(cl, w->dir);
}

static int64_t make_node(struct call *c, int dirfd, vaddr_t path, unsigned mode, uint64_t rdev)
{
	char text[USER_PATH_MAX];
	struct walk w;
	struct vnode *v;
	struct fs_made made;
	int r = path_parent_user(c, dirfd, path, PATH_NOFOLLOW, text, &w);
	if (r)
		return r;
	r = make_check(c->client, &w, S_ISDIR(mode));
	if (r == 0 && (S_ISCHR(mode) || S_ISBLK(mode)) && !client_is_root(c->client))
		r = -EPERM;
	if (r == 0) {
		made_fill(c->client, w.dir, mode, &made);
		made.rdev = rdev;
		r = node_make(c->client, w.dir, w.name, w.len, &made, &v);
	}
	if (r == 0)
		vnode_put(v);
	walk_done(&w);
	return r;
}

int64_t rq_mkdir(struct call *c) { return make_node(c, AT_FDCWD, c->a[0], S_IFDIR | ((unsigned)c->a[1] & 01777), 0); }
int64_t rq_mkdirat(struct call *c) { return make_node(c, (int)c->a[0], c->a[1], S_IFDIR | ((unsigned)c->a[2] & 01777), 0); }

static int64_t mknod_call(struct call *c, int dirfd, vaddr_t path, unsigned mode, uint64_t rdev)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
		return make_node(c, dirfd, path, S_IFREG | (mode & 07777), 0);
	case S_IFCHR:
	case S_IFBLK:
		return make_node(c, dirfd, path, mode & (S_IFMT | 07777), (uint32_t)rdev);
	case S_IFIFO:
	case S_IFSOCK:
		return make_node(c, dirfd, path, mode & (S_IFMT | 07777), 0);
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

int64_t rq_mknod(struct call *c) { return mknod_call(c, AT_FDCWD, c->a[0], (unsigned)c->a[1], c->a[2]); }
int64_t rq_mknodat(struct call *c) { return mknod_call(c, (int)c->a[0], c->a[1], (unsigned)c->a[2], c->a[3]); }

static int symlink_make(struct client *cl, struct walk *w, const char *target)
{
	struct fs_made made;
	struct fs_attr attr;
	int r = make_check(cl, w, false);
	if (r)
		return r;
	made_fill(cl, w->dir, S_IFLNK | 0777, &made);
	r = fs_symlink(w->dir, w->name, w->len, target, strlen(target), &made, &attr);
	namecache_drop(w->dir, w->name, w->len);
	if (r)
		return r;
	dir_changed(w->dir);
	struct vnode *v = vnode_take(w->dir->mount, &attr);
	if (v) {
		vnode_set_place(v, w->dir, w->name, w->len);
		vnode_put(v);
	}
	return 0;
}

static int64_t symlink_call(struct call *c, vaddr_t target, int dirfd, vaddr_t path)
{
	char text[USER_PATH_MAX];
	struct walk w;
	char *to = malloc(USER_PATH_MAX);
	if (!to)
		return -ENOMEM;
	int r = path_copy_in(c, target, to);
	if (r == 0 && !*to)
		r = -ENOENT;
	if (r == 0)
		r = path_parent_user(c, dirfd, path, PATH_NOFOLLOW, text, &w);
	if (r == 0) {
		r = symlink_make(c->client, &w, to);
		walk_done(&w);
	}
	free(to);
	return r;
}

int64_t rq_symlink(struct call *c) { return symlink_call(c, c->a[0], AT_FDCWD, c->a[1]); }
int64_t rq_symlinkat(struct call *c) { return symlink_call(c, c->a[0], (int)c->a[1], c->a[2]); }

static int link_make(struct client *cl, struct vnode *v, struct walk *w)
{
	if (w->magic || w->vnode || w->last != LAST_NORMAL)
		return -EEXIST;
	if (w->trailing_slash)
		return -ENOENT;
	if (v->mount != w->dir->mount)
		return -EXDEV;
	int r = perm_dir_modify(cl, w->dir);
	if (r)
		return r;
	if (vnode_is_dir(v))
		return -EPERM;
	r = fs_link(w->dir, w->name, w->len, v);
	namecache_drop(w->dir, w->name, w->len);
	if (r)
		return r;
	dir_changed(w->dir);
	v->removed = false;
	if (!v->parent)
		vnode_set_place(v, w->dir, w->name, w->len);
	namecache_enter(w->dir, w->name, w->len, v);
	return 0;
}

static int64_t link_call(struct call *c, int fd1, vaddr_t path1, int fd2, vaddr_t path2, uint64_t flags)
{
	char text[USER_PATH_MAX];
	struct walk w;
	struct vnode *v;
	if (flags & ~(uint64_t)(FLAG_FOLLOW | FLAG_EMPTY_PATH))
		return -EINVAL;
	unsigned how = (flags & FLAG_FOLLOW ? 0u : PATH_NOFOLLOW) | (flags & FLAG_EMPTY_PATH ? PATH_EMPTY_OK : 0u);
	int r = path_lookup_user(c, fd1, path1, how, &v);
	if (r)
		return r;
	r = path_parent_user(c, fd2, path2, PATH_NOFOLLOW, text, &w);
	if (r == 0) {
		r = link_make(c->client, v, &w);
		walk_done(&w);
	}
	vnode_put(v);
	return r;
}

int64_t rq_link(struct call *c) { return link_call(c, AT_FDCWD, c->a[0], AT_FDCWD, c->a[1], 0); }
int64_t rq_linkat(struct call *c) { return link_call(c, (int)c->a[0], c->a[1], (int)c->a[2], c->a[3], (uint32_t)c->a[4]); }

/* ---- removing -------------------------------------------------------------------------------------------------- */

/* The name led to `v` and is gone; `attr` tells how many links are left. */
static void name_gone(struct vnode *dir, const char *name, size_t len, struct vnode *v, const struct fs_attr *attr)
{
	dir_changed(dir);
	namecache_enter(dir, name, len, NULL);
	if (attr->node == v->node)
		vnode_set_attr(v, attr);
	else
		v->attr_stale = true;
	if (vnode_is_dir(v) && v->attr.nlink) {
		v->attr.nlink = 0;
		dir->attr.nlink--;
	}
	if (v->attr.nlink == 0)
		v->removed = true;
	if (vnode_is_dir(v))
		namecache_drop_vnode(v);
	if (vnode_is_dir(v))
		namecache_enter(dir, name, len, NULL);
}

static int unlink_check(struct client *cl, const struct walk *w, bool directory)
{
	if (directory && w->last == LAST_DOT)
		return -EINVAL;
	if (directory && w->last == LAST_DOTDOT)
		return -ENOTEMPTY;
	if (w->last != LAST_NORMAL)
		return directory ? -EBUSY : -EISDIR;
	if (w->magic || !w->vnode)
		return w->magic ? -EPERM : -ENOENT;
	struct vnode *v = w->vnode;
	if (w->trailing_slash && !directory)
		return vnode_is_dir(v) ? -EISDIR : -ENOTDIR;
	if (v == v->mount->root)
		return -EBUSY;
	int r = perm_dir_modify(cl, w->dir);
	if (r == 0)
		r = perm_sticky(cl, w->dir, v);
	if (r)
		return r;
	if (directory)
		return vnode_is_dir(v) ? 0 : -ENOTDIR;
	return vnode_is_dir(v) ? -EISDIR : 0;
}

static int64_t unlink_call(struct call *c, int dirfd, vaddr_t path, bool directory)
{
	char text[USER_PATH_MAX];
	struct walk w;
	struct fs_attr attr;
	int r = path_parent_user(c, dirfd, path, PATH_NOFOLLOW, text, &w);
	if (r)
		return r;
	r = unlink_check(c->client, &w, directory);
	if (r == 0) {
		r = fs_unlink(w.dir, w.name, w.len, directory ? FS_UNLINK_DIR : 0, &attr);
		if (r == 0 && !attr.node && fs_getattr(w.vnode, &attr)) {	/* done by one that died before it could say so */
			attr = w.vnode->attr;
			attr.nlink = 0;
		}
		if (r == 0)
			name_gone(w.dir, w.name, w.len, w.vnode, &attr);
		else
			namecache_drop(w.dir, w.name, w.len);
	}
	walk_done(&w);
	return r;
}

int64_t rq_unlink(struct call *c) { return unlink_call(c, AT_FDCWD, c->a[0], false); }
int64_t rq_rmdir(struct call *c) { return unlink_call(c, AT_FDCWD, c->a[0], true); }

int64_t rq_unlinkat(struct call *c)
{
	if (c->a[2] & ~(uint64_t)FLAG_REMOVEDIR)
		return -EINVAL;
	return unlink_call(c, (int)c->a[0], c->a[1], c->a[2] & FLAG_REMOVEDIR);
}

/* ---- rename ---------------------------------------------------------------------------------------------------- */

static int rename_check_types(const struct walk *from, const struct walk *to, uint32_t flags)
{
	bool dir = vnode_is_dir(from->vnode);
	if (flags & FS_RENAME_EXCHANGE)
		return 0;
	if (!dir && (from->trailing_slash || to->trailing_slash))
		return -ENOTDIR;
	if (!to->vnode)
		return 0;
	if (dir && !vnode_is_dir(to->vnode))
		return -ENOTDIR;
	return !dir && vnode_is_dir(to->vnode) ? -EISDIR : 0;
}

static int rename_check_rights(struct client *cl, const struct walk *from, const struct walk *to)
{
	int r = perm_dir_modify(cl, from->dir);
	if (r == 0)
		r = perm_sticky(cl, from->dir, from->vnode);
	if (r == 0)
		r = perm_dir_modify(cl, to->dir);
	if (r == 0 && to->vnode)
		r = perm_sticky(cl, to->dir, to->vnode);
	if (r == 0 && vnode_is_dir(from->vnode) && from->dir != to->dir)
		r = perm_check(cl, from->vnode, MAY_WRITE);
	return r;
}

static int rename_check(struct client *cl, const struct walk *from, const struct walk *to, uint32_t flags)
{
	if (from->dir->mount != to->dir->mount)
		return -EXDEV;
	if (from->last != LAST_NORMAL || to->last != LAST_NORMAL)
		return flags & FS_RENAME_NOREPLACE && to->last != LAST_NORMAL ? -EEXIST : -EBUSY;
	if (!from->vnode)
		return -ENOENT;
	if (from->magic || to->magic)
		return -EPERM;
	if (to->vnode && flags & FS_RENAME_NOREPLACE)
		return -EEXIST;
	if (!to->vnode && flags & FS_RENAME_EXCHANGE)
		return -ENOENT;
	if (!vnode_is_dir(from->vnode) && (from->trailing_slash || (to->trailing_slash && !(flags & FS_RENAME_EXCHANGE))))
		return -ENOTDIR;
	if (vnode_is_below(to->dir, from->vnode))
		return -EINVAL;
	if (to->vnode && vnode_is_below(from->dir, to->vnode))
		return flags & FS_RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (from->vnode == from->vnode->mount->root || (to->vnode && to->vnode == to->vnode->mount->root))
		return -EBUSY;
	int r = rename_check_rights(cl, from, to);
	return r ? r : rename_check_types(from, to, flags);
}

static void rename_done(struct walk *from, struct walk *to, uint32_t flags)
{
	struct vnode *v = from->vnode, *victim = to->vnode;
	dir_changed(from->dir);
	dir_changed(to->dir);
	v->attr_stale = true;
	if (vnode_is_dir(v) && from->dir != to->dir && !(flags & FS_RENAME_EXCHANGE)) {
		from->dir->attr.nlink--;
		to->dir->attr.nlink++;
	}
	vnode_set_place(v, to->dir, to->name, to->len);
	namecache_enter(to->dir, to->name, to->len, v);
	if (flags & FS_RENAME_EXCHANGE) {
		victim->attr_stale = true;
		vnode_set_place(victim, from->dir, from->name, from->len);
		namecache_enter(from->dir, from->name, from->len, victim);
		return;
	}
	namecache_enter(from->dir, from->name, from->len, NULL);
	if (!victim)
		return;
	victim->attr_stale = true;
	if (vnode_is_dir(victim)) {
		victim->attr.nlink = 0;
		to->dir->attr.nlink--;
	} else if (victim->attr.nlink > 0) {
		victim->attr.nlink--;
	}
	victim->removed = victim->attr.nlink == 0;
}

static int rename_walked(struct client *cl, struct walk *from, struct walk *to, uint32_t flags)
{
	struct fs_attr attr;
	int r = rename_check(cl, from, to, flags);
	if (r)
		return r;
	if (from->vnode == to->vnode)
		return 0;	/* two names of one file: nothing happens */
	r = fs_rename(from->dir, from->name, from->len, to->dir, to->name, to->len, flags, &attr);
	if (r == 0) {
		rename_done(from, to, flags);
		return 0;
	}
	namecache_drop(from->dir, from->name, from->len);
	namecache_drop(to->dir, to->name, to->len);
	return r;
}

static int64_t rename_call(struct call *c, int fd1, vaddr_t path1, int fd2, vaddr_t path2, uint64_t flags)
{
	char text[USER_PATH_MAX];
	struct walk from, to;
	if (flags & ~(uint64_t)(FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE) || flags == (FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE))
		return -EINVAL;
	int r = path_parent_user(c, fd1, path1, PATH_NOFOLLOW, text, &from);
	if (r)
		return r;
	r = path_parent_user(c, fd2, path2, PATH_NOFOLLOW, text, &to);
	if (r == 0) {
		r = rename_walked(c->client, &from, &to, (uint32_t)flags);
		walk_done(&to);
	}
	walk_done(&from);
	return r;
}

int64_t rq_rename(struct call *c) { return rename_call(c, AT_FDCWD, c->a[0], AT_FDCWD, c->a[1], 0); }
int64_t rq_renameat(struct call *c) { return rename_call(c, (int)c->a[0], c->a[1], (int)c->a[2], c->a[3], 0); }
int64_t rq_renameat2(struct call *c) { return rename_call(c, (int)c->a[0], c->a[1], (int)c->a[2], c->a[3], (uint32_t)c->a[4]); }

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path walking. One loop over the components; a symbolic link puts its target in front of what is left and goes on. Known names are
 * found in the name cache without a message; unknown ones are asked from the file system, and the answer (also "no such name") is
 * cached unless the directory's names were changed while the question was under way.
 *
 * Holds references only on the stack of its fiber.
 */
#include "path.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "fsreq.h"
#include "magiclink.h"
#include "mount.h"
#include "namecache.h"
#include "perm.h"

enum { LINKS_MAX = 40 };

struct walker {
	const struct path *p;
	struct client *client;
	struct walk *w;
	struct vnode *root, *cwd;	/* references; `cwd` is where the walk is */
	char *text;			/* what is left, when a link was met: allocated */
	const char *rest;
	struct mount *start_mount;
	int links;
};

/* ---- names in directories -------------------------------------------------------------------------------------- */

static struct vnode *into_mounts(struct vnode *v)
{
	while (v->mounted_here) {
		struct vnode *root = vnode_get(v->mounted_here->root);
		vnode_put(v);
		v = root;
	}
	return v;
}

void dir_changed(struct vnode *dir)
{
	dir->names_version++;
	dir->attr_stale = true;
}

static int dir_ask(struct client *cl, struct vnode *dir, const char *name, size_t len, struct vnode **v)
{
	struct fs_attr attr;
	uint32_t version = dir->names_version;
	struct mount *m = dir->mount;
	int r = fs_lookup(dir, name, len, cl ? cl->ep : EP_NONE, &attr);
	bool cache = !vnode_nocache(dir) && version == dir->names_version;
	*v = NULL;
	if (r == -ENOENT && cache)
		namecache_enter(dir, name, len, NULL);
	if (r)
		return r == -ENOENT ? 0 : r;
	*v = vnode_take(m, &attr);
	if (!*v)
		return -ENOMEM;
	if (vnode_is_dir(*v) && vnode_is_below(dir, *v)) {	/* a ring, on a damaged disk */
		vnode_put(*v);
		*v = NULL;
		return -ELOOP;
	}
	if (version == dir->names_version)
		vnode_set_place(*v, dir, name, len);
	if (cache && !vnode_nocache(*v))
		namecache_enter(dir, name, len, *v);
	return 0;
}

int dir_lookup(struct client *cl, struct vnode *dir, const char *name, size_t len, struct vnode **v)
{
	switch (namecache_lookup(dir, name, len, v)) {
	case NAMECACHE_FOUND:
		vnode_get(*v);
		break;
	case NAMECACHE_ABSENT:
		*v = NULL;
		return 0;
	case NAMECACHE_UNKNOWN: {
		int r = dir_ask(cl, dir, name, len, v);
		if (r || !*v)
			return r;
		break;
	}
	}
	*v = into_mounts(*v);
	return 0;
}

/* `..`: a reference. Stays at the process's root. */
static struct vnode *dir_above(struct vnode *dir, struct vnode *root)
{
	while (dir != root && dir == dir->mount->root && dir->mount->covered)
		dir = dir->mount->covered;
	if (dir == root || !dir->parent)
		return vnode_get(dir);
	return into_mounts(vnode_get(dir->parent));
}

/* ---- the walk -------------------------------------------------------------------------------------------------- */

static void walker_go(struct walker *k, struct vnode *v)
{
	vnode_put(k->cwd);
	k->cwd = v;
}

/* Put a link's target in front of the rest. */
static int walker_insert(struct walker *k, const char *target, size_t len)
{
	size_t left = strlen(k->rest);
	if (len == 0)
		return -ENOENT;
	if (len + left + 1 > USER_PATH_MAX + FS_NAME_MAX)
		return -ENAMETOOLONG;
	char *text = malloc(len + left + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, target, len);
	memcpy(text + len, k->rest, left + 1);
	free(k->text);
	k->rest = k->text = text;
	if (*text == '/') {
		if (k->p->flags & PATH_BENEATH)
			return -EXDEV;
		walker_go(k, vnode_get(k->root));
	}
	return 0;
}

static int walker_read_link(struct walker *k, struct vnode *link)
{
	char buf[USER_PATH_MAX];
	if (link->link_target)
		return walker_insert(k, link->link_target, strlen(link->link_target));
	int64_t n = fs_readlink(link, buf, sizeof buf - 1, k->client->ep);
	if (n < 0)
		return (int)n;
	buf[n] = 0;
	if (!vnode_nocache(link) && !link->link_target)
		link->link_target = strdup(buf);
	return walker_insert(k, buf, strlen(buf));
}

/* Follow `link` (reference taken over). A magic link gives *jump (or w->magic), an ordinary one changes the rest. */
static int walker_follow(struct walker *k, struct vnode *link, struct vnode **jump)
{
	int r;
	*jump = NULL;
	if (++k->links > LINKS_MAX || k->p->flags & PATH_NO_SYMLINKS)
		r = -ELOOP;
	else if (link->attr.flags & FS_ATTR_MAGIC_LINK)
		r = k->p->flags & PATH_NO_MAGIC ? -ELOOP : magiclink_follow(k->client, link->attr.magic, jump, &k->w->magic);
	else
		r = walker_read_link(k, link);
	vnode_put(link);
	return r;
}

static bool rest_is_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return *s == 0;
}

/* A component that is not the last: it must lead to a directory. */
static int walker_step(struct walker *k, const char *name, size_t len)
{
	struct vnode *v, *jump;
	int r = dir_lookup(k->client, k->cwd, name, len, &v);
	if (r)
		return r;
	if (!v)
		return -ENOENT;
	if (k->p->flags & PATH_NO_XDEV && v->mount != k->start_mount) {
		vnode_put(v);
		return -EXDEV;
	}
	if (vnode_is_link(v)) {
		r = walker_follow(k, v, &jump);
		if (r || !jump)
			return r ? r : k->w->magic ? -ENOTDIR : 0;
		v = jump;
	}
	if (!vnode_is_dir(v)) {
		vnode_put(v);
		return -ENOTDIR;
	}
	walker_go(k, v);
	return 0;
}

static int walker_up(struct walker *k)
{
	struct vnode *v = dir_above(k->cwd, k->root);
	if (k->p->flags & PATH_BENEATH && k->cwd == k->root) {
		vnode_put(v);
		return -EXDEV;
	}
	walker_go(k, v);
	return 0;
}

static enum path_last component_kind(const char *name, size_t len)
{
	if (len == 1 && name[0] == '.')
		return LAST_DOT;
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return LAST_DOTDOT;
	return LAST_NORMAL;
}

/* The last component is the directory reached itself: "/", ".", "..". */
static int walk_ends_here(struct walker *k, enum path_last last)
{
	struct walk *w = k->w;
	if (last == LAST_DOTDOT) {
		int r = walker_up(k);
		if (r)
			return r;
	}
	w->last = last;
	w->vnode = vnode_get(k->cwd);
	w->dir = vnode_get(k->cwd);
	return 0;
}

/* The last component. 1: it was a link, go on with the rest. */
static int walk_last(struct walker *k, const char *name, size_t len, bool parent)
{
	struct walk *w = k->w;
	struct vnode *v, *jump;
	int r = dir_lookup(k->client, k->cwd, name, len, &v);
	if (r)
		return r;
	if (!v && !parent)
		return -ENOENT;
	bool follow = !(k->p->flags & PATH_NOFOLLOW) || (w->trailing_slash && !(parent && k->p->flags & PATH_NOFOLLOW));
	if (v && vnode_is_link(v) && follow) {
		memcpy(w->name, name, len);
		w->name[len] = 0;
		w->len = len;
		r = walker_follow(k, v, &jump);
		if (r)
			return r;
		if (!jump && !w->magic)
			return 1;
		v = jump;
	} else {
		memcpy(w->name, name, len);
		w->name[len] = 0;
		w->len = len;
	}
	w->last = LAST_NORMAL;
	w->vnode = v;
	w->dir = vnode_get(k->cwd);
	return 0;
}

static int walk_loop(struct walker *k, bool parent)
{
	struct walk *w = k->w;
	if (rest_is_slashes(k->rest))
		return walk_ends_here(k, LAST_ROOT);
	for (;;) {
		const char *name;
		size_t len = path_component(&k->rest, &name);
		if (!vnode_is_dir(k->cwd))
			return -ENOTDIR;
		int r = perm_check(k->client, k->cwd, MAY_EXEC);
		if (r)
			return r;
		if (len > FS_NAME_MAX)
			return -ENAMETOOLONG;
		enum path_last kind = component_kind(name, len);
		bool last = rest_is_slashes(k->rest);
		if (last) {
			w->trailing_slash |= *k->rest == '/';
			r = kind == LAST_NORMAL ? walk_last(k, name, len, parent) : walk_ends_here(k, kind);
			if (r <= 0)
				return r;
			if (rest_is_slashes(k->rest))
				return walk_ends_here(k, LAST_ROOT);
			continue;
		}
		r = kind == LAST_NORMAL ? walker_step(k, name, len) : kind == LAST_DOTDOT ? walker_up(k) : 0;
		if (r)
			return r;
	}
}

static int walk_start(struct walker *k)
{
	const struct path *p = k->p;
	struct client *cl = k->client;
	if (*p->text == '/' && !(p->flags & PATH_BENEATH)) {
		k->cwd = vnode_get(p->flags & PATH_IN_ROOT && p->dirfd != AT_FDCWD ? k->root : cl->fs->root);
		return 0;
	}
	if (*p->text == '/')
		return -EXDEV;
	if (p->dirfd == AT_FDCWD) {
		k->cwd = vnode_get(cl->fs->cwd);
		return 0;
	}
	struct file *f = fdtable_lookup(cl->fds, p->dirfd);
	if (!f)
		return -EBADF;
	if (!f->vnode || !vnode_is_dir(f->vnode))
		return -ENOTDIR;
	k->cwd = vnode_get(f->vnode);
	return 0;
}

/* AT_EMPTY_PATH with "": the descriptor itself. */
static int walk_descriptor(const struct path *p, struct walk *w)
{
	struct client *cl = p->client;
	if (p->dirfd == AT_FDCWD) {
		w->vnode = vnode_get(cl->fs->cwd);
		w->dir = vnode_get(cl->fs->cwd);
		return 0;
	}
	struct file *f = fdtable_lookup(cl->fds, p->dirfd);
	if (!f)
		return -EBADF;
	if (!f->vnode)
		w->magic = file_get(f);
	else
		w->vnode = vnode_get(f->vnode);
	return 0;
}

static int walk_check_end(const struct path *p, struct walk *w, bool parent)
{
	bool must_be_dir = p->flags & PATH_DIRECTORY || (w->trailing_slash && !parent);
	if (w->vnode && must_be_dir && !vnode_is_dir(w->vnode))
		return -ENOTDIR;
	if (w->magic && must_be_dir)
		return -ENOTDIR;
	return 0;
}

int path_walk(const struct path *p, bool parent, struct walk *w)
{
	w->dir = w->vnode = NULL;
	w->magic = NULL;
	w->last = LAST_DOT;
	w->trailing_slash = false;
	w->len = 0;
	if (!p->client->fs || !p->client->fs->root)
		return -ENOENT;
	if (*p->text == 0)
		return p->flags & PATH_EMPTY_OK ? walk_descriptor(p, w) : -ENOENT;
	struct walker k = { .p = p, .client = p->client, .w = w, .rest = p->text };
	k.root = vnode_get(p->client->fs->root);
	int r = walk_start(&k);
	if (r == 0 && p->flags & (PATH_BENEATH | PATH_IN_ROOT)) {
		vnode_put(k.root);
		k.root = vnode_get(k.cwd);
	}
	if (r == 0) {
		k.start_mount = k.cwd->mount;
		r = walk_loop(&k, parent);
	}
	if (r == 0)
		r = walk_check_end(p, w, parent);
	vnode_put(k.cwd);
	vnode_put(k.root);
	free(k.text);
	if (r)
		walk_done(w);
	return r;
}

void walk_done(struct walk *w)
{
	vnode_put(w->dir);
	vnode_put(w->vnode);
	if (w->magic)
		file_put(w->magic);
	w->dir = w->vnode = NULL;
	w->magic = NULL;
}

/* ---- for callers ----------------------------------------------------------------------------------------------- */

int path_copy_in(struct call *c, vaddr_t path, char *buf)
{
	return user_read_string(c->ep, path, buf, USER_PATH_MAX, NULL);
}

int path_lookup(const struct path *p, struct vnode **v)
{
	struct walk w;
	int r = path_walk(p, false, &w);
	if (r)
		return r;
	if (!w.vnode) {
		walk_done(&w);
		return -ENXIO;
	}
	*v = vnode_get(w.vnode);
	walk_done(&w);
	return 0;
}

int path_lookup_user(struct call *c, int dirfd, vaddr_t path, unsigned flags, struct vnode **v)
{
	char text[USER_PATH_MAX];
	int r = path_copy_in(c, path, text);
	if (r)
		return r;
	return path_lookup(&(struct path){ c, c->client, dirfd, text, flags }, v);
}

int path_parent_user(struct call *c, int dirfd, vaddr_t path, unsigned flags, char *text, struct walk *w)
{
	int r = path_copy_in(c, path, text);
	if (r)
		return r;
	return path_walk(&(struct path){ c, c->client, dirfd, text, flags }, true, w);
}

/* ---- vnodes to names ------------------------------------------------------------------------------------------- */

static int prepend(char *buf, size_t *at, const char *name)
{
	size_t n = strlen(name);
	if (*at < n + 1)
		return -ERANGE;
	*at -= n;
	memcpy(buf + *at, name, n);
	buf[--*at] = '/';
	return 0;
}

int path_of_vnode(struct vnode *v, struct vnode *root, char *buf, size_t room, const char **start)
{
	size_t at = room - 1;
	buf[at] = 0;
	for (;;) {
		if (v == root)
			break;
		if (v == v->mount->root && v->mount->covered) {
			v = v->mount->covered;
			continue;
		}
		if (v == v->mount->root) {
			if (root || v->mount->detached)
				return -ENOENT;
			break;
		}
		if (!v->parent || !v->name)
			return -ENOENT;
		int r = prepend(buf, &at, v->name);
		if (r)
			return r;
		v = v->parent;
	}
	if (!buf[at]) {
		if (at == 0)
			return -ERANGE;
		buf[--at] = '/';
	}
	*start = buf + at;
	return 0;
}

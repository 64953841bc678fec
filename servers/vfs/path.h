/* SPDX-License-Identifier: BSD-2-Clause */
/* Names to vnodes. */
#pragma once
#include "client.h"
#include "usermem.h"
#include "vnode.h"

enum {
	PATH_NOFOLLOW = 1,	/* a symbolic link at the end is the result */
	PATH_EMPTY_OK = 2,	/* AT_EMPTY_PATH: "" means the descriptor itself */
	PATH_DIRECTORY = 4,	/* the result must be a directory */
	PATH_NO_MAGIC = 8, PATH_BENEATH = 16, PATH_NO_XDEV = 32, PATH_NO_SYMLINKS = 64, PATH_IN_ROOT = 128,	/* openat2 */
};

/* What the last component is. */
enum path_last { LAST_NORMAL, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct walk {
	struct vnode *dir;		/* directory of the last component: a reference */
	struct vnode *vnode;		/* what it names, a reference, or NULL if the name does not exist */
	struct file *magic;		/* a magic link led to this open file without a vnode (reference), or NULL */
	enum path_last last;
	bool trailing_slash;
	size_t len;
	char name[FS_NAME_MAX + 1];	/* the last component */
};

/* A path given by the caller of c. */
struct path { struct call *c; struct client *client; int dirfd; const char *text; unsigned flags; };

/*
 * Resolve. With `parent` the last component need not exist: w->dir and w->name are set and w->vnode may be NULL. On success
 * walk_done() must be called; on failure nothing is held.
 */
int path_walk(const struct path *p, bool parent, struct walk *w);
void walk_done(struct walk *w);

/* Copy a path in and resolve it to an existing vnode (reference). */
int path_lookup_user(struct call *c, int dirfd, vaddr_t path, unsigned flags, struct vnode **v);
int path_lookup(const struct path *p, struct vnode **v);
int path_copy_in(struct call *c, vaddr_t path, char *buf);	/* buf: USER_PATH_MAX; -ENOENT for "" */
/* Resolve the parent of a name to be made, removed, ...; text is the caller's buffer of USER_PATH_MAX. */
int path_parent_user(struct call *c, int dirfd, vaddr_t path, unsigned flags, char *text, struct walk *w);

/* Look one name up in a directory (no permission check, mounts are stepped into). *v NULL: does not exist. */
int dir_lookup(struct client *cl, struct vnode *dir, const char *name, size_t len, struct vnode **v);
/* A name was made or removed in dir by us. */
void dir_changed(struct vnode *dir);

/* The path of a vnode as seen below root (NULL: the whole tree), built at the end of buf; *start points into it.
 * -ENOENT: removed or outside the root; -ERANGE: too long. */
int path_of_vnode(struct vnode *v, struct vnode *root, char *buf, size_t room, const char **start);

/* The next component of a path: skips slashes; returns its length, 0 at the end. Pure (component.c). */
size_t path_component(const char **p, const char **name);

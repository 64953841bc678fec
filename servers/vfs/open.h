/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening files. */
#pragma once
#include "client.h"
#include "file.h"
#include "path.h"

/* Open by text; c may be NULL (loading a program, the console of init). */
int open_path(struct call *c, struct client *cl, int dirfd, const char *text, unsigned flags, unsigned mode, unsigned path_flags,
	      struct file **out);
/* Open a vnode whose permissions have been checked. Takes its own reference. */
int open_vnode(struct call *c, struct client *cl, struct vnode *v, unsigned flags, struct file **out);
/* Take a descriptor and put the file there; the reference passes on. */
int64_t fd_install_new(struct call *c, struct file *f, bool cloexec);
/* Attributes of a new node in dir: ids, mode with umask. */
struct fs_made;
void made_fill(const struct client *cl, const struct vnode *dir, unsigned mode, struct fs_made *made);
/* Make a name. *v gets a reference. */
int node_make(struct client *cl, struct vnode *dir, const char *name, size_t len, const struct fs_made *made, struct vnode **v);
/* A nameless file. */
int tmpfile_make(struct client *cl, struct vnode *dir, unsigned mode, struct vnode **v);

extern const struct file_ops regular_file_ops, directory_ops, path_only_ops;
int file_truncate(struct client *cl, struct vnode *v, uint64_t size);
int file_may_grow(struct client *cl, const struct vnode *v, uint64_t size);	/* RLIMIT_FSIZE: 0, or -EFBIG and SIGXFSZ */

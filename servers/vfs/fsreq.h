/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to file systems, as functions. All may wait, and return 0 or a negative error unless said otherwise. */
#pragma once
#include "usermem.h"
#include "vnode.h"
#include <sys/statfs.h>

struct fs_made { uint32_t mode, uid, gid; uint64_t rdev; };

int fs_mount(endpoint_t fs, uint64_t dev, const char *options, unsigned flags, struct fs_attr *root);
/* To the successor of a file system that died; these two do not wait for each other. */
int fs_mount_again(endpoint_t fs, uint64_t dev, const char *options, unsigned flags, struct fs_attr *root);
int fs_revive(struct vnode *v, uint64_t n, struct fs_attr *attr);
int fs_unmount(endpoint_t fs, uint64_t dev, uint64_t root);
int fs_lookup(struct vnode *dir, const char *name, size_t len, endpoint_t who, struct fs_attr *attr);
void fs_forget(struct mount *m, uint64_t node, uint64_t n);	/* does not wait */
int fs_getattr(struct vnode *v, struct fs_attr *attr);
int fs_setattr(struct vnode *v, uint64_t mask, const struct fs_attr *in);	/* updates v->attr */
int fs_create(struct vnode *dir, const char *name, size_t len, const struct fs_made *how, struct fs_attr *attr);
int fs_symlink(struct vnode *dir, const char *name, size_t len, const char *target, size_t tlen, const struct fs_made *how,
	       struct fs_attr *attr);
int fs_link(struct vnode *dir, const char *name, size_t len, struct vnode *v);
int fs_unlink(struct vnode *dir, const char *name, size_t len, uint32_t flags, struct fs_attr *attr);
int fs_rename(struct vnode *dir, const char *name, size_t len, struct vnode *dir2, const char *name2, size_t len2, uint32_t flags,
	      struct fs_attr *attr);
/* Bytes moved, 0 at the end of the file, or an error. Moves u on. */
int64_t fs_read(struct vnode *v, struct uio *u, uint64_t offset);
/* *offset: where it was written; *size: of the file afterwards. */
int64_t fs_write(struct vnode *v, struct uio *u, uint64_t *offset, bool append, uint64_t *size);
int64_t fs_read_own(struct vnode *v, void *buf, size_t len, uint64_t offset);	/* into our memory, whole or to the end */
int64_t fs_readdir(struct vnode *v, uint64_t *cookie, void *buf, size_t len, endpoint_t who);
int64_t fs_readlink(struct vnode *v, char *buf, size_t len, endpoint_t who);
int fs_statfs(struct vnode *v, struct statfs *out);
int fs_sync_all(struct mount *m);	/* the whole file system */
int fs_sync(struct vnode *v);
int fs_sync_flags(struct vnode *v, uint64_t flags);	/* FS_SYNC_* */
int64_t fs_seek(struct vnode *v, uint64_t offset, int whence);
int fs_fallocate(struct vnode *v, uint64_t mode, uint64_t offset, uint64_t len);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Permission checks: on cached attributes, never waiting. */
#pragma once
#include "client.h"
#include "vnode.h"

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* With the file-system ids. -EACCES; -EROFS for writing to a read-only file system. */
int perm_check(const struct client *c, const struct vnode *v, unsigned want);
int perm_check_ids(const struct client *c, const struct vnode *v, unsigned want, uint32_t uid, uint32_t gid);
/* May names be added to / removed from the directory? */
int perm_dir_modify(const struct client *c, const struct vnode *dir);
/* In a sticky directory only the owners may remove `victim`. -EPERM */
int perm_sticky(const struct client *c, const struct vnode *dir, const struct vnode *victim);
bool perm_is_owner(const struct client *c, const struct vnode *v);

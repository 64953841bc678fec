/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name cache: (directory, name) -> vnode, or "no such name". It holds no references: entries go when either vnode goes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vnode;

enum namecache_result { NAMECACHE_UNKNOWN, NAMECACHE_FOUND, NAMECACHE_ABSENT };

enum namecache_result namecache_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **v);
/* v = NULL: the name does not exist. Replaces what was known. */
void namecache_enter(struct vnode *dir, const char *name, size_t len, struct vnode *v);
void namecache_drop(struct vnode *dir, const char *name, size_t len);
void namecache_drop_vnode(struct vnode *v);	/* as directory and as target */
unsigned namecache_count(void);

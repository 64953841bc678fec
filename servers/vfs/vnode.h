/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vnodes: the nodes of file systems that VFS knows at present, with their attributes. VFS is the only one that changes a mounted
 * file system, so what it caches stays true (except for FS_ATTR_NOCACHE).
 *
 * References: users (open files, directories in use, calls in progress) and the vnode's children hold it in memory; unused ones stay
 * in the cache, oldest dropped first. A vnode without links is dropped with its last use, so that its space becomes free.
 */
#pragma once
#include "vfs.h"
#include <proto/fs.h>
#include <sys/stat.h>

struct mount;
struct locklist;
struct pipe;
struct usock;

struct vnode {
	struct vnode *hash_next;
	struct list lru;		/* while unused */
	struct mount *mount;		/* of which file system */
	uint64_t node;
	uint64_t fs_refs;		/* references the file system counts for us */
	unsigned refs;
	unsigned children;		/* vnodes whose parent this is */
	struct fs_attr attr;
	bool attr_stale;		/* sizes and times are to be asked anew; mode, uid, gid, rdev are right */
	uint32_t revived;		/* number of the instance that was told of it last, mount_again.c */
	bool removed;			/* no name leads here any more */
	uint64_t vm_refs;		/* mappings that VM has made */
	unsigned seals;			/* F_SEAL_* of a memfd */
	unsigned running, writers;	/* processes that execute it; descriptors open for writing. Not both: ETXTBSY */
	/* Where it was found last: exact for directories. */
	struct vnode *parent;
	char *name;
	uint32_t names_version;		/* directories: raised with every change of names */
	struct mount *mounted_here;
	char *link_target;		/* symbolic links, once read */
	struct locklist *locks;		/* record locks and flock */
	struct pipe *fifo;		/* FIFOs while open */
	struct usock *sock;		/* bound socket */
	struct fiber_lock write_lock;	/* pieces of one write stay together */
};

/* Of attributes just returned with one fs reference; finds or makes the vnode and takes that reference over. NULL: no memory. */
struct vnode *vnode_take(struct mount *m, const struct fs_attr *attr);
static inline struct vnode *vnode_get(struct vnode *v);
void vnode_put(struct vnode *v);		/* NULL is fine */
struct vnode *vnode_find(endpoint_t fs, uint64_t node);		/* no reference taken */
/* Is `below` the same as or somewhere under `top`? Parents never form a ring, whatever the disk says. */
bool vnode_is_below(const struct vnode *below, const struct vnode *top);
/* It was found there. Not noted if that would make a directory its own parent's parent. */
void vnode_set_place(struct vnode *v, struct vnode *parent, const char *name, size_t len);
void vnode_set_attr(struct vnode *v, const struct fs_attr *attr);
/* Make the attributes complete. May wait. */
int vnode_attr_refresh(struct vnode *v);
void vnodes_init(void);
unsigned vnodes_count(void);
/* Forget all unused vnodes of m. True: only `spare` references to its root are left. */
bool vnodes_purge(struct mount *m, unsigned spare);
/* A number for this vnode that stays the same while it is in memory. */

void vnode_revive(struct vnode *v);
/* One of m that was not told to this instance yet; NULL: none is left. */
struct vnode *vnode_next_to_revive(const struct mount *m, uint32_t round);
static inline struct vnode *vnode_get(struct vnode *v)
{
	if (v->refs++ == 0)
		vnode_revive(v);
	return v;
}

static inline bool vnode_is_dir(const struct vnode *v) { return S_ISDIR(v->attr.mode); }
static inline bool vnode_is_link(const struct vnode *v) { return S_ISLNK(v->attr.mode); }
static inline bool vnode_nocache(const struct vnode *v) { return v->attr.flags & FS_ATTR_NOCACHE; }

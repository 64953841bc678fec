/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks on files. A pure table per vnode: record locks (POSIX, owner = descriptor table; OFD, owner = open file) and whole-file locks
 * (flock, owner = open file).
 */
#pragma once
#include "vfs.h"

struct vnode;

enum lock_kind { LOCK_KIND_RECORD, LOCK_KIND_FLOCK };
struct lock {
	struct list link;
	enum lock_kind kind;
	const void *owner;
	int32_t pid;		/* for F_GETLK; -1 for OFD locks */
	bool exclusive;
	uint64_t first, last;	/* bytes, inclusive */
};
struct locklist { struct list locks; unsigned count; struct waitq q; };
enum { LOCKS_PER_FILE = 8192 };

struct locklist *locklist_new(void);
void locklist_free(struct locklist *l);		/* NULL is fine */
/* A lock of another owner that is in the way of `want`, or NULL. */
struct lock *locklist_conflict(const struct locklist *l, const struct lock *want);
/* Set (or with `unlock` remove) the range for want->owner; splits and joins. -ENOLCK when memory is short. */
int locklist_set(struct locklist *l, const struct lock *want, bool unlock);
bool locklist_drop_owner(struct locklist *l, const void *owner);	/* true: something was removed */

/* ---- with waiting (lockcalls.c) ---- */
void locks_drop_owner(struct vnode *v, const void *owner);
int64_t fcntl_lock(struct call *c, int fd, unsigned cmd, vaddr_t arg);

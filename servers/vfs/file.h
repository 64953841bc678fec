/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files: what a descriptor stands for. Shared by dup and fork; carries position, status flags and the object behind.
 */
#pragma once
#include "usermem.h"
#include "vfs.h"
#include <fcntl.h>
#include <poll.h>

struct file;
struct vnode;
struct fs_attr;

/*
 * What an object can do. A NULL entry gives the error in brackets. read and write move at most u->left bytes; pos is the place in the file,
 * to be moved by the bytes done (streams ignore it). They run on a fiber and may wait.
 */
struct file_ops {
	const char *kind;	/* for /proc: "pipe", "socket", "anon_inode:[eventfd]"; NULL: has a path */
	bool stream;		/* no position: lseek, pread give ESPIPE */
	int64_t (*read)(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags);	/* [EINVAL] */
	int64_t (*write)(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags);	/* [EINVAL] */
	int64_t (*seek)(struct call *c, struct file *f, int64_t offset, int whence);			/* [ESPIPE] */
	int64_t (*ioctl)(struct call *c, struct file *f, uint32_t request, uint64_t arg);		/* [ENOTTY] */
	unsigned (*poll)(struct file *f, unsigned wanted);	/* events true now [always readable and writable] */
	struct waitq *(*poll_queue)(struct file *f);		/* woken when that may have changed */
	void (*close)(struct file *f);				/* the last reference is gone; must not wait */
};

enum { FILE_IO_NOWAIT = 1, FILE_IO_APPEND = 2, FILE_IO_KEEP_POS = 4 };

struct file {
	unsigned refs;
	unsigned flags;			/* O_ACCMODE and status flags; O_PATH */
	bool can_read, can_write;
	uint8_t lease_unused;
	const struct file_ops *ops;
	struct vnode *vnode;		/* a reference, or NULL for anonymous objects */
	void *object;			/* pipe, socket, ... */
	int64_t pos;
	struct fiber_lock pos_lock;
	struct list watches;		/* epoll items on this file */
	bool has_locks;			/* flock or OFD locks were taken through it */
	int32_t owner_pid, owner_signo;	/* F_SETOWN, F_SETSIG */
	uint64_t ino;			/* of an anonymous object */
	unsigned inflight;		/* references held by messages under way in sockets */
};

struct file *file_new(const struct file_ops *ops, unsigned flags);	/* refs = 1; NULL: no memory */
static inline struct file *file_get(struct file *f) { f->refs++; return f; }
void file_put(struct file *f);
unsigned files_open_count(void);
uint64_t anon_ino(void);
static inline bool file_nonblock(const struct file *f) { return f->flags & O_NONBLOCK; }

int64_t file_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags);
int64_t file_write(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags);
unsigned file_poll(struct file *f, unsigned wanted);
/* The attributes for stat of any file: of its vnode or made up for an anonymous object. May wait. */
int file_attr(struct call *c, struct file *f, struct fs_attr *attr, uint64_t *dev);

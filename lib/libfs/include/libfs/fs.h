/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libfs: what every file-system server shares. The server fills a table of functions and calls fs_task(); the library owns the message
 * loop, the check of who asks, the copying of names, attributes and data through grants, and exactly one reply to each request.
 *
 * Every function returns 0, a count, or a negative error number of <errno.h>; results beside it go through pointers that are written on
 * success only. A function that is NULL answers -ENOSYS (forget, sync: success). Names are NUL-terminated, 1..FS_NAME_MAX bytes,
 * without '/'; "." and ".." never come. Node numbers come from VFS unchecked: look them up.
 */
#pragma once
#include <abi/types.h>
#include <dirent.h>
#include <proto/fs.h>
#include <proto/sef.h>
#include <stdbool.h>
#include <sys/statfs.h>

/* Memory of the asking process, reached by VFS's grant. */
struct fs_data {
	grant_t grant;
	uint64_t offset;	/* of the file: where the transfer starts */
	uint64_t len;		/* bytes asked for */
	endpoint_t who;		/* read: the asking process */
};

/* What a new node is to look like. mode includes the type. */
struct fs_new { uint32_t mode, uid, gid; uint64_t rdev; };

/* A buffer of directory records being filled; see fs_dirlist_add. */
struct fs_dirlist { uint8_t *buf; size_t used, room; uint64_t next; };

struct fs_name { const char *name; size_t len; };

struct fs_ops {
	int64_t (*mount)(uint64_t dev, const char *options, uint32_t flags, struct fs_attr *root);
	int64_t (*unmount)(uint64_t root);
	int64_t (*lookup)(uint64_t dir, const struct fs_name *name, endpoint_t who, struct fs_attr *attr);
	void (*forget)(uint64_t node, uint64_t count);
	int64_t (*getattr)(uint64_t node, struct fs_attr *attr);
	int64_t (*setattr)(uint64_t node, uint64_t mask, const struct fs_attr *in, struct fs_attr *attr);
	int64_t (*create)(uint64_t dir, const struct fs_name *name, const struct fs_new *how, struct fs_attr *attr);
	int64_t (*symlink)(uint64_t dir, const struct fs_name *name, const struct fs_name *target, const struct fs_new *how,
			   struct fs_attr *attr);
	int64_t (*link)(uint64_t dir, const struct fs_name *name, uint64_t node, struct fs_attr *attr);
	int64_t (*unlink)(uint64_t dir, const struct fs_name *name, uint32_t flags, struct fs_attr *attr);
	int64_t (*rename)(uint64_t dir, const struct fs_name *name, uint64_t dir2, const struct fs_name *name2, uint32_t flags,
			  struct fs_attr *attr);
	int64_t (*read)(uint64_t node, const struct fs_data *data);
	/* rep: offset = where the data went, size = size of the file afterwards */
	int64_t (*write)(uint64_t node, const struct fs_data *data, uint64_t flags, struct fs_rep *rep);
	int64_t (*readdir)(uint64_t dir, uint64_t cookie, endpoint_t who, struct fs_dirlist *list);
	int64_t (*readlink)(uint64_t node, endpoint_t who, char *buf, size_t room);	/* returns the length, no NUL */
	int64_t (*getpage)(uint64_t node, uint64_t page, int write, void **addr, uint64_t *valid);
	int64_t (*statfs)(uint64_t node, struct statfs *out);
	int64_t (*sync)(uint64_t node, uint64_t flags);
	int64_t (*seek)(uint64_t node, uint64_t offset, int whence, uint64_t *found);
	int64_t (*fallocate)(uint64_t node, uint64_t mode, uint64_t offset, uint64_t len, struct fs_attr *attr);
	int64_t (*revive)(uint64_t node, uint64_t count, struct fs_attr *attr);
};

/* For sef_callbacks.fault: `service fi NAME wrong-reply`. */
void fs_fault(enum sef_fault_kind kind);
/* The main loop; call after sef_startup(). Never returns. */
_Noreturn void fs_task(const struct fs_ops *ops);

/*
 * A new instance is there (drv.blk.LABEL): what VFS has asked of one before will not be answered, and is asked again. For services that
 * come back, in their initialisation or right after it; fs_task_fibers() does it.
 */
void fs_announce(void);

/*
 * For a service that has another main loop (a driver that also shows names): serve one message. False: it is no request of VFS or VM
 * to a file system. A table is used for all calls.
 */
bool fs_serve(const struct fs_ops *ops, const struct message *m);

/*
 * For a server whose functions wait for something (a disk): requests run on fibers (libfiber). While one of them is parked by fiber_yield()
 * the loop goes on with others. Names given to a function stay in place until it returns.
 */
struct fs_loop {
	size_t stack_bytes;		/* of a fiber; 0 = 64 KiB */
	void (*before_receive)(void);	/* must not wait; NULL */
	/* A message or notification for another part of the server: true = it was. It may wait. NULL */
	bool (*message)(const struct message *m, uint32_t status);
};
_Noreturn void fs_task_fibers(const struct fs_ops *ops, const struct fs_loop *loop);

/* A stranger who waits for an answer gets one; others are ignored. */
void fs_refuse(const struct message *m, uint32_t status);

/* Move len bytes between own memory and the asking process, at byte `at` of the transfer. 0, -ESOFTFAULT (ask again later), -EFAULT. */
int64_t fs_data_out(const struct fs_data *data, uint64_t at, const void *from, size_t len);
int64_t fs_data_in(const struct fs_data *data, uint64_t at, void *to, size_t len);
int64_t fs_data_zero(const struct fs_data *data, uint64_t at, size_t len);

/* Pieces of own memory that belong behind each other, moved by one kernel call. */
enum { FS_PIECES_MAX = 64 };
struct fs_pieces { unsigned n; uint64_t bytes; struct { const uint8_t *p; size_t len; } v[FS_PIECES_MAX]; };
/* Append; false: no room. A piece that lies behind the last one in memory becomes part of it. Begin with n = bytes = 0. */
static inline bool fs_pieces_add(struct fs_pieces *s, const void *p, size_t len)
{
	if (s->n && s->v[s->n - 1].p + s->v[s->n - 1].len == p) {
		s->v[s->n - 1].len += len;
	} else {
		if (s->n == FS_PIECES_MAX)
			return false;
		s->v[s->n].p = p;
		s->v[s->n++].len = len;
	}
	s->bytes += len;
	return true;
}
/* How many of `left` bytes from `at` on lie on the page of `at`. */
enum { FS_PAGE = 4096 };
static inline uint64_t fs_page_part(uint64_t at, uint64_t left)
{
	uint64_t room = FS_PAGE - at % FS_PAGE;
	return left < room ? left : room;
}
/* The bytes [at, at + len) of a file, as far as its pages can be had without waiting: up to the first for which page() says NULL. */
static inline void fs_pieces_gather(struct fs_pieces *s, uint64_t at, uint64_t len,
				    const uint8_t *(*page)(void *file, uint64_t index), void *file)
{
	s->n = 0;
	s->bytes = 0;
	for (uint64_t part; len; at += part, len -= part) {
		const uint8_t *p = page(file, at / FS_PAGE);
		part = fs_page_part(at, len);
		if (!p || !fs_pieces_add(s, p + at % FS_PAGE, part))
			return;
	}
}
/* Returns the bytes moved: fewer than s->bytes where memory of the asking process is missing; an error as above if that is none. */
int64_t fs_pieces_out(const struct fs_data *data, uint64_t at, const struct fs_pieces *s);
/* Into the pieces. 0, or an error: then nobody knows how many have new contents; fs_data_in() piece by piece says it. */
int64_t fs_pieces_in(const struct fs_data *data, uint64_t at, const struct fs_pieces *s);

/* Append one record. next_cookie is where a later call goes on behind this entry. Returns 0 when the buffer is full: stop. */
int fs_dirlist_add(struct fs_dirlist *list, uint64_t node, uint32_t mode, const char *name, size_t len, uint64_t next_cookie);

/* Tell VM that pages from first_page on must not be used any more (truncation). */
void fs_forget_pages(uint64_t node, uint64_t first_page);
/* All pages of it are to be asked for anew: they are those of a predecessor of this process. */
void fs_renew_pages(uint64_t node);

/* Time of day in ns since 1970, for timestamps. */
int64_t fs_now(void);

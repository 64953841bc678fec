/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS -> character driver. All from VFS only, asynchronous both ways (SENDA); every request with an id is answered exactly once by
 * CDEV_REPLY (cancel or not). Grants on user memory carry GRANT_TRY: on ESOFTFAULT nothing was consumed and VFS repeats the request
 * after making
 * the memory present. `ctl` says who asks, for terminals.
 *
 * request       -> result                                                    may wait
 * CDEV_OPEN     0 | CDEV_CLONED + new minor in `value` | CDEV_CTTY           yes
 * CDEV_CLOSE    0 (once for each successful open)                            no
 * CDEV_READ     bytes | -EAGAIN when NONBLOCK                                yes, cancellable
 * CDEV_WRITE    bytes                                                        yes, cancellable
 * CDEV_IOCTL    result; argument size by grant (len bytes as asm-generic ioctl or the table of the driver says), or value in `arg`    yes
 * CDEV_CANCEL   none of its own: the request `id` ends with -EINTR unless it just completed; unknown id: nothing
 * CDEV_SELECT   events ready now (POLLIN...) in result; if none and `value` = 1: the driver later SENDAs CDEV_READY{minor, events}
 *               once    no
 */
#pragma once
#include <abi/message.h>

enum { CDEV_OPEN = MSG_CDEV, CDEV_CLOSE = MSG_CDEV + 2, CDEV_READ = MSG_CDEV + 4, CDEV_WRITE = MSG_CDEV + 6, CDEV_IOCTL = MSG_CDEV + 8,
	CDEV_CANCEL = MSG_CDEV + 10, CDEV_SELECT = MSG_CDEV + 12, CDEV_REPLY = MSG_CDEV + 1, CDEV_READY = MSG_CDEV + 3 };

enum { CDEV_NONBLOCK = 1, CDEV_NOCTTY = 2, CDEV_ACCESS_READ = 4, CDEV_ACCESS_WRITE = 8, CDEV_SESSION_LEADER = 0x10 };
enum { CDEV_CLONED = 0x40000000, CDEV_CTTY = 0x20000000 /* this device is now the session's controlling terminal */ };

/* A driver may serve several majors, so `minor` everywhere in this protocol is the whole device: CDEV_DEV(major, minor). */
#define CDEV_DEV(major, minor) ((uint32_t)(major) << 20 | (uint32_t)(minor))
static inline uint32_t cdev_major(uint32_t dev) { return dev >> 20; }
static inline uint32_t cdev_minor(uint32_t dev) { return dev & 0xfffff; }

struct cdev_req {
	uint32_t id, minor;
	grant_t grant; uint32_t flags;	/* CDEV_* */
	uint64_t len;		/* bytes; IOCTL: size of the granted argument */
	uint64_t pos;		/* READ, WRITE: file position; IOCTL: request number */
	uint64_t arg;		/* IOCTL: the raw argument; OPEN: uid | gid << 32 of who opens */
	endpoint_t ep; int32_t pid; int32_t pgid, sid;	/* who asks */
};
MSG_BODY_FITS(struct cdev_req);
struct cdev_rep { uint32_t id, pad; int64_t result; uint64_t value; };
struct cdev_select_req { uint32_t id, minor; uint32_t events, want_ready; };
struct cdev_ready { uint32_t minor, events; };

/* Major numbers, as Linux. */
enum { MAJOR_MEM = 1, MAJOR_TTYS = 4, MAJOR_TTYAUX = 5 /* 0 tty, 1 console, 2 ptmx */, MAJOR_HELLO = 17, MAJOR_PTS = 136 };

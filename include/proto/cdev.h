/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS -> character driver. All from VFS only, asynchronous both ways (SENDA); every request with an id is answered exactly once by
 * CDEV_REPLY (cancel or not), unless the driver dies. Grants on user memory carry GRANT_TRY: on ESOFTFAULT nothing was consumed and VFS
 * repeats the request after making the memory present. ep, pid, pgid, sid say who asks, for terminals.
 *
 * request       -> result                                                    may wait
 * CDEV_OPEN     0 | CDEV_CLONED + new minor in `value` | CDEV_CTTY | CDEV_RECOVERABLE    yes
 * CDEV_CLOSE    0 (once for each successful open)                            no
 * CDEV_READ     bytes | -EAGAIN when NONBLOCK                                yes, cancellable
 * CDEV_WRITE    bytes                                                        yes, cancellable
 * CDEV_IOCTL    result; argument size by grant (len bytes as asm-generic ioctl or the table of the driver says), or value in `arg`    yes
 * CDEV_CANCEL   none of its own: the request `id` ends with -EINTR unless it just completed; unknown id: nothing
 * CDEV_SELECT   events ready now (POLLIN...) in result; if none and `value` = 1: the driver later SENDAs CDEV_READY{minor, events}
 *               once    no
 * CDEV_UP       none. The first message after each driver-up event; `arg` CDEV_REOPENs follow                              no
 * CDEV_REOPEN   0, or an error: the descriptors are beyond saving            no
 *
 * Recovery. VFS takes every driver-up event (DS: drv.chr.LABEL) as the start of another instance, also when the endpoint is the same. All
 * that it sent before is void: what of it still reaches the new instance comes before CDEV_UP, and the driver drops it. A driver says at
 * each open whether its device can be recovered:
 *   CDEV_RECOVERABLE  every request on it may be repeated, and what an open device needs to be continued is known to the successor, be it
 *                     nothing or something kept in DS. After CDEV_UP, VFS tells by one CDEV_REOPEN for each such device that it is open,
 *                     `len` times, and (a terminal) that it controls session `sid` (0: none; `len` may then be 0); then it repeats
 *                     what was not answered, with CDEV_REPEATED. Programs notice nothing.
 *   otherwise         what waits ends with EIO, and so does every later use of the descriptor but close; poll says POLLERR | POLLHUP. A
 *                     new open reaches the successor.
 * An open waits for the successor, for a bounded time. When RS has given the driver up (DS: drv.failed.LABEL) everything ends with EIO at
 * once; a recoverable device goes on if the driver is revived.
 *
 * CDEV_PROGRESS{id, bytes} (driver -> VFS, for a WRITE that is not answered yet): so many bytes have reached where they are safe; when
 * the driver dies, the rest alone is repeated.
 */
#pragma once
#include <abi/message.h>

enum { CDEV_OPEN = MSG_CDEV, CDEV_CLOSE = MSG_CDEV + 2, CDEV_READ = MSG_CDEV + 4, CDEV_WRITE = MSG_CDEV + 6, CDEV_IOCTL = MSG_CDEV + 8,
	CDEV_CANCEL = MSG_CDEV + 10, CDEV_SELECT = MSG_CDEV + 12, CDEV_UP = MSG_CDEV + 14, CDEV_REOPEN = MSG_CDEV + 16,
	CDEV_REPLY = MSG_CDEV + 1, CDEV_READY = MSG_CDEV + 3, CDEV_PROGRESS = MSG_CDEV + 5 };

enum { CDEV_NONBLOCK = 1, CDEV_NOCTTY = 2, CDEV_ACCESS_READ = 4, CDEV_ACCESS_WRITE = 8, CDEV_SESSION_LEADER = 0x10,
	CDEV_REPEATED = 0x20 /* a dead instance may have done it */ };
enum { CDEV_CLONED = 0x40000000, CDEV_CTTY = 0x20000000 /* this device is now the session's controlling terminal */,
	CDEV_RECOVERABLE = 0x10000000 };

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
struct cdev_progress { uint32_t id, pad; uint64_t bytes; };

/* Major numbers, as Linux. */
enum { MAJOR_MEM = 1, MAJOR_TTYS = 4, MAJOR_TTYAUX = 5 /* 0 tty, 1 console, 2 ptmx */, MAJOR_HELLO = 17, MAJOR_PTS = 136 };

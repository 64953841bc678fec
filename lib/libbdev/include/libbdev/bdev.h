/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block drivers, the client's side (proto/bdev.h): for file systems, blockfs, filter, faulty. Event driven, never
 * waits for a driver.
 *
 *	bdev_startup(0);
 *	bdev_memory_add(arena, arena_bytes);		// where data lies
 *	bdev_open("virtio_blk", 1, BDEV_ACCESS_READ | BDEV_ACCESS_WRITE, 0, &dev);	// opened(dev, 0) is called later
 *	io->dev = dev; io->op = BDEV_READ; ... bdev_submit(io);		// done(io, result) is called later
 *	main loop:	if (bdev_message(&m, status)) continue;		// answers, DS's notifications, the alarm
 *
 * A driver that dies, hangs or lies is the library's business, not the caller's: a request is kept until a good answer has come and is
 * sent again, in the order of submission, to the driver's successor. The caller sees a delay. It sees -EIO when the driver says so, when RS
 * has given the driver up (drv.failed.LABEL), when it was taken down and is not started again within a time-out, or when the driver has
 * failed to answer a request properly so often that the library gives it up itself; then everything ends with -EIO at once until the
 * driver comes up again.
 *
 * The caller sees to it that of two requests in progress that touch the same bytes none writes (the library stops the process
 * otherwise): only so may requests be repeated. Callbacks are called from bdev_message(), bdev_notify() and bdev_alarm() only, never
 * from within bdev_submit() or bdev_open(), and may call anything else here.
 */
#pragma once
#include <abi/errno.h>
#include <abi/limits.h>
#include <abi/message.h>
#include <proto/bdev.h>
#include <stdbool.h>

struct bdev;		/* an open device: one minor of one driver */

struct bdev_vec { void *p; size_t len; };	/* len: a multiple of 512 */

/* One request. The caller owns the memory; the library has it from bdev_submit() until it calls done(). */
struct bdev_io {
	struct bdev *dev;
	uint32_t op, flags;	/* BDEV_READ, WRITE, FLUSH, DISCARD; BDEV_FUA */
	uint64_t pos, len;	/* bytes; len at most BDEV_LEN_MAX (DISCARD: any). FLUSH: 0, 0 */
	void *data;		/* of READ and WRITE, when nvec is 0: len bytes anywhere */
	const struct bdev_vec *vec;	/* else nvec pieces (at most BDEV_SEGS_MAX) in bdev_memory_add()ed memory, which add up to len */
	uint32_t nvec;
	void (*done)(struct bdev_io *io, int64_t result);	/* bytes (less than len only at the end of the device) or error */
	void *owner;		/* whatever the caller likes */

	/* The library's. */
	struct bdev_io *next, *prev;
	uint64_t order;		/* of submission */
	uint32_t sends, strikes;	/* times it was sent; times it was not answered properly */
	bool granted;
	grant_t grant;		/* for data outside of registered memory */
	int64_t result;
};

/* How patient to be with a driver. 0 = the default. Of a driver that several devices share, the last open decides. */
struct bdev_options {
	uint32_t timeout_ms;	/* unanswered for so long: RS is asked to restart the driver. Default 5000 */
	uint32_t strikes;	/* a request that was not answered properly so often: the driver is given up. Default 3 */
	void (*opened)(struct bdev *dev, err_t result);	/* the first answer to OPEN; on an error the device is to be closed still */
	/* Something happened to the driver under the device: for owners with a second source of data. May be 0. */
	void (*event)(struct bdev *dev, int event);	/* enum bdev_event */
	void *owner;		/* see bdev_owner() */
};
enum bdev_event {
	BDEV_EVENT_DOWN,	/* it does not answer, lies, or is dead: requests wait for its successor */
	BDEV_EVENT_GONE,	/* taken down: nobody starts it again by himself. Requests wait a time-out still, then FAILED */
	BDEV_EVENT_UP,		/* open again; what waited is being repeated */
	BDEV_EVENT_FAILED,	/* given up: requests end with -EIO */
	BDEV_EVENT_RESIZED,	/* bdev_size() is another one: it grew, or what lay beyond the new end is gone */
	BDEV_EVENT_CHANGED,	/* came back with another size, or without this minor: requests end with -EIO */
};

struct bdev_stats {		/* of the driver, since this process started */
	uint64_t requests, repeated, failed;	/* repeated: sendings but the first; failed: ended with -EIO by the library */
	uint64_t recoveries, accusations;	/* driver-up events with devices open; times RS was asked to restart it */
	uint64_t late, lies;			/* answers of dead instances; answers with wrong ids or impossible results */
	nstime_t recovery_ns, recovery_max_ns;	/* from the moment the loss was noticed to the first good answer: last, longest */
};

/* other_keys: a regular expression of DS keys that the owner wants to hear of (a process has one subscription), or 0. */
struct bdev_hooks {
	const char *other_keys;
	void (*on_key)(const char *key, uint32_t type, endpoint_t owner);
	void (*set_alarm)(nstime_t deadline);	/* the owner has timers of its own; 0: the library has the process's alarm to itself */
};
err_t bdev_startup(const struct bdev_hooks *hooks);	/* in the init callback; subscribes at DS. hooks may be 0 */

/* Memory in which the pieces of vectors lie (and data better does): granted once for each driver. At most 8 areas, for ever. */
err_t bdev_memory_add(void *p, size_t len);

/*
 * access: BDEV_ACCESS_*. -ENOMEM, -EINVAL, or 0: then options->opened() follows. A driver that is not there (yet) is waited for, as long as
 * RS has not given it up. Requests may be submitted at once and wait, too. *options is copied; it may be 0.
 */
err_t bdev_open(const char *label, uint32_t minor, uint32_t access, const struct bdev_options *options, struct bdev **dev);
void bdev_close(struct bdev *dev);	/* no request may be in progress on it; dev is no more */

void bdev_submit(struct bdev_io *io);

/* The data read from it is wrong although its answers are well formed: have the driver restarted. */
void bdev_accuse(struct bdev *dev, const char *why);

/* Main loop: true = the message was ours. A notification of DS is always ours; the alarm's unless set_alarm was given. */
bool bdev_message(const struct message *m, uint32_t status);
/* For loops that take notifications apart themselves (libdriver): the same. */
bool bdev_notify(endpoint_t source);	/* true: it was DS */
void bdev_alarm(nstime_t now);		/* with set_alarm: when its deadline has come. Earlier does no harm */
void bdev_send_failed(endpoint_t dst, const struct message *m, err_t error);	/* for struct sef_callbacks */

uint64_t bdev_size(const struct bdev *dev);		/* bytes; 0 until it is open */
uint64_t bdev_block_size(const struct bdev *dev);
const char *bdev_label(const struct bdev *dev);
uint32_t bdev_minor(const struct bdev *dev);
void *bdev_owner(const struct bdev *dev);
const struct bdev_stats *bdev_stats(const struct bdev *dev);
bool bdev_is_up(const struct bdev *dev);		/* open at a living driver */

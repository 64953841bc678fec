/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients (file systems, blockfs, filter) -> block driver. Asynchronous both ways (SENDA): a driver may have many requests in progress and
 * answer them in any order; each is answered exactly once by BDEV_REPLY with the id of the request, unless the driver dies.
 *
 * Recovery: a client keeps every request until its answer and, when the driver is up again (DS: drv.blk.LABEL is published anew), opens
 * its minors again and sends what is unanswered again, under a new id. All requests may be repeated (position and data are absolute), as
 * long as a client never has two requests in progress that touch the same bytes; lib/libbdev sees to both. The driver answers a request on
 * a minor that this instance has not been asked to open with -ERESTARTSYS: it was meant for its predecessor.
 *
 * request        -> result                                          errors besides EIO, EPERM, EINVAL, ERESTARTSYS
 * BDEV_OPEN      0, value = size in bytes, value2 = block size      ENXIO no such minor, EROFS
 * BDEV_CLOSE     0, once for each successful open
 * BDEV_READ      bytes moved: the length asked for, or less only at the end of the device
 * BDEV_WRITE     the same                                           ENOSPC starts beyond the end, EROFS
 * BDEV_FLUSH     0: all writes answered before are on stable storage
 * BDEV_DISCARD   0: the bytes' contents are not needed any more     EOPNOTSUPP
 *                with BDEV_ZERO: they are zeros from now on, with BDEV_UNMAP besides: their blocks may be given up for it
 * BDEV_RESIZED   no request: from the driver to each client that has a minor open whose size has changed (id = minor, value = new size).
 *                What lies beyond a new end is gone: reading there ends, writing fails with ENOSPC.
 * Position and lengths are multiples of the block size (512 at least), else EINVAL. A client's access right (BDEV_ACCESS_*) is checked.
 */
#pragma once
#include <abi/message.h>

enum { BDEV_OPEN = MSG_BDEV, BDEV_CLOSE = MSG_BDEV + 2, BDEV_READ = MSG_BDEV + 4, BDEV_WRITE = MSG_BDEV + 6, BDEV_FLUSH = MSG_BDEV + 8,
	BDEV_DISCARD = MSG_BDEV + 10, BDEV_REPLY = MSG_BDEV + 1, BDEV_RESIZED = MSG_BDEV + 13 };
enum { BDEV_ACCESS_READ = 1, BDEV_ACCESS_WRITE = 2 };	/* flags of OPEN */
enum { BDEV_FUA = 1 };					/* flags of WRITE: on stable storage before the answer */
enum { BDEV_ZERO = 1, BDEV_UNMAP = 2 };			/* flags of DISCARD */
enum { BDEV_SEGS_MAX = 64, BDEV_LEN_MAX = 1 << 20 };	/* of one request */

/*
 * nsegs 0: the data is [offset, offset + len) of what `grant` covers. Else `grant` covers (READ) an array of nsegs segments at
 * `offset`, and the data lies in those, one after the other; their lengths (each a multiple of 512) add up to `len`.
 */
struct bdev_seg { grant_t grant; uint32_t len; uint64_t offset; };
struct bdev_req {
	uint64_t id;
	uint32_t minor, flags;
	uint64_t pos;		/* bytes */
	grant_t grant;
	uint32_t nsegs;
	uint64_t offset, len;
};
MSG_BODY_FITS(struct bdev_req);
struct bdev_rep { uint64_t id; int64_t result; uint64_t value, value2; };

/* Major numbers of block devices, as Linux where it has one (240 up: local use). Minor 0 = whole disk, partitions follow. */
enum { BMAJOR_RAM = 1, BMAJOR_FILTER = 240, BMAJOR_FAULTY = 241, BMAJOR_VIRTIO = 254, BDEV_MINORS_PER_DISK = 16 };

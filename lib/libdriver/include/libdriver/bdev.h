/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block drivers: main loop and request table over proto/bdev.h. A driver fills a struct bdev_driver and calls bdev_task().
 *
 * The library checks every request before the driver sees it (length, alignment, who opened what with which right, bounds of disk and
 * partition, segments), cuts transfers at the end of the device, turns partition positions into disk positions, and answers what is
 * wrong. A callback that can finish at once returns the result; one that must wait keeps a copy of the request (and of the segments it
 * needs: r->segs is gone when the callback returns), returns BDEV_LATER, and calls bdev_reply() when the time has come. Each request is
 * answered exactly once. If the driver dies, its clients send what is unanswered to the successor, whose library answers
 * -ERESTARTSYS to everything on minors that the sender has not opened there.
 *
 * Minors: with minors_per_disk = BDEV_MINORS_PER_DISK, minor = disk * 16 + partition, 0 = whole disk; the library reads the partition
 * table (GPT or MBR) through read_now when the disk is opened and nobody else has it open. With 0 each minor is a disk of its own.
 *
 * Data moves by the request's grants: bdev_copyin(r, offset, ...) reads the client's bytes (WRITE), bdev_copyout() writes them (READ);
 * bdev_map() gives physical memory for DMA. Any of them may fail because the client is dead or has revoked its grant: answer that error.
 */
#pragma once
#include <libdriver/driver.h>
#include <proto/bdev.h>

#define BDEV_LATER ((int64_t)0x7ffffffffffffff)	/* no result any callback could have */

struct bdev_request {
	endpoint_t client;
	uint32_t type, minor, disk, flags;
	uint64_t id;
	uint64_t pos, len;	/* bytes from the start of the disk, cut at the end of the partition; multiples of the block size */
	uint32_t nsegs;		/* at least 1 for READ and WRITE with len > 0 */
	const struct bdev_seg *segs;	/* add up to len; gone when the callback returns, see bdev_request_keep() */
};

struct bdev_disk {
	uint64_t size;		/* bytes */
	uint32_t block_size;	/* power of 2, 512 at least */
	bool read_only;
};

/* Results: >= 0, a negative error, or BDEV_LATER. A callback that is 0: [what happens instead]. */
struct bdev_driver {
	struct sef_callbacks sef;
	uint32_t minors_per_disk;

	/* What is known of the disk now; asked at each request. -ENXIO: there is none. For an OPEN it is asked when open() is through. */
	err_t (*disk)(uint32_t disk, struct bdev_disk *out);
	/* Each open and close of a minor by a client. r->flags of open: BDEV_ACCESS_*. [0] */
	int64_t (*open)(const struct bdev_request *r);
	int64_t (*close)(const struct bdev_request *r);
	/* Results of read and write: bytes moved. */
	int64_t (*read)(const struct bdev_request *r);
	int64_t (*write)(const struct bdev_request *r);
	int64_t (*flush)(const struct bdev_request *r);		/* [0] */
	int64_t (*discard)(const struct bdev_request *r);	/* [-EOPNOTSUPP] */
	int64_t (*zero)(const struct bdev_request *r);		/* BDEV_DISCARD with BDEV_ZERO [-EOPNOTSUPP] */
	/* Read now, waiting for the device, in a bounded time: for the partition table. [no partitions] */
	err_t (*read_now)(uint32_t disk, uint64_t pos, void *p, size_t len);

	void (*on_irq)(uint64_t irqs);
	void (*on_alarm)(nstime_t now);
	void (*on_notify)(endpoint_t source);
	void (*on_message)(const struct message *m, uint32_t status);	/* as in struct driver */
};

/* Start up, announce (drv.blk.LABEL), serve for ever. */
void bdev_task(const struct bdev_driver *driver) __attribute__((noreturn));

/* Answer a request that a callback kept (result as the callback's). Deferred like all output. */
void bdev_reply(const struct bdev_request *r, int64_t result);

/* Copy of *r with its segments, in one piece of memory to be given to free(); 0: no memory. */
struct bdev_request *bdev_request_keep(const struct bdev_request *r);

/* [offset, offset + len) of the request's data. 0 or the error of the copy; -EINVAL outside the request. */
err_t bdev_copyin(const struct bdev_request *r, uint64_t offset, void *p, size_t len);
err_t bdev_copyout(const struct bdev_request *r, uint64_t offset, const void *p, size_t len);

/* Opens that are in force, over all clients: for tests and for drivers that do something when the last one is gone. */
uint32_t bdev_open_count(uint32_t disk);

/* disk() gives another size than before: the clients are told. */
void bdev_resized(uint32_t disk);

/* A driver with a loop of its own: what bdev_task() gives to driver_startup(). */
const struct driver *bdev_setup(const struct bdev_driver *driver);

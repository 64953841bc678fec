/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character drivers: main loop and request table over proto/cdev.h. A driver fills a struct cdev_driver and calls cdev_task().
 *
 * Each request of VFS is answered exactly once, by CDEV_REPLY. A callback that can finish at once returns the result; one that must
 * wait keeps a copy of the request (it is small), returns CDEV_LATER, and calls cdev_reply() with its id when the time has come.
 * The library refuses requests from anybody but VFS and answers what a driver does not implement.
 *
 * If the driver dies: a device whose open was answered with CDEV_RECOVERABLE goes on with the successor, others are beyond use
 * (proto/cdev.h). The library of the successor drops what was meant for the dead one and calls up() when VFS has heard of it, reopen() for
 * each device that is open (r->len times; r->sid: session that it controls), and reopened() after the last. up() may come twice: it
 * always means that VFS has given up all requests and counts the opens anew.
 *
 * Data moves by the request's grant: cdev_copyin(r, offset, ...) reads the caller's buffer, cdev_copyout() writes it. -ESOFTFAULT from
 * them must be returned (or replied) unchanged, with nothing consumed: VFS repeats the request.
 */
#pragma once
#include <abi/errno.h>
#include <libsef/sef.h>
#include <proto/cdev.h>

#define CDEV_LATER ((int64_t)0x7ffffffffffffff)	/* no result any callback could have */

/* Results: >= 0 or a negative error or CDEV_LATER. A callback that is 0: open and close succeed, others -ENOTTY (ioctl), -EIO. */
struct cdev_driver {
	const char *name;
	struct sef_callbacks sef;	/* init_fresh, init_restart, signal_handler as for any service */

	/* *value: for CDEV_CLONED the new minor. Add CDEV_RECOVERABLE if so. */
	int64_t (*open)(const struct cdev_req *r, uint64_t *value);
	int64_t (*close)(const struct cdev_req *r);
	int64_t (*read)(const struct cdev_req *r);	/* up to r->len bytes, position r->pos */
	int64_t (*write)(const struct cdev_req *r);
	int64_t (*ioctl)(const struct cdev_req *r);	/* request number r->pos, argument by grant or r->arg */
	/* End the request r->id if it waits here: forget it and return true; the library then answers it with -EINTR. */
	bool (*cancel)(uint32_t id);
	/* Events (POLLIN...) of `events` that are ready now. If none and want_ready, remember to call cdev_ready() once. */
	uint32_t (*select)(uint32_t minor, uint32_t events, bool want_ready);

	void (*up)(void);				/* [nothing] */
	int64_t (*reopen)(const struct cdev_req *r);	/* 0, or an error: the descriptors are beyond use [0] */
	void (*reopened)(void);				/* [nothing] */

	void (*on_irq)(uint64_t irqs);		/* set of notify ids given to KC_IRQCTL */
	void (*on_alarm)(nstime_t now);
	void (*on_notify)(endpoint_t source);	/* DS and others */
	/* Any other message. Requests with IPC_STATUS_CALL must be answered by it. [answered -EBADREQUEST] */
	void (*on_message)(const struct message *m, uint32_t status);
};

/* Start up, announce, serve for ever. */
void cdev_task(const struct cdev_driver *driver) __attribute__((noreturn));

/* Answer a request that a callback kept. Deferred like all output. */
void cdev_reply(uint32_t id, int64_t result);
/* So much of a write that waits here is where the driver's death cannot harm it; sent at once. */
void cdev_progress(uint32_t id, uint64_t bytes);
/* The minor has become ready for events that a select wanted to know. */
void cdev_ready(uint32_t minor, uint32_t events);

err_t cdev_copyin(const struct cdev_req *r, uint64_t offset, void *p, size_t len);
err_t cdev_copyout(const struct cdev_req *r, uint64_t offset, const void *p, size_t len);
err_t cdev_zero(const struct cdev_req *r, uint64_t offset, size_t len);

/* Tell the world that this driver is up (drv.chr.LABEL in DS). cdev_task() does it after a successful init. */
void cdev_announce(void);

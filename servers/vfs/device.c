/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character devices in use, and what becomes of them when their driver does (proto/cdev.h, "Recovery").
 *
 * On a driver-up event all requests that the driver has not answered end here at once, whichever instance they were for; the fibers that
 * made them look what is to be done: io that may be repeated waits in device_wait() and is made again. A background fiber tells
 * the new instance what is open. Should that one die in the middle, the next event ends the requests of this fiber too, and it
 * begins again: what the driver is told is always the whole, so nothing is counted twice.
 */
#include "device.h"

#include <libfiber/fiber.h>
#include <libsef/sef.h>
#include <libsys/grant.h>
#include <proto/cdev.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "cdev.h"
#include "client.h"
#include "mount.h"
#include "request.h"

static const nstime_t OPEN_WAIT = 10000000000;	/* for a driver that starts */

static struct devices { struct list all; } devices;

#define EACH_DEVICE(l) (struct list *l = devices.all.next; l != &devices.all; l = l->next)
static struct device *device_of(struct list *l) { return list_entry(l, struct device, link); }

void devices_init(void)
{
	list_init(&devices.all);
}

/* ---- devices --------------------------------------------------------------------------------------------------- */

static struct device *device_find(const struct driver *driver, uint32_t dev)
{
	for EACH_DEVICE(l) {
		struct device *d = device_of(l);
		if (d->driver == driver && d->dev == dev && !d->dead)
			return d;
	}
	return NULL;
}

static struct device *device_new(struct driver *driver, uint32_t dev, bool recoverable)
{
	struct device *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	d->driver = driver;
	driver->uses++;
	d->dev = dev;
	d->instance = driver->instance;
	d->recoverable = recoverable;
	waitq_init(&d->q);
	list_append(&devices.all, &d->link);
	return d;
}

struct device *device_get(struct driver *driver, uint32_t dev, bool recoverable)
{
	struct device *d = device_find(driver, dev);
	if (!d)
		d = device_new(driver, dev, recoverable);
	if (d)
		d->refs++;
	return d;
}

/* While it is told to a new instance the fiber that does so keeps it. */
static void device_drop(struct device *d)
{
	if (d->refs || d->reopen)
		return;
	d->driver->uses--;
	list_remove(&d->link);
	free(d);
}

void device_put(struct device *d)
{
	d->refs--;
	device_drop(d);
}

void device_ready(endpoint_t driver, uint32_t dev, unsigned events)
{
	for EACH_DEVICE(l) {
		struct device *d = device_of(l);
		if (d->driver->ep == driver && d->dev == dev && !d->dead)
			waitq_wake(&d->q, events);
	}
}

bool device_usable(const struct device *d)
{
	return !d->dead && !d->reopen && d->driver->state == DRIVER_UP && d->instance == d->driver->instance;
}

/* ---- waiting --------------------------------------------------------------------------------------------------- */

static int changed_wait(struct call *c, struct driver *driver, nstime_t deadline)
{
	if (c)
		return call_wait(c, &driver->changed, deadline);
	waitq_wait(&driver->changed);
	return 0;
}

int device_wait(struct call *c, struct device *d)
{
	while (!device_usable(d)) {
		if (d->dead || d->driver->state == DRIVER_DOWN)
			return -EIO;
		int r = changed_wait(c, d->driver, NO_DEADLINE);
		if (r)
			return r;
	}
	return 0;
}

int driver_wait(struct call *c, uint32_t major, struct driver **out)
{
	nstime_t deadline = time_now() + OPEN_WAIT;
	for (;;) {
		struct driver *d = dmap_char(major);
		if (!d)
			return -ENXIO;
		if (d->state == DRIVER_DOWN)
			return -EIO;
		*out = d;
		if (d->state == DRIVER_UP && !d->reopening)
			return 0;
		int r = changed_wait(c, d, deadline);
		if (r)
			return r == -ETIMEDOUT ? -EIO : r;
	}
}

uint32_t driver_instance(endpoint_t ep)
{
	const struct driver *d = dmap_of_endpoint(ep);
	return d ? d->instance : 0;
}

int driver_remounted_wait(endpoint_t ep)
{
	struct driver *d = dmap_of_endpoint(ep);
	while (d && d->remounting && d->ep == ep)
		waitq_wait(&d->changed);
	return d && d->ep == ep && d->mount && d->mount->fs == ep && d->mount->failed ? -EIO : 0;
}

bool driver_came_back(endpoint_t ep, uint32_t instance)
{
	struct driver *d = instance ? dmap_of_endpoint(ep) : NULL;
	if (d)
		driver_lost(d, instance);
	while (d && d->ep == ep && d->state != DRIVER_DOWN) {
		if (d->state == DRIVER_UP && !d->reopening)
			return true;
		waitq_wait(&d->changed);
	}
	return false;
}

/* ---- a new instance -------------------------------------------------------------------------------------------- */

static void device_die(struct device *d)
{
	d->dead = true;
	waitq_wake(&d->q, POLLERR | POLLHUP);
}

/* A controlling terminal that nobody has open is open for its session. */
static void session_device(const struct session *s, void *driver)
{
	uint32_t dev = CDEV_DEV(major(s->ctty), minor(s->ctty));
	if (s->ctty && dmap_char(major(s->ctty)) == driver && !device_find(driver, dev))
		device_new(driver, dev, true);
}

struct session_search { uint32_t ctty; int32_t sid; };

static void session_match(const struct session *s, void *arg)
{
	struct session_search *q = arg;
	if (s->ctty == q->ctty)
		q->sid = s->sid;
}

static int32_t session_on(uint32_t dev)
{
	struct session_search q = { .ctty = (uint32_t)makedev(cdev_major(dev), cdev_minor(dev)) };
	sessions_each(session_match, &q);
	return q.sid;
}

static void reopen_prepare(struct device *d)
{
	d->reopen = request_new(d->driver->ep);
	d->instance = d->driver->instance;
	if (d->reopen)
		return;
	device_die(d);
	device_drop(d);
}

static void reopen_send(const struct device *d)
{
	struct message m = { .type = CDEV_REOPEN };
	*MSG_BODY(struct cdev_req, &m) = (struct cdev_req){ .id = d->reopen->id, .minor = d->dev, .grant = GRANT_INVALID, .len = d->refs,
		.sid = session_on(d->dev) };
	request_send(d->reopen, &m);
}

/* CDEV_UP and all CDEV_REOPENs leave in one go; nothing else is sent in between. */
static void driver_tell(struct driver *driver)
{
	struct message m = { .type = CDEV_UP };
	uint64_t *count = &MSG_BODY(struct cdev_req, &m)->arg;
	struct list *l, *next;
	sessions_each(session_device, driver);
	for (l = devices.all.next; l != &devices.all; l = next) {
		next = l->next;
		if (device_of(l)->driver == driver && !device_of(l)->dead)
			reopen_prepare(device_of(l));
	}
	for (l = devices.all.next; l != &devices.all; l = l->next)
		*count += device_of(l)->driver == driver && device_of(l)->reopen;
	peer_send(driver->ep, &m);
	for (l = devices.all.next; l != &devices.all; l = l->next)
		if (device_of(l)->driver == driver && device_of(l)->reopen)
			reopen_send(device_of(l));
}

static struct device *device_reopening(const struct driver *driver)
{
	for EACH_DEVICE(l)
		if (device_of(l)->driver == driver && device_of(l)->reopen)
			return device_of(l);
	return NULL;
}

static void reopen_finish(struct device *d)
{
	struct request *rq = d->reopen;
	uint32_t instance = d->instance;
	bool answered = request_wait(rq) == 0;
	d->reopen = NULL;
	if (!answered)
		driver_lost(d->driver, instance);
	else if (((struct cdev_rep *)(void *)rq->reply.w)->result != 0)
		device_die(d);
	request_free(rq);
	device_drop(d);
}

static void driver_reopen(struct job *job)
{
	struct driver *driver = list_entry(job, struct driver, job);
	struct device *d;
	do {
		driver->again = false;
		driver_tell(driver);
		while ((d = device_reopening(driver)))
			reopen_finish(d);
	} while (driver->again);
	driver->reopening = false;
	waitq_wake(&driver->changed, 0);
	for EACH_DEVICE(l)	/* who polls looks again, and the new instance learns what is waited for */
		if (device_of(l)->driver == driver)
			waitq_wake(&device_of(l)->q, 0);
}

void cdev_driver_up(struct driver *driver, endpoint_t old)
{
	requests_fail(old);
	requests_fail(driver->ep);
	for EACH_DEVICE(l)
		if (device_of(l)->driver == driver && !device_of(l)->recoverable)
			device_die(device_of(l));
	driver->again = true;
	if (driver->reopening)
		return;
	driver->reopening = true;
	driver->job.fn = driver_reopen;
	job_start(&driver->job);
}

void cdev_driver_down(struct driver *driver)
{
	requests_fail(driver->ep);
	for EACH_DEVICE(l) {
		struct device *d = device_of(l);
		if (d->driver == driver && !d->recoverable)
			device_die(d);
		else if (d->driver == driver)
			waitq_wake(&d->q, POLLERR | POLLHUP);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character devices in use: what files on them share, and how they outlive their drivers.
 *
 *   told to no instance --CDEV_REOPEN--> reopening --answer 0--> usable            (recoverable)
 *   usable --driver-up event--> told to no instance, or dead                       (recoverable, or not)
 */
#pragma once
#include "dmap.h"
#include "list.h"
#include "vfs.h"

struct request;

/* One device in use, shared by all files on it; polling waits here. */
struct device {
	struct list link;
	unsigned refs;			/* files */
	struct driver *driver;		/* counted in its uses */
	uint32_t dev;			/* CDEV_DEV: what the protocol calls minor */
	uint32_t instance;		/* of the driver, that knows that this is open */
	bool recoverable;		/* CDEV_RECOVERABLE */
	bool dead;			/* its instance is gone: only close works */
	struct request *reopen;		/* CDEV_REOPEN not answered yet */
	struct waitq q;
};

void devices_init(void);
struct device *device_get(struct driver *driver, uint32_t dev, bool recoverable);	/* NULL: no memory */
void device_put(struct device *d);
void device_ready(endpoint_t driver, uint32_t dev, unsigned events);
/* May a request be sent? */
bool device_usable(const struct device *d);
/*
 * Wait until the device can be used: 0; -EIO when that will not be; -EINTR when the call was cancelled. c may be NULL.
 */
int device_wait(struct call *c, struct device *d);
/* The same before an open, for a bounded time; -ENXIO: nobody serves this major. */
int driver_wait(struct call *c, uint32_t major, struct driver **out);
/* For requests of other protocols to a process that is a driver too. Which instance of it is there, 0 if it is none? */
uint32_t driver_instance(endpoint_t ep);
/* After a request to that instance was ended: is there another one under the same endpoint? Waits for it. */
bool driver_came_back(endpoint_t ep, uint32_t instance);
/* While a file system that came back is told what is open there. -EIO: it could not be mounted again, and knows nothing of us. */
int driver_remounted_wait(endpoint_t ep);

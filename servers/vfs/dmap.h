/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device map: which driver serves a major number, and whether it is there. Block and character majors are numbered apart.
 *
 *   DOWN --mapped--> STARTING --driver-up event--> UP --driver-up event--> UP, with a new instance number
 *   UP --mapped with a new endpoint, or found dead--> STARTING
 *   every state --unmapped, or drv.failed.LABEL--> DOWN: errors at once
 */
#pragma once
#include <abi/limits.h>
#include <proto/vfs.h>

#include "vfs.h"

enum driver_state {
	DRIVER_DOWN,		/* nobody serves it and nobody will soon */
	DRIVER_STARTING,	/* RS has named it, it has not announced itself yet: who needs it waits */
	DRIVER_UP,
};

struct mount;
struct driver {
	char label[LABEL_LEN];		/* "": free entry */
	endpoint_t ep;			/* of the present or coming instance */
	enum driver_state state;
	uint32_t instance;		/* counts driver-up events; the endpoint may be the same in all */
	unsigned uses;			/* majors and devices that point here */
	struct waitq changed;		/* woken when something of the above or of the char devices changes */
	struct mount *mount;		/* of a file system that was started for it alone, also while it is being unmounted; or NULL */
	bool remounting;		/* a file system: what VFS knows of it is told to the new instance; requests wait (mount_again.c) */
	/* Character devices (cdev_recover.c), and file systems: */
	bool reopening;			/* the devices that were open are told to the new instance; requests wait */
	bool again;			/* another instance came meanwhile */
	struct job job;
};

void dmap_init(void);			/* subscribe to the events; the map is empty */
void dmap_map(int32_t major, endpoint_t ep, const char *label);	/* VFS_MAPDRIVER: major with RS_MAJOR_BLOCK for block devices */
struct driver *dmap_char(uint32_t major);			/* NULL: no such major */
struct driver *dmap_block(uint32_t major);
struct driver *dmap_driver(const char *label);			/* NULL: never heard of */
struct driver *dmap_service(endpoint_t ep);			/* who has announced itself; NULL: never heard of */
struct driver *dmap_of_endpoint(endpoint_t ep);			/* NULL: not a driver of ours */
/* That instance was found dead before anybody has told us: who needs the driver waits for another. */
void driver_lost(struct driver *d, uint32_t instance);
void dmap_notified(void);		/* DS has news */
size_t dmap_text(char *buf, size_t room);			/* /proc/devices */

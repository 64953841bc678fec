/* SPDX-License-Identifier: BSD-2-Clause */
/* Mounted file systems. */
#pragma once
#include "vfs.h"
#include <abi/limits.h>
#include "vnode.h"

enum { MOUNT_MAX = 64 };

struct driver;

struct mount {
	struct list link;
	endpoint_t fs;			/* the service */
	uint64_t instance;		/* tells mounts apart; st_dev is made of it where there is no device */
	uint64_t device;		/* on which it lies, or 0 */
	bool claims;			/* nobody else has the device meanwhile (blkdev.c) */
	char label[LABEL_LEN];		/* of a service that was started for this mount alone, or "" */
	struct driver *service;		/* its entry in the device map, by which its deaths are noticed; or NULL */
	uint64_t root_node;
	struct job job;			/* the end of it */
	struct unmount_wait *waiter;	/* who waits for that */
	struct vnode *root;		/* a reference, as long as mounted */
	struct vnode *covered;		/* the directory below, NULL for the first */
	unsigned flags;			/* MS_RDONLY, MS_NOSUID, ... */
	unsigned vnodes;		/* vnodes of it in memory */
	bool detached;			/* unmounted; goes with the last vnode */
	bool failed;			/* its service died */
	bool quiet;			/* the service is not told what is forgotten */
	const char *type;
	char type_text[16];		/* where type is no constant */
	char *source, *options;
};

void mounts_init(void);
struct mount *mount_root(void);			/* NULL before the first mount */
/* Mount a file system of the service on `covered` (NULL: as the first). May wait. Takes no reference of the caller's. */
int mount_add(endpoint_t fs, const char *type, const char *source, const char *options, unsigned flags, struct vnode *covered);
/* The same for one on a disk: the device is claimed, the service was started for it and is stopped with it. dev_label: of the driver. */
struct mount_disk { endpoint_t fs; const char *label; uint64_t device; const char *dev_label; };
int mount_add_disk(const struct mount_disk *d, const char *type, const char *source, const char *options, unsigned flags,
		   struct vnode *covered);
/* Other flags for what is mounted. May wait. */
int mount_remount(struct mount *m, unsigned flags, const char *options);
/* It is to cover another directory. */
int mount_move(struct mount *m, struct vnode *covered);
/* A device of blockfs: its root is no directory, it is mounted nowhere. _remove: tell the service and do not wait; _finish: wait. */
int mount_device(endpoint_t fs, uint64_t device, const char *options, unsigned flags, struct mount **out);
void mount_device_remove(struct mount *m);
int mount_device_finish(struct mount *m);
/* One that is mounted nowhere, for memfd_create. */
int mount_hidden(endpoint_t fs, struct mount **out);
/* Waits until the file system has written everything, unless lazy. */
int mount_remove(struct mount *m, bool lazy);
void mount_vnode_gone(struct mount *m);
static inline bool mount_readonly(const struct mount *m) { return m->flags & 1; }
/* st_dev: the device; or major 0, minor counted from 1, packed as Linux does. */
static inline uint64_t mount_dev(const struct mount *m)
{
	uint64_t minor = m->instance + 1;
	if (m->device)
		return m->device;
	return (minor & 0xff) | (minor & ~0xffull) << 12;
}
/* Wait until the first file system is there. */
void mount_root_wait(void);
bool mount_serves(endpoint_t fs);		/* is any file system of this service mounted? */
void mounts_service_dead(endpoint_t fs);
bool mounts_made_up(endpoint_t fs);		/* has it mounts, and no device under them? */
/* A file system that was started for one mount is there again, under its endpoint. False: it has no mount. mount_again.c */
bool mount_service_back(struct driver *d);
int mount_options(const struct mount *m, const char *dev_label, char *buf, size_t room);	/* for the service; -EINVAL: too long */
/* Text of /proc/mounts. Returns its length. */
size_t mounts_text(char *buf, size_t room);
size_t mountinfo_text(char *buf, size_t room);
/* Visit all mounts. */
struct mount *mount_next(struct mount *m);	/* NULL: the first */

/* SPDX-License-Identifier: BSD-2-Clause */
/* Mounted file systems. */
#pragma once
#include "vfs.h"
#include "vnode.h"

enum { MOUNT_MAX = 64 };

struct mount {
	struct list link;
	endpoint_t fs;			/* the service */
	uint64_t instance;		/* number by which the service knows this mount; st_dev is made of it */
	struct vnode *root;		/* a reference, as long as mounted */
	struct vnode *covered;		/* the directory below, NULL for the first */
	unsigned flags;			/* MS_RDONLY, MS_NOSUID, ... */
	unsigned vnodes;		/* vnodes of it in memory */
	bool detached;			/* unmounted; goes with the last vnode */
	bool failed;			/* its service died */
	const char *type;
	char *source, *options;
};

void mounts_init(void);
struct mount *mount_root(void);			/* NULL before the first mount */
/* Mount a file system of the service on `covered` (NULL: as the first). May wait. Takes no reference of the caller's. */
int mount_add(endpoint_t fs, const char *type, const char *source, const char *options, unsigned flags, struct vnode *covered);
/* One that is mounted nowhere, for memfd_create. */
int mount_hidden(endpoint_t fs, struct mount **out);
int mount_remove(struct mount *m, bool lazy);
void mount_vnode_gone(struct mount *m);
static inline bool mount_readonly(const struct mount *m) { return m->flags & 1; }
/* st_dev: major 0, minor counted from 1, packed as Linux does. */
static inline uint64_t mount_dev(const struct mount *m)
{
	uint64_t minor = m->instance + 1;
	return (minor & 0xff) | (minor & ~0xffull) << 12;
}
/* Wait until the first file system is there. */
void mount_root_wait(void);
bool mount_serves(endpoint_t fs);		/* is any file system of this service mounted? */
void mounts_service_dead(endpoint_t fs);
/* Text of /proc/mounts. Returns its length. */
size_t mounts_text(char *buf, size_t room);
size_t mountinfo_text(char *buf, size_t room);
/* Visit all mounts. */
struct mount *mount_next(struct mount *m);	/* NULL: the first */

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mount table. Every mount has an instance number chosen here, which makes st_dev and tells a service with several mounts (tmpfs)
 * which one is meant; node numbers are unique in a service. A vnode belongs to one mount, so `..` out of a mount's root and the step
 * into a mount need no further state: covered and mounted_here link the two directories.
 *
 * Unmounting lazily leaves the mount in memory until its last vnode goes. If this process dies, the mounts are made anew.
 */
#include "mount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "fsreq.h"
#include "path.h"

static struct mounts {
	struct list all;
	struct mount *root;
	unsigned count;
	uint64_t next_instance;
	struct waitq root_wait;
} mounts;

void mounts_init(void)
{
	list_init(&mounts.all);
	waitq_init(&mounts.root_wait);
	mounts.next_instance = 0;	/* number 0 of tmpfs is what it unpacked from the boot archive */
}

struct mount *mount_root(void) { return mounts.root; }

void mount_root_wait(void)
{
	while (!mounts.root)
		waitq_wait(&mounts.root_wait);
}

struct mount *mount_next(struct mount *m)
{
	struct list *l = m ? m->link.next : mounts.all.next;
	return l == &mounts.all ? NULL : list_entry(l, struct mount, link);
}

bool mount_serves(endpoint_t fs)
{
	for (struct mount *m = mount_next(NULL); m; m = mount_next(m))
		if (m->fs == fs)
			return true;
	return false;
}

static void mount_free(struct mount *m)
{
	free(m->source);
	free(m->options);
	free(m);
}

static struct mount *mount_new(endpoint_t fs, const char *type, const char *source, const char *options, unsigned flags)
{
	struct mount *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	list_init(&m->link);
	m->fs = fs;
	m->type = type;
	m->flags = flags;
	m->source = strdup(source);
	m->options = strdup(options);
	m->instance = mounts.next_instance++;
	if (m->source && m->options)
		return m;
	mount_free(m);
	return NULL;
}

static void mount_attach(struct mount *m, struct vnode *covered)
{
	list_append(&mounts.all, &m->link);
	mounts.count++;
	if (covered) {
		m->covered = vnode_get(covered);
		covered->mounted_here = m;
	} else {
		mounts.root = m;
		waitq_wake(&mounts.root_wait, 0);
	}
}

/* Ask the service; its root becomes m->root. On failure m is freed. */
static int mount_start(struct mount *m, const struct vnode *covered)
{
	struct fs_attr attr;
	int r = fs_mount(m->fs, m->instance, m->options, m->flags, &attr);
	if (r == 0 && !S_ISDIR(attr.mode))
		r = -EIO;
	if (r == 0 && covered && (covered->mounted_here || covered->mount->detached))
		r = -EBUSY;
	m->root = r == 0 ? vnode_take(m, &attr) : NULL;
	if (r == 0 && !m->root)
		r = -ENOMEM;
	if (r)
		mount_free(m);
	return r;
}

int mount_add(endpoint_t fs, const char *type, const char *source, const char *options, unsigned flags, struct vnode *covered)
{
	if (mounts.count >= MOUNT_MAX)
		return -ENOSPC;
	struct mount *m = mount_new(fs, type, source, options, flags);
	int r = m ? mount_start(m, covered) : -ENOMEM;
	if (r == 0)
		mount_attach(m, covered);
	return r;
}

int mount_hidden(endpoint_t fs, struct mount **out)
{
	struct mount *m = mount_new(fs, "tmpfs", "none", "", 0);
	int r = m ? mount_start(m, NULL) : -ENOMEM;
	if (r == 0)
		*out = m;
	return r;
}

static bool mount_has_mounts(const struct mount *m)
{
	for (struct mount *o = mount_next(NULL); o; o = mount_next(o))
		if (o->covered && o->covered->mount == m)
			return true;
	return false;
}

struct unmount_job { struct job job; struct mount *m; uint64_t node; };

/* After the last vnode is gone the service is told. */
static void unmount_finish(struct job *job)
{
	struct unmount_job *u = list_entry(job, struct unmount_job, job);
	if (!u->m->failed)
		fs_unmount(u->m->fs, u->m->instance, u->node);
	mount_free(u->m);
	free(u);
}

void mount_vnode_gone(struct mount *m)
{
	if (--m->vnodes > 0 || !m->detached)
		return;
	struct unmount_job *u = calloc(1, sizeof *u);
	if (!u)
		return;
	u->job.fn = unmount_finish;
	u->m = m;
	u->node = m->root->node;
	job_start(&u->job);
}

int mount_remove(struct mount *m, bool lazy)
{
	if (!m->covered)
		return -EBUSY;
	if (!lazy && (mount_has_mounts(m) || !vnodes_purge(m, 1)))
		return -EBUSY;
	if (lazy)
		vnodes_purge(m, 1);
	list_remove(&m->link);
	mounts.count--;
	m->covered->mounted_here = NULL;
	vnode_put(m->covered);
	m->covered = NULL;
	m->detached = true;
	vnode_put(m->root);
	return 0;
}

void mounts_service_dead(endpoint_t fs)
{
	for (struct mount *m = mount_next(NULL); m; m = mount_next(m))
		if (m->fs == fs)
			m->failed = true;
}

/* ---- /proc/mounts ---------------------------------------------------------------------------------------------- */

static size_t flags_text(const struct mount *m, char *buf, size_t room)
{
	return (size_t)snprintf(buf, room, "%s%s%s%s%s%s%s", m->flags & MS_RDONLY ? "ro" : "rw", m->flags & MS_NOSUID ? ",nosuid" : "",
		m->flags & MS_NODEV ? ",nodev" : "", m->flags & MS_NOEXEC ? ",noexec" : "",
		m->flags & MS_NOATIME ? ",noatime" : ",relatime", *m->options ? "," : "", m->options);
}

/* Where it is mounted: text in buf. NULL: nowhere that has a path. */
static const char *mount_place(const struct mount *m, char *buf, size_t room)
{
	const char *where = "/";
	return m->covered && path_of_vnode(m->root, NULL, buf, room, &where) != 0 ? NULL : where;
}

static size_t text_each(char *buf, size_t room, int (*line)(const struct mount *m, const char *where, char *buf, size_t room))
{
	size_t used = 0;
	for (struct mount *m = mount_next(NULL); m; m = mount_next(m)) {
		char path[512];
		const char *where = mount_place(m, path, sizeof path);
		int n = where ? line(m, where, buf + used, room - used) : 0;
		if (n < 0 || (size_t)n >= room - used)
			break;
		used += (size_t)n;
	}
	return used;
}

static int mounts_line(const struct mount *m, const char *where, char *buf, size_t room)
{
	char flags[256];
	flags_text(m, flags, sizeof flags);
	return snprintf(buf, room, "%s %s %s %s 0 0\n", m->source, where, m->type, flags);
}

static int mountinfo_line(const struct mount *m, const char *where, char *buf, size_t room)
{
	char flags[256];
	flags_text(m, flags, sizeof flags);
	uint64_t parent = m->covered ? m->covered->mount->instance + 1 : 0;
	return snprintf(buf, room, "%lu %lu 0:%lu / %s %s - %s %s %s\n", m->instance + 1, parent, m->instance + 1, where, flags,
		m->type, m->source, mount_readonly(m) ? "ro" : "rw");
}

size_t mounts_text(char *buf, size_t room) { return text_each(buf, room, mounts_line); }
size_t mountinfo_text(char *buf, size_t room) { return text_each(buf, room, mountinfo_line); }

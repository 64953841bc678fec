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
#include <sys/sysmacros.h>

#include <proto/rs.h>

#include "blkdev.h"
#include "dmap.h"
#include "fsreq.h"
#include "path.h"
#include "request.h"

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

static bool place_taken(const struct vnode *covered)
{
	return covered && (covered->mounted_here || covered->mount->detached);
}

/* Ask the service; its root becomes m->root. `options` are what the service is to know, m->options what the user gave. */
static int mount_ask(struct mount *m, const char *options)
{
	struct fs_attr attr;
	int r = fs_mount(m->fs, m->device ? m->device : m->instance, options, m->flags, &attr);
	if (r)
		return r;
	m->root = vnode_take(m, &attr);
	m->root_node = attr.node;
	return m->root ? 0 : -ENOMEM;
}

/* The same for a directory. On failure m is freed. */
static int mount_start(struct mount *m, const struct vnode *covered)
{
	int r = mount_ask(m, m->options);
	if (r == 0 && !vnode_is_dir(m->root))
		r = -EIO;
	if (r == 0 && place_taken(covered))
		r = -EBUSY;
	if (r == 0)
		return 0;
	if (m->root) {
		m->detached = true;
		vnode_put(m->root);	/* the last: m goes with it */
	} else {
		mount_free(m);
	}
	return r;
}

/* The entry of the device map by which its deaths are noticed. */
static void service_use(struct mount *m, struct driver *service)
{
	m->service = service;
	if (service)
		service->uses++;
}

int mount_add(endpoint_t fs, const char *type, const char *source, const char *options, unsigned flags, struct vnode *covered)
{
	if (mounts.count >= MOUNT_MAX)
		return -ENOSPC;
	struct mount *m = mount_new(fs, type, source, options, flags);
	int r = m ? mount_start(m, covered) : -ENOMEM;
	if (r)
		return r;
	service_use(m, dmap_service(fs));
	mount_attach(m, covered);
	return 0;
}

int mount_hidden(endpoint_t fs, struct mount **out)
{
	struct mount *m = mount_new(fs, "tmpfs", "none", "", 0);
	int r = m ? mount_start(m, NULL) : -ENOMEM;
	if (r == 0)
		*out = m;
	return r;
}

/* ---- devices --------------------------------------------------------------------------------------------------- */

int mount_device(endpoint_t fs, uint64_t device, const char *options, unsigned flags, struct mount **out)
{
	struct mount *m = mount_new(fs, "blockfs", "none", options, flags);
	if (!m)
		return -ENOMEM;
	m->device = device;
	int r = mount_ask(m, options);
	if (r)
		mount_free(m);
	else
		*out = m;
	return r;
}

/* The driver's label before the options of the user. */
int mount_options(const struct mount *m, const char *dev_label, char *buf, size_t room)
{
	int n = snprintf(buf, room, "dev=%s%s%s", dev_label, *m->options ? "," : "", m->options);
	return n < (int)room ? 0 : -EINVAL;
}

static int disk_start(struct mount *m, const char *dev_label, const struct vnode *covered)
{
	char options[256];
	int r = mount_options(m, dev_label, options, sizeof options);
	if (r == 0)
		r = mount_ask(m, options);
	if (r == 0 && (!vnode_is_dir(m->root) || place_taken(covered)))
		r = vnode_is_dir(m->root) ? -EBUSY : -EIO;
	return r;
}

int mount_add_disk(const struct mount_disk *d, const char *type, const char *source, const char *options, unsigned flags,
		   struct vnode *covered)
{
	struct mount *m = mounts.count < MOUNT_MAX ? mount_new(d->fs, "", source, options, flags) : NULL;
	if (!m)
		return -ENOMEM;
	m->type = m->type_text;
	snprintf(m->type_text, sizeof m->type_text, "%s", type);
	m->device = d->device;
	int r = disk_start(m, d->dev_label, covered);
	if (r == 0) {
		m->claims = true;
		snprintf(m->label, sizeof m->label, "%s", d->label);
		service_use(m, dmap_driver(m->label));
		if (m->service)
			m->service->mount = m;
		mount_attach(m, covered);
	} else if (m->root) {
		mount_device_finish(m);
	} else {
		mount_free(m);
	}
	return r;
}

int mount_remount(struct mount *m, unsigned flags, const char *options)
{
	struct fs_attr attr;
	int r = m->claims ? fs_mount(m->fs, m->device, options, flags | MS_REMOUNT, &attr) : 0;
	if (r == 0 && m->claims)
		fs_forget(m, attr.node, 1);
	if (r == 0)
		m->flags = flags;
	return r;
}

int mount_move(struct mount *m, struct vnode *covered)
{
	if (!m->covered || place_taken(covered) || vnode_is_below(covered, m->root))
		return !m->covered ? -EINVAL : place_taken(covered) ? -EBUSY : -ELOOP;
	struct vnode *before = m->covered;
	m->covered = vnode_get(covered);
	covered->mounted_here = m;
	before->mounted_here = NULL;
	vnode_put(before);
	return 0;
}

/* ---- the end --------------------------------------------------------------------------------------------------- */

static bool mount_has_mounts(const struct mount *m)
{
	for (struct mount *o = mount_next(NULL); o; o = mount_next(o))
		if (o->covered && o->covered->mount == m)
			return true;
	return false;
}

struct unmount_wait { bool done; int result; struct waitq q; };

static void service_stop(const struct mount *m)
{
	struct message msg = { .type = RS_FS_STOP };
	if (m->service)
		m->service->uses--;
	if (m->service && m->service->mount == m)
		m->service->mount = NULL;
	if (!m->label[0])
		return;
	memcpy(MSG_BODY(struct rs_fs_stop_req, &msg)->label, m->label, LABEL_LEN);
	peer_send(EP_RS, &msg);
}

/* After the last vnode is gone the service is told. */
static void unmount_finish(struct job *job)
{
	struct mount *m = list_entry(job, struct mount, job);
	struct unmount_wait *w = m->waiter;
	int r = m->failed ? 0 : fs_unmount(m->fs, m->device ? m->device : m->instance, m->root_node);
	service_stop(m);
	if (m->claims)
		blkdev_release(m->device);
	mount_free(m);
	if (!w)
		return;
	w->result = r;
	w->done = true;
	waitq_wake(&w->q, 0);
}

void mount_vnode_gone(struct mount *m)
{
	if (--m->vnodes > 0 || !m->detached)
		return;
	m->job.fn = unmount_finish;
	job_start(&m->job);
}

void mount_device_remove(struct mount *m)
{
	m->detached = true;
	vnode_put(m->root);
}

/* m is freed by the time it returns. */
int mount_device_finish(struct mount *m)
{
	struct unmount_wait w = { .done = false };
	waitq_init(&w.q);
	m->waiter = &w;
	mount_device_remove(m);
	while (!w.done)
		waitq_wait(&w.q);
	return w.result;
}

static bool mount_is_there(const struct mount *m)
{
	for (struct mount *other = mount_next(NULL); other; other = mount_next(other))
		if (other == m)
			return other->covered;
	return false;
}

/* VM keeps files for a while that were mapped, programs above all. While it is asked to forget them, somebody else may unmount. */
static bool mount_unused(struct mount *m)
{
	if (mount_has_mounts(m))
		return false;
	if (vnodes_purge(m, 1))
		return true;
	vm_release(m->fs);
	return mount_is_there(m) && !mount_has_mounts(m) && vnodes_purge(m, 1);
}

int mount_remove(struct mount *m, bool lazy)
{
	if (!m->covered)
		return -EBUSY;
	if (!lazy && !mount_unused(m))
		return -EBUSY;
	if (lazy)
		vnodes_purge(m, 1);
	list_remove(&m->link);
	mounts.count--;
	m->covered->mounted_here = NULL;
	vnode_put(m->covered);
	m->covered = NULL;
	if (!lazy && m->claims)
		return mount_device_finish(m);
	mount_device_remove(m);
	return 0;
}

bool mounts_made_up(endpoint_t fs)
{
	for (struct mount *m = mount_next(NULL); m; m = mount_next(m))
		if (m->fs == fs)
			return !m->device;
	return false;
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
	return snprintf(buf, room, "%lu %lu %u:%u / %s %s - %s %s %s\n", m->instance + 1, parent, major(mount_dev(m)),
		minor(mount_dev(m)), where, flags, m->type, m->source, mount_readonly(m) ? "ro" : "rw");
}

size_t mounts_text(char *buf, size_t room) { return text_each(buf, room, mounts_line); }
size_t mountinfo_text(char *buf, size_t room) { return text_each(buf, room, mountinfo_line); }

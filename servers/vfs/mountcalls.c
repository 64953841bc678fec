/* SPDX-License-Identifier: BSD-2-Clause */
/* mount, umount2, statfs, sync: calls about whole file systems. */
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include "calls.h"
#include "client.h"
#include <proto/rs.h>

#include "blkdev.h"
#include "file.h"
#include "fsreq.h"
#include "mount.h"
#include "path.h"
#include "request.h"

enum { TYPE_MAX = 32, MOUNT_KEPT = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_NOATIME | MS_NODIRATIME | MS_RELATIME,
	UMOUNT_VALID = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW };

/* Which service mounts which type. Those on disks are started for each mount: disk_service_start(). */
struct fs_type { const char *name; endpoint_t fs; };
static const struct fs_type fs_types[] = { { "tmpfs", EP_TMPFS }, { "proc", EP_PROCFS }, { "ramfs", EP_TMPFS },
	{ "devpts", EP_TTY } };

static const struct fs_type *fs_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof fs_types / sizeof *fs_types; i++)
		if (strcmp(fs_types[i].name, name) == 0)
			return &fs_types[i];
	return NULL;
}

/* ---- file systems on disks ------------------------------------------------------------------------------------- */

/* A new instance of the service for this type of file system. -ENODEV: there is none. May wait. */
static int disk_service_start(const char *type, struct rs_fs_started *started)
{
	struct request *rq = strlen(type) < LABEL_LEN ? request_new(EP_RS) : NULL;
	if (!rq)
		return strlen(type) < LABEL_LEN ? -ENOMEM : -ENODEV;
	struct message m = { .type = RS_FS_START };
	struct rs_fs_start_req *q = MSG_BODY(struct rs_fs_start_req, &m);
	q->id = rq->id;
	memcpy(q->type, type, strlen(type) + 1);
	request_send(rq, &m);
	int r = request_wait(rq);
	if (r == 0) {
		memcpy(started, rq->reply.w, sizeof *started);
		r = started->result;
	}
	request_free(rq);
	return r;
}

static void disk_service_stop(const struct rs_fs_started *started)
{
	struct message m = { .type = RS_FS_STOP };
	memcpy(MSG_BODY(struct rs_fs_stop_req, &m)->label, started->label, LABEL_LEN);
	peer_send(EP_RS, &m);
}

static int device_lookup(struct call *c, const char *source, uint64_t *rdev)
{
	struct vnode *v;
	int r = path_lookup(&(struct path){ c, c->client, AT_FDCWD, source, 0 }, &v);
	if (r)
		return r;
	if (!S_ISBLK(v->attr.mode))
		r = -ENOTBLK;
	else if (v->mount->flags & MS_NODEV)
		r = -EACCES;
	*rdev = v->attr.rdev;
	vnode_put(v);
	return r;
}

struct mount_texts { char type[TYPE_MAX], source[USER_PATH_MAX], options[USER_PATH_MAX]; };

/* The service runs. */
static int mount_on_disk(struct call *c, struct vnode *on, const struct mount_texts *t, unsigned flags, struct mount_disk *d)
{
	char label[LABEL_LEN];
	int r = device_lookup(c, t->source, &d->device);
	if (r == 0 && on->mounted_here)
		r = -EBUSY;
	if (r == 0)
		r = blkdev_claim(d->device, label);
	if (r)
		return r;
	d->dev_label = label;
	r = mount_add_disk(d, t->type, t->source, t->options, flags, on);
	if (r)
		blkdev_release(d->device);
	return r;
}

/* The service comes first, for an unknown type is ENODEV whatever the source. */
static int mount_disk(struct call *c, struct vnode *on, const struct mount_texts *t, unsigned flags)
{
	struct rs_fs_started started;
	struct mount_disk d = { 0 };
	int r = disk_service_start(t->type, &started);
	if (r)
		return r;
	d.fs = started.ep;
	d.label = started.label;
	r = mount_on_disk(c, on, t, flags, &d);
	if (r)
		disk_service_stop(&started);
	return r;
}

/* ---- mount ----------------------------------------------------------------------------------------------------- */

static int mount_flags_change(struct vnode *v, unsigned flags, const char *options)
{
	if (v != v->mount->root)
		return -EINVAL;
	return mount_remount(v->mount, flags & MOUNT_KEPT, options);
}

static int mount_elsewhere(struct call *c, struct vnode *on, const char *source)
{
	struct vnode *v;
	int r = path_lookup(&(struct path){ c, c->client, AT_FDCWD, source, 0 }, &v);
	if (r)
		return r;
	if (v != v->mount->root)
		r = -EINVAL;
	else
		r = vnode_is_dir(on) ? mount_move(v->mount, on) : -ENOTDIR;
	vnode_put(v);
	return r;
}

static int mount_fresh(struct call *c, struct vnode *on, const struct mount_texts *t, unsigned flags)
{
	const struct fs_type *type = fs_type_find(t->type);
	if (!vnode_is_dir(on))
		return -ENOTDIR;
	if (!type)
		return mount_disk(c, on, t, flags & MOUNT_KEPT);
	return mount_add(type->fs, type->name, *t->source ? t->source : "none", t->options, flags & MOUNT_KEPT, on);
}

static int optional_string(struct call *c, vaddr_t from, char *to, size_t max)
{
	*to = 0;
	return from ? user_read_string(c->ep, from, to, max, NULL) : 0;
}

static int mount_texts_read(struct call *c, struct mount_texts *t)
{
	int r = optional_string(c, c->a[2], t->type, sizeof t->type);
	if (r == -ENAMETOOLONG)
		r = -ENODEV;
	if (r == 0)
		r = optional_string(c, c->a[0], t->source, sizeof t->source);
	if (r == 0)
		r = optional_string(c, c->a[4], t->options, sizeof t->options);
	return r;
}

static int mount_on(struct call *c, struct vnode *v, const struct mount_texts *t, unsigned flags)
{
	if (!client_is_root(c->client))
		return -EPERM;
	if (flags & MS_REMOUNT)
		return mount_flags_change(v, flags, t->options);
	if (flags & MS_MOVE)
		return mount_elsewhere(c, v, t->source);
	if (flags & MS_BIND)
		return -EINVAL;
	if (flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
		return v == v->mount->root ? 0 : -EINVAL;
	return *t->type ? mount_fresh(c, v, t, flags) : -EINVAL;
}

int64_t rq_mount(struct call *c)
{
	struct vnode *v;
	struct mount_texts *t = malloc(sizeof *t);
	if (!t)
		return -ENOMEM;
	int r = mount_texts_read(c, t);
	if (r == 0)
		r = path_lookup_user(c, AT_FDCWD, c->a[1], 0, &v);
	if (r == 0) {
		r = mount_on(c, v, t, (unsigned)c->a[3]);
		vnode_put(v);
	}
	free(t);
	return r;
}

int64_t rq_umount2(struct call *c)
{
	uint64_t flags = c->a[1];
	struct vnode *v;
	if (flags & ~(uint64_t)UMOUNT_VALID)
		return -EINVAL;
	int r = path_lookup_user(c, AT_FDCWD, c->a[0], flags & UMOUNT_NOFOLLOW ? PATH_NOFOLLOW : 0, &v);
	if (r)
		return r;
	struct mount *m = v->mount;
	bool is_root = v == m->root;
	vnode_put(v);
	if (!client_is_root(c->client))
		return -EPERM;
	if (!is_root)
		return -EINVAL;
	if (flags & MNT_EXPIRE)
		return flags & (MNT_FORCE | MNT_DETACH) ? -EINVAL : -EAGAIN;
	return mount_remove(m, flags & MNT_DETACH);
}

/* ---- statfs ---------------------------------------------------------------------------------------------------- */

static int statfs_vnode(struct call *c, struct vnode *v, vaddr_t to)
{
	struct statfs st;
	int r = fs_statfs(v, &st);
	if (r == -ENOSYS)
		r = 0;
	if (r)
		return r;
	unsigned f = v->mount->flags;
	st.f_flags = 0x20 | (f & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS))
		| (f & MS_NOATIME ? 0x400 : 0) | (f & MS_NODIRATIME ? 0x800 : 0) | (f & (MS_NOATIME | MS_NODIRATIME) ? 0 : 0x1000);
	if (!st.f_namelen)
		st.f_namelen = 255;
	if (!st.f_frsize)
		st.f_frsize = st.f_bsize;
	return user_write(c->ep, to, &st, sizeof st);
}

int64_t rq_statfs(struct call *c)
{
	struct vnode *v;
	int r = path_lookup_user(c, AT_FDCWD, c->a[0], 0, &v);
	if (r)
		return r;
	r = statfs_vnode(c, v, c->a[1]);
	vnode_put(v);
	return r;
}

/* Pipes and sockets live on file systems of their own, of which there is only the name. */
static int statfs_anonymous(struct call *c, vaddr_t to)
{
	struct statfs st = { .f_type = 0x09041934, .f_bsize = 4096, .f_frsize = 4096, .f_namelen = 255, .f_flags = 0x20 };
	return user_write(c->ep, to, &st, sizeof st);
}

int64_t rq_fstatfs(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f)
		return -EBADF;
	if (!f->vnode)
		return statfs_anonymous(c, c->a[1]);
	file_get(f);
	int r = statfs_vnode(c, f->vnode, c->a[1]);
	file_put(f);
	return r;
}

/* ---- sync ------------------------------------------------------------------------------------------------------ */

static bool mount_lasts(const struct mount *m)
{
	return m->claims && !m->failed;
}

/* The next to be written: the oldest of those whose number is `first` at least. They are not attached in the order of their numbers. */
static struct mount *mount_to_sync(uint64_t first)
{
	struct mount *next = NULL;
	for (struct mount *m = mount_next(NULL); m; m = mount_next(m))
		if (mount_lasts(m) && m->instance >= first && (!next || m->instance < next->instance))
			next = m;
	return next;
}

/* The mount table may change while one is written. */
int64_t rq_sync(struct call *c)
{
	struct mount *m;
	(void)c;
	for (uint64_t first = 0; (m = mount_to_sync(first));) {
		struct vnode *v = vnode_get(m->root);
		first = m->instance + 1;
		fs_sync_all(m);
		vnode_put(v);
	}
	blkdevs_sync();
	return 0;
}

int64_t rq_syncfs(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (!f->vnode || !mount_lasts(f->vnode->mount))
		return f->vnode && f->vnode->mount->failed ? -EIO : 0;
	struct vnode *v = vnode_get(f->vnode->mount->root);
	int r = fs_sync_all(v->mount);
	vnode_put(v);
	return r;
}

static int file_sync(struct file *f)
{
	int r = blkdev_is_file(f) ? blkdev_file_sync(f) : fs_sync(f->vnode);
	return r == -ENOSYS ? 0 : r;
}

static int64_t fsync_call(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (!f->vnode || (!S_ISREG(f->vnode->attr.mode) && !vnode_is_dir(f->vnode) && !blkdev_is_file(f)))
		return -EINVAL;
	file_get(f);
	int r = file_sync(f);
	file_put(f);
	return r;
}

int64_t rq_fsync(struct call *c) { return fsync_call(c); }
int64_t rq_fdatasync(struct call *c) { return fsync_call(c); }

int64_t rq_sync_file_range(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if ((int64_t)c->a[1] < 0 || (int64_t)c->a[2] < 0 || c->a[3] & ~7ull)
		return -EINVAL;
	return f->vnode ? 0 : -ESPIPE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* mount, umount2, statfs, sync: calls about whole file systems. */
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "fsreq.h"
#include "mount.h"
#include "path.h"

enum { TYPE_MAX = 32, MOUNT_KEPT = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_NOATIME | MS_NODIRATIME | MS_RELATIME,
	UMOUNT_VALID = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW };

/* Which service mounts which type. Device file systems will bring their own endpoint. */
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

static int mount_flags_change(struct vnode *v, unsigned flags)
{
	struct mount *m = v->mount;
	if (v != m->root)
		return -EINVAL;
	m->flags = flags & MOUNT_KEPT;
	return 0;
}

static int mount_new(struct vnode *on, const char *source, const char *type, const char *options, unsigned flags)
{
	const struct fs_type *t = fs_type_find(type);
	if (!t)
		return -ENODEV;
	if (!vnode_is_dir(on))
		return -ENOTDIR;
	return mount_add(t->fs, t->name, *source ? source : "none", options, flags & MOUNT_KEPT, on);
}

static int optional_string(struct call *c, vaddr_t from, char *to, size_t max)
{
	*to = 0;
	return from ? user_read_string(c->ep, from, to, max, NULL) : 0;
}

struct mount_texts { char type[TYPE_MAX], source[USER_PATH_MAX], options[USER_PATH_MAX]; };

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
		return mount_flags_change(v, flags);
	if (flags & (MS_BIND | MS_MOVE))
		return -EINVAL;
	if (flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
		return v == v->mount->root ? 0 : -EINVAL;
	return *t->type ? mount_new(v, t->source, t->type, t->options, flags) : -EINVAL;
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

int64_t rq_sync(struct call *c)
{
	(void)c;
	for (struct mount *m = mount_next(NULL); m; m = mount_next(m))
		if (strcmp(m->type, "tmpfs") != 0 && strcmp(m->type, "proc") != 0)
			fs_sync(m->root);
	return 0;
}

int64_t rq_syncfs(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	return f->vnode ? fs_sync(f->vnode->mount->root) : 0;
}

static int64_t fsync_call(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (!f->vnode || (!S_ISREG(f->vnode->attr.mode) && !vnode_is_dir(f->vnode)))
		return -EINVAL;
	file_get(f);
	int r = fs_sync(f->vnode);
	file_put(f);
	return r == -ENOSYS ? 0 : r;
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

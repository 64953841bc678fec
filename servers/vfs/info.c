/* SPDX-License-Identifier: BSD-2-Clause */
/* What procfs shows of files: mounts, descriptors, links. Answered at once from tables in memory; copied out by the asker's grant. */
#include "pmcalls.h"

#include <libfiber/fiber.h>
#include <libsef/sef.h>
#include <libsys/kcall.h>
#include <proto/vfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmap.h"
#include "client.h"
#include "file.h"
#include "fsreq.h"
#include "locks.h"
#include "mount.h"
#include "namecache.h"
#include "path.h"
#include "pipe.h"
#include "sock.h"

enum { INFO_TEXT_MAX = 16384 };

/* ---- text of a link -------------------------------------------------------------------------------------------- */

static int64_t vnode_text(struct vnode *v, struct vnode *root, char *buf, size_t room)
{
	char path[USER_PATH_MAX];
	const char *start;
	if (path_of_vnode(v, root, path, sizeof path, &start) != 0)
		return snprintf(buf, room, "(unreachable)");
	return snprintf(buf, room, "%s%s", start, v->removed || v->attr.nlink == 0 ? " (deleted)" : "");
}

static int64_t file_text(const struct file *f, char *buf, size_t room)
{
	if (f->vnode)
		return vnode_text(f->vnode, NULL, buf, room);
	const char *kind = f->ops->kind ? f->ops->kind : "anon_inode:[file]";
	if (strncmp(kind, "anon", 4) == 0)
		return snprintf(buf, room, "%s", kind);
	return snprintf(buf, room, "%s:[%llu]", kind, (unsigned long long)f->ino);
}

static int64_t info_link(const struct vfs_info_req *q, char *buf, size_t room)
{
	struct client *c = client_find(q->ep);
	if (!c || !c->fds || !c->fs)
		return -ESRCH;
	switch (q->fd) {
	case VFS_LINK_CWD:
		return c->fs->cwd ? vnode_text(c->fs->cwd, NULL, buf, room) : -ENOENT;
	case VFS_LINK_ROOT:
		return c->fs->root ? vnode_text(c->fs->root, NULL, buf, room) : -ENOENT;
	case VFS_LINK_EXE:
		return c->exe ? vnode_text(c->exe, NULL, buf, room) : -ENOENT;
	default: {
		struct file *f = fdtable_lookup(c->fds, q->fd);
		return f ? file_text(f, buf, room) : -ENOENT;
	}
	}
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

static int64_t info_fds(const struct vfs_info_req *q, char *buf, size_t room)
{
	struct client *c = client_find(q->ep);
	struct vfs_fd_info *out = (struct vfs_fd_info *)(void *)buf;
	size_t n = 0;
	if (!c || !c->fds)
		return -ESRCH;
	for (int fd = q->fd < 0 ? 0 : q->fd; fd < c->fds->size && (n + 1) * sizeof *out <= room; fd++) {
		struct file *f = fdtable_lookup(c->fds, fd);
		if (!f)
			continue;
		out[n++] = (struct vfs_fd_info){ .fd = fd, .flags = f->flags, .mode = f->vnode ? f->vnode->attr.mode : 0,
			.pos = (uint64_t)f->pos, .node = f->vnode ? f->vnode->node : f->ino,
			.dev = f->vnode ? mount_dev(f->vnode->mount) : 0 };
	}
	return (int64_t)(n * sizeof *out);
}

static int64_t info_stats(char *buf, size_t room)
{
	struct vfs_stats s = { .files_open = files_open_count(), .vnodes = vnodes_count(), .names_cached = namecache_count(),
		.fibers = fiber_count(), .pipes = pipes_count(), .sockets = sockets_count() };
	if (room < sizeof s)
		return -EINVAL;
	memcpy(buf, &s, sizeof s);
	return sizeof s;
}

static int64_t info_args(const struct vfs_info_req *q, char *buf)
{
	struct client *c = client_find(q->ep);
	if (!c || !c->exe)
		return -ESRCH;
	memcpy(buf, &c->args, sizeof c->args);
	return sizeof c->args;
}

/* Controlling terminal as in struct stat; the foreground group is the terminal driver's business. */
static int64_t info_ctty(const struct vfs_info_req *q, char *buf)
{
	struct client *c = client_find(q->ep);
	int32_t ctty[2] = { c && c->session ? (int32_t)c->session->ctty : 0, -1 };
	if (!c)
		return -ESRCH;
	memcpy(buf, ctty, sizeof ctty);
	return sizeof ctty;
}

static int64_t info_fill(const struct vfs_info_req *q, char *buf, size_t room)
{
	switch (q->what) {
	case VFS_INFO_MOUNTS:
		return (int64_t)mounts_text(buf, room);
	case VFS_INFO_MOUNTINFO:
		return (int64_t)mountinfo_text(buf, room);
	case VFS_INFO_FDS:
		return info_fds(q, buf, room);
	case VFS_INFO_LINK:
		return info_link(q, buf, room);
	case VFS_INFO_STATS:
		return info_stats(buf, room);
	case VFS_INFO_DEVICES:
		return (int64_t)dmap_text(buf, room);
	case VFS_INFO_ARGS:
		return info_args(q, buf);
	case VFS_INFO_CTTY:
		return info_ctty(q, buf);
	case VFS_INFO_LOCKS:
		return 0;
	case VFS_INFO_FILESYSTEMS:
		return snprintf(buf, room, "nodev\ttmpfs\nnodev\tramfs\nnodev\tproc\nnodev\tdevpts\n");
	default:
		return -EINVAL;
	}
}

/* Texts are cut at offset and len here; tables look at the offset themselves. */
static int64_t info_copy(const struct message *m, const struct vfs_info_req *q, uint64_t *bytes)
{
	static char buf[INFO_TEXT_MAX] __attribute__((aligned(8)));
	size_t room = q->len < sizeof buf && q->what == VFS_INFO_FDS ? q->len : sizeof buf;
	int64_t n = info_fill(q, buf, room);
	if (n < 0)
		return n;
	if ((size_t)n > sizeof buf)
		n = sizeof buf;
	uint64_t skip = q->what == VFS_INFO_FDS ? 0 : q->offset;
	uint64_t left = skip < (uint64_t)n ? (uint64_t)n - skip : 0;
	if (left > q->len)
		left = q->len;
	*bytes = left;
	return left ? sys_safecopyto(m->source, q->grant, 0, buf + skip, left) : 0;
}

void on_info(const struct message *m)
{
	const struct vfs_info_req *q = (const struct vfs_info_req *)(const void *)m->w;
	struct message rep = { .type = VFS_INFO + 1 };
	struct vfs_info_rep *r = MSG_BODY(struct vfs_info_rep, &rep);
	bool allowed = m->source > 0 && m->source <= EP_BOOT_LAST;
	if (!allowed)
		log_refused(m->source, "facts about programs", -EPERM);
	r->result = allowed ? info_copy(m, q, &r->bytes) : -EPERM;
	sef_reply(m->source, &rep);
}

static int64_t vm_name(const struct message *m)
{
	const struct vfs_vm_name_req *q = (const struct vfs_vm_name_req *)(const void *)m->w;
	char text[USER_PATH_MAX];
	if (m->source <= 0 || m->source > EP_BOOT_LAST)
		return -EPERM;
	struct vnode *v = vnode_find(q->fs, q->node);
	if (!v)
		return -ENOENT;
	int64_t n = vnode_text(v, NULL, text, sizeof text);
	if (n > (int64_t)q->len)
		n = q->len;
	err_t r = sys_safecopyto(m->source, q->grant, 0, text, (size_t)n);
	return r ? r : n;
}

void on_vm_name(const struct message *m)
{
	struct message rep = { .type = VFS_VM_NAME + 1 };
	struct vfs_info_rep *r = MSG_BODY(struct vfs_info_rep, &rep);
	int64_t n = vm_name(m);
	r->result = n < 0 ? n : 0;
	r->bytes = n < 0 ? 0 : (uint64_t)n;
	sef_reply(m->source, &rep);
}

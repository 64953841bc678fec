/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /dev/pts: the driver itself serves a small file system (devpts) in which each open pair has a name. Nodes: 1 is the directory,
 * 2 + N the slave of pair N. Everything follows from the pairs, so there is no state here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfs/fs.h>

#include "tty.h"

enum { NODE_ROOT = 1, NODE_SLAVE0 = 2, DEVPTS_MAGIC = 0x1cd1, COOKIE_SLAVE0 = 3 };

static int64_t attr_fill(uint64_t node, struct fs_attr *attr)
{
	int64_t now = fs_now();
	*attr = (struct fs_attr){ .node = node, .nlink = 1, .blksize = 1024, .flags = FS_ATTR_NOCACHE | FS_ATTR_NOMAP,
		.atime_ns = now, .mtime_ns = now, .ctime_ns = now, .btime_ns = now };
	if (node == NODE_ROOT) {
		attr->mode = 0040755;
		attr->nlink = 2;
		return 0;
	}
	struct tty *t = node >= NODE_SLAVE0 ? tty_pty((uint32_t)(node - NODE_SLAVE0)) : NULL;
	if (!t)
		return -ENOENT;
	attr->mode = 0020000 | t->mode;
	attr->uid = t->uid;
	attr->gid = t->gid;
	attr->rdev = MAJOR_PTS << 8 | t->index;
	return 0;
}

static int64_t names_mount(uint64_t dev, const char *options, uint32_t flags, struct fs_attr *root)
{
	(void)dev, (void)options, (void)flags;
	return attr_fill(NODE_ROOT, root);
}

static int64_t names_lookup(uint64_t dir, const struct fs_name *name, endpoint_t who, struct fs_attr *attr)
{
	char *end;
	(void)who;
	if (dir != NODE_ROOT)
		return -ENOTDIR;
	unsigned long index = strtoul(name->name, &end, 10);
	if (*end || name->name[0] < '0' || name->name[0] > '9' || (name->name[0] == '0' && name->len > 1) || index >= NR_PTYS)
		return -ENOENT;
	return attr_fill(NODE_SLAVE0 + index, attr);
}

static int64_t names_setattr(uint64_t node, uint64_t mask, const struct fs_attr *in, struct fs_attr *attr)
{
	struct tty *t = node >= NODE_SLAVE0 ? tty_pty((uint32_t)(node - NODE_SLAVE0)) : NULL;
	if (!t)
		return -EPERM;
	if (mask & FS_SET_MODE)
		t->mode = in->mode & 07777;
	if (mask & FS_SET_UID)
		t->uid = in->uid;
	if (mask & FS_SET_GID)
		t->gid = in->gid;
	tty_save(t);
	return attr_fill(node, attr);
}

static int64_t names_readdir(uint64_t dir, uint64_t cookie, endpoint_t who, struct fs_dirlist *list)
{
	(void)who;
	if (dir != NODE_ROOT)
		return -ENOTDIR;
	if (cookie < 1 && !fs_dirlist_add(list, dir, 0040000, ".", 1, 1))
		return -EINVAL;
	if (cookie < 2 && !fs_dirlist_add(list, dir, 0040000, "..", 2, 2))
		return list->used ? 0 : -EINVAL;
	for (uint32_t i = cookie < COOKIE_SLAVE0 ? 0 : (uint32_t)(cookie - COOKIE_SLAVE0) + 1; i < NR_PTYS; i++) {
		char name[8];
		int n = snprintf(name, sizeof name, "%u", i);
		if (tty_pty(i) && !fs_dirlist_add(list, NODE_SLAVE0 + i, 0020000, name, (size_t)n, COOKIE_SLAVE0 + i))
			break;
	}
	return 0;
}

static int64_t names_statfs(uint64_t node, struct statfs *out)
{
	(void)node;
	out->f_type = DEVPTS_MAGIC;
	out->f_bsize = out->f_frsize = 4096;
	out->f_namelen = FS_NAME_MAX;
	return 0;
}

bool names_serve(const struct message *m)
{
	static const struct fs_ops ops = { .mount = names_mount, .lookup = names_lookup, .getattr = attr_fill, .setattr = names_setattr,
		.readdir = names_readdir, .statfs = names_statfs };
	return fs_serve(&ops, m);
}

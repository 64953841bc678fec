/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmpfs: files in memory. One process serves every mounted instance (node numbers are unique among all of them) and, at boot,
 * unpacks the first file system from the boot archive into the instance that becomes the root.
 *
 * If this process dies, the files die with it: their pages are its memory. Everything else (names, nodes) is derived from nothing else
 * either. Keeping them over a crash needs pages and nodes in memory that survives the process; see docs/CAVEATS.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsef/sef.h>
#include <libsys/grant.h>
#include <libsys/ipc.h>
#include <proto/common.h>
#include <proto/vm.h>

#include "tmpfs.h"

enum { TMPFS_MAGIC = 0x01021994, ROOT_DEV = 0 };

static struct tmpfs {
	struct instance *instances;
	uint64_t memory_pages;		/* RAM of the machine */
} tmpfs;

/* ---- instances ----------------------------------------------------------------------------------------------------- */

static struct instance *instance_find(uint64_t dev)
{
	struct instance *i = tmpfs.instances;
	while (i && i->dev != dev)
		i = i->next;
	return i;
}

static struct instance *instance_new(uint64_t dev, uint32_t mode)
{
	struct instance *i = calloc(1, sizeof *i);
	struct fs_new how = { .mode = 0040000 | mode };
	if (!i)
		return NULL;
	i->dev = dev;
	i->max_nodes = tmpfs.memory_pages / 2 + 1024;
	i->max_pages = tmpfs.memory_pages / 2;
	i->root = node_new(i, &how);
	if (!i->root) {
		free(i);
		return NULL;
	}
	i->root->nlink = 2;
	i->root->parent = i->root;
	i->next = tmpfs.instances;
	tmpfs.instances = i;
	return i;
}

/* Bytes with a suffix k, m or g, or a share of the memory with %. */
static uint64_t size_parse(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);
	switch (*end | 0x20) {
	case 'k': n <<= 10; break;
	case 'm': n <<= 20; break;
	case 'g': n <<= 30; break;
	case '%': n = tmpfs.memory_pages * TMPFS_BLOCK / 100 * n; break;
	}
	return n;
}

/* The same in pages, rounded up; 0 means no limit. */
static uint64_t pages_parse(const char *text)
{
	uint64_t bytes = size_parse(text);
	return bytes ? (bytes + TMPFS_BLOCK - 1) / TMPFS_BLOCK : UINT64_MAX;
}

/* Options of mount: mode=OCTAL, nr_inodes=N, size=BYTES[k|m|g|%] (0: no limit but the memory). */
static int64_t options_apply(struct instance *i, const char *options)
{
	char word[256];
	for (const char *at = options; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");
		memcpy(word, at, n);
		word[n] = '\0';
		at += n;
		if (!strncmp(word, "mode=", 5))
			i->root->mode = 0040000 | ((uint32_t)strtoul(word + 5, NULL, 8) & 07777);
		else if (!strncmp(word, "nr_inodes=", 10))
			i->max_nodes = strtoul(word + 10, NULL, 10);
		else if (!strncmp(word, "size=", 5))
			i->max_pages = pages_parse(word + 5);
		else if (word[0] && strcmp(word, "rw") && strcmp(word, "ro"))
			return -EINVAL;
	}
	return 0;
}

static int64_t tmpfs_mount(uint64_t dev, const char *options, uint32_t flags, struct fs_attr *root)
{
	(void)flags;
	struct instance *i = instance_find(dev);
	if (strlen(options) > 255)
		return -EINVAL;
	if (!i && !(i = instance_new(dev, 01777)))
		return -ENOMEM;
	int64_t r = options_apply(i, options);
	if (r)
		return r;
	i->root->refs++;
	node_fill_attr(i->root, root);
	return 0;
}

/* Everything below a directory goes. The tree is walked without recursion: always the first entry of the deepest directory. */
static void tree_drop(struct node *top)
{
	struct node *dir = top;
	while (dir != top || dir->first) {
		struct dirent_entry *e = dir->first;
		if (!e) {	/* an empty directory: go up, and there its entry is the first one */
			struct node *parent = dir->parent;
			dir_remove(parent->first);
			dir->refs = 0;
			node_release(dir);
			dir = parent;
		} else if (node_is_dir(e->node)) {
			dir = e->node;
		} else {
			struct node *n = e->node;
			dir_remove(e);
			node_release(n);
		}
	}
}

static int64_t tmpfs_unmount(uint64_t root)
{
	struct node *n = node_get(root);
	if (!n || n->instance->root != n)
		return -EINVAL;
	if (n->instance->dev == ROOT_DEV)
		return -EBUSY;
	struct instance *i = n->instance, **at = &tmpfs.instances;
	tree_drop(n);
	n->nlink = 0, n->refs = 0;
	node_release(n);
	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	free(i);
	return 0;
}

static int64_t tmpfs_statfs(uint64_t node, struct statfs *out)
{
	struct node *n = node_get(node);
	if (!n)
		return -ESTALE;
	out->f_type = TMPFS_MAGIC;
	out->f_bsize = out->f_frsize = TMPFS_BLOCK;
	const struct instance *i = n->instance;
	out->f_blocks = i->max_pages < page_limit() ? i->max_pages : page_limit();
	out->f_bfree = out->f_bavail = out->f_blocks > i->pages ? out->f_blocks - i->pages : 0;
	out->f_files = n->instance->max_nodes;
	out->f_ffree = n->instance->max_nodes > n->instance->nodes ? n->instance->max_nodes - n->instance->nodes : 0;
	out->f_namelen = FS_NAME_MAX;
	return 0;
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

static struct node *dir_get(uint64_t id, int64_t *error)
{
	struct node *n = node_get(id);
	*error = !n ? -ESTALE : !node_is_dir(n) ? -ENOTDIR : 0;
	return n;
}

static void dir_touch(struct node *dir)
{
	dir->mtime_ns = dir->ctime_ns = fs_now();
}

static int64_t tmpfs_lookup(uint64_t dir, const struct fs_name *name, endpoint_t who, struct fs_attr *attr)
{
	int64_t r;
	struct node *d = dir_get(dir, &r);
	(void)who;
	if (r)
		return r;
	struct dirent_entry *e = dir_find(d, name);
	if (!e)
		return -ENOENT;
	e->node->refs++;
	node_fill_attr(e->node, attr);
	return 0;
}

static void tmpfs_forget(uint64_t node, uint64_t count)
{
	struct node *n = node_get(node);
	if (!n)
		return;
	n->refs -= count < n->refs ? count : n->refs;
	node_release(n);
}

/* Make a node and enter it. `target` is that of a symbolic link or NULL. */
static int64_t node_enter(uint64_t dir, const struct fs_name *name, const struct fs_new *how, const struct fs_name *target,
			  struct fs_attr *attr)
{
	int64_t r;
	struct node *d = dir_get(dir, &r);
	if (r)
		return r;
	if (d->nlink == 0)
		return -ENOENT;		/* the directory has been removed */
	if (dir_find(d, name))
		return -EEXIST;
	struct node *n = node_new(d->instance, how);
	if (!n)
		return -ENOSPC;
	if (target) {
		n->target = strndup(target->name, target->len);
		n->size = target->len;
	}
	if ((target && !n->target) || dir_add(d, name, n)) {
		node_release(n);
		return -ENOSPC;
	}
	n->refs++;
	dir_touch(d);
	node_fill_attr(n, attr);
	return 0;
}

static int64_t tmpfs_create(uint64_t dir, const struct fs_name *name, const struct fs_new *how, struct fs_attr *attr)
{
	uint32_t type = how->mode & 0170000;
	if (type == 0120000 || type == 0)
		return -EINVAL;
	return node_enter(dir, name, how, NULL, attr);
}

static int64_t tmpfs_symlink(uint64_t dir, const struct fs_name *name, const struct fs_name *target, const struct fs_new *how,
			     struct fs_attr *attr)
{
	struct fs_new link = { .mode = 0120777, .uid = how->uid, .gid = how->gid };
	return node_enter(dir, name, &link, target, attr);
}

static int64_t tmpfs_link(uint64_t dir, const struct fs_name *name, uint64_t node, struct fs_attr *attr)
{
	int64_t r;
	struct node *d = dir_get(dir, &r), *n = node_get(node);
	if (r)
		return r;
	if (!n)
		return -ESTALE;
	if (node_is_dir(n))
		return -EPERM;
	if (d->nlink == 0)
		return -ENOENT;
	if (n->instance != d->instance)
		return -EXDEV;
	if (dir_find(d, name))
		return -EEXIST;
	if ((r = dir_add(d, name, n)))
		return r;
	n->ctime_ns = fs_now();
	dir_touch(d);
	node_fill_attr(n, attr);
	return 0;
}

static int64_t entry_may_go(const struct dirent_entry *e, bool want_dir)
{
	if (want_dir != node_is_dir(e->node))
		return want_dir ? -ENOTDIR : -EISDIR;
	return want_dir && e->node->first ? -ENOTEMPTY : 0;
}

static int64_t tmpfs_unlink(uint64_t dir, const struct fs_name *name, uint32_t flags, struct fs_attr *attr)
{
	int64_t r;
	struct node *d = dir_get(dir, &r);
	if (r)
		return r;
	struct dirent_entry *e = dir_find(d, name);
	if (!e)
		return -ENOENT;
	if ((r = entry_may_go(e, flags & FS_UNLINK_DIR)))
		return r;
	struct node *n = e->node;
	dir_remove(e);
	dir_touch(d);
	n->ctime_ns = fs_now();
	node_fill_attr(n, attr);
	node_release(n);
	return 0;
}

static bool node_is_below(const struct node *n, const struct node *top)
{
	while (n != top && n != n->parent)
		n = n->parent;
	return n == top;
}

/* All that can forbid a rename. `to` is the entry that would be replaced, or NULL. */
static int64_t rename_check(const struct dirent_entry *from, const struct dirent_entry *to, const struct node *d2, uint32_t flags)
{
	if (flags & ~(uint32_t)(FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE))
		return -EINVAL;
	if (to && (flags & FS_RENAME_NOREPLACE))
		return -EEXIST;
	if (!to && (flags & FS_RENAME_EXCHANGE))
		return -ENOENT;
	if (from->dir->instance != d2->instance)
		return -EXDEV;
	if (d2->nlink == 0)
		return -ENOENT;
	if (node_is_dir(from->node) && node_is_below(d2, from->node))
		return -EINVAL;
	if (flags & FS_RENAME_EXCHANGE)
		return node_is_dir(to->node) && node_is_below(from->dir, to->node) ? -EINVAL : 0;
	if (to && node_is_dir(to->node) && node_is_below(from->dir, to->node))
		return -ENOTEMPTY;
	return to ? entry_may_go(to, node_is_dir(from->node)) : 0;
}

/* Two entries change their nodes; link counts of directories follow their ".." */
static void entries_exchange(struct dirent_entry *a, struct dirent_entry *b)
{
	struct node *n = a->node;
	a->node = b->node;
	b->node = n;
	if (node_is_dir(a->node)) {
		a->node->parent = a->dir;
		a->dir->nlink++;
		b->dir->nlink--;
	}
	if (node_is_dir(b->node)) {
		b->node->parent = b->dir;
		b->dir->nlink++;
		a->dir->nlink--;
	}
}

/* Move the entry. Where another one is replaced its record is used again, so that nothing can fail half-way. */
static int64_t entry_move(struct dirent_entry *from, struct dirent_entry *to, struct node *d2, const struct fs_name *name2)
{
	struct node *n = from->node, *gone = to ? to->node : NULL;
	uint32_t links = n->nlink;
	if (to) {
		to->node = n;
		from->node = gone;	/* which dir_remove unlinks */
		if (node_is_dir(n))
			n->parent = d2;
		gone->ctime_ns = fs_now();
	} else {
		int64_t r = dir_add(d2, name2, n);
		if (r)
			return r;
	}
	dir_remove(from);
	n->nlink = links;
	if (gone)
		node_release(gone);
	return 0;
}

static int64_t tmpfs_rename(uint64_t dir, const struct fs_name *name, uint64_t dir2, const struct fs_name *name2, uint32_t flags,
			    struct fs_attr *attr)
{
	int64_t r, r2;
	struct node *d = dir_get(dir, &r), *d2 = dir_get(dir2, &r2);
	if (r || r2)
		return r ? r : r2;
	struct dirent_entry *from = dir_find(d, name), *to = dir_find(d2, name2);
	if (!from)
		return -ENOENT;
	if ((r = rename_check(from, to, d2, flags)))
		return r;
	struct node *n = from->node;
	if (!to || to->node != n) {	/* two names of one file: POSIX says nothing happens */
		if (flags & FS_RENAME_EXCHANGE)
			entries_exchange(from, to);
		else if ((r = entry_move(from, to, d2, name2)))
			return r;
		dir_touch(d);
		dir_touch(d2);
		n->ctime_ns = fs_now();
	}
	node_fill_attr(n, attr);
	return 0;
}

static int64_t tmpfs_readdir(uint64_t dir, uint64_t cookie, endpoint_t who, struct fs_dirlist *list)
{
	int64_t r;
	struct node *d = dir_get(dir, &r);
	(void)who;
	if (r)
		return r;
	size_t before = list->used;
	if (cookie < 1 && !fs_dirlist_add(list, d->id, d->mode, ".", 1, 1))
		return -EINVAL;
	if (cookie < 2 && !fs_dirlist_add(list, d->parent->id, d->mode, "..", 2, 2))
		return list->used > before ? 0 : -EINVAL;
	for (struct dirent_entry *e = d->first; e; e = e->next) {
		if (e->cookie <= cookie)
			continue;
		if (!fs_dirlist_add(list, e->node->id, e->node->mode, e->name, e->len, e->cookie))
			return list->used > before ? 0 : -EINVAL;
	}
	return 0;
}

static int64_t tmpfs_readlink(uint64_t node, endpoint_t who, char *buf, size_t room)
{
	struct node *n = node_get(node);
	(void)who;
	if (!n)
		return -ESTALE;
	if (!node_is_link(n))
		return -EINVAL;
	size_t len = n->size < room ? n->size : room;
	memcpy(buf, n->target, len);
	return (int64_t)len;
}

/* ---- attributes ---------------------------------------------------------------------------------------------------- */

static int64_t tmpfs_getattr(uint64_t node, struct fs_attr *attr)
{
	struct node *n = node_get(node);
	if (!n)
		return -ESTALE;
	node_fill_attr(n, attr);
	return 0;
}

static int64_t tmpfs_setattr(uint64_t node, uint64_t mask, const struct fs_attr *in, struct fs_attr *attr)
{
	struct node *n = node_get(node);
	if (!n)
		return -ESTALE;
	if (mask & FS_SET_SIZE) {
		if (!node_is_reg(n))
			return node_is_dir(n) ? -EISDIR : -EINVAL;
		int64_t r = file_resize(n, in->size);
		if (r)
			return r;
	}
	if (mask & FS_SET_MODE)
		n->mode = (n->mode & 0170000) | (in->mode & 07777);
	if (mask & FS_SET_UID)
		n->uid = in->uid;
	if (mask & FS_SET_GID)
		n->gid = in->gid;
	if (mask & FS_SET_ATIME)
		n->atime_ns = in->atime_ns;
	if (mask & FS_SET_MTIME)
		n->mtime_ns = in->mtime_ns;
	n->ctime_ns = mask & FS_SET_CTIME ? in->ctime_ns : fs_now();
	node_fill_attr(n, attr);
	return 0;
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

/* Map the boot archive, unpack it, give its memory back. */
static int64_t root_unpack(struct instance *root)
{
	struct message m = { .type = VM_MAP_ARCHIVE };
	if (sef_call(EP_VM, &m))
		return -EIO;
	struct vm_map_archive_rep rep = *MSG_BODY(struct vm_map_archive_rep, &m);
	if (rep.result)
		return rep.result;
	int64_t r = archive_unpack(root, (const uint8_t *)rep.addr, rep.len);
	memset(&m, 0, sizeof m);
	m.type = VM_FREE_ARCHIVE;
	if (sef_call(EP_VM, &m))
		return -EIO;
	return r;
}

/* RAM of the machine in pages; a small machine's worth if VM does not say. */
static uint64_t memory_pages(void)
{
	struct vm_stats stats = { .total = 64 << 20 };
	struct message m = { .type = VM_INFO };
	grant_t grant = grant_direct(EP_VM, &stats, sizeof stats, GRANT_WRITE);
	*MSG_BODY(struct vm_info_req, &m) = (struct vm_info_req){ .what = VM_INFO_STATS, .grant = grant, .len = sizeof stats };
	sef_call(EP_VM, &m);
	grant_revoke(grant);
	return stats.total / TMPFS_BLOCK;
}

static err_t tmpfs_init(const struct sef_init_info *info)
{
	(void)info;
	tmpfs.memory_pages = memory_pages();
	page_limit_set(tmpfs.memory_pages / 2);
	struct instance *root = instance_new(ROOT_DEV, 0755);
	if (!root)
		return -ENOMEM;
	int64_t r = root_unpack(root);
	if (r)
		printf("tmpfs: the first file system could not be unpacked: error %d\n", (int)r);
	return 0;
}

static const struct fs_ops tmpfs_ops = {
	.mount = tmpfs_mount, .unmount = tmpfs_unmount,
	.lookup = tmpfs_lookup, .forget = tmpfs_forget, .getattr = tmpfs_getattr, .setattr = tmpfs_setattr,
	.create = tmpfs_create, .symlink = tmpfs_symlink, .link = tmpfs_link, .unlink = tmpfs_unlink, .rename = tmpfs_rename,
	.read = file_read, .write = file_write, .readdir = tmpfs_readdir, .readlink = tmpfs_readlink,
	.getpage = file_getpage, .statfs = tmpfs_statfs, .seek = file_seek, .fallocate = file_fallocate,
};

int main(void)
{
	static const struct sef_callbacks callbacks = { .fault = fs_fault, .init_fresh = tmpfs_init };
	sef_startup(&callbacks);
	fs_task(&tmpfs_ops);
}

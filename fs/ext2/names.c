/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests on names. A directory is locked for as long as it is searched (shared) or changed (alone); then the inodes that its entries
 * name. Locks go from the root downwards; renames, which need two directories, are one at a time.
 *
 * What the disk sees after a power cut: a new entry may be missing or name an inode that was not written, never the reverse for
 * anything synced; a renamed file has its old name, the new one, or both.
 */
#include <errno.h>
#include <string.h>

#include "ext2.h"

enum { DEPTH_MAX = 100000 };

/* ---- getting the parts ----------------------------------------------------------------------------------------- */

static int dir_get(uint64_t id, bool write, struct inode **out)
{
	struct ext2 *fs = ext2_mounted();
	int r = fs && write && fs->readonly ? -EROFS : inode_get(fs, id, out);
	if (r)
		return r;
	if (!inode_is_dir(*out)) {
		inode_put(*out);
		return -ENOTDIR;
	}
	lock_get(&(*out)->lock, write);
	if (write && (*out)->nlink == 0) {
		lock_put(&(*out)->lock);
		inode_put(*out);
		return -ENOENT;
	}
	return 0;
}

static void dir_put(struct inode *dir)
{
	lock_put(&dir->lock);
	inode_put(dir);
}

/* The inode that an entry names, which has to be there. */
static int entry_inode(struct inode *dir, const struct dir_slot *slot, struct inode **out)
{
	int r = inode_get(dir->fs, slot->ino, out);
	if (r == -ESTALE)
		return ext2_damaged(dir->fs, "directory %u names inode %u, which is free", dir->ino, slot->ino);
	if (r)
		return r;
	if ((*out)->nlink == 0)
		r = ext2_damaged(dir->fs, "directory %u names inode %u, which has no links", dir->ino, slot->ino);
	else if (slot->ino < dir->fs->first_ino && slot->ino != EXT2_ROOT_INO)
		r = ext2_damaged(dir->fs, "directory %u names inode %u, which is no file", dir->ino, slot->ino);
	if (r)
		inode_put(*out);
	return r;
}

static int find_inode(struct inode *dir, const struct fs_name *name, struct dir_slot *slot, struct inode **out)
{
	int r = dir_find(dir, name, slot);
	return r ? r : entry_inode(dir, slot, out);
}

static int dir_touched(struct inode *dir)
{
	inode_touch(dir);
	return inode_store(dir);
}

int64_t ext2_lookup(uint64_t dir, const struct fs_name *name, endpoint_t who, struct fs_attr *attr)
{
	struct inode *d, *n;
	struct dir_slot slot;
	(void)who;
	int r = dir_get(dir, false, &d);
	if (r)
		return r;
	if (!(r = find_inode(d, name, &slot, &n))) {
		n->refs++;
		inode_attr(n, attr);
		inode_put(n);
	}
	dir_put(d);
	return r;
}

void ext2_forget(uint64_t node, uint64_t count)
{
	struct inode *n;
	if (inode_get(ext2_mounted(), node, &n))
		return;
	inode_ref_drop(n, count);
	inode_put(n);
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

static int target_write(struct inode *n, const struct fs_name *target)
{
	uint32_t block, count;
	bool fresh;
	struct buf b;
	n->size = target->len;
	if (target->len < sizeof n->block) {
		memcpy(n->block, target->name, target->len);
		return 0;
	}
	int r = map_make(n, 0, 1, &block, &count, &fresh);
	if (r || (r = buf_new(n->fs, block, &b)))
		return r;
	memcpy(b.data, target->name, target->len);
	buf_put(&b);
	return 0;
}

static int contents_make(struct inode *n, struct inode *dir, const struct fs_name *target)
{
	int r = 0;
	if (inode_is_dir(n))
		r = dir_init(n, dir->ino);
	else if (target)
		r = target_write(n, target);
	return r ? r : inode_store(n);
}

/* The name, then the links on the disk. Should these fail the name goes again: it would be that of a number that is free. */
static int name_give(struct inode *d, const struct fs_name *name, struct inode *n)
{
	struct dir_slot slot;
	int r = dir_add(d, name, n->ino, n->mode);
	n->unborn = false;
	if (r)
		return r;
	r = inode_store(n);
	if (r && dir_find(d, name, &slot) == 0)
		dir_remove(d, &slot);
	return r;
}

/* A new inode that did not get its name is freed by its last user. */
static int node_enter(struct inode *d, const struct fs_name *name, const struct fs_new *how, const struct fs_name *target,
		      struct fs_attr *attr)
{
	struct inode *n;
	int r = inode_new(d->fs, d, how, &n);
	if (r)
		return r;
	if (!(r = contents_make(n, d, target)))
		r = name_give(d, name, n);
	if (r) {
		n->nlink = 0;
	} else {
		d->nlink += inode_is_dir(n);
		r = dir_touched(d);
		n->refs += !r;
		inode_attr(n, attr);
	}
	lock_put(&n->lock);
	inode_put(n);
	return r;
}

static int64_t node_make(uint64_t dir, const struct fs_name *name, const struct fs_new *how, const struct fs_name *target,
			 struct fs_attr *attr)
{
	struct inode *d;
	struct dir_slot slot;
	int r = dir_get(dir, true, &d);
	if (r)
		return r;
	if ((r = dir_find(d, name, &slot)) == 0)
		r = -EEXIST;
	else if (r == -ENOENT)
		r = (how->mode & MODE_TYPE) == MODE_DIR && d->nlink >= EXT2_LINK_MAX ? -EMLINK : node_enter(d, name, how, target, attr);
	dir_put(d);
	return r;
}

static int64_t node_make_again(uint64_t dir, const struct fs_name *name, const struct fs_new *how, const struct fs_name *target,
			       struct fs_attr *attr)
{
	int tries = 0;
	int64_t r;
	do
		r = node_make(dir, name, how, target, attr);
	while (r == -ENOSPC && ext2_space_again(ext2_mounted(), r, &tries));
	return r;
}

int64_t ext2_create(uint64_t dir, const struct fs_name *name, const struct fs_new *how, struct fs_attr *attr)
{
	uint32_t type = how->mode & MODE_TYPE;
	if (type == MODE_LINK || type == 0)
		return -EINVAL;
	return node_make_again(dir, name, how, NULL, attr);
}

int64_t ext2_symlink(uint64_t dir, const struct fs_name *name, const struct fs_name *target, const struct fs_new *how,
		     struct fs_attr *attr)
{
	struct ext2 *fs = ext2_mounted();
	struct fs_new link = { .mode = MODE_LINK | 0777, .uid = how->uid, .gid = how->gid };
	if (fs && target->len >= fs->block_bytes)
		return -ENAMETOOLONG;
	return target->len == 0 ? -ENOENT : node_make_again(dir, name, &link, target, attr);
}

static int link_make(struct inode *d, const struct fs_name *name, struct inode *n)
{
	struct dir_slot slot;
	if (inode_is_dir(n))
		return -EPERM;
	if (n->nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	int r = dir_find(d, name, &slot);
	if (r != -ENOENT)
		return r ? r : -EEXIST;
	if (n->nlink == 0)
		return -ENOENT;
	/* The count first: at worst it is too high. */
	n->nlink++;
	n->ctime_ns = fs_now();
	if ((r = inode_store(n)) || (r = dir_add(d, name, n->ino, n->mode))) {
		n->nlink--;
		inode_store(n);
		return r;
	}
	return dir_touched(d);
}

static int64_t link_once(uint64_t dir, const struct fs_name *name, uint64_t node, struct fs_attr *attr)
{
	struct inode *d, *n;
	int r = dir_get(dir, true, &d);
	if (r)
		return r;
	if (node == dir) {
		dir_put(d);
		return -EPERM;
	}
	if (!(r = inode_get(d->fs, node, &n))) {
		if (inode_is_dir(n)) {	/* not locked: it may be above */
			r = -EPERM;
		} else {
			lock_get(&n->lock, true);
			r = link_make(d, name, n);
			inode_attr(n, attr);
			lock_put(&n->lock);
		}
		inode_put(n);
	}
	dir_put(d);
	return r;
}

int64_t ext2_link(uint64_t dir, const struct fs_name *name, uint64_t node, struct fs_attr *attr)
{
	int tries = 0;
	int64_t r;
	do
		r = link_once(dir, name, node, attr);
	while (r == -ENOSPC && ext2_space_again(ext2_mounted(), r, &tries));
	return r;
}

/* ---- removing -------------------------------------------------------------------------------------------------- */

/* May the entry of n go, as a directory or as something else? n is locked. */
static int may_go(struct inode *n, bool want_dir)
{
	if (want_dir != inode_is_dir(n))
		return want_dir ? -ENOTDIR : -EISDIR;
	if (!want_dir)
		return 0;
	if (n->ino == EXT2_ROOT_INO)
		return -EBUSY;
	int r = dir_is_empty(n);
	return r < 0 ? r : r ? 0 : -ENOTEMPTY;
}

/* n has lost an entry in d. */
static int name_gone(struct inode *d, struct inode *n)
{
	if (!inode_is_dir(n))
		return inode_link_drop(n, n->nlink - 1);
	d->nlink -= d->nlink > 2;
	return inode_link_drop(n, 0);
}

static int unlink_locked(struct inode *d, const struct fs_name *name, bool want_dir, struct fs_attr *attr)
{
	struct dir_slot slot;
	struct inode *n;
	int r = find_inode(d, name, &slot, &n);
	if (r)
		return r;
	if (n == d) {
		inode_put(n);
		return ext2_damaged(d->fs, "directory %u contains itself", d->ino);
	}
	lock_get(&n->lock, true);
	if (!(r = may_go(n, want_dir)) && !(r = dir_remove(d, &slot))) {
		r = name_gone(d, n);
		int r2 = dir_touched(d);
		r = r ? r : r2;
		inode_attr(n, attr);
	}
	lock_put(&n->lock);
	inode_put(n);
	return r;
}

int64_t ext2_unlink(uint64_t dir, const struct fs_name *name, uint32_t flags, struct fs_attr *attr)
{
	struct inode *d;
	int r = dir_get(dir, true, &d);
	if (r)
		return r;
	r = unlink_locked(d, name, flags & FS_UNLINK_DIR, attr);
	dir_put(d);
	return r;
}

/* ---- renaming -------------------------------------------------------------------------------------------------- */

struct rename {
	struct inode *d, *d2, *n, *victim;	/* victim: what the new name stands for, or NULL */
	struct dir_slot from, to;
	const struct fs_name *name2;
	uint32_t flags;
};

/* Is `n` the directory `top` or somewhere below it? 1, 0 or an error. No directory moves meanwhile. */
static int is_below(struct ext2 *fs, uint32_t ino, uint32_t top)
{
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		struct inode *n;
		struct dir_slot slot;
		uint32_t parent;
		if (ino == top)
			return 1;
		if (ino == EXT2_ROOT_INO)
			return 0;
		int r = inode_get(fs, ino, &n);
		if (r)
			return r;
		r = inode_is_dir(n) ? dir_parent(n, &parent, &slot) : -ENOTDIR;
		inode_put(n);
		if (r)
			return r;
		ino = parent;
	}
	return ext2_damaged(fs, "the directories above %u form a ring", ino);
}

/* The upper one of two directories first; unrelated ones by number. */
static int dirs_lock(struct inode *d, struct inode *d2)
{
	if (d == d2) {
		lock_get(&d->lock, true);
		return 0;
	}
	int above = is_below(d2->fs, d2->ino, d->ino), below = above ? 0 : is_below(d->fs, d->ino, d2->ino);
	if (above < 0 || below < 0)
		return above < 0 ? above : below;
	bool first = above || (!below && d->ino < d2->ino);
	lock_get(first ? &d->lock : &d2->lock, true);
	lock_get(first ? &d2->lock : &d->lock, true);
	return 0;
}

static int rename_find(struct rename *m, const struct fs_name *name)
{
	int r = find_inode(m->d, name, &m->from, &m->n);
	if (r)
		return r;
	r = find_inode(m->d2, m->name2, &m->to, &m->victim);
	if (r)
		m->victim = NULL;
	return r == -ENOENT ? 0 : r;
}

/* What can be said before the inodes are locked. */
static int rename_check(const struct rename *m)
{
	struct ext2 *fs = m->d->fs;
	if (m->victim && (m->flags & FS_RENAME_NOREPLACE))
		return -EEXIST;
	if (!m->victim && (m->flags & FS_RENAME_EXCHANGE))
		return -ENOENT;
	if (m->n == m->d || (m->victim && m->victim == m->d2))
		return ext2_damaged(fs, "directory %u or %u contains itself", m->d->ino, m->d2->ino);
	if (m->n->ino == EXT2_ROOT_INO || (m->victim && m->victim->ino == EXT2_ROOT_INO))
		return -EBUSY;
	int r = inode_is_dir(m->n) ? is_below(fs, m->d2->ino, m->n->ino) : 0;
	if (r)
		return r < 0 ? r : -EINVAL;
	r = m->victim && inode_is_dir(m->victim) ? is_below(fs, m->d->ino, m->victim->ino) : 0;
	if (r)
		return r < 0 ? r : m->flags & FS_RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (m->d != m->d2 && inode_is_dir(m->n) && !(m->victim && inode_is_dir(m->victim)) && m->d2->nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	return 0;
}

/* Let the ".." of a directory that changed its parent follow. */
static int parent_change(struct inode *n, struct inode *from, struct inode *to)
{
	struct dir_slot dots;
	uint32_t parent;
	if (!inode_is_dir(n) || from == to)
		return 0;
	int r = dir_parent(n, &parent, &dots);
	if (r || (r = dir_set(n, &dots, to->ino, MODE_DIR)))
		return r;
	from->nlink -= from->nlink > 2;
	to->nlink++;
	return 0;
}

static int rename_exchange(struct rename *m)
{
	int r = dir_set(m->d2, &m->to, m->n->ino, m->n->mode);
	if (r || (r = dir_set(m->d, &m->from, m->victim->ino, m->victim->mode)))
		return r;
	if ((r = parent_change(m->n, m->d, m->d2)) || (r = parent_change(m->victim, m->d2, m->d)))
		return r;
	m->victim->ctime_ns = fs_now();
	return inode_store(m->victim);
}

/* The old name goes when the new one is on the disk: after a power cut one of them is there. */
static int rename_move(struct rename *m, const struct fs_name *name)
{
	int r = m->victim ? may_go(m->victim, inode_is_dir(m->n)) : 0;
	if (r)
		return r;
	if (m->victim)
		r = dir_set(m->d2, &m->to, m->n->ino, m->n->mode);
	else
		r = dir_add(m->d2, m->name2, m->n->ino, m->n->mode);
	/* Adding may have moved nothing but the lengths of entries: look the old name up again. */
	if (r || (r = dir_find(m->d2, m->name2, &m->to)) || (r = dir_find(m->d, name, &m->from)))
		return r;
	if (m->to.block != m->from.block && (r = buf_write_now(m->d->fs, m->to.block)))
		return r;
	if ((r = dir_remove(m->d, &m->from)))
		return r;
	if (m->victim && (r = name_gone(m->d2, m->victim)))
		return r;
	return parent_change(m->n, m->d, m->d2);
}

static int rename_end(struct rename *m, const struct fs_name *name)
{
	int r = dir_find(m->d, name, &m->from);
	if (!r)
		r = dir_remove(m->d, &m->from);
	if (!r && inode_is_dir(m->n)) {
		lock_get(&m->n->lock, true);
		r = parent_change(m->n, m->d, m->d2);
		lock_put(&m->n->lock);
	}
	int r2 = dir_touched(m->d), r3 = m->d2 == m->d ? 0 : dir_touched(m->d2);
	return r ? r : r2 ? r2 : r3;
}

static int rename_act(struct rename *m, const struct fs_name *name)
{
	bool same_name = m->from.block == m->to.block && m->from.offset == m->to.offset;
	if (m->victim == m->n && (same_name || (m->n->nlink > 1 && !inode_is_dir(m->n))))	/* two names of one file: nothing happens */
		return 0;
	if (m->victim == m->n)		/* one link, two names: a predecessor died in the middle of this */
		return rename_end(m, name);
	struct inode *low = m->n, *high = m->victim;
	if (high && high->ino < low->ino)
		low = m->victim, high = m->n;
	lock_get(&low->lock, true);
	if (high)
		lock_get(&high->lock, true);
	int r = m->flags & FS_RENAME_EXCHANGE ? rename_exchange(m) : rename_move(m, name);
	if (!r) {
		m->n->ctime_ns = fs_now();
		r = inode_store(m->n);
		int r2 = dir_touched(m->d), r3 = m->d2 == m->d ? 0 : dir_touched(m->d2);
		r = r ? r : r2 ? r2 : r3;
	}
	if (high)
		lock_put(&high->lock);
	lock_put(&low->lock);
	return r;
}

static int rename_locked(struct rename *m, const struct fs_name *name, struct fs_attr *attr)
{
	if (m->d->nlink == 0 || m->d2->nlink == 0)
		return -ENOENT;
	int r = rename_find(m, name);
	if (!r)
		r = rename_check(m);
	if (!r)
		r = rename_act(m, name);
	if (!r)
		inode_attr(m->n, attr);
	if (m->victim)
		inode_put(m->victim);
	if (m->n)
		inode_put(m->n);
	return r;
}

static int rename_dirs(uint64_t dir, uint64_t dir2, struct rename *m)
{
	struct ext2 *fs = ext2_mounted();
	int r = inode_get(fs, dir, &m->d);
	if (r)
		return r;
	if ((r = inode_get(fs, dir2, &m->d2))) {
		inode_put(m->d);
		return r;
	}
	if (!inode_is_dir(m->d) || !inode_is_dir(m->d2))
		r = -ENOTDIR;
	else
		r = dirs_lock(m->d, m->d2);
	if (r) {
		inode_put(m->d);
		inode_put(m->d2);
	}
	return r;
}

static int64_t rename_once(uint64_t dir, const struct fs_name *name, uint64_t dir2, struct rename *m, struct fs_attr *attr)
{
	int r = rename_dirs(dir, dir2, m);
	if (r)
		return r;
	r = rename_locked(m, name, attr);
	if (m->d != m->d2)
		lock_put(&m->d2->lock);
	lock_put(&m->d->lock);
	inode_put(m->d2);
	inode_put(m->d);
	return r;
}

int64_t ext2_rename(uint64_t dir, const struct fs_name *name, uint64_t dir2, const struct fs_name *name2, uint32_t flags,
		    struct fs_attr *attr)
{
	struct ext2 *fs = ext2_mounted();
	int tries = 0;
	int64_t r;
	if (flags & ~(uint32_t)(FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE) || flags == (FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE))
		return -EINVAL;
	if (!fs || fs->readonly)
		return fs ? -EROFS : -ESTALE;
	do {
		struct rename m = { .name2 = name2, .flags = flags };
		lock_get(&fs->rename_lock, true);
		r = rename_once(dir, name, dir2, &m, attr);
		lock_put(&fs->rename_lock);
	} while (r == -ENOSPC && ext2_space_again(fs, r, &tries));
	return r;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

int64_t ext2_readdir(uint64_t dir, uint64_t cookie, endpoint_t who, struct fs_dirlist *list)
{
	struct inode *d;
	(void)who;
	int r = dir_get(dir, false, &d);
	if (r)
		return r;
	r = dir_list(d, cookie, list);
	dir_put(d);
	return r;
}

static int64_t target_read(struct inode *n, char *buf, size_t room)
{
	size_t len = n->size < room ? n->size : room;
	uint32_t block, count;
	struct buf b;
	if (!inode_has_blocks(n)) {
		memcpy(buf, n->block, len);
		return (int64_t)len;
	}
	int r = map_find(n, 0, 1, &block, &count);
	if (!r && !block)
		r = ext2_damaged(n->fs, "symbolic link %u has no block", n->ino);
	if (r || (r = buf_get(n->fs, block, CACHE_READ, &b)))
		return r;
	memcpy(buf, b.data, len);
	buf_put(&b);
	return (int64_t)len;
}

int64_t ext2_readlink(uint64_t node, endpoint_t who, char *buf, size_t room)
{
	struct inode *n;
	(void)who;
	int64_t r = inode_get(ext2_mounted(), node, &n);
	if (r)
		return r;
	r = inode_is_link(n) ? target_read(n, buf, room) : -EINVAL;
	inode_put(n);
	return r;
}

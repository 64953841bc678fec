/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of ext2. Requests run as fibers: whatever reads through the cache may wait, and others run meanwhile. Locks, outermost first:
 * rename (one at a time) -> directories from the root downwards -> files. See README.md.
 */
#pragma once
#include <libcache/cache.h>
#include <libfs/fs.h>
#include <stdbool.h>
#include <stdint.h>

#include "ext2_disk.h"
#include "lock.h"

enum { INODE_BUCKETS = 1024, INODES_UNUSED_MAX = 4096, ORPHANS_KEPT_MAX = 1024 };
enum { MODE_TYPE = 0170000, MODE_DIR = 0040000, MODE_REG = 0100000, MODE_LINK = 0120000, MODE_CHR = 0020000, MODE_BLK = 0060000 };

struct ext2;
struct fiber;

/* Blocks of a file from `at` on that lie behind each other on the disk; see map.c. */
struct map_run { uint64_t at; uint32_t block, count; };

struct inode {
	struct cache_file file;		/* first: the cache hands it back; pages of a regular file */
	struct ext2 *fs;
	struct inode *hash_next, *lru_prev, *lru_next;	/* lru: in memory but not in use */
	struct inode *orphan_prev, *orphan_next;
	struct lock lock;
	uint32_t ino;
	uint32_t users;			/* requests at work on it */
	uint64_t refs;			/* of VFS */
	bool loading, gone, in_lru, is_orphan;	/* gone: being freed, or could not be read */
	bool kept;			/* see revive.c: one of `refs` is its own */
	bool unborn;			/* without a name yet: the disk says that it has no links, so that a crash leaves an orphan */
	int error;			/* why it could not be read */

	uint32_t mode, uid, gid, nlink, flags, generation, sectors, file_acl, dtime, block[EXT2_NBLOCKS];
	uint64_t size;
	int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
	bool fine_times;		/* room for nanoseconds */

	struct map_run run;		/* where the last page read in lies; count 0: not known */
	uint32_t goal;			/* block behind the one allocated last */
	bool began_near;		/* its blocks lie among those of other small files */
	uint64_t fresh_from, fresh_to;	/* blocks allocated by the present write that have no contents yet */
	uint64_t dir_hint;		/* no directory block before this one has much free space */
	struct dir_index *index;	/* see dir_index.c; NULL: none */
	bool index_failed;		/* for want of memory, or by damage: it is not tried again */
	bool mapped;			/* VM has been given pages */
};

struct group {
	uint32_t block_bitmap, inode_bitmap, inode_table, free_blocks, free_inodes, used_dirs;
	uint32_t next_near;		/* block behind the last one that a small file got: there the next one begins, if it is free */
	uint8_t *held_blocks, *held_inodes;	/* see alloc.c; NULL: nothing is held */
	bool dirty;			/* the counts differ from those in the cache */
};

struct ext2 {
	struct cache_dev *dev;
	struct cache_file *meta;
	struct ext2_super super;	/* the copy that counts; ext2_super_store() writes it to the cache */
	struct group *groups;
	uint32_t nr_groups, block_bytes, ptrs, inode_bytes, first_ino, group_table_block, group_table_blocks;
	uint64_t size_max, overhead;
	bool readonly, damaged, has_filetype, counts_dirty, forced_readonly;
	bool lost;			/* something that was written is not there: a sync fails */
	uint16_t mount_state;		/* s_state as it was found */
	uint32_t errors_said;

	struct inode *buckets[INODE_BUCKETS];
	struct inode *lru_first, *lru_last;	/* oldest first */
	uint32_t nr_unused;
	uint32_t index_slots;		/* of all tables of dir_index.c */
	struct inode *orphans;		/* newest first, as on the disk */
	struct fiber *unmounter;	/* waits for requests to end ... */
	uint32_t leaving;		/* ... and for inodes on their way out of the memory */

	struct lock rename_lock, commit_lock, orphan_lock;
	uint64_t commits_begun, commits_done;
	uint64_t held;			/* blocks and inodes that wait for a commit, see alloc.c */
};

/* ---- super.c: mounting, damage, commits ---- */
struct ext2 *ext2_mounted(void);			/* NULL: nothing is mounted */
int ext2_mount(struct cache_dev *dev, bool readonly);
/* The same by the successor of an instance that had it mounted. lost: not all that one had to write is on the disk; then read-only. */
int ext2_mount_again(struct cache_dev *dev, bool readonly, bool lost);
int ext2_remount(bool readonly);
int ext2_unmount(void);					/* waits for requests at work; VFS's references end */
/* Says it, goes read-only: -EUCLEAN. */
int ext2_damaged(struct ext2 *fs, const char *format, ...) __attribute__((format(printf, 2, 3)));
int ext2_commit(struct ext2 *fs, struct inode *only);	/* all to the disk; `only`: of the data only that file's */
bool ext2_space_again(struct ext2 *fs, int64_t result, int *tries);	/* -ENOSPC: did a commit set something free? */
int ext2_statfs(struct ext2 *fs, struct statfs *out);
bool ext2_block_is_data(const struct ext2 *fs, uint32_t block);	/* may belong to a file */
uint32_t group_first_block(const struct ext2 *fs, uint32_t group);
uint32_t group_blocks(const struct ext2 *fs, uint32_t group);
bool group_has_super(const struct ext2 *fs, uint32_t group);

/* ---- revive.c ---- */
/* At mount, instead of orphans_clean(): what was half done becomes safe to go on with. */
int ext2_take_over(struct ext2 *fs);
int64_t ext2_revive(uint64_t node, uint64_t count, struct fs_attr *attr);

/* ---- meta.c: blocks of metadata in the cache ---- */
struct buf { struct cache_page *page; uint8_t *data; uint32_t block; unsigned flags; bool known; };
int buf_get(struct ext2 *fs, uint32_t block, unsigned flags, struct buf *b);	/* flags: CACHE_READ, CACHE_WRITE */
int buf_new(struct ext2 *fs, uint32_t block, struct buf *b);	/* for writing, zeroed */
void buf_dirty(struct ext2 *fs, struct buf *b);
/* A directory's block was found good. It is `known` until it is read again, or taken for writing by one who does not say so again. */
void buf_know(const struct ext2 *fs, struct buf *b);
void buf_put(struct buf *b);
int buf_write_now(struct ext2 *fs, uint32_t block);		/* hold no page of metadata for writing while it waits */

/* ---- alloc.c: blocks and inode numbers ---- */
int blocks_alloc(struct ext2 *fs, uint32_t goal, uint32_t want, uint32_t *first, uint32_t *got);
int blocks_free(struct ext2 *fs, uint32_t first, uint32_t count);
int block_in_use(struct ext2 *fs, uint32_t block);		/* 1, 0 or an error */
int ino_alloc(struct ext2 *fs, uint32_t parent, bool dir, uint32_t *ino);
int ino_free(struct ext2 *fs, uint32_t ino, bool dir);
int ino_in_use(struct ext2 *fs, uint32_t ino);
void held_begin(struct ext2 *fs);	/* a commit begins: what is held now ... */
void held_release(struct ext2 *fs);	/* ... may be used again */
void held_fini(struct ext2 *fs);

/* ---- inode.c ---- */
int inode_get(struct ext2 *fs, uint64_t ino, struct inode **out);	/* with a user; -ESTALE */
void inode_put(struct inode *n);	/* the last one out frees it, if it has no links: waits */
int inode_new(struct ext2 *fs, struct inode *dir, const struct fs_new *how, struct inode **out);	/* nlink 1 (directory 2), locked */
int inode_store(struct inode *n);	/* to the cache */
int inode_link_drop(struct inode *n, uint32_t links);	/* nlink becomes `links`; without any it goes to the list of orphans */
void inode_attr(const struct inode *n, struct fs_attr *attr);
void inode_ref_drop(struct inode *n, uint64_t count);
void inodes_fini(struct ext2 *fs);	/* all leave the memory; those without links are freed */
void inodes_wait(struct ext2 *fs);		/* until no request uses any */
void orphans_clean(struct ext2 *fs);	/* at mount: finish what a crash left */
void inode_touch(struct inode *n);	/* mtime, ctime */
static inline bool inode_is_dir(const struct inode *n) { return (n->mode & MODE_TYPE) == MODE_DIR; }
static inline bool inode_is_reg(const struct inode *n) { return (n->mode & MODE_TYPE) == MODE_REG; }
static inline bool inode_is_link(const struct inode *n) { return (n->mode & MODE_TYPE) == MODE_LINK; }
bool inode_has_blocks(const struct inode *n);	/* block[] holds block numbers */

/* ---- map.c: which block of the disk is block n of a file ---- */
/* *block: 0 = hole. *count: how many of the following lie behind each other as well (or are holes); at most `want`. */
int map_find(struct inode *n, uint64_t at, uint32_t want, uint32_t *block, uint32_t *count);
/* The same, but a hole gets blocks; *fresh: it did. The caller stores the inode. */
int map_make(struct inode *n, uint64_t at, uint32_t want, uint32_t *block, uint32_t *count, bool *fresh);
int map_free(struct inode *n, uint64_t from, uint64_t to);	/* blocks [from, to) become holes */
int map_file_page(struct cache_file *f, uint64_t index, uint64_t pos[CACHE_BLOCKS_MAX]);	/* for the cache */

/* ---- dir.c ---- */
struct dir_slot { uint32_t ino, block; uint64_t at; uint16_t offset, prev; uint8_t type; };	/* at: block of the directory */
int dir_find(struct inode *dir, const struct fs_name *name, struct dir_slot *slot);	/* -ENOENT */
int dir_add(struct inode *dir, const struct fs_name *name, uint32_t ino, uint32_t mode);
int dir_remove(struct inode *dir, const struct dir_slot *slot);
int dir_set(struct inode *dir, const struct dir_slot *slot, uint32_t ino, uint32_t mode);
int dir_is_empty(struct inode *dir);		/* 1, 0 or an error */
int dir_init(struct inode *dir, uint32_t parent);	/* first block with "." and ".." */
int dir_parent(struct inode *dir, uint32_t *parent, struct dir_slot *slot);
int dir_list(struct inode *dir, uint64_t cookie, struct fs_dirlist *list);

/* ---- dir_index.c: in which block a name may be ---- */
uint32_t dir_hash(const char *name, size_t len);
struct dir_index *dir_index_new(struct ext2 *fs, uint32_t names);	/* NULL: no memory */
/* These make *x NULL where memory is short; where it is NULL they do nothing. */
void dir_index_add(struct ext2 *fs, struct dir_index **x, uint32_t hash, uint64_t at);
void dir_index_remove(struct ext2 *fs, struct dir_index **x, uint32_t hash, uint64_t at);
void dir_index_drop(struct ext2 *fs, struct dir_index **x);
/* The next block that may hold a name of this hash; *probe: 0 at first. */
bool dir_index_next(const struct dir_index *x, uint32_t hash, uint32_t *probe, uint64_t *at);

/* ---- data.c: contents of regular files ---- */
int64_t data_resize(struct inode *n, uint64_t size);	/* locked; stores the inode */

/* ---- requests of VFS: names.c, attrs.c, data.c ---- */
int64_t ext2_lookup(uint64_t dir, const struct fs_name *name, endpoint_t who, struct fs_attr *attr);
int64_t ext2_create(uint64_t dir, const struct fs_name *name, const struct fs_new *how, struct fs_attr *attr);
int64_t ext2_symlink(uint64_t dir, const struct fs_name *name, const struct fs_name *target, const struct fs_new *how,
		     struct fs_attr *attr);
int64_t ext2_link(uint64_t dir, const struct fs_name *name, uint64_t node, struct fs_attr *attr);
int64_t ext2_unlink(uint64_t dir, const struct fs_name *name, uint32_t flags, struct fs_attr *attr);
int64_t ext2_rename(uint64_t dir, const struct fs_name *name, uint64_t dir2, const struct fs_name *name2, uint32_t flags,
		    struct fs_attr *attr);
int64_t ext2_readdir(uint64_t dir, uint64_t cookie, endpoint_t who, struct fs_dirlist *list);
int64_t ext2_readlink(uint64_t node, endpoint_t who, char *buf, size_t room);
void ext2_forget(uint64_t node, uint64_t count);
int64_t ext2_getattr(uint64_t node, struct fs_attr *attr);
int64_t ext2_setattr(uint64_t node, uint64_t mask, const struct fs_attr *in, struct fs_attr *attr);
int64_t ext2_sync(uint64_t node, uint64_t flags);
int64_t ext2_read(uint64_t node, const struct fs_data *data);
int64_t ext2_write(uint64_t node, const struct fs_data *data, uint64_t flags, struct fs_rep *rep);
int64_t ext2_getpage(uint64_t node, uint64_t page, int write, void **addr, uint64_t *valid);
int64_t ext2_seek(uint64_t node, uint64_t offset, int whence, uint64_t *found);
int64_t ext2_fallocate(uint64_t node, uint64_t mode, uint64_t offset, uint64_t len, struct fs_attr *attr);

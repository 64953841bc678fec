/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of tmpfs: nodes, directory entries, file pages. */
#pragma once
#include <libfs/fs.h>
#include <stdbool.h>

enum { TMPFS_BLOCK = 4096 };

/* ---- pages of file contents (tmpfs_pages.c) ---- */

/* Page-aligned memory, zeroed, or NULL. An exported page is mapped by other processes through VM. */
void *page_alloc(bool zero);
void page_free(void *page, bool exported);
uint64_t page_count(void);	/* pages in use */
void page_limit_set(uint64_t pages);
uint64_t page_limit(void);
uint64_t page_room(void);		/* pages that may still be had */

/* A sparse array of pages: a radix tree of 512-way tables, as high as the highest page needs. */
struct page_tree { void *root; int height; uint64_t count; };
enum { PAGE_EXPORTED = 1 };	/* flag in the low bits of a slot */
/* The slot for page `index`: made if `create`, else NULL where absent. NULL with create: no memory. */
uintptr_t *page_tree_slot(struct page_tree *t, uint64_t index, bool create);
/* Drop all pages with index >= first. */
void page_tree_truncate(struct page_tree *t, uint64_t first);
/* The first index >= from that holds a page, or UINT64_MAX. */
uint64_t page_tree_next(const struct page_tree *t, uint64_t from);
static inline uint8_t *page_slot_addr(uintptr_t slot) { return (uint8_t *)(slot & ~(uintptr_t)(TMPFS_BLOCK - 1)); }

/* ---- nodes (tmpfs_node.c) ---- */

struct instance;
struct dirent_entry {
	struct dirent_entry *hash_next;	/* in tmpfs.names */
	struct dirent_entry *prev, *next;	/* in the directory, by cookie */
	struct node *dir, *node;
	uint64_t cookie;
	uint32_t hash;
	uint16_t len;
	char name[];
};

struct node {
	struct node *hash_next;		/* by id */
	struct instance *instance;
	uint64_t id;			/* never used again */
	uint64_t refs;			/* references of VFS: the node outlives its links while > 0 */
	uint32_t mode, nlink, uid, gid;
	uint64_t rdev, size;
	int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
	union {
		struct page_tree pages;	/* regular file */
		char *target;		/* symbolic link; size = length */
		struct {		/* directory */
			struct dirent_entry *first, *last;
			struct node *parent;
			uint64_t next_cookie, entries;
		};
	};
};

/* One mounted file system. */
struct instance {
	struct instance *next;
	uint64_t dev;			/* number given by VFS */
	struct node *root;
	uint64_t nodes, max_nodes;
	uint64_t pages, max_pages;
};

struct node *node_get(uint64_t id);		/* NULL: no such node */
struct node *node_new(struct instance *inst, const struct fs_new *how);	/* NULL: no memory or limit */
/* Free the node if neither links nor references remain. */
void node_release(struct node *n);
void node_fill_attr(const struct node *n, struct fs_attr *attr);
static inline bool node_is_dir(const struct node *n) { return (n->mode & 0170000) == 0040000; }
static inline bool node_is_reg(const struct node *n) { return (n->mode & 0170000) == 0100000; }
static inline bool node_is_link(const struct node *n) { return (n->mode & 0170000) == 0120000; }

struct dirent_entry *dir_find(struct node *dir, const struct fs_name *name);
int64_t dir_add(struct node *dir, const struct fs_name *name, struct node *n);	/* takes a link on n */
void dir_remove(struct dirent_entry *e);	/* drops the link; does not release the node */
uint64_t node_total(void);

/* ---- file contents (tmpfs_data.c) ---- */
int64_t file_read(uint64_t node, const struct fs_data *data);
int64_t file_write(uint64_t node, const struct fs_data *data, uint64_t flags, struct fs_rep *rep);
int64_t file_write_own(struct node *n, uint64_t offset, const void *from, size_t len);	/* from own memory: unpacking */
int64_t file_getpage(uint64_t node, uint64_t page, int write, void **addr, uint64_t *valid);
int64_t file_resize(struct node *n, uint64_t size);
void file_truncate_pages(struct node *n, uint64_t first);	/* drop the pages from first on */
int64_t file_seek(uint64_t node, uint64_t offset, int whence, uint64_t *found);
int64_t file_fallocate(uint64_t node, uint64_t mode, uint64_t offset, uint64_t len, struct fs_attr *attr);

/* ---- the boot archive (tmpfs_archive.c) ---- */

/* Unpack the members root/... of a newc archive below `root`. 0, or a negative error after saying in words what is wrong. */
int64_t archive_unpack(struct instance *inst, const uint8_t *archive, size_t len);

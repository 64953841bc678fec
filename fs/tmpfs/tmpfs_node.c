/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes and directory entries. Two hash tables find them: nodes by id, entries by (directory, name). A directory also keeps its
 * entries in a
 * list in the order of their cookies, which only grow, so a reader that goes on at a cookie sees each entry that stayed exactly once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tmpfs.h"

static struct node_table {
	struct node **buckets;
	struct dirent_entry **names;
	uint64_t nodes, entries, node_buckets, name_buckets;	/* bucket counts are powers of two */
	uint64_t next_id;
} nodes = { .next_id = 1 };

/* ---- the table of nodes -------------------------------------------------------------------------------------------- */

static bool buckets_grow(void)
{
	uint64_t count = nodes.node_buckets ? nodes.node_buckets * 2 : 256;
	struct node **fresh = calloc(count, sizeof *fresh);
	if (!fresh)
		return nodes.node_buckets != 0;
	for (uint64_t i = 0; i < nodes.node_buckets; i++) {
		for (struct node *n = nodes.buckets[i], *next; n; n = next) {
			next = n->hash_next;
			n->hash_next = fresh[n->id & (count - 1)];
			fresh[n->id & (count - 1)] = n;
		}
	}
	free(nodes.buckets);
	nodes.buckets = fresh;
	nodes.node_buckets = count;
	return true;
}

struct node *node_get(uint64_t id)
{
	if (!nodes.node_buckets)
		return NULL;
	struct node *n = nodes.buckets[id & (nodes.node_buckets - 1)];
	while (n && n->id != id)
		n = n->hash_next;
	return n;
}

struct node *node_new(struct instance *inst, const struct fs_new *how)
{
	if (inst->nodes >= inst->max_nodes || (nodes.nodes >= nodes.node_buckets && !buckets_grow()))
		return NULL;
	struct node *n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->instance = inst;
	n->id = nodes.next_id++;
	n->mode = how->mode;
	n->uid = how->uid;
	n->gid = how->gid;
	n->rdev = how->rdev;
	n->atime_ns = n->mtime_ns = n->ctime_ns = n->btime_ns = fs_now();
	if (node_is_dir(n))
		n->next_cookie = 3;	/* 1 and 2 are those of "." and ".." */
	struct node **bucket = &nodes.buckets[n->id & (nodes.node_buckets - 1)];
	n->hash_next = *bucket;
	*bucket = n;
	nodes.nodes++;
	inst->nodes++;
	return n;
}

static void node_unhash(struct node *n)
{
	struct node **at = &nodes.buckets[n->id & (nodes.node_buckets - 1)];
	while (*at != n)
		at = &(*at)->hash_next;
	*at = n->hash_next;
}

void node_release(struct node *n)
{
	if (n->nlink || n->refs)
		return;
	if (node_is_reg(n))
		file_truncate_pages(n, 0);
	else if (node_is_link(n))
		free(n->target);
	node_unhash(n);
	n->instance->nodes--;
	nodes.nodes--;
	free(n);
}

uint64_t node_total(void) { return nodes.nodes; }

void node_fill_attr(const struct node *n, struct fs_attr *attr)
{
	*attr = (struct fs_attr){
		.node = n->id, .mode = n->mode, .nlink = n->nlink, .uid = n->uid, .gid = n->gid, .rdev = n->rdev,
		.size = n->size, .blksize = TMPFS_BLOCK,
		.atime_ns = n->atime_ns, .mtime_ns = n->mtime_ns, .ctime_ns = n->ctime_ns, .btime_ns = n->btime_ns,
	};
	if (node_is_reg(n))
		attr->blocks = n->pages.count * (TMPFS_BLOCK / 512);
	else if (node_is_dir(n))
		attr->size = n->entries * 20 + 40;	/* what Linux's tmpfs reports: 20 bytes an entry */
}

/* ---- directory entries --------------------------------------------------------------------------------------------- */

static uint32_t name_hash(const struct node *dir, const struct fs_name *name)
{
	uint64_t h = dir->id * 0x9e3779b97f4a7c15ull;
	for (size_t i = 0; i < name->len; i++)
		h = (h ^ (uint8_t)name->name[i]) * 0x100000001b3ull;
	return (uint32_t)(h ^ h >> 32);
}

static bool names_grow(void)
{
	uint64_t count = nodes.name_buckets ? nodes.name_buckets * 2 : 256;
	struct dirent_entry **fresh = calloc(count, sizeof *fresh);
	if (!fresh)
		return nodes.name_buckets != 0;
	for (uint64_t i = 0; i < nodes.name_buckets; i++) {
		for (struct dirent_entry *e = nodes.names[i], *next; e; e = next) {
			next = e->hash_next;
			e->hash_next = fresh[e->hash & (count - 1)];
			fresh[e->hash & (count - 1)] = e;
		}
	}
	free(nodes.names);
	nodes.names = fresh;
	nodes.name_buckets = count;
	return true;
}

struct dirent_entry *dir_find(struct node *dir, const struct fs_name *name)
{
	if (!nodes.name_buckets)
		return NULL;
	uint32_t hash = name_hash(dir, name);
	struct dirent_entry *e = nodes.names[hash & (nodes.name_buckets - 1)];
	while (e && !(e->hash == hash && e->dir == dir && e->len == name->len && !memcmp(e->name, name->name, name->len)))
		e = e->hash_next;
	return e;
}

int64_t dir_add(struct node *dir, const struct fs_name *name, struct node *n)
{
	if (nodes.entries >= nodes.name_buckets && !names_grow())
		return -ENOSPC;
	struct dirent_entry *e = malloc(sizeof *e + name->len);
	if (!e)
		return -ENOSPC;
	*e = (struct dirent_entry){ .prev = dir->last, .dir = dir, .node = n, .cookie = dir->next_cookie++,
		.hash = name_hash(dir, name), .len = (uint16_t)name->len };
	memcpy(e->name, name->name, name->len);
	struct dirent_entry **bucket = &nodes.names[e->hash & (nodes.name_buckets - 1)];
	e->hash_next = *bucket;
	*bucket = e;
	*(dir->last ? &dir->last->next : &dir->first) = e;
	dir->last = e;
	dir->entries++;
	nodes.entries++;
	if (node_is_dir(n)) {
		n->parent = dir;
		dir->nlink++;
		n->nlink = 2;
	} else {
		n->nlink++;
	}
	return 0;
}

void dir_remove(struct dirent_entry *e)
{
	struct node *dir = e->dir;
	struct dirent_entry **at = &nodes.names[e->hash & (nodes.name_buckets - 1)];
	while (*at != e)
		at = &(*at)->hash_next;
	*at = e->hash_next;
	*(e->prev ? &e->prev->next : &dir->first) = e->next;
	*(e->next ? &e->next->prev : &dir->last) = e->prev;
	dir->entries--;
	nodes.entries--;
	if (node_is_dir(e->node)) {
		dir->nlink--;
		e->node->nlink = 0;
	} else {
		e->node->nlink--;
	}
	free(e);
}

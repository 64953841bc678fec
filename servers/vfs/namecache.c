/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name cache: a fixed number of entries, hashed by directory and name, used again in the order of least recent use. A second hash
 * finds the entries of a vnode. Names longer than fit an entry are not cached. Pure: vnodes are only compared. Nothing here outlives us.
 */
#include "namecache.h"

#include <string.h>

#include "list.h"

enum { NC_ENTRIES = 4096, NC_BUCKETS = 2048, NC_NAME = 38 };

struct nc_entry {
	struct list hash, lru, by_dir, by_vnode;
	struct vnode *dir, *v;		/* dir NULL: entry unused */
	uint8_t len;
	char name[NC_NAME];
};

static struct namecache {
	struct nc_entry entries[NC_ENTRIES];
	struct list buckets[NC_BUCKETS], dirs[NC_BUCKETS], targets[NC_BUCKETS];
	struct list lru;		/* least recently used first */
	unsigned fresh;			/* entries never used begin here */
	unsigned count;
	bool ready;
} nc;

static void nc_prepare(void)
{
	if (nc.ready)
		return;
	nc.ready = true;
	list_init(&nc.lru);
	for (unsigned i = 0; i < NC_BUCKETS; i++) {
		list_init(&nc.buckets[i]);
		list_init(&nc.dirs[i]);
		list_init(&nc.targets[i]);
	}
}

static unsigned mix(uint64_t h) { return (unsigned)((h * 0x9e3779b97f4a7c15ull) >> 40) & (NC_BUCKETS - 1); }
static unsigned pointer_bucket(const struct vnode *v) { return mix((uint64_t)(uintptr_t)v); }

static unsigned name_bucket(const struct vnode *dir, const char *name, size_t len)
{
	uint64_t h = (uint64_t)(uintptr_t)dir;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3ull;
	return mix(h);
}

static struct nc_entry *nc_find(struct vnode *dir, const char *name, size_t len)
{
	struct list *head = &nc.buckets[name_bucket(dir, name, len)];
	for (struct list *l = head->next; l != head; l = l->next) {
		struct nc_entry *e = list_entry(l, struct nc_entry, hash);
		if (e->dir == dir && e->len == len && memcmp(e->name, name, len) == 0)
			return e;
	}
	return NULL;
}

static void nc_unlink(struct nc_entry *e)
{
	list_remove(&e->hash);
	list_remove(&e->by_dir);
	list_remove(&e->by_vnode);
	list_remove(&e->lru);
	list_prepend(&nc.lru, &e->lru);	/* first to be used again */
	e->dir = e->v = NULL;
	nc.count--;
}

static struct nc_entry *nc_take(void)
{
	if (!list_empty(&nc.lru)) {
		struct nc_entry *old = list_entry(nc.lru.next, struct nc_entry, lru);
		if (!old->dir)
			return old;
		if (nc.fresh == NC_ENTRIES) {
			nc_unlink(old);
			return old;
		}
	}
	struct nc_entry *e = &nc.entries[nc.fresh++];
	list_init(&e->lru);
	list_init(&e->hash);
	list_init(&e->by_dir);
	list_init(&e->by_vnode);
	return e;
}

enum namecache_result namecache_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **v)
{
	nc_prepare();
	struct nc_entry *e = len <= NC_NAME ? nc_find(dir, name, len) : NULL;
	if (!e)
		return NAMECACHE_UNKNOWN;
	list_remove(&e->lru);
	list_append(&nc.lru, &e->lru);
	*v = e->v;
	return e->v ? NAMECACHE_FOUND : NAMECACHE_ABSENT;
}

void namecache_drop(struct vnode *dir, const char *name, size_t len)
{
	nc_prepare();
	struct nc_entry *e = len <= NC_NAME ? nc_find(dir, name, len) : NULL;
	if (e)
		nc_unlink(e);
}

void namecache_enter(struct vnode *dir, const char *name, size_t len, struct vnode *v)
{
	namecache_drop(dir, name, len);
	if (len > NC_NAME || len == 0)
		return;
	struct nc_entry *e = nc_take();
	e->dir = dir;
	e->v = v;
	e->len = (uint8_t)len;
	memcpy(e->name, name, len);
	list_prepend(&nc.buckets[name_bucket(dir, name, len)], &e->hash);
	list_prepend(&nc.dirs[pointer_bucket(dir)], &e->by_dir);
	if (v)
		list_prepend(&nc.targets[pointer_bucket(v)], &e->by_vnode);
	list_remove(&e->lru);
	list_append(&nc.lru, &e->lru);
	nc.count++;
}

void namecache_drop_vnode(struct vnode *v)
{
	nc_prepare();
	struct list *head = &nc.dirs[pointer_bucket(v)];
	for (struct list *l = head->next, *next = l->next; l != head; l = next, next = l->next) {
		struct nc_entry *e = list_entry(l, struct nc_entry, by_dir);
		if (e->dir == v)
			nc_unlink(e);
	}
	head = &nc.targets[pointer_bucket(v)];
	for (struct list *l = head->next, *next = l->next; l != head; l = next, next = l->next) {
		struct nc_entry *e = list_entry(l, struct nc_entry, by_vnode);
		if (e->v == v)
			nc_unlink(e);
	}
}

unsigned namecache_count(void) { return nc.count; }

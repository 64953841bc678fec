/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vnode table: a hash by (file system, node), a list of unused ones. Evicting sends FS_FORGET with the number of references that
 * the file system counts for us; a LOOKUP under way meanwhile has its own reference, so the two cannot hurt each other.
 *
 * If this process dies, file systems keep the references; mounting again starts them anew.
 */
#include "report.h"
#include "vnode.h"

#include <stdlib.h>
#include <string.h>

#include "fsreq.h"
#include "locks.h"
#include "mount.h"
#include "namecache.h"

enum { VNODE_BUCKETS = 1024, VNODE_UNUSED_MAX = 2048 };

static struct vnodes {
	struct vnode *buckets[VNODE_BUCKETS];
	struct list unused;		/* least recently used first */
	unsigned count, unused_count;
	struct vnode *free;		/* blocks to use again, linked by hash_next */
} vnodes;

void vnodes_init(void) { list_init(&vnodes.unused); }
unsigned vnodes_count(void) { return vnodes.count; }

static struct vnode **bucket_of(endpoint_t fs, uint64_t node)
{
	uint64_t h = (node ^ (uint64_t)(uint32_t)fs << 40) * 0x9e3779b97f4a7c15ull;
	return &vnodes.buckets[h >> 54 & (VNODE_BUCKETS - 1)];
}

struct vnode *vnode_find(endpoint_t fs, uint64_t node)
{
	struct vnode *v = *bucket_of(fs, node);
	while (v && (v->node != node || v->mount->fs != fs))
		v = v->hash_next;
	return v;
}

static struct vnode *vnode_find_in(const struct mount *m, uint64_t node)
{
	struct vnode *v = *bucket_of(m->fs, node);
	while (v && (v->node != node || v->mount != m))
		v = v->hash_next;
	return v;
}

struct vnode *vnode_next_to_revive(const struct mount *m, uint32_t round)
{
	for (unsigned i = 0; i < VNODE_BUCKETS; i++)
		for (struct vnode *v = vnodes.buckets[i]; v; v = v->hash_next)
			if (v->mount == m && v->fs_refs && v->revived != round)
				return v;
	return NULL;
}

static void vnode_unhash(struct vnode *v)
{
	struct vnode **p = bucket_of(v->mount->fs, v->node);
	while (*p && *p != v)
		p = &(*p)->hash_next;
	if (*p)
		*p = v->hash_next;
}

static struct vnode *vnode_alloc(void)
{
	struct vnode *v = vnodes.free;
	if (!v)
		return calloc(1, sizeof *v);
	vnodes.free = v->hash_next;
	memset(v, 0, sizeof *v);
	return v;
}

static void vnode_drop_place(struct vnode *v)
{
	struct vnode *parent = v->parent;
	free(v->name);
	v->name = NULL;
	v->parent = NULL;
	if (parent) {
		parent->children--;
		vnode_put(parent);
	}
}

static void vnode_evict(struct vnode *v)
{
	struct mount *m = v->mount;
	list_remove(&v->lru);
	vnodes.unused_count--;
	namecache_drop_vnode(v);
	vnode_unhash(v);
	fs_forget(m, v->node, v->fs_refs);
	free(v->link_target);
	locklist_free(v->locks);
	v->refs++;	/* putting the parent may evict others, never this one */
	vnode_drop_place(v);
	vnodes.count--;
	v->hash_next = vnodes.free;
	vnodes.free = v;
	mount_vnode_gone(m);
}

static void vnodes_trim(void)
{
	while (vnodes.unused_count > VNODE_UNUSED_MAX)
		vnode_evict(list_entry(vnodes.unused.next, struct vnode, lru));
}

void vnode_revive(struct vnode *v)
{
	list_remove(&v->lru);
	vnodes.unused_count--;
}

void vnode_put(struct vnode *v)
{
	if (!v || --v->refs > 0)
		return;
	list_append(&vnodes.unused, &v->lru);
	vnodes.unused_count++;
	if (v->attr.nlink == 0 || v->removed || vnode_nocache(v) || v->mount->detached)
		vnode_evict(v);
	else
		vnodes_trim();
}

static struct vnode *vnode_new(struct mount *m, const struct fs_attr *attr)
{
	struct vnode *v = vnode_alloc();
	if (!v)
		return NULL;
	struct vnode **b = bucket_of(m->fs, attr->node);
	v->mount = m;
	v->node = attr->node;
	v->attr = *attr;
	list_init(&v->lru);
	fiber_lock_init(&v->write_lock);
	v->hash_next = *b;
	*b = v;
	v->refs = 1;
	vnodes.count++;
	m->vnodes++;
	return v;
}

struct vnode *vnode_take(struct mount *m, const struct fs_attr *attr)
{
	struct vnode *v = vnode_find_in(m, attr->node);
	if (v) {
		vnode_get(v);
		v->attr = *attr;
		v->attr_stale = false;
	} else if (!(v = vnode_new(m, attr))) {
		fs_forget(m, attr->node, 1);
		return NULL;
	}
	v->fs_refs++;
	return v;
}

void vnode_set_attr(struct vnode *v, const struct fs_attr *attr)
{
	if (attr->node != v->node) {
		report_broken(v->mount->fs, "", RS_BROKEN_NODE);
		return;
	}
	v->attr = *attr;
	v->attr_stale = false;
}

bool vnode_is_below(const struct vnode *below, const struct vnode *top)
{
	for (const struct vnode *v = below; v; v = v->parent)
		if (v == top)
			return true;
	return false;
}

void vnode_set_place(struct vnode *v, struct vnode *parent, const char *name, size_t len)
{
	v->removed = false;
	if (vnode_is_dir(v) && vnode_is_below(parent, v))
		return;
	if (v->parent == parent && v->name && strlen(v->name) == len && memcmp(v->name, name, len) == 0)
		return;
	char *copy = strndup(name, len);
	if (!copy && v->parent)
		return;
	vnode_get(parent);
	parent->children++;
	vnode_drop_place(v);
	v->parent = parent;
	v->name = copy;
}

int vnode_attr_refresh(struct vnode *v)
{
	if (!v->attr_stale && !vnode_nocache(v))
		return 0;
	struct fs_attr attr;
	int r = fs_getattr(v, &attr);
	if (r == 0)
		vnode_set_attr(v, &attr);
	return r;
}

/* One round over the unused ones; evicting a child may make its parent unused, hence the repetition. */
static bool purge_round(struct mount *m)
{
	for (struct list *l = vnodes.unused.next; l != &vnodes.unused; l = l->next) {
		struct vnode *v = list_entry(l, struct vnode, lru);
		if (v->mount != m)
			continue;
		vnode_evict(v);
		return true;
	}
	return false;
}

bool vnodes_purge(struct mount *m, unsigned spare)
{
	while (m->vnodes > 1 && purge_round(m))
		;
	return m->vnodes == 1 && m->root->refs <= spare;
}

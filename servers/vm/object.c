/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See object.h. If VM dies, file objects are lost with their cache; VFS learns of VM's death and drops the references itself.
 */
#include "object.h"
#include "kmem.h"
#include "mapper.h"
#include "pagein.h"
#include "space.h"
#include "tick.h"

#include <assert.h>
#include <libsef/sef.h>
#include <proto/vfs.h>
#include <string.h>

enum { BUCKETS = 256, IDLE_TICKS = 2, VFS_REFS_HIGH = 512 };

static struct objects {
	struct object *bucket[BUCKETS];
	uint32_t nr_idle;
	struct object *shm;		/* all of them, for statistics: through `next` */
} objects;

static struct object **bucket_of(endpoint_t fs, uint64_t node)
{
	return &objects.bucket[(node * 0x9e3779b97f4a7c15ull ^ (uint32_t)fs) >> 56];
}

struct object *object_find(endpoint_t fs, uint64_t node)
{
	struct object *o = *bucket_of(fs, node);

	while (o && (o->fs != fs || o->node != node || o->dead))
		o = o->next;
	return o;
}

struct object *object_shm(void)
{
	struct object *o = kmem_zalloc(sizeof *o);

	if (!o)
		return NULL;
	o->kind = OBJECT_SHM;
	o->refs = 1;
	o->next = objects.shm;
	objects.shm = o;
	return o;
}

struct object *object_file(endpoint_t fs, uint64_t node)
{
	struct object **bucket = bucket_of(fs, node);
	struct object *o = object_find(fs, node);

	if (o) {
		object_get(o);
		return o;
	}
	o = kmem_zalloc(sizeof *o);
	if (!o)
		return NULL;
	o->kind = OBJECT_FILE;
	o->refs = 1;
	o->fs = fs;
	o->node = node;
	o->next = *bucket;
	*bucket = o;
	return o;
}

void vfs_unref(endpoint_t fs, uint64_t node, uint32_t count)
{
	struct message m = { .type = VFS_VM_UNREF };

	if (count == 0)
		return;
	*MSG_BODY(struct vfs_vm_unref_req, &m) = (struct vfs_vm_unref_req){ .fs = fs, .count = count, .node = node };
	sef_send(EP_VFS, &m, IPC_NOREPLY);
}

void object_count_vfs_ref(struct object *o)
{
	if (++o->vfs_refs < VFS_REFS_HIGH)
		return;
	vfs_unref(o->fs, o->node, o->vfs_refs - 1);
	o->vfs_refs = 1;
}

static void list_remove(struct object **list, struct object *o)
{
	while (*list != o)
		list = &(*list)->next;
	*list = o->next;
}

static void object_free(struct object *o)
{
	list_remove(o->kind == OBJECT_FILE ? bucket_of(o->fs, o->node) : &objects.shm, o);
	if (o->kind == OBJECT_FILE)
		vfs_unref(o->fs, o->node, o->vfs_refs);
	pagemap_fini(&o->pages);
	kmem_free(o->profile, sizeof *o->profile);
	kmem_free(o, sizeof *o);
}

void object_profile_run(struct object *o)
{
	if (!o->profile)
		o->profile = kmem_zalloc(sizeof *o->profile);
	if (o->profile && ++o->profile->runs % PROFILE_RUNS == 0)
		o->profile->n = 0;
}

bool object_profile_has(const struct object *o, uint64_t page)
{
	const struct profile *p = o->profile;

	for (uint32_t i = 0; p && i < p->n; i++)
		if (p->page[i] == page)
			return true;
	return false;
}

void object_profile_add(struct object *o, uint64_t page)
{
	if (o->profile && o->profile->n < PROFILE_MAX && page <= UINT32_MAX && !object_profile_has(o, page))
		o->profile->page[o->profile->n++] = page;
}

void object_get(struct object *o)
{
	if (o->refs++ == 0)
		objects.nr_idle--;
}

void object_put(struct object *o)
{
	assert(o->refs > 0);
	if (--o->refs)
		return;
	if (o->kind == OBJECT_SHM || o->dead) {
		object_free(o);
		return;
	}
	o->idle = 0;
	o->writable = false;
	objects.nr_idle++;
	tick_needed();
}

/* Frees file objects (of one file system, or EP_ANY) without references that have been so for `ticks`. */
static uint32_t idle_free(endpoint_t fs, uint32_t ticks)
{
	uint32_t freed = 0;

	for (int i = 0; i < BUCKETS && objects.nr_idle; i++)
		for (struct object *o = objects.bucket[i], *next; o; o = next) {
			next = o->next;
			if (o->refs || (fs != EP_ANY && o->fs != fs) || o->idle++ < ticks)
				continue;
			objects.nr_idle--;
			freed += o->pages.pages != 0;
			object_free(o);
		}
	return freed;
}

bool objects_tick(void)
{
	idle_free(EP_ANY, IDLE_TICKS);
	return objects.nr_idle != 0;
}

bool objects_reclaim(void) { return idle_free(EP_ANY, 0) != 0; }

void objects_release(endpoint_t fs) { idle_free(fs, 0); }

/* Pages of the file in a mapping go; private copies of them only if `copies`. */
static void region_forget(struct space *s, const struct region *r, uint64_t first_page, bool copies)
{
	uint64_t first = first_page << PAGE_SHIFT, page;
	vaddr_t from = r->offset >= first ? r->first : r->first + (first - r->offset);
	frame_t f;

	if (from >= r->last)
		return;
	if (copies || r->kind == REGION_SHARED) {
		space_evict(s, from, r->last);
		return;
	}
	for (page = page_of(from); pagemap_next(&s->pages, page, page_of(r->last), &page, &f); page++)
		if (pagemap_get(&r->object->pages, page - page_of(r->first) + page_of(r->offset)) == f)
			space_evict(s, page << PAGE_SHIFT, (page + 1) << PAGE_SHIFT);
}

/* Threads name one space several times: it is visited at the process that names it. */
static void space_forget(struct process *p, struct object *o, uint64_t first, bool copies)
{
	struct space *s = p->space;
	const struct region *r;

	if (!s || s->ep != p->ep)
		return;
	REGIONS_EACH(&s->regions, r)
		if (r->object == o)
			region_forget(s, r, first, copies);
}

static void pages_forget(struct object *o, uint64_t first, bool copies)
{
	struct process *p;

	pageins_forget(o, first);
	for (int slot = 1; o->refs && slot < NR_PROCS; slot++) {
		p = process_at(slot);
		if (p)
			space_forget(p, o, first, copies);
	}
	pagemap_drop(&o->pages, first, UINT64_MAX);
}

void object_forget(struct object *o, uint64_t first, bool copies) { pages_forget(o, first, copies); }

void object_set_writable(struct object *o)
{
	if (o->writable || o->kind == OBJECT_SHM)
		return;
	/* Pages got for reading may be such that the file system shares them (holes): ask anew. */
	pages_forget(o, 0, false);
	o->writable = true;
}

void objects_fs_died(endpoint_t fs)
{
	for (int i = 0; i < BUCKETS; i++)
		for (struct object *o = objects.bucket[i], *next; o; o = next) {
			next = o->next;
			if (o->fs != fs || o->dead)
				continue;
			o->dead = true;
			pageins_fail(o);
			if (o->refs == 0) {
				objects.nr_idle--;
				object_free(o);
			}
		}
}

uint64_t objects_cached_pages(void)
{
	uint64_t n = 0;

	for (int i = 0; i < BUCKETS; i++)
		for (struct object *o = objects.bucket[i]; o; o = o->next)
			n += o->pages.pages;
	return n;
}

uint64_t objects_shm_pages(void)
{
	uint64_t n = 0;

	for (struct object *o = objects.shm; o; o = o->next)
		n += o->pages.pages;
	return n;
}

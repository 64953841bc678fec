/* SPDX-License-Identifier: BSD-2-Clause */
/* See region.h; how regions are kept is in region_tree.c. Pure: knows neither frames nor the kernel. */
#include "region.h"
#include "hot.h"
#include "kmem.h"
#include "region_tree.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static struct region *node(const struct regions *rs, uint16_t n) { return n ? &rs->at[n] : NULL; }
static uint16_t number(const struct regions *rs, const struct region *r) { return r - rs->at; }

struct region *regions_first(const struct regions *rs) { return rs->at ? node(rs, rs->at->next) : NULL; }
struct region *regions_last(const struct regions *rs) { return rs->at ? node(rs, rs->at->prev) : NULL; }
struct region *region_next(const struct regions *rs, const struct region *r) { return node(rs, r->next); }
struct region *region_prev(const struct regions *rs, const struct region *r) { return node(rs, r->prev); }

HOT struct region *regions_lower(struct regions *rs, vaddr_t addr)
{
	uint16_t t = rs->root, found = 0;

	if (!t)
		return NULL;
	/* A node that is none has no addresses, so what was found last needs no check. */
	if (addr >= rs->at[rs->found].first && addr < rs->at[rs->found].last)
		return &rs->at[rs->found];
	while (t) {
		const struct region *r = &rs->at[t];

		if (r->last <= addr) {
			t = r->high;
			continue;
		}
		found = t;
		if (r->first <= addr)
			break;
		t = r->low;
	}
	rs->found = found;
	return node(rs, found);
}

HOT struct region *regions_at(struct regions *rs, vaddr_t addr)
{
	struct region *r = regions_lower(rs, addr);

	return r && r->first <= addr ? r : NULL;
}

bool regions_overlap(struct regions *rs, vaddr_t first, vaddr_t last)
{
	const struct region *r = regions_lower(rs, first);

	return r && r->first < last;
}

vaddr_t regions_covered(struct regions *rs, vaddr_t first, vaddr_t last)
{
	for (const struct region *r = regions_lower(rs, first); first < last && r && r->first <= first; r = region_next(rs, r))
		first = r->last;
	return first < last ? first : last;
}

bool regions_cover(struct regions *rs, vaddr_t first, vaddr_t last) { return regions_covered(rs, first, last) == last; }

err_t regions_reserve(struct regions *rs, uint32_t extra) { return tree_reserve(rs, extra); }

static bool mergeable(const struct region *a, const struct region *b)
{
	if (a->last != b->first || a->kind != b->kind || a->prot != b->prot || a->max_prot != b->max_prot)
		return false;
	if (a->flags != b->flags || (a->flags & (REGION_STACK | REGION_SPECIAL)))
		return false;
	if (a->object != b->object || a->file_end != b->file_end)
		return false;
	return a->kind == REGION_ANON || a->offset + (a->last - a->first) == b->offset;
}

/* Merges the region above r into r if they are alike. The hole above both stays as it is. */
static bool merge_next(struct regions *rs, struct region *r)
{
	struct region *next = region_next(rs, r);

	if (!next || !mergeable(r, next))
		return false;
	if (next->object)
		object_put(next->object);
	r->last = next->last;
	tree_remove(rs, number(rs, next));
	return true;
}

void regions_insert(struct regions *rs, const struct region *r)
{
	struct region *above = regions_lower(rs, r->first), *below = above ? region_prev(rs, above) : regions_last(rs);
	uint16_t n;

	assert(r->first < r->last && (!above || above->first >= r->last));
	rs->bytes += r->last - r->first;
	if (below && mergeable(below, r)) {
		if (r->object)
			object_put(r->object);
		below->last = r->last;
		if (!merge_next(rs, below) && above)
			tree_hole_changed(rs, number(rs, above));
		return;
	}
	n = tree_add(rs, below ? number(rs, below) : 0, r);
	merge_next(rs, &rs->at[n]);
}

static void split_at(struct regions *rs, vaddr_t addr)
{
	struct region *r = regions_at(rs, addr);
	struct region upper;

	if (!r || r->first == addr)
		return;
	upper = *r;
	upper.first = addr;
	if (r->kind != REGION_ANON)
		upper.offset += addr - r->first;
	if (r->object)
		object_get(r->object);
	r->last = addr;
	/* Only the lowest part of a stack grows. */
	upper.flags &= ~(uint32_t)REGION_STACK;
	tree_add(rs, number(rs, r), &upper);
}

void regions_cut(struct regions *rs, vaddr_t first, vaddr_t last)
{
	split_at(rs, first);
	split_at(rs, last);
}

void regions_remove(struct regions *rs, vaddr_t first, vaddr_t last)
{
	struct region *r, *next;

	regions_cut(rs, first, last);
	for (r = regions_lower(rs, first); r && r->last <= last; r = next) {
		next = region_next(rs, r);
		rs->bytes -= r->last - r->first;
		if (r->object)
			object_put(r->object);
		tree_remove(rs, number(rs, r));
	}
}

void regions_join(struct regions *rs, vaddr_t first, vaddr_t last)
{
	struct region *r = regions_lower(rs, first);

	if (r && region_prev(rs, r))
		r = region_prev(rs, r);
	while (r && r->first <= last)
		if (!merge_next(rs, r))
			r = region_next(rs, r);
}

void regions_grow_down(struct regions *rs, struct region *r, vaddr_t first)
{
	rs->bytes += r->first - first;
	r->first = first;
	tree_hole_changed(rs, number(rs, r));
}

static void regions_each_object(struct regions *rs, void (*call)(struct object *o))
{
	struct region *r;

	REGIONS_EACH(rs, r)
		if (r->object)
			call(r->object);
}

void regions_fini(struct regions *rs)
{
	regions_each_object(rs, object_put);
	kmem_free(rs->at, rs->room * sizeof *rs->at);
	memset(rs, 0, sizeof *rs);
}

err_t regions_copy(struct regions *dst, const struct regions *src)
{
	struct region *at = src->room ? kmem_alloc(src->room * sizeof *at) : NULL;

	if (src->room && !at)
		return -ENOMEM;
	if (at)
		memcpy(at, src->at, src->used * sizeof *at);
	*dst = *src;
	dst->at = at;
	regions_each_object(dst, object_get);
	return 0;
}

/* ---- choice of addresses ---- */

struct wish { uint64_t len; vaddr_t low, high; };

/* Where address choice must stop below this region. */
static vaddr_t guarded_first(const struct region *r)
{
	if (!(r->flags & REGION_STACK))
		return r->first;
	return r->first > STACK_GUARD_BYTES ? r->first - STACK_GUARD_BYTES : 0;
}

/* The part of the hole below r (NULL: above all regions) that may be used; whether it suffices. */
static bool hole_suffices(const struct regions *rs, const struct region *r, const struct wish *w, vaddr_t *floor, vaddr_t *ceiling)
{
	*floor = r ? rs->at[r->prev].last : rs->at ? rs->at[rs->at->prev].last : 0;
	*ceiling = r ? guarded_first(r) : w->high;
	*floor = *floor > w->low ? *floor : w->low;
	*ceiling = *ceiling < w->high ? *ceiling : w->high;
	return *ceiling > *floor && *ceiling - *floor >= w->len;
}

/*
 * The highest place in the holes of a branch. A branch all between low and high and with a hole that is large enough is never searched in
 * vain, unless the hole ends at a stack; so the search goes down the tree a few times at most.
 */
static vaddr_t branch_place_down(const struct regions *rs, uint16_t t, const struct wish *w)
{
	const struct region *r = &rs->at[t];
	vaddr_t floor, ceiling, addr = 0;

	if (r->hole < w->len)
		return 0;
	if (r->last < w->high)
		addr = branch_place_down(rs, r->high, w);
	if (addr)
		return addr;
	if (hole_suffices(rs, r, w, &floor, &ceiling))
		return ceiling - w->len;
	return r->first > w->low ? branch_place_down(rs, r->low, w) : 0;
}

static vaddr_t branch_place_up(const struct regions *rs, uint16_t t, const struct wish *w)
{
	const struct region *r = &rs->at[t];
	vaddr_t floor, ceiling, addr = 0;

	if (r->hole < w->len)
		return 0;
	if (r->first > w->low)
		addr = branch_place_up(rs, r->low, w);
	if (addr)
		return addr;
	if (hole_suffices(rs, r, w, &floor, &ceiling))
		return floor;
	return r->last < w->high ? branch_place_up(rs, r->high, w) : 0;
}

vaddr_t regions_place_down(struct regions *rs, uint64_t len, vaddr_t low, vaddr_t high)
{
	const struct wish w = { len, low, high };
	vaddr_t floor, ceiling;

	if (hole_suffices(rs, NULL, &w, &floor, &ceiling))
		return ceiling - len;
	return rs->root ? branch_place_down(rs, rs->root, &w) : 0;
}

vaddr_t regions_place_up(struct regions *rs, uint64_t len, vaddr_t low, vaddr_t high)
{
	const struct wish w = { len, low, high };
	vaddr_t floor, ceiling, addr = rs->root ? branch_place_up(rs, rs->root, &w) : 0;

	if (addr)
		return addr;
	return hole_suffices(rs, NULL, &w, &floor, &ceiling) ? floor : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* See region.h. Pure: knows neither frames nor the kernel. */
#include "region.h"
#include "hot.h"
#include "kmem.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { FIRST_ROOM = 12 };

HOT uint32_t regions_lower(struct regions *rs, vaddr_t addr)
{
	uint32_t low = 0, high = rs->count;

	if (rs->last < rs->count && addr >= rs->at[rs->last].first && addr < rs->at[rs->last].last)
		return rs->last;
	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (rs->at[mid].last <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	rs->last = low;
	return low;
}

HOT struct region *regions_at(struct regions *rs, vaddr_t addr)
{
	uint32_t i = regions_lower(rs, addr);

	return i < rs->count && rs->at[i].first <= addr ? &rs->at[i] : NULL;
}

bool regions_overlap(struct regions *rs, vaddr_t first, vaddr_t last)
{
	uint32_t i = regions_lower(rs, first);

	return i < rs->count && rs->at[i].first < last;
}

vaddr_t regions_covered(struct regions *rs, vaddr_t first, vaddr_t last)
{
	for (uint32_t i = regions_lower(rs, first); first < last && i < rs->count && rs->at[i].first <= first; i++)
		first = rs->at[i].last;
	return first < last ? first : last;
}

bool regions_cover(struct regions *rs, vaddr_t first, vaddr_t last) { return regions_covered(rs, first, last) == last; }

err_t regions_reserve(struct regions *rs, uint32_t extra)
{
	uint32_t room = rs->room ? rs->room : FIRST_ROOM;
	struct region *at;

	if (rs->count + extra > REGIONS_MAX + 2)
		return -ENOMEM;
	if (rs->count + extra <= rs->room)
		return 0;
	while (room < rs->count + extra)
		room *= 2;
	at = kmem_alloc(room * sizeof *at);
	if (!at)
		return -ENOMEM;
	if (rs->count)
		memcpy(at, rs->at, rs->count * sizeof *at);
	kmem_free(rs->at, rs->room * sizeof *at);
	rs->at = at;
	rs->room = room;
	return 0;
}

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

static void remove_at(struct regions *rs, uint32_t i, uint32_t n)
{
	rs->count -= n;
	memmove(&rs->at[i], &rs->at[i + n], (rs->count - i) * sizeof *rs->at);
}

static void insert_at(struct regions *rs, uint32_t i, const struct region *r)
{
	assert(rs->count < rs->room);
	memmove(&rs->at[i + 1], &rs->at[i], (rs->count - i) * sizeof *rs->at);
	rs->at[i] = *r;
	rs->count++;
}

/* Merges region i + 1 into region i if they are alike. */
static bool merge_next(struct regions *rs, uint32_t i)
{
	if (i + 1 >= rs->count || !mergeable(&rs->at[i], &rs->at[i + 1]))
		return false;
	rs->at[i].last = rs->at[i + 1].last;
	if (rs->at[i + 1].object)
		object_put(rs->at[i + 1].object);
	remove_at(rs, i + 1, 1);
	return true;
}

void regions_insert(struct regions *rs, const struct region *r)
{
	uint32_t i = regions_lower(rs, r->first);

	assert(r->first < r->last && (i == rs->count || rs->at[i].first >= r->last));
	insert_at(rs, i, r);
	rs->bytes += r->last - r->first;
	merge_next(rs, i);
	if (i > 0)
		merge_next(rs, i - 1);
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
	insert_at(rs, r - rs->at + 1, &upper);
}

void regions_cut(struct regions *rs, vaddr_t first, vaddr_t last)
{
	split_at(rs, first);
	split_at(rs, last);
}

void regions_remove(struct regions *rs, vaddr_t first, vaddr_t last)
{
	uint32_t i, n;

	regions_cut(rs, first, last);
	i = regions_lower(rs, first);
	for (n = 0; i + n < rs->count && rs->at[i + n].last <= last; n++) {
		rs->bytes -= rs->at[i + n].last - rs->at[i + n].first;
		if (rs->at[i + n].object)
			object_put(rs->at[i + n].object);
	}
	remove_at(rs, i, n);
}

void regions_join(struct regions *rs, vaddr_t first, vaddr_t last)
{
	uint32_t i = regions_lower(rs, first);

	if (i > 0)
		i--;
	while (i < rs->count && rs->at[i].first <= last)
		if (!merge_next(rs, i))
			i++;
}

void regions_grow_down(struct regions *rs, struct region *r, vaddr_t first)
{
	rs->bytes += r->first - first;
	r->first = first;
}

void regions_fini(struct regions *rs)
{
	for (uint32_t i = 0; i < rs->count; i++)
		if (rs->at[i].object)
			object_put(rs->at[i].object);
	kmem_free(rs->at, rs->room * sizeof *rs->at);
	memset(rs, 0, sizeof *rs);
}

err_t regions_copy(struct regions *dst, const struct regions *src)
{
	err_t err = regions_reserve(dst, src->count);

	if (err)
		return err;
	if (src->count)
		memcpy(dst->at, src->at, src->count * sizeof *src->at);
	dst->count = src->count;
	dst->bytes = src->bytes;
	for (uint32_t i = 0; i < dst->count; i++)
		if (dst->at[i].object)
			object_get(dst->at[i].object);
	return 0;
}

/* Where address choice must stop below this region. */
static vaddr_t guarded_first(const struct region *r)
{
	if (!(r->flags & REGION_STACK))
		return r->first;
	return r->first > STACK_GUARD_BYTES ? r->first - STACK_GUARD_BYTES : 0;
}

vaddr_t regions_place_down(struct regions *rs, uint64_t len, vaddr_t low, vaddr_t high)
{
	uint32_t i = regions_lower(rs, high);

	if (i < rs->count && guarded_first(&rs->at[i]) < high)
		high = guarded_first(&rs->at[i]);
	while (high > low && high - low >= len) {
		vaddr_t floor = i > 0 && rs->at[i - 1].last > low ? rs->at[i - 1].last : low;

		if (high > floor && high - floor >= len)
			return high - len;
		if (i == 0)
			break;
		i--;
		if (guarded_first(&rs->at[i]) < high)
			high = guarded_first(&rs->at[i]);
	}
	return 0;
}

vaddr_t regions_place_up(struct regions *rs, uint64_t len, vaddr_t low, vaddr_t high)
{
	for (uint32_t i = regions_lower(rs, low); high > low && high - low >= len; i++) {
		vaddr_t ceiling = i < rs->count && guarded_first(&rs->at[i]) < high ? guarded_first(&rs->at[i]) : high;

		if (ceiling > low && ceiling - low >= len)
			return low;
		if (i >= rs->count)
			break;
		low = rs->at[i].last > low ? rs->at[i].last : low;
	}
	return 0;
}

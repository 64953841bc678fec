/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap: shrink, grow in place, or move with all pages. */
#include "calls.h"
#include "mapper.h"
#include "oom.h"
#include "resolve.h"

#include <errno.h>
#include <sys/mman.h>

enum { REMAP_MAYMOVE = 1, REMAP_FIXED = 2, REMAP_DONTUNMAP = 4 };

struct remap { struct space *s; vaddr_t old, to; uint64_t old_len, new_len; uint32_t flags; };

static int64_t remap_check(const struct remap *r)
{
	if (r->flags & ~(uint32_t)(REMAP_MAYMOVE | REMAP_FIXED | REMAP_DONTUNMAP))
		return -EINVAL;
	if ((r->flags & (REMAP_FIXED | REMAP_DONTUNMAP)) && !(r->flags & REMAP_MAYMOVE))
		return -EINVAL;
	if ((r->flags & REMAP_DONTUNMAP) && r->old_len != r->new_len)
		return -EINVAL;
	if (!page_aligned(r->old) || r->new_len == 0)
		return -EINVAL;
	if (!(r->flags & REMAP_FIXED))
		return 0;
	if (!page_aligned(r->to) || r->new_len > SPACE_LAST || r->to > SPACE_LAST - r->new_len || r->to < SPACE_FIRST)
		return -EINVAL;
	return r->old + r->old_len > r->to && r->to + r->new_len > r->old ? -EINVAL : 0;
}

/* Room in the page map for all pages at their new place, so that moving them cannot fail. */
static err_t pages_reserve(struct space *s, vaddr_t from, vaddr_t to, uint64_t len)
{
	uint64_t page = page_of(from);
	frame_t f;

	for (; pagemap_next(&s->pages, page, page_of(from + len), &page, &f); page++)
		if (pagemap_reserve(&s->pages, page - page_of(from) + page_of(to)) != 0)
			return -ENOMEM;
	return 0;
}

static void pages_move(struct space *s, const struct region *r, vaddr_t from, uint64_t len)
{
	uint64_t page = page_of(from), last = page_of(from + len);
	frame_t f;

	while (pagemap_next(&s->pages, page, last, &page, &f)) {
		uint64_t there = page - page_of(from) + page_of(r->first);

		pagemap_set(&s->pages, there, f);
		pagemap_clear(&s->pages, page);
		if (r->prot != PROT_NONE)
			map_add(MAP_FRAMES, s->ep, there << PAGE_SHIFT, f, page_rights(s, r, frame_refs(f) == 1));
		page++;
	}
	if (r->kind == REGION_PHYS)
		map_add_run(s->ep, r->first, r->offset, (r->last - r->first) >> PAGE_SHIFT, page_rights(s, r, true));
	map_add_unmap(s->ep, from, len >> PAGE_SHIFT);
	map_flush();
}

/* Everything was checked; `to` is free. The old region is left (DONTUNMAP) or goes. */
static int64_t remap_move(const struct remap *m)
{
	struct space *s = m->s;
	struct region moved = *regions_at(&s->regions, m->old);
	uint64_t kept = m->old_len < m->new_len ? m->old_len : m->new_len;

	if (regions_reserve(&s->regions, 4) != 0 || pages_reserve(s, m->old, m->to, kept) != 0)
		return -ENOMEM;
	if (moved.kind != REGION_ANON)
		moved.offset += m->old - moved.first;
	moved.first = m->to;
	moved.last = m->to + m->new_len;
	moved.flags &= ~(uint32_t)REGION_HEAP;
	if (moved.object)
		object_get(moved.object);
	if (moved.flags & REGION_LOCKED)
		s->locked += m->new_len;
	regions_insert(&s->regions, &moved);
	pages_move(s, &moved, m->old, kept);
	if (!(m->flags & REMAP_DONTUNMAP))
		space_unmap(s, m->old, m->old + m->old_len);
	space_note_peak(s);
	return (int64_t)m->to;
}

static bool grow_in_place(const struct remap *m, const struct region *r)
{
	struct region more = *r;
	vaddr_t end = m->old + m->old_len;

	if (end != r->last || m->old + m->new_len > SPACE_LAST || regions_overlap(&m->s->regions, end, m->old + m->new_len))
		return false;
	more.first = end;
	more.last = m->old + m->new_len;
	if (more.kind != REGION_ANON)
		more.offset += end - r->first;
	if (more.object)
		object_get(more.object);
	if (space_insert(m->s, &more) == 0)
		return true;
	if (more.object)
		object_put(more.object);
	return false;
}

static int64_t remap_to_fixed(struct remap *m)
{
	err_t err = space_unmap(m->s, m->to, m->to + m->new_len);

	if (!err && m->new_len < m->old_len) {
		err = space_unmap(m->s, m->old + m->new_len, m->old + m->old_len);
		m->old_len = m->new_len;
	}
	return err ? err : remap_move(m);
}

static int64_t remap_grow(struct remap *m, const struct region *r)
{
	bool data = (r->prot & PROT_WRITE) && r->kind != REGION_SHARED;

	if (!space_may_grow(m->s, m->new_len - m->old_len, data))
		return -ENOMEM;
	if ((r->flags & REGION_LOCKED) && !space_may_lock(m->s, m->new_len - m->old_len))
		return -EAGAIN;
	if (data && m->new_len >> PAGE_SHIFT > frame_total())
		return -ENOMEM;
	if (!(m->flags & (REMAP_FIXED | REMAP_DONTUNMAP)) && m->old_len && grow_in_place(m, r))
		return (int64_t)m->old;
	if (!(m->flags & REMAP_MAYMOVE))
		return -ENOMEM;
	if (m->flags & REMAP_FIXED)
		return remap_to_fixed(m);
	m->to = space_place(m->s, m->to, m->new_len, 0);
	return m->to ? remap_move(m) : -ENOMEM;
}

int64_t call_mremap(struct space *s, const struct message *m)
{
	struct remap rm = { .s = s, .old = m->w[0], .to = m->w[4], .old_len = page_up(m->w[1]),
		.new_len = page_up(m->w[2]), .flags = (uint32_t)m->w[3] };
	struct region *r;
	int64_t err;

	if (m->w[1] > SPACE_LAST || m->w[2] > SPACE_LAST)
		return -EINVAL;
	err = remap_check(&rm);
	if (err)
		return err;
	r = regions_at(&s->regions, rm.old);
	if (!r || rm.old_len > r->last - rm.old || (r->flags & REGION_SPECIAL))
		return -EFAULT;
	if (rm.old_len == 0 && r->kind != REGION_SHARED)
		return -EINVAL;
	if ((rm.flags & REMAP_DONTUNMAP) && r->kind != REGION_ANON)
		return -EINVAL;
	err = memory_for_request(s);
	if (err)
		return err;
	if (rm.flags & (REMAP_FIXED | REMAP_DONTUNMAP) || rm.new_len > rm.old_len)
		return rm.new_len > rm.old_len || (rm.flags & REMAP_DONTUNMAP) ? remap_grow(&rm, r) : remap_to_fixed(&rm);
	err = rm.new_len < rm.old_len ? space_unmap(s, rm.old + rm.new_len, rm.old + rm.old_len) : 0;
	return err ? err : (int64_t)rm.old;
}

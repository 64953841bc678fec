/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See space.h. Order matters in two places. Frames are given up only after the kernel has unmapped them and every CPU has
 * refreshed (map_flush returns then). And a fork takes its references before the kernel shares the pages, so that a
 * failure half-way only has to drop them again.
 */
#include "space.h"
#include "hot.h"
#include "kmem.h"
#include "mapper.h"
#include "resolve.h"
#include "rest.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <string.h>
#include <sys/mman.h>

enum { FORK_SPARE_FRAMES = 64 };	/* a fork that would leave less than this to users is refused */

static struct spaces {
	struct process process[NR_PROCS];
} spaces;

HOT struct process *process_of(endpoint_t ep)
{
	int slot = endpoint_slot(ep);

	if (ep <= 0 || slot >= NR_PROCS || spaces.process[slot].ep != ep)
		return NULL;
	return &spaces.process[slot];
}

HOT struct space *space_of(endpoint_t ep)
{
	struct process *p = process_of(ep);

	return p ? p->space : NULL;
}

struct process *process_at(int slot) { return spaces.process[slot].ep ? &spaces.process[slot] : NULL; }

struct process *process_claim(endpoint_t ep)
{
	int slot = endpoint_slot(ep);
	struct process *p;

	if (ep <= 0 || slot == 0 || slot >= NR_PROCS)
		return NULL;
	p = &spaces.process[slot];
	if (p->ep && p->ep != ep)
		space_drop(p->ep);
	if (p->ep != ep)
		*p = (struct process){ .ep = ep };
	return p;
}

static struct space *space_new(endpoint_t ep, const struct space *old)
{
	struct space *s = kmem_zalloc(sizeof *s);

	if (!s)
		return NULL;
	s->ep = ep;
	s->refs = 1;
	for (int i = 0; i < NR_LIMITS; i++)
		s->limits[i] = old ? old->limits[i] : LIMIT_NONE;
	if (!old)
		s->limits[LIMIT_STACK] = 8ull << 20;
	return s;
}

/* Another process that lives in s becomes the one that names it. */
static void space_rename(struct space *s, endpoint_t leaving)
{
	if (s->ep != leaving)
		return;
	for (int i = 1; i < NR_PROCS; i++)
		if (spaces.process[i].space == s && spaces.process[i].ep != leaving) {
			s->ep = spaces.process[i].ep;
			return;
		}
}

/* The process leaves its space; the last one takes the memory along. The kernel's side has been told before. */
static void space_leave(struct process *p)
{
	struct space *s = p->space;

	p->space = NULL;
	if (--s->refs) {
		space_rename(s, p->ep);
		return;
	}
	if (s->dma)
		rest_begin(s);
	else
		space_free(s);
}

void space_free(struct space *s)
{
	pagemap_fini(&s->pages);
	regions_fini(&s->regions);
	if (s->program)
		object_put(s->program);
	kmem_free(s, sizeof *s);
}

void space_drop(endpoint_t ep)
{
	struct process *p = process_of(ep);

	if (!p)
		return;
	if (p->space) {
		uint64_t dma = 0;

		sys_space(ep, SPACE_DESTROY, 0, &dma);
		p->space->dma |= dma == 1;
		space_leave(p);
	}
	*p = (struct process){ 0 };
}

/* A kernel call that may need page-table frames: give and ask again. */
static err_t kernel_space(endpoint_t ep, uint32_t op, uint64_t argument)
{
	err_t err = sys_space(ep, op, argument, 0);

	while (err == -ENOMEM && ptframes_give())
		err = sys_space(ep, op, argument, 0);
	return err;
}

static vaddr_t mmap_top_for(uint64_t stack_limit)
{
	uint64_t gap = stack_limit < MMAP_GAP ? MMAP_GAP : stack_limit;

	return SPACE_LAST - (gap > SPACE_LAST / 6 * 5 ? MMAP_GAP : page_up(gap)) - STACK_GUARD_BYTES;
}

err_t space_renew(endpoint_t ep, bool user)
{
	struct process *p = process_claim(ep);
	struct space *s;
	err_t err;

	if (!p)
		return -EINVAL;
	s = space_new(ep, p->space);
	if (!s)
		return -ENOMEM;
	err = kernel_space(ep, SPACE_NEW, 0);
	if (err) {
		kmem_free(s, sizeof *s);
		return err;
	}
	if (p->space)
		space_leave(p);
	s->user = user;
	s->mmap_top = mmap_top_for(s->limits[LIMIT_STACK]);
	p->space = s;
	return 0;
}

struct space *space_adopt(endpoint_t ep)
{
	struct process *p = process_claim(ep);

	if (!p)
		return NULL;
	p->space = space_new(ep, NULL);
	if (p->space)
		p->space->mmap_top = mmap_top_for(p->space->limits[LIMIT_STACK]);
	return p->space;
}

err_t space_share(endpoint_t parent, endpoint_t child)
{
	struct space *s = space_of(parent);
	struct process *p;
	err_t err;

	if (!s)
		return -ESRCH;
	p = process_claim(child);
	if (!p || p->space)
		return -EINVAL;
	err = kernel_space(child, SPACE_SHARE, (uint64_t)(int64_t)parent);
	if (err) {
		*p = (struct process){ 0 };
		return err;
	}
	s->refs++;
	p->space = s;
	return 0;
}

/* ---- fork ---- */

static bool region_copies_pages(const struct region *r)
{
	return !(r->flags & (REGION_DONTFORK | REGION_WIPEONFORK));
}

/* How the pages of a region get to the child. */
static uint32_t region_share_kind(const struct region *r)
{
	return r->kind == REGION_ANON || r->kind == REGION_FILE ? MAP_SHARE_COW : MAP_SHARE;
}

/* One operation for each run of regions that are shared alike: most processes need one or two. */
static void fork_share_pages(struct space *s, const struct space *parent)
{
	const struct regions *rs = &parent->regions;

	for (const struct region *r = regions_first(rs), *next; r; r = next) {
		vaddr_t last = r->last;

		next = region_next(rs, r);
		if (!region_copies_pages(r))
			continue;
		for (; next && region_copies_pages(next) && region_share_kind(next) == region_share_kind(r); next = region_next(rs, next))
			last = next->last;
		map_add_share(region_share_kind(r), s->ep, parent->ep, r->first, (last - r->first) >> PAGE_SHIFT);
	}
}

static err_t fork_copy_pages(struct space *s, struct space *parent)
{
	const struct region *r;
	uint64_t from = 0;
	err_t err;

	REGIONS_EACH(&parent->regions, r) {
		if (region_copies_pages(r))
			continue;
		err = pagemap_copy(&s->pages, &parent->pages, from, page_of(r->first));
		if (err)
			return err;
		from = page_of(r->last);
	}
	return pagemap_copy(&s->pages, &parent->pages, from, page_of(SPACE_LAST));
}

static void fork_drop_regions(struct space *s)
{
	for (struct region *r = regions_first(&s->regions), *next; r; r = next) {
		next = region_next(&s->regions, r);
		r->flags &= ~(uint32_t)REGION_LOCKED;
		if (r->flags & REGION_DONTFORK)
			regions_remove(&s->regions, r->first, r->last);
	}
}

/* The child's copy is made now, and the parent keeps its frame with the right to write. */
static void fork_copy_hot(struct space *s, struct space *parent, uint64_t page)
{
	const struct region *r = regions_at(&s->regions, page << PAGE_SHIFT);
	frame_t f = pagemap_get(&s->pages, page), copy;

	if (!r || r->kind == REGION_SHARED || r->kind == REGION_PHYS || !(r->prot & PROT_WRITE) || f == FRAME_NONE || frame_refs(f) != 2
		|| pagemap_get(&parent->pages, page) != f)
		return;
	copy = frame_alloc(FRAME_FOR_USER);
	if (copy == FRAME_NONE)
		return;
	pagemap_set(&s->pages, page, copy);
	frame_put(f);
	map_add_copy(s->ep, page << PAGE_SHIFT, copy, f, page_rights(s, r, true));
	map_add(MAP_FRAMES, parent->ep, page << PAGE_SHIFT, f, page_rights(parent, r, true));
}

static void fork_copy_hot_pages(struct space *s, struct space *parent)
{
	if (++parent->forks % HOT_FORKS == 0)
		parent->nr_hot = 0;
	if (!frame_available(FRAME_FOR_USER, 2 * FORK_SPARE_FRAMES))
		return;
	for (uint32_t i = 0; i < parent->nr_hot; i++)
		fork_copy_hot(s, parent, parent->hot[i]);
}

static void hot_add(struct space *s, uint64_t page)
{
	for (uint32_t i = 0; i < s->nr_hot; i++)
		if (s->hot[i] == page)
			return;
	if (s->nr_hot < HOT_MAX)
		s->hot[s->nr_hot++] = page;
}

HOT void space_note_hot(struct space *s, uint64_t page)
{
	struct space *parent;

	if (s->forks)
		hot_add(s, page);
	parent = s->forked_from ? space_of(s->forked_from) : NULL;
	if (parent)
		hot_add(parent, page);
}

static err_t fork_copy(struct space *s, struct space *parent)
{
	err_t err = regions_copy(&s->regions, &parent->regions);

	if (err)
		return err;
	fork_drop_regions(s);
	err = fork_copy_pages(s, parent);
	if (err)
		return err;
	err = kernel_space(s->ep, SPACE_NEW, 0);
	if (err)
		return err;
	fork_share_pages(s, parent);
	fork_copy_hot_pages(s, parent);
	return map_flush();
}

err_t space_fork(endpoint_t parent_ep, endpoint_t child)
{
	struct space *parent = space_of(parent_ep), *s;
	struct process *p;
	err_t err;

	if (!parent)
		return -ESRCH;
	p = process_claim(child);
	if (!p || p->space)
		return -EINVAL;
	s = frame_available(FRAME_FOR_USER, FORK_SPARE_FRAMES) ? space_new(child, parent) : NULL;
	if (!s) {
		*p = (struct process){ 0 };
		return -ENOMEM;
	}
	s->user = parent->user;
	s->forked_from = parent->ep;
	s->brk_start = parent->brk_start;
	s->brk = parent->brk;
	s->mmap_top = parent->mmap_top;
	p->space = s;
	err = fork_copy(s, parent);
	if (err)
		space_drop(child);
	return err == -ENOMEM || !err ? err : -EINVAL;
}

/* ---- parts of a space ---- */

static bool range_has_phys(struct space *s, vaddr_t first, vaddr_t last)
{
	const struct region *r;

	REGIONS_IN(&s->regions, r, first, last)
		if (r->kind == REGION_PHYS)
			return true;
	return false;
}

err_t space_evict(struct space *s, vaddr_t first, vaddr_t last)
{
	uint64_t from = page_of(first), to = page_of(last), page;
	frame_t f;
	err_t err;

	/* What was never touched needs no kernel call. */
	if (range_has_phys(s, first, last))
		page = from;
	else if (!pagemap_next(&s->pages, from, to, &page, &f))
		return 0;
	map_add_unmap(s->ep, page << PAGE_SHIFT, to - page);
	err = map_flush();
	pagemap_drop(&s->pages, from, to);
	return err;
}

/* Those parts of locked regions go away. */
static void unlock_range(struct space *s, vaddr_t first, vaddr_t last)
{
	const struct region *r;

	REGIONS_IN(&s->regions, r, first, last)
		if (r->flags & REGION_LOCKED)
			s->locked -= (r->last < last ? r->last : last) - (r->first > first ? r->first : first);
}

err_t space_unmap(struct space *s, vaddr_t first, vaddr_t last)
{
	err_t err;

	if (!regions_overlap(&s->regions, first, last))
		return 0;
	err = regions_reserve(&s->regions, 2);
	if (err)
		return err;
	space_evict(s, first, last);
	if (s->locked)
		unlock_range(s, first, last);
	regions_remove(&s->regions, first, last);
	return 0;
}

err_t space_insert(struct space *s, const struct region *r)
{
	if (s->regions.count >= REGIONS_MAX || regions_reserve(&s->regions, 1) != 0)
		return -ENOMEM;
	regions_insert(&s->regions, r);
	if (r->flags & REGION_LOCKED)
		s->locked += r->last - r->first;
	space_note_peak(s);
	return 0;
}

void space_note_peak(struct space *s)
{
	if (s->regions.bytes > s->peak_bytes)
		s->peak_bytes = s->regions.bytes;
	if (s->pages.pages > s->peak_pages)
		s->peak_pages = s->pages.pages;
}

vaddr_t space_place(struct space *s, vaddr_t hint, uint64_t len, vaddr_t below)
{
	vaddr_t top = below && below < s->mmap_top ? below : s->mmap_top, addr;

	if (len > SPACE_LAST)
		return 0;
	hint = page_down(hint);
	if (hint >= SPACE_FIRST && hint <= SPACE_LAST - len && (!below || hint + len <= below)
		&& !regions_overlap(&s->regions, hint, hint + len))
		return hint;
	addr = regions_place_down(&s->regions, len, SPACE_FIRST, top);
	if (!addr)
		addr = regions_place_up(&s->regions, len, top, below ? top : SPACE_LAST);
	return addr;
}

uint64_t space_data_bytes(const struct space *s)
{
	const struct region *r;
	uint64_t bytes = 0;

	REGIONS_EACH(&s->regions, r)
		if ((r->kind == REGION_ANON || r->kind == REGION_FILE) && (r->prot & PROT_WRITE) && !(r->flags & REGION_STACK))
			bytes += r->last - r->first;
	return bytes;
}

bool space_may_grow(const struct space *s, uint64_t bytes, bool data)
{
	if (s->limits[LIMIT_AS] != LIMIT_NONE && s->regions.bytes + bytes > s->limits[LIMIT_AS])
		return false;
	if (data && s->limits[LIMIT_DATA] != LIMIT_NONE && space_data_bytes(s) + bytes > s->limits[LIMIT_DATA])
		return false;
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See resolve.h.
 *
 *            page of          frame known in the space?         otherwise
 *   ANON     zeros            map it; a write to a frame with   a zeroed frame
 *                             other holders copies it first
 *   FILE     the object       the same                          the object's frame without write; for a write a copy of it
 *   SHARED   the object       map it                            the object's frame with all rights; shared memory: a zeroed frame
 *   PHYS     given memory     -                                 mapped from the start
 *
 * A frame with one reference belongs to this page alone: the last holder after a fork just gets the right to write back. Services
 * are never forked, so their frames are always their own; others that map them (file pages) do not take away their right to write.
 */
#include "resolve.h"
#include "hot.h"
#include "object.h"
#include "pagein.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <sys/mman.h>

enum {
	ANON_AROUND_MAX = 16, FILE_AROUND = 16,	/* pages */
	PRELOAD_SHARED = 512,		/* pages of a program's file */
	PRELOAD_STACK = 2 * PAGE_BYTES,	/* the top of its stack */
	PROFILE_FAULTS = 64,		/* so many faults are the beginning of a program */
	CACHE_COLOURS = 0xfff,
};

HOT uint32_t page_rights(const struct space *s, const struct region *r, bool own)
{
	uint32_t rights = MAP_READ;

	if ((r->prot & PROT_WRITE) && (own || !s->user || r->kind == REGION_SHARED || r->kind == REGION_PHYS))
		rights |= MAP_WRITE;
	if (r->prot & PROT_EXEC)
		rights |= MAP_EXEC;
	if (r->kind == REGION_SHARED)
		rights |= MAP_SHARED_FRAME;
	if (r->flags & REGION_UNCACHED)
		rights |= MAP_UNCACHED;
	return rights;
}

HOT static bool access_permitted(const struct region *r, uint32_t access)
{
	if (access & MAP_WRITE)
		return r->prot & PROT_WRITE;
	if (access & MAP_EXEC)
		return r->prot & PROT_EXEC;
	return r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* The stack region that may grow down to addr, or NULL. */
static struct region *stack_growing_to(struct space *s, vaddr_t addr)
{
	struct region *r = regions_lower(&s->regions, addr), *prev;
	vaddr_t below;

	if (!r || !(r->flags & REGION_STACK) || r->first <= addr || addr < SPACE_FIRST)
		return NULL;
	prev = region_prev(&s->regions, r);
	below = prev ? prev->last : 0;
	if (r->last - page_down(addr) > s->limits[LIMIT_STACK] || page_down(addr) < below + STACK_GUARD_BYTES)
		return NULL;
	if (!space_may_grow(s, r->first - page_down(addr), false))
		return NULL;
	return r;
}

HOT static struct region *region_for(struct space *s, vaddr_t addr)
{
	struct region *r = regions_at(&s->regions, addr);

	if (r)
		return r;
	r = stack_growing_to(s, addr);
	if (!r)
		return NULL;
	if (r->flags & REGION_LOCKED)
		s->locked += r->first - page_down(addr);
	regions_grow_down(&s->regions, r, page_down(addr));
	return r;
}

/* A frame for the page, entered into the space's map. */
HOT static frame_t page_new_frame(struct space *s, vaddr_t addr, enum frame_level level)
{
	frame_t f = frame_alloc(level);

	if (f == FRAME_NONE)
		return FRAME_NONE;
	if (pagemap_set(&s->pages, page_of(addr), f) == 0)
		return f;
	frame_put(f);
	return FRAME_NONE;
}

HOT static err_t page_zero(struct space *s, const struct region *r, vaddr_t addr, enum frame_level level)
{
	frame_t f = page_new_frame(s, addr, level);

	if (f == FRAME_NONE)
		return -ENOMEM;
	map_add(MAP_ZERO, s->ep, page_down(addr), f, page_rights(s, r, true));
	return 0;
}

/* The page becomes a copy of `src`. Under emulation copying between addresses equal modulo 16 MiB is ten times slower: avoided. */
HOT static err_t page_copy(struct space *s, const struct region *r, vaddr_t addr, frame_t src, enum frame_level level)
{
	frame_t f = page_new_frame(s, addr, level), other;

	if (f == FRAME_NONE)
		return -ENOMEM;
	if (((f ^ src) & CACHE_COLOURS) == 0) {
		other = frame_alloc(level);
		if (other != FRAME_NONE) {
			pagemap_set(&s->pages, page_of(addr), other);
			frame_put(f);
			f = other;
		}
	}
	map_add_copy(s->ep, page_down(addr), f, src, page_rights(s, r, true));
	return 0;
}

/* The space has a frame for this private page already. */
HOT static err_t private_present(struct space *s, const struct region *r, vaddr_t addr, frame_t f, uint32_t access,
	enum frame_level level)
{
	bool own = frame_refs(f) == 1;
	err_t err;

	if (access & MAP_WRITE)
		space_note_hot(s, page_of(addr));
	if ((access & MAP_WRITE) && !own && s->user) {
		err = page_copy(s, r, addr, f, level);
		if (!err)
			frame_put(f);
		return err;
	}
	map_add(MAP_FRAMES, s->ep, page_down(addr), f, page_rights(s, r, own));
	return 0;
}

static uint64_t object_page(const struct region *r, vaddr_t addr)
{
	return (r->offset + (page_down(addr) - r->first)) >> PAGE_SHIFT;
}

/* The object's frame for a page; shared memory makes it now, a file must be asked for it. *fresh: it is to be zeroed. */
static err_t object_frame(struct object *o, uint64_t page, enum frame_level level, struct pagein **in, frame_t *f, bool *fresh)
{
	*fresh = false;
	*f = pagemap_get(&o->pages, page);
	if (*f != FRAME_NONE)
		return 0;
	if (o->kind == OBJECT_FILE) {
		if (o->dead)
			return -EIO;
		if (!in)
			return -EAGAIN;
		*in = pagein_start(o, page);
		return *in ? -EAGAIN : -ENOMEM;
	}
	*f = frame_alloc(level);
	if (*f == FRAME_NONE)
		return -ENOMEM;
	if (pagemap_set(&o->pages, page, *f) != 0) {
		frame_put(*f);
		return -ENOMEM;
	}
	*fresh = true;
	return 0;
}

/* Puts the object's own frame into the space. */
static err_t page_share(struct space *s, const struct region *r, vaddr_t addr, frame_t f, bool fresh)
{
	if (pagemap_set(&s->pages, page_of(addr), f) != 0)
		return -ENOMEM;
	frame_get(f);
	map_add(fresh ? MAP_ZERO : MAP_FRAMES, s->ep, page_down(addr), f, page_rights(s, r, false));
	return 0;
}

/* The file's part of the mapping ends within this page: a private copy with zeros behind it. */
static err_t page_partial(struct space *s, const struct region *r, vaddr_t addr, frame_t src, enum frame_level level)
{
	uint64_t valid = r->file_end & (PAGE_BYTES - 1);
	frame_t f = page_new_frame(s, addr, level);

	if (f == FRAME_NONE)
		return -ENOMEM;
	if (sys_physcopy(frame_addr(src), frame_addr(f), valid) != 0
		|| sys_memset(frame_addr(f) + valid, PAGE_BYTES - valid, 0) != 0) {
		pagemap_clear(&s->pages, page_of(addr));
		frame_put(f);
		return -EIO;
	}
	map_add(MAP_FRAMES, s->ep, page_down(addr), f, page_rights(s, r, true));
	return 0;
}

static err_t file_missing(struct space *s, const struct region *r, vaddr_t addr, uint32_t access, enum frame_level level,
	struct pagein **in)
{
	uint64_t page = object_page(r, addr);
	frame_t f;
	bool fresh;
	err_t err;

	if (r->file_end != LIMIT_NONE && page << PAGE_SHIFT >= r->file_end)
		return page_zero(s, r, addr, level);
	err = object_frame(r->object, page, level, in, &f, &fresh);
	if (err)
		return err;
	if (page == r->file_end >> PAGE_SHIFT && (r->prot & PROT_WRITE))
		return page_partial(s, r, addr, f, level);
	if (access & MAP_WRITE)
		return page_copy(s, r, addr, f, level);
	return page_share(s, r, addr, f, fresh);
}

static err_t shared_page(struct space *s, const struct region *r, vaddr_t addr, enum frame_level level, struct pagein **in)
{
	frame_t f = pagemap_get(&s->pages, page_of(addr));
	bool fresh;
	err_t err;

	if (f != FRAME_NONE) {
		map_add(MAP_FRAMES, s->ep, page_down(addr), f, page_rights(s, r, false));
		return 0;
	}
	err = object_frame(r->object, object_page(r, addr), level, in, &f, &fresh);
	if (err)
		return err;
	err = page_share(s, r, addr, f, fresh);
	if (err && fresh)
		frame_put(pagemap_clear(&r->object->pages, object_page(r, addr)));
	return err;
}

HOT err_t page_resolve(struct space *s, vaddr_t addr, uint32_t access, enum frame_level level, struct pagein **in)
{
	struct region *r = region_for(s, addr);
	frame_t f;

	if (!r)
		return -EFAULT;
	if (!access_permitted(r, access))
		return -EACCES;
	if (r->kind == REGION_SHARED)
		return shared_page(s, r, addr, level, in);
	if (r->kind == REGION_PHYS) {
		map_add_run(s->ep, page_down(addr), r->offset + (page_down(addr) - r->first), 1, page_rights(s, r, true));
		return 0;
	}
	f = pagemap_get(&s->pages, page_of(addr));
	if (f != FRAME_NONE)
		return private_present(s, r, addr, f, access, level);
	if (r->kind == REGION_FILE)
		return file_missing(s, r, addr, access, level, in);
	return page_zero(s, r, addr, level);
}

/* ---- around a fault ---- */

/* As many pages ahead as were touched (for a write: made our own) one after the other right before this one. */
HOT static uint32_t anon_run_before(struct space *s, const struct region *r, vaddr_t addr, uint32_t access)
{
	uint32_t n = 0;

	while (n < ANON_AROUND_MAX && addr - r->first >= (uint64_t)(n + 1) << PAGE_SHIFT) {
		frame_t f = pagemap_get(&s->pages, page_of(addr) - n - 1);

		if (f == FRAME_NONE || ((access & MAP_WRITE) && frame_refs(f) != 1))
			break;
		n++;
	}
	return n;
}

HOT static void anon_around(struct space *s, const struct region *r, vaddr_t addr, uint32_t access)
{
	enum frame_level level = s->user ? FRAME_FOR_USER : FRAME_FOR_SERVICE;
	uint32_t n = anon_run_before(s, r, addr, access);

	if (n == 0 || !frame_available(level, n + frame_total() / 32))
		return;
	for (addr += PAGE_BYTES; n-- && addr < r->last; addr += PAGE_BYTES) {
		frame_t f = pagemap_get(&s->pages, page_of(addr));
		err_t err = -EAGAIN;

		if (f == FRAME_NONE)
			err = page_zero(s, r, addr, level);
		else if (access & MAP_WRITE)
			err = private_present(s, r, addr, f, access, level);
		if (err)
			return;
	}
}

static void file_around(struct space *s, const struct region *r, vaddr_t addr)
{
	vaddr_t first = addr & ~(vaddr_t)(FILE_AROUND * PAGE_BYTES - 1), last = first + FILE_AROUND * PAGE_BYTES;
	uint64_t end = r->file_end >> PAGE_SHIFT;
	frame_t f;

	first = first > r->first ? first : r->first;
	last = last < r->last ? last : r->last;
	for (addr = first; addr < last; addr += PAGE_BYTES) {
		if (r->kind == REGION_FILE && object_page(r, addr) >= end)
			return;
		if (pagemap_get(&s->pages, page_of(addr)) != FRAME_NONE)
			continue;
		f = pagemap_get(&r->object->pages, object_page(r, addr));
		if (f != FRAME_NONE && page_share(s, r, addr, f, false) != 0)
			return;
	}
}

HOT void page_resolve_around(struct space *s, vaddr_t addr, uint32_t access)
{
	const struct region *r = regions_at(&s->regions, addr);

	if (!r || (r->flags & REGION_RANDOM))
		return;
	if (r->kind == REGION_ANON)
		anon_around(s, r, page_down(addr), access);
	else if (r->kind != REGION_PHYS)
		file_around(s, r, page_down(addr));
}

/* The requests go out before that for the page itself, so that the others are there when the fault is resolved. */
void page_read_ahead(struct space *s, vaddr_t addr)
{
	const struct region *r = regions_at(&s->regions, addr);
	vaddr_t last;

	if (!r || !r->object || r->object->kind != OBJECT_FILE || r->object->dead || (r->flags & REGION_RANDOM))
		return;
	addr = page_down(addr);
	last = (addr & ~(vaddr_t)(FILE_AROUND * PAGE_BYTES - 1)) + FILE_AROUND * PAGE_BYTES;
	for (addr += PAGE_BYTES; addr < last && addr < r->last; addr += PAGE_BYTES) {
		uint64_t page = object_page(r, addr);

		if (page << PAGE_SHIFT >= r->file_end)
			return;
		if (pagemap_get(&r->object->pages, page) == FRAME_NONE && !pagein_start(r->object, page))
			return;
	}
}

/* ---- at the start of a program ---- */

void page_profile(struct space *s, vaddr_t addr)
{
	if (s->program && s->faults_minor + s->faults_major < PROFILE_FAULTS && page_of(addr) >= s->program_page)
		object_profile_add(s->program, page_of(addr) - s->program_page);
}

static bool profile_has(const struct space *s, vaddr_t addr)
{
	return s->program && object_profile_has(s->program, page_of(addr) - s->program_page);
}

/* Pages of the file that are known are mapped; of those that will be written a copy is made. */
static void file_preload(struct space *s, const struct region *r)
{
	uint64_t page = r->offset >> PAGE_SHIFT, end = page + page_of(r->last - r->first);
	frame_t f;

	for (int left = PRELOAD_SHARED; left && pagemap_next(&r->object->pages, page, end, &page, &f); left--, page++) {
		vaddr_t addr = r->first + (page << PAGE_SHIFT) - r->offset;
		bool write = (r->prot & PROT_WRITE) && profile_has(s, addr);

		if (page << PAGE_SHIFT >= r->file_end || file_missing(s, r, addr, write ? MAP_WRITE : MAP_READ, FRAME_FOR_USER, NULL) != 0)
			return;
	}
}

static void zero_preload(struct space *s, const struct region *r)
{
	const struct profile *p = s->program ? s->program->profile : NULL;

	for (uint32_t i = 0; p && i < p->n; i++) {
		vaddr_t addr = (s->program_page + p->page[i]) << PAGE_SHIFT;

		if (addr < r->first || addr >= r->last || pagemap_get(&s->pages, page_of(addr)) != FRAME_NONE)
			continue;
		if (page_zero(s, r, addr, FRAME_FOR_USER) != 0)
			return;
	}
}

static void zero_fill(struct space *s, const struct region *r, vaddr_t first)
{
	for (vaddr_t a = first; a < r->last; a += PAGE_BYTES)
		if (page_zero(s, r, a, s->user ? FRAME_FOR_USER : FRAME_FOR_SERVICE) != 0)
			return;
}

void region_preload(struct space *s, const struct region *r)
{
	if (!frame_available(FRAME_FOR_USER, frame_total() / 16) || !(r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)))
		return;
	if (r->kind == REGION_FILE)
		file_preload(s, r);
	else if (r->flags & REGION_STACK)
		zero_fill(s, r, r->last - r->first > PRELOAD_STACK ? r->last - PRELOAD_STACK : r->first);
	else if (r->kind == REGION_ANON && !s->user)
		zero_fill(s, r, r->first);
	else if (r->kind == REGION_ANON && (r->prot & PROT_WRITE))
		zero_preload(s, r);
}

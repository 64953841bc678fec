/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that change what pages in place are good for: mprotect, madvise, mlock and kin, msync, mincore. */
#include "protect.h"
#include "calls.h"
#include "kmem.h"
#include "mapper.h"
#include "object.h"
#include "oom.h"
#include "resolve.h"
#include "wait.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <sys/mman.h>

enum { PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC, LINUX_PROT_GROWSDOWN = 0x01000000 };

/* The part of r that lies in [first, last). */
static void region_clip(const struct region *r, vaddr_t *first, vaddr_t *last)
{
	*first = r->first > *first ? r->first : *first;
	*last = r->last < *last ? r->last : *last;
}

/* ---- mprotect ---- */

/* Pages with other holders stay without write: the next write copies them. */
static void pages_protect(struct space *s, const struct region *r)
{
	uint64_t page = page_of(r->first);
	frame_t f;

	if (r->prot == PROT_NONE) {
		map_add_unmap(s->ep, r->first, (r->last - r->first) >> PAGE_SHIFT);
		return;
	}
	for (; pagemap_next(&s->pages, page, page_of(r->last), &page, &f); page++)
		map_add_protect(s->ep, page << PAGE_SHIFT, 1, page_rights(s, r, frame_refs(f) == 1));
	if (r->kind == REGION_PHYS)
		map_add_protect(s->ep, r->first, (r->last - r->first) >> PAGE_SHIFT, page_rights(s, r, true));
}

static bool range_has_pages(struct space *s, vaddr_t first, vaddr_t last)
{
	uint64_t page;
	frame_t f;

	return pagemap_next(&s->pages, page_of(first), page_of(last), &page, &f);
}

static bool max_prot_permits(struct space *s, vaddr_t first, vaddr_t last, uint32_t prot)
{
	const struct region *r;

	REGIONS_IN(&s->regions, r, first, last)
		if (prot & ~(uint32_t)r->max_prot)
			return false;
	return true;
}

static void regions_protect(struct space *s, vaddr_t first, vaddr_t last, uint32_t prot)
{
	struct region *r;

	regions_cut(&s->regions, first, last);
	REGIONS_IN(&s->regions, r, first, last) {
		if (r->prot == prot)
			continue;
		/* Pages taken out of the tables come back by fault, so nothing is to be put in for them here. */
		r->prot = prot;
		if (r->kind == REGION_PHYS || range_has_pages(s, r->first, r->last))
			pages_protect(s, r);
	}
	regions_join(&s->regions, first, last);
}

int64_t space_protect(struct space *s, vaddr_t first, uint64_t len, uint64_t prot)
{
	vaddr_t last;

	if (prot & ~(uint64_t)PROT_ALL)
		return -EINVAL;
	if (!range_check(first, &len))
		return -ENOMEM;
	/* As Linux does: what lies before a hole is changed, then the hole is an error. */
	last = regions_covered(&s->regions, first, first + len);
	if (!max_prot_permits(s, first, last, prot))
		return -EACCES;
	if (last == first || memory_for_request(s) != 0 || s->regions.count + 2 > REGIONS_MAX || regions_reserve(&s->regions, 2) != 0)
		return -ENOMEM;
	regions_protect(s, first, last, prot);
	return map_flush() != 0 || last != first + len ? -ENOMEM : 0;
}

int64_t call_mprotect(struct space *s, const struct message *m)
{
	vaddr_t first = m->w[0];
	uint64_t len = m->w[1], prot = m->w[2] & ~(uint64_t)LINUX_PROT_GROWSDOWN;
	struct region *r;

	if (!page_aligned(first) || (prot & ~(uint64_t)PROT_ALL))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (m->w[2] & LINUX_PROT_GROWSDOWN) {
		r = regions_at(&s->regions, first);
		if (!r || !(r->flags & REGION_STACK))
			return -EINVAL;
		len += first - r->first;
		first = r->first;
	}
	return space_protect(s, first, len, prot);
}

/* ---- madvise ---- */

enum advice {
	ADVICE_NORMAL, ADVICE_RANDOM, ADVICE_SEQUENTIAL, ADVICE_WILLNEED, ADVICE_DONTNEED, ADVICE_FREE = 8, ADVICE_REMOVE, ADVICE_DONTFORK,
	ADVICE_DOFORK, ADVICE_MERGEABLE, ADVICE_UNMERGEABLE, ADVICE_HUGEPAGE, ADVICE_NOHUGEPAGE, ADVICE_DONTDUMP, ADVICE_DODUMP,
	ADVICE_WIPEONFORK, ADVICE_KEEPONFORK, ADVICE_COLD, ADVICE_PAGEOUT, ADVICE_POPULATE_READ, ADVICE_POPULATE_WRITE,
};

static int64_t advice_give_back(struct space *s, const struct region *r, uint32_t advice, vaddr_t first, vaddr_t last)
{
	if ((r->flags & REGION_LOCKED) || r->kind == REGION_PHYS)
		return -EINVAL;
	if (advice == ADVICE_FREE && r->kind != REGION_ANON)
		return -EINVAL;
	return space_evict(s, first, last);
}

/* A hole in shared memory: the object's own pages go. */
static int64_t advice_remove(struct region *r, vaddr_t first, vaddr_t last)
{
	uint64_t from = (r->offset + (first - r->first)) >> PAGE_SHIFT;

	if (r->kind != REGION_SHARED || !(r->prot & PROT_WRITE))
		return -EINVAL;
	if (r->object->kind != OBJECT_SHM)
		return -EOPNOTSUPP;
	for (int slot = 1; slot < NR_PROCS; slot++) {
		struct process *p = process_at(slot);
		const struct region *q;

		if (!p || !p->space || p->space->ep != p->ep)
			continue;
		REGIONS_EACH(&p->space->regions, q) {
			uint64_t low = r->offset + (first - r->first), high = low + (last - first);

			if (q->object != r->object || q->offset >= high || q->offset + (q->last - q->first) <= low)
				continue;
			low = low > q->offset ? low : q->offset;
			high = high < q->offset + (q->last - q->first) ? high : q->offset + (q->last - q->first);
			space_evict(p->space, q->first + (low - q->offset), q->first + (high - q->offset));
		}
	}
	pagemap_drop(&r->object->pages, from, from + ((last - first) >> PAGE_SHIFT));
	return 0;
}

static uint32_t advice_set_flag(uint32_t advice)
{
	return advice == ADVICE_DONTFORK ? REGION_DONTFORK : advice == ADVICE_WIPEONFORK ? REGION_WIPEONFORK
		: advice == ADVICE_RANDOM ? REGION_RANDOM : 0;
}

static uint32_t advice_clear_flag(uint32_t advice)
{
	return advice == ADVICE_DOFORK ? REGION_DONTFORK : advice == ADVICE_KEEPONFORK ? REGION_WIPEONFORK
		: advice == ADVICE_NORMAL || advice == ADVICE_SEQUENTIAL ? REGION_RANDOM : 0;
}

static int64_t advice_flags(struct space *s, uint32_t advice, vaddr_t first, vaddr_t last)
{
	uint32_t set = advice_set_flag(advice), clear = advice_clear_flag(advice);
	struct region *r;

	if (regions_reserve(&s->regions, 2) != 0)
		return -ENOMEM;
	regions_cut(&s->regions, first, last);
	REGIONS_IN(&s->regions, r, first, last)
		r->flags = (r->flags | set) & ~clear;
	regions_join(&s->regions, first, last);
	return 0;
}

static int64_t advice_apply(struct space *s, uint32_t advice, struct region *r, vaddr_t first, vaddr_t last)
{
	switch (advice) {
	case ADVICE_DONTNEED: case ADVICE_FREE:
		return advice_give_back(s, r, advice, first, last);
	case ADVICE_REMOVE:
		return advice_remove(r, first, last);
	case ADVICE_WIPEONFORK:
		return r->kind == REGION_ANON ? 0 : -EINVAL;
	default:
		return 0;
	}
}

static bool advice_known(uint64_t advice)
{
	return advice <= ADVICE_DONTNEED || (advice >= ADVICE_FREE && advice <= ADVICE_POPULATE_WRITE);
}

/* Applies to all regions in the range; holes are an error, but only at the end. */
static int64_t advice_walk(struct space *s, uint32_t advice, vaddr_t first, vaddr_t last)
{
	int64_t result = regions_cover(&s->regions, first, last) ? 0 : -ENOMEM;
	struct region *r;

	REGIONS_IN(&s->regions, r, first, last) {
		vaddr_t a = first, b = last;
		int64_t err;

		region_clip(r, &a, &b);
		err = advice_apply(s, advice, r, a, b);
		if (err)
			return err;
	}
	return result;
}

int64_t call_madvise(struct space *s, const struct message *m)
{
	vaddr_t first = m->w[0];
	uint64_t len = m->w[1], advice = (uint32_t)m->w[2];
	int64_t result;

	if (!advice_known(advice) || !page_aligned(first))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (!range_check(first, &len))
		return len > SPACE_LAST ? -EINVAL : -ENOMEM;
	result = advice_walk(s, advice, first, first + len);
	if (result)
		return result;
	if (advice_set_flag(advice) || advice_clear_flag(advice))
		return advice_flags(s, advice, first, first + len);
	if (advice == ADVICE_POPULATE_READ || advice == ADVICE_POPULATE_WRITE)
		return populate_later(m, first, first + len, advice == ADVICE_POPULATE_WRITE, true, 0);
	return 0;
}

/* ---- locking ---- */

bool space_may_lock(const struct space *s, uint64_t bytes)
{
	return s->limits[LIMIT_MEMLOCK] == LIMIT_NONE || s->locked + bytes <= s->limits[LIMIT_MEMLOCK];
}

void lock_account(struct space *s, struct region *r, bool lock)
{
	bool locked = r->flags & REGION_LOCKED;

	if (locked == lock)
		return;
	r->flags ^= REGION_LOCKED;
	s->locked += lock ? r->last - r->first : -(r->last - r->first);
}

static int64_t range_lock(struct space *s, vaddr_t first, vaddr_t last, bool lock)
{
	struct region *r;

	if (!regions_cover(&s->regions, first, last) || regions_reserve(&s->regions, 2) != 0)
		return -ENOMEM;
	regions_cut(&s->regions, first, last);
	REGIONS_IN(&s->regions, r, first, last)
		lock_account(s, r, lock);
	regions_join(&s->regions, first, last);
	return 0;
}

static bool lock_range(const struct message *m, vaddr_t *first, vaddr_t *last)
{
	uint64_t len = m->w[1] + (m->w[0] & (PAGE_BYTES - 1));

	*first = page_down(m->w[0]);
	if (len < m->w[1] || len > SPACE_LAST || *first > SPACE_LAST - page_up(len))
		return false;
	*last = *first + page_up(len);
	return true;
}

int64_t call_mlock(struct space *s, const struct message *m)
{
	vaddr_t first, last;
	bool onfault = m->type == MSG_LINUX + 325 && (m->w[2] & 1);
	int64_t err;

	if (m->type == MSG_LINUX + 325 && (m->w[2] & ~1ull))
		return -EINVAL;
	if (!lock_range(m, &first, &last))
		return m->w[0] + m->w[1] < m->w[0] ? -EINVAL : -ENOMEM;
	if (first == last)
		return 0;
	if (s->limits[LIMIT_MEMLOCK] == 0)
		return -EPERM;
	if (!space_may_lock(s, last - first))
		return -ENOMEM;
	err = range_lock(s, first, last, true);
	return err || onfault ? err : populate_later(m, first, last, false, true, 0);
}

int64_t call_munlock(struct space *s, const struct message *m)
{
	vaddr_t first, last;

	if (!lock_range(m, &first, &last))
		return m->w[0] + m->w[1] < m->w[0] ? -EINVAL : -ENOMEM;
	return first == last ? 0 : range_lock(s, first, last, false);
}

static void lock_all(struct space *s, bool lock)
{
	struct region *r;

	REGIONS_EACH(&s->regions, r)
		if (r->kind != REGION_PHYS)
			lock_account(s, r, lock);
}

int64_t call_mlockall(struct space *s, const struct message *m)
{
	enum { CURRENT = 1, FUTURE = 2, ONFAULT = 4 };

	if (m->w[0] == 0 || (m->w[0] & ~7ull) || m->w[0] == ONFAULT)
		return -EINVAL;
	if (s->limits[LIMIT_MEMLOCK] == 0)
		return -EPERM;
	if ((m->w[0] & CURRENT) && s->limits[LIMIT_MEMLOCK] != LIMIT_NONE && s->regions.bytes > s->limits[LIMIT_MEMLOCK])
		return -ENOMEM;
	s->lock_future = m->w[0] & FUTURE;
	if (m->w[0] & CURRENT)
		lock_all(s, true);
	return 0;
}

int64_t call_munlockall(struct space *s, const struct message *m)
{
	(void)m;
	s->lock_future = false;
	lock_all(s, false);
	return 0;
}

/* ---- msync, mincore ---- */

int64_t call_msync(struct space *s, const struct message *m)
{
	uint64_t len = m->w[1], flags = m->w[2];
	const struct region *r;

	if ((flags & ~(uint64_t)(MS_ASYNC | MS_SYNC | MS_INVALIDATE)) || !page_aligned(m->w[0])
			|| (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (!range_check(m->w[0], &len) || !regions_cover(&s->regions, m->w[0], m->w[0] + len))
		return -ENOMEM;
	REGIONS_IN(&s->regions, r, m->w[0], m->w[0] + len)
		if ((flags & MS_INVALIDATE) && (r->flags & REGION_LOCKED))
			return -EBUSY;
	/* Shared mappings are the file system's own pages: there is nothing to carry anywhere. */
	return 0;
}

static bool page_in_core(struct space *s, const struct region *r, vaddr_t addr)
{
	if (r->kind == REGION_PHYS || pagemap_get(&s->pages, page_of(addr)) != FRAME_NONE)
		return true;
	return r->object && pagemap_get(&r->object->pages, (r->offset + (addr - r->first)) >> PAGE_SHIFT) != FRAME_NONE;
}

/* The caller's memory may be missing: it is made present, if no file is needed for that, and the copy tried again. */
static int64_t copy_out(struct space *s, vaddr_t dst, const void *p, uint64_t len)
{
	err_t err = sys_vircopy(EP_SELF, (uintptr_t)p, s->ep, dst, len, COPY_TRY, NULL);

	if (!err)
		return 0;
	for (vaddr_t a = page_down(dst); a < dst + len; a += PAGE_BYTES)
		if (page_resolve(s, a, MAP_WRITE, FRAME_FOR_USER, NULL) != 0) {
			map_flush();
			return -EFAULT;
		}
	map_flush();
	err = sys_vircopy(EP_SELF, (uintptr_t)p, s->ep, dst, len, COPY_TRY, NULL);
	return err ? -EFAULT : 0;
}

int64_t call_mincore(struct space *s, const struct message *m)
{
	enum { CHUNK = 256 };
	uint8_t core[CHUNK];
	vaddr_t addr = m->w[0];
	uint64_t len = m->w[1], done = 0, pages;

	if (!page_aligned(addr))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (!range_check(addr, &len))
		return -ENOMEM;
	pages = len >> PAGE_SHIFT;
	if (m->w[2] > SPACE_LAST || pages > SPACE_LAST - m->w[2])
		return -EFAULT;
	if (!regions_cover(&s->regions, addr, addr + len))
		return -ENOMEM;
	while (done < pages) {
		uint64_t n = pages - done < CHUNK ? pages - done : CHUNK;
		int64_t err;

		for (uint64_t i = 0; i < n; i++, addr += PAGE_BYTES)
			core[i] = page_in_core(s, regions_at(&s->regions, addr), addr);
		err = copy_out(s, m->w[2] + done, core, n);
		if (err)
			return err;
		done += n;
	}
	return 0;
}

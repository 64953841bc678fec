/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM_INFO: numbers for procfs, PM's sysinfo and tests. They are copied to the asker's grant; its memory must be present, for
 * VM cannot wait for itself (the asker clears its buffer before it asks).
 */
#include "calls.h"
#include "fault.h"
#include "kmem.h"
#include "mapper.h"
#include "object.h"
#include "resolve.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/vm.h>
#include <string.h>
#include <sys/mman.h>

static uint64_t memory_bytes;

void info_set_memory(uint64_t total_bytes) { memory_bytes = total_bytes; }

static uint64_t resident_pages(bool (*counts)(const struct space *s))
{
	uint64_t n = 0;

	for (int slot = 1; slot < NR_PROCS; slot++) {
		struct process *p = process_at(slot);

		if (p && p->space && p->space->ep == p->ep && counts(p->space))
			n += p->space->pages.pages;
	}
	return n;
}

static bool counts_always(const struct space *s)
{
	(void)s;
	return true;
}

/* All figures in bytes. Pool frames and VM's empty pages are free memory: they come back when needed. */
static void info_stats(struct vm_stats *st)
{
	const struct fault_counts *fc = fault_counts();
	uint64_t pool = ptframes_pool(), given = ptframes_given();
	uint64_t free = frame_free_count() + kmem_pages_spare() + (pool < given ? pool : given);
	uint64_t anonymous = resident_pages(counts_always), cached = objects_cached_pages(), shared = objects_shm_pages();

	*st = (struct vm_stats){
		.total = memory_bytes, .free = free << PAGE_SHIFT,
		.kernel = memory_bytes - ((uint64_t)frame_total() << PAGE_SHIFT) + (kmem_pages_used() << PAGE_SHIFT),
		.page_tables = (given > pool ? given - pool : 0) << PAGE_SHIFT,
		.cached = cached << PAGE_SHIFT, .shared = shared << PAGE_SHIFT, .anonymous = anonymous << PAGE_SHIFT,
		.faults_minor = fc->minor, .faults_major = fc->major, .cow_breaks = fc->cow_breaks, .memreqs = fc->memreqs,
	};
}

static void proc_add_region(struct vm_proc_info *pi, const struct region *r)
{
	uint64_t bytes = r->last - r->first;

	if (r->flags & REGION_STACK)
		pi->stack += bytes;
	else if (r->prot & PROT_EXEC)
		pi->text += bytes;
	else if ((r->prot & PROT_WRITE) && (r->kind == REGION_ANON || r->kind == REGION_FILE))
		pi->data += bytes;
}

static uint64_t shared_pages(struct space *s)
{
	uint64_t page = 0, n = 0;
	frame_t f;

	for (; pagemap_next(&s->pages, page, page_of(SPACE_LAST), &page, &f); page++)
		n += frame_refs(f) > 1;
	return n;
}

static void info_proc(struct space *s, struct vm_proc_info *pi)
{
	const struct region *r;

	space_note_peak(s);
	*pi = (struct vm_proc_info){ .vsize = s->regions.bytes, .rss = s->pages.pages << PAGE_SHIFT,
			.shared = shared_pages(s) << PAGE_SHIFT,
		.locked = s->locked, .faults_minor = s->faults_minor, .faults_major = s->faults_major, .peak_vsize = s->peak_bytes,
		.peak_rss = s->peak_pages << PAGE_SHIFT, .brk_start = s->brk_start, .brk = s->brk };
	REGIONS_EACH(&s->regions, r)
		proc_add_region(pi, r);
}

static struct vm_region_info info_region(const struct region *r)
{
	bool file = r->object && r->object->kind == OBJECT_FILE;

	return (struct vm_region_info){ .first = r->first, .last = r->last, .prot = r->prot,
		.flags = (r->kind == REGION_SHARED ? VM_RI_SHARED : 0) | (r->flags & REGION_STACK ? VM_RI_STACK : 0)
			| (r->flags & REGION_HEAP ? VM_RI_HEAP : 0) | (r->flags & REGION_SPECIAL ? VM_RI_SPECIAL : 0),
		.fs = file ? r->object->fs : EP_NONE, .node = file ? r->object->node : 0,
				.offset = r->kind == REGION_PHYS ? 0 : r->offset };
}

/* Regions from number `first` on, as many as fit. */
static int64_t info_regions(const struct message *m, const struct vm_info_req *rq, const struct space *s, uint64_t *bytes)
{
	enum { CHUNK = 16 };
	struct vm_region_info out[CHUNK];
	uint64_t room = rq->len / sizeof out[0], n;
	const struct region *r = regions_first(&s->regions);

	for (n = 0; r && n < rq->first; n++)
		r = region_next(&s->regions, r);
	*bytes = 0;
	while (r && room) {
		for (n = 0; n < CHUNK && n < room && r; n++, r = region_next(&s->regions, r))
			out[n] = info_region(r);
		if (sys_safecopyto(m->source, rq->grant, *bytes, out, n * sizeof out[0]) != 0)
			return -EFAULT;
		*bytes += n * sizeof out[0];
		room -= n;
	}
	return 0;
}

static int64_t info_copy(const struct message *m, const struct vm_info_req *rq, const void *p, uint64_t len, uint64_t *bytes)
{
	*bytes = rq->len < len ? rq->len : len;
	return sys_safecopyto(m->source, rq->grant, 0, p, *bytes) == 0 ? 0 : -EFAULT;
}

static int64_t info_get(const struct message *m, const struct vm_info_req *rq, uint64_t *bytes)
{
	union { struct vm_stats stats; struct vm_proc_info proc; } u;
	struct space *s = space_of(rq->ep);

	if (rq->what == VM_INFO_STATS) {
		info_stats(&u.stats);
		return info_copy(m, rq, &u.stats, sizeof u.stats, bytes);
	}
	if (rq->what != VM_INFO_PROC && rq->what != VM_INFO_REGIONS)
		return -EINVAL;
	if (!s)
		return -ESRCH;
	if (rq->what == VM_INFO_REGIONS)
		return info_regions(m, rq, s, bytes);
	info_proc(s, &u.proc);
	return info_copy(m, rq, &u.proc, sizeof u.proc, bytes);
}

int64_t rq_info(const struct message *m)
{
	struct message reply = { .type = m->type + 1 };
	uint64_t bytes = 0;
	int64_t result = info_get(m, MSG_BODY(const struct vm_info_req, m), &bytes);

	*MSG_BODY(struct vm_info_rep, &reply) = (struct vm_info_rep){ .result = result, .bytes = result ? 0 : bytes };
	sef_reply(m->source, &reply);
	return CALL_LATER;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory by its physical address: device registers, memory for DMA, the boot archive. */
#include "calls.h"
#include "mapper.h"
#include "object.h"
#include "resolve.h"

#include <abi/priv.h>
#include <errno.h>
#include <libsef/sef.h>
#include <libsys/log.h>
#include <proto/vm.h>
#include <sys/mman.h>

static struct archive { paddr_t first, last; bool freed; } archive;	/* bytes, inclusive */

void archive_set(paddr_t first, paddr_t last) { archive = (struct archive){ .first = first, .last = last }; }

static int64_t phys_map(struct space *s, const struct vm_map_phys_req *rq)
{
	paddr_t first = page_down(rq->paddr);
	uint64_t len = page_up(rq->paddr + rq->len) - first;
	struct region r = { .kind = REGION_PHYS, .prot = PROT_READ | (rq->write ? PROT_WRITE : 0),
		.flags = rq->uncached ? REGION_UNCACHED : 0,
		.offset = first, .file_end = LIMIT_NONE };
	err_t err;

	r.max_prot = r.prot;
	r.first = space_place(s, 0, len, 0);
	if (!r.first)
		return -ENOMEM;
	r.last = r.first + len;
	err = space_insert(s, &r);
	if (err)
		return err;
	map_add_run(s->ep, r.first, first, len >> PAGE_SHIFT, page_rights(s, &r, true));
	err = map_flush();
	if (err) {
		space_unmap(s, r.first, r.last);
		return err == -ENOMEM ? err : -EPERM;
	}
	return (int64_t)(r.first + (rq->paddr - first));
}

static int64_t phys_check(const struct message *m, const struct vm_map_phys_req *rq)
{
	struct priv_mem_range range = { .first = rq->paddr, .last = rq->paddr + rq->len - 1 };

	if (rq->len == 0 || rq->paddr + rq->len < rq->paddr || rq->len > SPACE_LAST / 2)
		return -EINVAL;
	/* A right to memory is one to a device's, whatever the device says of where its registers are. */
	if (frame_any_managed(rq->paddr, range.last))
		return -EPERM;
	return sys_privctl(m->source, PRIVCTL_QUERY_MEM, &range, sizeof range, NULL) == 0 ? 0 : -EPERM;
}

int64_t rq_map_phys(const struct message *m)
{
	const struct vm_map_phys_req *rq = MSG_BODY(const struct vm_map_phys_req, m);
	struct message reply = { .type = m->type + 1 };
	struct space *s = space_of(m->source);
	int64_t addr = s ? phys_check(m, rq) : -ESRCH;

	if (addr == 0)
		addr = phys_map(s, rq);
	*MSG_BODY(struct vm_map_phys_rep, &reply) = (struct vm_map_phys_rep){ .result = addr < 0 ? addr : 0,
		.addr = addr < 0 ? 0 : (vaddr_t)addr };
	sef_reply(m->source, &reply);
	return CALL_LATER;
}

int64_t rq_map_archive(const struct message *m)
{
	struct vm_map_phys_req rq = { .paddr = archive.first, .len = archive.last - archive.first + 1 };
	struct message reply = { .type = m->type + 1 };
	struct space *s = space_of(m->source);
	int64_t addr = archive.freed || archive.last <= archive.first ? -ENOENT : s ? phys_map(s, &rq) : -ESRCH;

	*MSG_BODY(struct vm_map_archive_rep, &reply) = (struct vm_map_archive_rep){ .result = addr < 0 ? addr : 0,
		.addr = addr < 0 ? 0 : (vaddr_t)addr, .len = rq.len };
	sef_reply(m->source, &reply);
	return CALL_LATER;
}

/* Mappings of the archive that its reader forgot to remove must not outlive it. */
static void archive_unmap(struct space *s)
{
	const struct region *r;

	/* What is found is found anew each time: removing may move all regions. */
	for (vaddr_t from = 0; (r = regions_lower(&s->regions, from)) != NULL;) {
		from = r->last;
		if (r->kind == REGION_PHYS && r->offset <= archive.last && r->offset + (r->last - r->first) > archive.first)
			space_unmap(s, r->first, r->last);
	}
}

int64_t rq_free_archive(const struct message *m)
{
	frame_t first = frame_of(archive.first + PAGE_BYTES - 1), last = frame_of(archive.last + 1);

	(void)m;
	if (archive.freed || archive.last <= archive.first || last <= first)
		return archive.freed ? -EPERM : 0;
	archive.freed = true;
	for (int slot = 1; slot < NR_PROCS; slot++) {
		struct process *p = process_at(slot);

		if (p && p->space && p->space->ep == p->ep)
			archive_unmap(p->space);
	}
	frame_add(first, last - first);
	return 0;
}

/* ---- contiguous memory ---- */

/* What a service has is counted each time, so that nothing needs to know when it gives some back. */
static uint64_t contig_bytes(struct space *s)
{
	uint64_t sum = 0;

	for (const struct region *r = regions_first(&s->regions); r; r = region_next(&s->regions, r))
		if (r->flags & REGION_CONTIG)
			sum += r->last - r->first;
	return sum;
}

static bool contig_permitted(const struct process *p, uint64_t len)
{
	if (len <= p->contig_max && contig_bytes(p->space) <= p->contig_max - len)
		return true;
	log_refused(p->ep, "more contiguous memory than `contig` in its description allows", -EDQUOT);
	return false;
}

static err_t contig_map(struct space *s, vaddr_t addr, frame_t first, uint32_t n)
{
	struct region r = { .first = addr, .last = addr + ((uint64_t)n << PAGE_SHIFT), .kind = REGION_ANON,
		.prot = PROT_READ | PROT_WRITE, .max_prot = PROT_READ | PROT_WRITE,
		.flags = REGION_LOCKED | REGION_DONTFORK | REGION_CONTIG, .file_end = LIMIT_NONE };

	for (uint32_t i = 0; i < n; i++)
		if (pagemap_reserve(&s->pages, page_of(addr) + i) != 0)
			return -ENOMEM;
	if (space_insert(s, &r) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		pagemap_set(&s->pages, page_of(addr) + i, first + i);
		map_add(MAP_ZERO, s->ep, addr + ((uint64_t)i << PAGE_SHIFT), first + i, page_rights(s, &r, true));
	}
	return map_flush();
}

static int64_t contig_alloc(struct process *p, const struct vm_alloc_contig_req *rq, paddr_t *paddr)
{
	struct space *s = p->space;
	uint64_t len = page_up(rq->len), n = len >> PAGE_SHIFT, align = rq->align > PAGE_BYTES ? rq->align >> PAGE_SHIFT : 1;
	frame_t first;
	vaddr_t addr;

	if (rq->len == 0 || rq->len > (uint64_t)frame_total() << PAGE_SHIFT || (align & (align - 1)) || align > frame_total())
		return -EINVAL;
	if (!contig_permitted(p, len))
		return -EDQUOT;
	first = frame_alloc_contig(FRAME_FOR_SERVICE, n, align, rq->below ? (rq->below >> PAGE_SHIFT) & 0xffffffff : 0);
	if (first == FRAME_NONE && objects_reclaim())
		first = frame_alloc_contig(FRAME_FOR_SERVICE, n, align, rq->below ? (rq->below >> PAGE_SHIFT) & 0xffffffff : 0);
	if (first == FRAME_NONE)
		return -ENOMEM;
	addr = space_place(s, 0, len, 0);
	s->dma = true;
	if (addr && contig_map(s, addr, first, n) == 0) {
		*paddr = frame_addr(first);
		return (int64_t)addr;
	}
	if (!addr || !regions_at(&s->regions, addr)) {
		while (n)
			frame_put(first + --n);
	} else {
		space_unmap(s, addr, addr + len);
	}
	return -ENOMEM;
}

int64_t rq_alloc_contig(const struct message *m)
{
	struct message reply = { .type = m->type + 1 };
	struct process *p = process_of(m->source);
	paddr_t paddr = 0;
	int64_t addr = p && p->space ? contig_alloc(p, MSG_BODY(const struct vm_alloc_contig_req, m), &paddr) : -ESRCH;

	*MSG_BODY(struct vm_alloc_contig_rep, &reply) = (struct vm_alloc_contig_rep){ .result = addr < 0 ? addr : 0,
		.addr = addr < 0 ? 0 : (vaddr_t)addr, .paddr = paddr };
	sef_reply(m->source, &reply);
	return CALL_LATER;
}

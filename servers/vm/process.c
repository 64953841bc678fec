/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life of processes as far as memory is concerned: fork, exec, exit, limits, rights. PM, VFS and RS ask, all is answered at once.
 */
#include "calls.h"
#include "mapper.h"
#include "object.h"
#include "oom.h"
#include "pagein.h"
#include "protect.h"
#include "resolve.h"
#include "wait.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/vm.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC };

static struct vdso { paddr_t code, data; uint64_t code_pages, data_pages; } vdso;

void vdso_set(paddr_t code, uint64_t code_pages, paddr_t data, uint64_t data_pages)
{
	vdso = (struct vdso){ .code = code, .data = data, .code_pages = code_pages, .data_pages = data_pages };
}

int64_t rq_fork(const struct message *m)
{
	const struct vm_fork_req *rq = MSG_BODY(const struct vm_fork_req, m);
	err_t err;

	if (rq->flags & ~(uint32_t)VM_FORK_SHARE)
		return -EINVAL;
	if (rq->flags & VM_FORK_SHARE)
		return space_share(rq->parent, rq->child);
	err = space_fork(rq->parent, rq->child);
	if (err == -ENOMEM && objects_reclaim())
		err = space_fork(rq->parent, rq->child);
	return err;
}

/* Nothing of the process may wait for anything any more, then its memory goes. */
int64_t rq_exit(const struct message *m)
{
	endpoint_t ep = MSG_BODY(const struct vm_exit_req, m)->ep;
	struct process *p = process_of(ep);
	bool service = p && (!p->space || !p->space->user);

	if (!p)
		return 0;
	pageins_purge(ep);
	mmaps_purge(ep);
	space_drop(ep);
	if (service)
		objects_fs_died(ep);
	ptframes_trim();
	return 0;
}

/* ---- exec ---- */

static err_t vdso_map_part(struct space *s, vaddr_t addr, paddr_t paddr, uint64_t pages, uint32_t prot)
{
	struct region r = { .first = addr, .last = addr + (pages << PAGE_SHIFT), .kind = REGION_PHYS, .prot = prot, .max_prot = prot,
		.flags = REGION_SPECIAL, .offset = paddr, .file_end = LIMIT_NONE };

	if (pages == 0)
		return 0;
	map_add_run(s->ep, addr, paddr, pages, page_rights(s, &r, true));
	return space_insert(s, &r);
}

/* The clock data lie directly below the code, which finds them there. */
static err_t vdso_map(struct space *s, vaddr_t *code)
{
	uint64_t pages = vdso.code_pages + vdso.data_pages;
	vaddr_t addr = vdso.code_pages ? space_place(s, 0, pages << PAGE_SHIFT, 0) : 0;
	err_t err;

	*code = 0;
	if (!addr)
		return 0;
	err = vdso_map_part(s, addr, vdso.data, vdso.data_pages, PROT_READ);
	if (!err)
		err = vdso_map_part(s, addr + (vdso.data_pages << PAGE_SHIFT), vdso.code, vdso.code_pages, PROT_READ | PROT_EXEC);
	*code = addr + (vdso.data_pages << PAGE_SHIFT);
	return err ? err : map_flush();
}

int64_t rq_exec_new(const struct message *m)
{
	endpoint_t ep = MSG_BODY(const struct vm_exec_new_req, m)->ep;
	struct message reply = { .type = m->type + 1 };
	vaddr_t code = 0;
	err_t err;

	pageins_purge(ep);
	mmaps_purge(ep);
	err = space_renew(ep, m->source != EP_RS);
	if (!err)
		err = vdso_map(space_of(ep), &code);
	*MSG_BODY(struct vm_exec_new_rep, &reply) = (struct vm_exec_new_rep){ .result = err, .vdso = code };
	sef_reply(m->source, &reply);
	return CALL_LATER;
}

static struct region mmap_for_region(const struct vm_mmap_for_req *rq, uint64_t len)
{
	struct region r = { .first = rq->addr, .last = rq->addr + len, .prot = rq->prot & PROT_ALL, .max_prot = PROT_ALL,
		.file_end = LIMIT_NONE };

	if (rq->flags & VM_MF_STACK)
		r.flags |= REGION_STACK;
	if (rq->fs == EP_NONE)
		return r;
	r.kind = rq->flags & VM_MF_SHARED ? REGION_SHARED : REGION_FILE;
	r.offset = rq->offset;
	/* file_end counts from the start of the mapping; a region counts from the start of the file. */
	if (r.kind == REGION_FILE && rq->file_end < len)
		r.file_end = rq->offset + rq->file_end;
	return r;
}

static err_t mmap_for_check(const struct vm_mmap_for_req *rq, uint64_t *len)
{
	if (!range_check(rq->addr, len) || rq->addr < SPACE_FIRST || (rq->prot & ~(uint32_t)PROT_ALL))
		return -EINVAL;
	if (rq->fs == EP_NONE)
		return rq->flags & VM_MF_SHARED ? -EINVAL : 0;
	return page_aligned(rq->offset) && rq->offset + *len >= rq->offset && space_of(rq->fs) ? 0 : -EINVAL;
}

/* The first file mapped into a fresh space is the program. */
static void program_set(struct space *s, const struct region *r)
{
	object_get(r->object);
	s->program = r->object;
	s->program_page = page_of(r->first);
	object_profile_run(r->object);
}

static err_t mmap_for_insert(struct space *s, const struct vm_mmap_for_req *rq, struct region *r)
{
	err_t err;

	if (regions_overlap(&s->regions, r->first, r->last))
		return -EEXIST;
	if (rq->fs != EP_NONE && !(r->object = object_file(rq->fs, rq->node)))
		return -ENOMEM;
	err = space_insert(s, r);
	if (err) {
		if (r->object)
			object_put(r->object);
		return err;
	}
	if (r->object)
		object_count_vfs_ref(r->object);
	if (rq->flags & (VM_MF_HEAP | VM_MF_BRK_BASE))
		s->brk_start = s->brk = r->last;
	if (s->user && r->object && !s->program)
		program_set(s, r);
	if (s->user || (r->flags & REGION_STACK)) {
		region_preload(s, r);
		map_flush();
	}
	return 0;
}

/* Pages of the lender become the region's too: one copy of a program's text serves all instances of a service. */
static err_t mmap_for_lend(struct space *s, const struct region *r, struct space *lender, vaddr_t from)
{
	for (vaddr_t addr = r->first; addr < r->last; addr += PAGE_BYTES, from += PAGE_BYTES) {
		frame_t f = pagemap_get(&lender->pages, page_of(from));
		err_t err = f == FRAME_NONE ? -EFAULT : pagemap_set(&s->pages, page_of(addr), f);

		if (err)
			return err;
		frame_get(f);
		map_add(MAP_FRAMES, s->ep, addr, f, page_rights(s, r, false));
	}
	return map_flush();
}

static err_t rq_mmap_lend(const struct message *m, struct space *s, struct region *r)
{
	const struct vm_mmap_for_req *rq = MSG_BODY(const struct vm_mmap_for_req, m);
	struct space *lender = space_of(m->source);
	uint64_t len = r->last - r->first;
	err_t err;

	if (m->source != EP_RS || !lender || (rq->prot & PROT_WRITE) || rq->fs != EP_NONE || !page_aligned(rq->offset)
	    || rq->offset > SPACE_LAST - len)
		return -EINVAL;
	err = mmap_for_insert(s, rq, r);
	if (err)
		return err;
	err = mmap_for_lend(s, r, lender, rq->offset);
	if (err) {
		map_flush();
		space_unmap(s, r->first, r->last);
	}
	return err;
}

int64_t rq_mmap_for(const struct message *m)
{
	const struct vm_mmap_for_req *rq = MSG_BODY(const struct vm_mmap_for_req, m);
	struct space *s = space_of(rq->ep);
	uint64_t len = rq->len;
	struct region r;
	err_t err;

	if (!s)
		return -ESRCH;
	err = mmap_for_check(rq, &len);
	if (!err)
		err = memory_for_request(s);
	if (err)
		return err;
	r = mmap_for_region(rq, len);
	return rq->flags & VM_MF_LEND ? rq_mmap_lend(m, s, &r) : mmap_for_insert(s, rq, &r);
}

int64_t rq_protect_for(const struct message *m)
{
	const struct vm_protect_for_req *rq = MSG_BODY(const struct vm_protect_for_req, m);
	struct space *s = space_of(rq->ep);

	return s ? space_protect(s, rq->addr, rq->len, rq->prot) : -ESRCH;
}

int64_t rq_prefault(const struct message *m)
{
	const struct vm_prefault_req *rq = MSG_BODY(const struct vm_prefault_req, m);
	struct waiter w = { .kind = WAIT_PREFAULT, .who = m->source, .target = rq->ep, .addr = rq->addr, .last = rq->addr + rq->len,
		.access = rq->write ? MAP_WRITE : MAP_READ, .id = rq->id };

	if (rq->addr > SPACE_LAST || rq->len > SPACE_LAST - rq->addr)
		w.last = LIMIT_NONE;	/* fails at the first page that cannot be */
	wait_start(&w);
	return CALL_LATER;
}

int64_t rq_forget(const struct message *m)
{
	const struct vm_forget_req *rq = MSG_BODY(const struct vm_forget_req, m);
	struct object *o = object_find(m->source, rq->node);

	if (o)
		object_forget(o, rq->first_page, !rq->keep_copies);
	return CALL_LATER;
}

int64_t rq_release(const struct message *m)
{
	objects_release(MSG_BODY(const struct vm_release_req, m)->fs);
	return 0;
}

int64_t rq_set_priv(const struct message *m)
{
	const struct vm_set_priv_req *rq = MSG_BODY(const struct vm_set_priv_req, m);
	struct process *p = process_of(rq->ep);

	if (!p)
		return -ESRCH;
	p->call_mask = rq->mask;
	p->contig_max = rq->contig_max;
	return 0;
}

int64_t rq_rlimit(const struct message *m)
{
	const struct vm_rlimit_req *rq = MSG_BODY(const struct vm_rlimit_req, m);
	struct space *s = space_of(rq->ep);

	if (!s)
		return -ESRCH;
	switch (rq->resource) {
	case RLIMIT_AS: s->limits[LIMIT_AS] = rq->cur; return 0;
	case RLIMIT_DATA: s->limits[LIMIT_DATA] = rq->cur; return 0;
	case RLIMIT_STACK: s->limits[LIMIT_STACK] = rq->cur; return 0;
	case RLIMIT_MEMLOCK: s->limits[LIMIT_MEMLOCK] = rq->cur; return 0;
	default: return -EINVAL;
	}
}

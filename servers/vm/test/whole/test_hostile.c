/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls with random arguments, sensible, strange and impossible ones mixed, from several processes and in the name of dead ones. Whatever
 * the answers are: regions stay sorted and whole, each frame is held as often as it is recorded, and all memory comes back.
 */
#define HOST_REAL_OBJECTS
#include "../../calls.h"
#include "../../kmem.h"
#include "../../object.h"
#include "../../pagein.h"
#include "../host_backend.h"
#include "fake_kernel.h"

#include <errno.h>
#include <proto/fs.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { FIRST_PROC = 10, PROCS = 6, STEPS = 150000 };

typedef int64_t call_fn(struct space *s, const struct message *m);
static call_fn *const calls[] = { call_mmap, call_mmap, call_mmap, call_munmap, call_mprotect, call_mremap, call_madvise, call_msync,
	call_mlock, call_munlock, call_mlockall, call_munlockall, call_brk };
enum { NR_CALLS = sizeof calls / sizeof calls[0] };

/* ---- servers that answer well, badly, or not at all ---- */

void fake_deliver(endpoint_t dst, const struct message *m)
{
	struct message reply = { .source = dst };

	if (dst == FAKE_FS && m->type == FS_GETPAGE) {
		const struct fs_getpage_req *rq = MSG_BODY(const struct fs_getpage_req, m);

		reply.type = FS_GETPAGE + 1;
		*MSG_BODY(struct fs_getpage_rep, &reply) = (struct fs_getpage_rep){ .id = rq->id,
			.result = host_random(4) ? 0 : -EIO,
			.addr = host_random(4) ? 0x700000000ull + ((uint64_t)host_random(64) << PAGE_SHIFT) : host_random(1000) };
		pagein_reply(&reply);
	}
	if (dst == EP_VFS && m->type == VFS_VM_MMAP) {
		const struct vfs_vm_mmap_req *rq = MSG_BODY(const struct vfs_vm_mmap_req, m);

		reply.type = VM_MMAP_REPLY;
		*MSG_BODY(struct vm_mmap_reply_req, &reply) = (struct vm_mmap_reply_req){
			.id = host_random(10) ? rq->id : host_random(1000), .result = host_random(5) ? 0 : -EBADF,
			.fs = host_random(8) ? FAKE_FS : (endpoint_t)host_random(70), .flags = host_random(8),
			.node = host_random(4), .size = host_random(100000) };
		rq_mmap_reply(&reply);
	}
}

static void deliver_all(void)
{
	struct message m;
	endpoint_t dst;

	while (fake_sent(&m, &dst))
		fake_deliver(dst, &m);
}

/* ---- invariants ---- */

static uint32_t held[FAKE_FRAMES];

static void count_pages(struct pagemap *m)
{
	uint64_t page = 0, n = 0;
	frame_t f;

	for (; pagemap_next(m, page, ~0ull, &page, &f); page++, n++) {
		CHECK(f < FAKE_FRAMES);
		held[f]++;
	}
	CHECK(n == m->pages);
}

static void check_space(struct space *s)
{
	uint64_t bytes = 0, page = 0;
	vaddr_t end = 0;
	const struct region *r;
	frame_t f;

	REGIONS_EACH(&s->regions, r) {
		CHECK(end <= r->first && r->first < r->last && r->last <= SPACE_LAST);
		end = r->last;
		CHECK((r->object != NULL) == (r->kind == REGION_FILE || r->kind == REGION_SHARED));
		bytes += r->last - r->first;
	}
	CHECK(bytes == s->regions.bytes && s->locked <= bytes);
	for (; pagemap_next(&s->pages, page, ~0ull, &page, &f); page++)
		CHECK(regions_at(&s->regions, page << PAGE_SHIFT) != NULL);
	count_pages(&s->pages);
}

static void check_all(void)
{
	uint64_t objects = objects_cached_pages() + objects_shm_pages(), seen = 0, recorded = 0;

	memset(held, 0, sizeof held);
	for (int slot = 1; slot < FAKE_PROCS; slot++) {
		struct process *p = process_at(slot);

		/* Threads share a space: it is visited at the one that names it. */
		if (p && p->space && p->space->ep == p->ep)
			check_space(p->space);
	}
	for (uint32_t f = 1; f < FAKE_FRAMES; f++) {
		if (!frame_managed(f))
			continue;
		seen += held[f];
		recorded += held[f] ? frame_refs(f) : 0;
		CHECK(frame_refs(f) >= held[f]);
	}
	/* What is held beyond the spaces is held by objects. */
	CHECK(recorded - seen <= objects);
}

/* ---- random arguments ---- */

static uint64_t random_number(void)
{
	static const uint64_t special[] = { 0, 1, 4095, 4096, 0x10000, 0x7ffffffff000, 0x7fffffffe000, 0x800000000000, ~0ull,
		~0xfffull, 1ull << 46, 1ull << 63, 0x500000000, 0x7fff0000 };

	switch (host_random(6)) {
	case 0: return special[host_random(sizeof special / sizeof special[0])];
	case 1: return (uint64_t)host_random(1u << 31) << host_random(34);
	case 2: return host_random(300);
	case 3: return (uint64_t)host_random(64) << PAGE_SHIFT;
	default: return 0x500000000ull + ((uint64_t)host_random(128) << PAGE_SHIFT);
	}
}

static uint64_t random_flags(void)
{
	uint64_t flags = host_random(3) ? MAP_ANONYMOUS : 0;

	flags |= host_random(4) ? MAP_PRIVATE : MAP_SHARED;
	flags |= host_random(3) ? 0 : MAP_FIXED;
	flags |= host_random(6) ? 0 : 0x100000;
	flags |= host_random(8) ? 0 : MAP_POPULATE;
	flags |= host_random(8) ? 0 : MAP_GROWSDOWN;
	return host_random(10) ? flags : random_number();
}

static void random_call(int p)
{
	endpoint_t ep = FIRST_PROC + p;
	uint32_t nr = host_random(NR_CALLS);
	struct message m = { .source = ep, .type = MSG_LINUX };

	if (!space_of(ep))
		return;
	for (int i = 0; i < 6; i++)
		m.w[i] = random_number();
	if (calls[nr] == call_mmap && host_random(8)) {
		m.w[1] = 1 + host_random(20 * PAGE_BYTES);
		m.w[2] = host_random(8);
		m.w[3] = random_flags();
		m.w[5] = (uint64_t)host_random(8) << PAGE_SHIFT;
	} else if (host_random(4)) {
		m.w[1] = host_random(30) * PAGE_BYTES;
		m.w[2] = host_random(40);
		m.w[3] = host_random(8);
	}
	if (calls[nr](space_of(ep), &m) != CALL_LATER)
		return;
	for (int i = 0; i < 200 && !fake_answered(ep); i++) {
		deliver_all();
		pageins_tick();
	}
	if (fake_answered(ep))
		fake_reply(ep);
	else
		mmaps_purge(ep);	/* its answer was given a wrong id: it waits for ever */
}

static void random_request(void)
{
	struct message m = { .source = host_random(2) ? EP_PM : EP_VFS, .type = VM_EXIT };
	endpoint_t ep = host_random(4) ? (endpoint_t)(FIRST_PROC + host_random(PROCS)) : (endpoint_t)random_number(),
		other = FIRST_PROC + host_random(PROCS);

	if (ep == FAKE_FS)
		return;
	for (int i = 0; i < 7; i++)
		m.w[i] = random_number();
	switch (host_random(5)) {
	case 0:
		*MSG_BODY(struct vm_fork_req, &m) = (struct vm_fork_req){ ep, other, host_random(3) ? 0 : VM_FORK_SHARE };
		if (ep > 0 && ep < FAKE_PROCS)
			rq_fork(&m);
		break;
	case 1:
		MSG_BODY(struct vm_exit_req, &m)->ep = ep;
		if (ep > 0 && ep < FAKE_PROCS && host_random(3) == 0)
			rq_exit(&m);
		break;
	case 2:
		MSG_BODY(struct vm_mmap_for_req, &m)->ep = ep;
		if (host_random(2)) {
			MSG_BODY(struct vm_mmap_for_req, &m)->prot = host_random(8);
			MSG_BODY(struct vm_mmap_for_req, &m)->len = host_random(20) * PAGE_BYTES;
			MSG_BODY(struct vm_mmap_for_req, &m)->fs = host_random(2) ? EP_NONE : FAKE_FS;
			MSG_BODY(struct vm_mmap_for_req, &m)->flags = host_random(16);
			MSG_BODY(struct vm_mmap_for_req, &m)->offset = host_random(16) * PAGE_BYTES;
			MSG_BODY(struct vm_mmap_for_req, &m)->file_end = host_random(20 * PAGE_BYTES);
		}
		rq_mmap_for(&m);
		break;
	case 3:
		MSG_BODY(struct vm_protect_for_req, &m)->ep = ep;
		rq_protect_for(&m);
		break;
	default:
		m.source = FAKE_FS;
		MSG_BODY(struct vm_forget_req, &m)->node = host_random(4);
		rq_forget(&m);
	}
}

static void touch(int p)
{
	uint64_t value;

	if (!space_of(FIRST_PROC + p) || fake_killed(FIRST_PROC + p))
		return;
	if (host_random(2))
		fake_read(FIRST_PROC + p, random_number() & (SPACE_LAST - 1), &value);
	else
		fake_write(FIRST_PROC + p, random_number() & (SPACE_LAST - 1), 1);
	fake_revive(FIRST_PROC + p);
}

static void step(int p)
{
	if (!space_of(FIRST_PROC + p))
		CHECK(space_renew(FIRST_PROC + p, true) == 0 || frame_free_count() < 100);
	switch (host_random(8)) {
	case 0: random_request(); break;
	case 1: case 2: touch(p); break;
	case 3: host_random(30) ? (void)0 : (void)objects_tick(); break;
	default: random_call(p);
	}
	deliver_all();
}

static void run(uint64_t seed, uint32_t frames)
{
	struct region r = { .first = 0x700000000ull, .last = 0x700040000ull, .kind = REGION_ANON, .prot = PROT_READ | PROT_WRITE,
		.max_prot = PROT_READ | PROT_WRITE, .file_end = LIMIT_NONE };
	uint64_t used;

	host_seed(seed);
	fake_start(frames);
	used = frame_free_count();
	CHECK(space_renew(FAKE_FS, false) == 0 && space_insert(space_of(FAKE_FS), &r) == 0);
	for (int n = 0; n < STEPS; n++) {
		step(host_random(PROCS));
		if (n % 200 == 0)
			check_all();
	}
	for (int slot = 1; slot < FAKE_PROCS; slot++)
		if (process_at(slot)) {
			pageins_purge(process_at(slot)->ep);
			mmaps_purge(process_at(slot)->ep);
			space_drop(process_at(slot)->ep);
		}
	for (int i = 0; i < 30; i++) {
		deliver_all();
		pageins_tick();
		objects_tick();
	}
	CHECK(kmem_pages_used() == 0 && frame_free_count() + fake_pool() == used);
}

int main(void)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		run(seed, 2500);
		run(seed + 100, 250);
	}
	puts("ok");
	return 0;
}

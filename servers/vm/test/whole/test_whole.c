/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of VM but its main loop on a fake kernel: processes map, protect, move, fork and touch memory at random, and must always see what
 * a model of them says. In the end every frame, every object and every reference that VFS gave must have come back.
 */
#define HOST_REAL_OBJECTS
#include "../../calls.h"
#include "../../kmem.h"
#include "../../object.h"
#include "../../pagein.h"
#include "../../rest.h"
#include "../host_backend.h"
#include "fake_kernel.h"

#include <errno.h>
#include <proto/fs.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { WINDOW = 200, FIRST_PROC = 10, PROCS = 12, OBJECTS = 4000, FILES = 3, FILE_PAGES = 64, STEPS = 60000 };
enum kind { HOLE, PRIVATE, SHARED, FILE_PRIVATE, FILE_SHARED };
#define BASE 0x500000000ull
#define FS_BASE 0x700000000ull

struct page { enum kind kind; int prot; bool copied; uint64_t value; int object; int index; };
static struct { bool alive; struct page pages[WINDOW]; } procs[PROCS];
static uint64_t shared[OBJECTS][WINDOW], files[FILES][FILE_PAGES];
static int nr_objects, vfs_refs;

static vaddr_t addr_of(int page) { return BASE + (vaddr_t)page * PAGE_BYTES; }
static vaddr_t fs_addr(int file, int page) { return FS_BASE + (vaddr_t)(file * FILE_PAGES + page) * PAGE_BYTES; }

/* ---- servers ---- */

static void fs_deliver(const struct message *m)
{
	const struct fs_getpage_req *rq = MSG_BODY(const struct fs_getpage_req, m);
	struct message reply = { .source = FAKE_FS, .type = FS_GETPAGE + 1 };
	bool there = rq->page < FILE_PAGES;

	CHECK(m->type == FS_GETPAGE && rq->node < FILES);
	*MSG_BODY(struct fs_getpage_rep, &reply) = (struct fs_getpage_rep){ .id = rq->id, .result = there ? 0 : -ENXIO,
		.addr = there ? fs_addr((int)rq->node, (int)rq->page) : 0, .valid = PAGE_BYTES };
	pagein_reply(&reply);
}

static void vfs_deliver(const struct message *m)
{
	const struct vfs_vm_mmap_req *rq = MSG_BODY(const struct vfs_vm_mmap_req, m);
	struct message reply = { .source = EP_VFS, .type = VM_MMAP_REPLY };

	if (m->type == VFS_VM_UNREF) {
		vfs_refs -= MSG_BODY(const struct vfs_vm_unref_req, m)->count;
		CHECK(vfs_refs >= 0);
		return;
	}
	CHECK(m->type == VFS_VM_MMAP);
	vfs_refs++;
	*MSG_BODY(struct vm_mmap_reply_req, &reply) = (struct vm_mmap_reply_req){ .id = rq->id, .fs = FAKE_FS, .flags = VM_MR_WRITABLE,
		.node = rq->fd, .size = FILE_PAGES * PAGE_BYTES };
	rq_mmap_reply(&reply);
}

void fake_deliver(endpoint_t dst, const struct message *m)
{
	CHECK(dst == FAKE_FS || dst == EP_VFS);
	if (dst == FAKE_FS)
		fs_deliver(m);
	else
		vfs_deliver(m);
}

static void deliver_all(void)
{
	struct message m;
	endpoint_t dst;

	while (fake_sent(&m, &dst))
		fake_deliver(dst, &m);
}

/* ---- system calls ---- */

typedef int64_t call_fn(struct space *s, const struct message *m);

static int64_t call(int p, call_fn *fn, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	endpoint_t ep = FIRST_PROC + p;
	struct message m = { .source = ep, .type = MSG_LINUX, .w = { a0, a1, a2, a3, a4, a5 } };
	int64_t result = fn(space_of(ep), &m);

	if (result != CALL_LATER)
		return result;
	deliver_all();
	return fake_reply(ep);
}

static int random_prot(void)
{
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC };

	return prots[host_random(5)];
}

static void do_mmap(int p, int a, int b)
{
	int prot = random_prot(), n = b - a, flags = MAP_FIXED | (host_random(8) ? 0 : MAP_POPULATE);
	enum kind kind = PRIVATE + host_random(4);
	int object = 0, first = 0;

	if (kind == FILE_PRIVATE || kind == FILE_SHARED) {
		object = host_random(FILES);
		first = host_random(FILE_PAGES - 1);
		if (first + n > FILE_PAGES)
			b = a + (n = FILE_PAGES - first);
	} else {
		flags |= MAP_ANONYMOUS;
		if (kind == SHARED && nr_objects == OBJECTS)
			kind = PRIVATE;
		object = kind == SHARED ? nr_objects++ : 0;
	}
	flags |= kind == PRIVATE || kind == FILE_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
	CHECK(call(p, call_mmap, addr_of(a), n * PAGE_BYTES - host_random(PAGE_BYTES), prot, flags, object,
			first * PAGE_BYTES) == (int64_t)addr_of(a));
	for (int i = a; i < b; i++)
		procs[p].pages[i] = (struct page){ kind, prot, false, 0, object, first + i - a };
	/* Populating writable private pages makes the copies at once. */
	for (int i = a; kind == FILE_PRIVATE && (flags & MAP_POPULATE) && (prot & PROT_WRITE) && i < b; i++) {
		procs[p].pages[i].copied = true;
		procs[p].pages[i].value = files[object][first + i - a];
	}
}

static void do_munmap(int p, int a, int b)
{
	CHECK(call(p, call_munmap, addr_of(a), (b - a) * PAGE_BYTES, 0, 0, 0, 0) == 0);
	for (int i = a; i < b; i++)
		procs[p].pages[i].kind = HOLE;
}

static bool any_hole(int p, int a, int b)
{
	for (int i = a; i < b; i++)
		if (procs[p].pages[i].kind == HOLE)
			return true;
	return false;
}

static void do_mprotect(int p, int a, int b)
{
	int prot = random_prot();
	int64_t r = call(p, call_mprotect, addr_of(a), (b - a) * PAGE_BYTES, prot, 0, 0, 0);

	CHECK(r == (any_hole(p, a, b) ? -ENOMEM : 0));
	for (int i = a; i < b && procs[p].pages[i].kind != HOLE; i++)
		procs[p].pages[i].prot = prot;
}

static void do_dontneed(int p, int a, int b)
{
	CHECK(call(p, call_madvise, addr_of(a), (b - a) * PAGE_BYTES, MADV_DONTNEED, 0, 0, 0) == (any_hole(p, a, b) ? -ENOMEM : 0));
	for (int i = a; i < b; i++) {
		procs[p].pages[i].copied = false;
		procs[p].pages[i].value = 0;
	}
}

static void do_mremap(int p, int a, int b)
{
	int to = host_random(WINDOW), n = 1 + host_random(b - a);
	struct page moved[WINDOW];
	int64_t r;

	if (to + n > WINDOW)
		return;
	r = call(p, call_mremap, addr_of(a), (b - a) * PAGE_BYTES, n * PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, addr_of(to), 0);
	if (to < b && to + n > a) {
		CHECK(r == -EINVAL);
		return;
	}
	CHECK(r == (int64_t)addr_of(to) || (r == -EFAULT));
	if (r < 0)
		return;
	memcpy(moved, &procs[p].pages[a], n * sizeof moved[0]);
	for (int i = a; i < b; i++)
		procs[p].pages[i].kind = HOLE;
	memcpy(&procs[p].pages[to], moved, n * sizeof moved[0]);
}

static void do_fork(int p)
{
	struct message m = { .source = EP_PM, .type = VM_FORK };
	int child = host_random(PROCS);

	if (procs[child].alive)
		return;
	*MSG_BODY(struct vm_fork_req, &m) = (struct vm_fork_req){ FIRST_PROC + p, FIRST_PROC + child, 0 };
	CHECK(rq_fork(&m) == 0);
	procs[child] = procs[p];
}

static void do_exit(int p)
{
	struct message m = { .source = EP_PM, .type = VM_EXIT };

	MSG_BODY(struct vm_exit_req, &m)->ep = FIRST_PROC + p;
	CHECK(rq_exit(&m) == 0);
	CHECK(fake_mapped_pages(FIRST_PROC + p) == 0);
	procs[p].alive = false;
	fake_revive(FIRST_PROC + p);
	deliver_all();
}

static void do_start(int p)
{
	CHECK(space_renew(FIRST_PROC + p, true) == 0);
	memset(&procs[p], 0, sizeof procs[p]);
	procs[p].alive = true;
}

/* ---- touching ---- */

static uint64_t *model_place(struct page *g)
{
	switch (g->kind) {
	case SHARED: return &shared[g->object][g->index];
	case FILE_SHARED: return &files[g->object][g->index];
	case FILE_PRIVATE: return g->copied ? &g->value : &files[g->object][g->index];
	default: return &g->value;
	}
}

static void do_read(int p, int a)
{
	struct page *g = &procs[p].pages[a];
	uint64_t value = 0;
	bool ok = fake_read(FIRST_PROC + p, addr_of(a) + host_random(PAGE_BYTES), &value);

	CHECK(ok == (g->kind != HOLE && g->prot != PROT_NONE));
	if (ok && value != *model_place(g))
		fprintf(stderr, "process %d page %d kind %d object %d index %d copied %d\n", p, a, g->kind, g->object, g->index, g->copied);
	if (ok)
		CHECK(value == *model_place(g));
	else
		fake_revive(FIRST_PROC + p);
}

static void do_write(int p, int a)
{
	struct page *g = &procs[p].pages[a];
	uint64_t value = host_random(1 << 30);

	if (!fake_write(FIRST_PROC + p, addr_of(a), value)) {
		CHECK(g->kind == HOLE || !(g->prot & PROT_WRITE));
		fake_revive(FIRST_PROC + p);
		return;
	}
	CHECK(g->kind != HOLE && (g->prot & PROT_WRITE));
	if (g->kind == FILE_PRIVATE)
		g->copied = true;
	*model_place(g) = value;
}

static void do_forget(int file)
{
	struct message m = { .source = FAKE_FS, .type = VM_FORGET };

	/* Nothing is truncated, so all that changes is that private copies are gone and pages are asked for again. */
	*MSG_BODY(struct vm_forget_req, &m) = (struct vm_forget_req){ .node = file, .first_page = host_random(FILE_PAGES) };
	if (!object_find(FAKE_FS, file))
		return;
	rq_forget(&m);
	for (int p = 0; p < PROCS; p++)
		for (int i = 0; procs[p].alive && i < WINDOW; i++)
			if (procs[p].pages[i].object == file && procs[p].pages[i].kind == FILE_PRIVATE
				&& procs[p].pages[i].index >= (int)MSG_BODY(struct vm_forget_req, &m)->first_page)
				procs[p].pages[i].copied = false;
}

static void touch_some(int p, int a, int b)
{
	for (int i = a; i < b; i++)
		host_random(2) ? do_read(p, i) : do_write(p, i);
}

static void step(int p)
{
	int a = host_random(WINDOW), b = a + 1 + host_random(20);

	b = b > WINDOW ? WINDOW : b;
	switch (host_random(20)) {
	case 0: case 1: do_mmap(p, a, b); break;
	case 2: do_munmap(p, a, b); break;
	case 3: case 4: do_mprotect(p, a, b); break;
	case 5: do_dontneed(p, a, b); break;
	case 6: do_mremap(p, a, b); break;
	case 7: do_fork(p); break;
	case 8: host_random(3) ? (void)0 : do_exit(p); break;
	case 9: objects_tick(); deliver_all(); break;
	case 10: host_random(20) ? (void)0 : do_forget(host_random(FILES)); break;
	default: touch_some(p, a, b);
	}
	if (host_random(50) == 0)
		fake_fail_maps(host_random(4));
	if (!procs[p].alive && host_random(2))
		do_start(p);
}

static void start_file_system(void)
{
	struct region r = { .first = FS_BASE, .last = fs_addr(FILES, 0), .kind = REGION_ANON, .prot = PROT_READ | PROT_WRITE,
		.max_prot = PROT_READ | PROT_WRITE, .file_end = LIMIT_NONE };

	CHECK(space_renew(FAKE_FS, false) == 0 && space_insert(space_of(FAKE_FS), &r) == 0);
	for (int f = 0; f < FILES; f++)
		for (int i = 0; i < FILE_PAGES; i++) {
			files[f][i] = 1000000 + f * 1000 + i;
			CHECK(fake_write(FAKE_FS, fs_addr(f, i), files[f][i]));
		}
}

static void run(uint64_t seed)
{
	uint32_t used;

	host_seed(seed);
	nr_objects = 0;
	memset(shared, 0, sizeof shared);
	fake_start(FAKE_FRAMES - 100);
	start_file_system();
	used = frame_free_count() + fake_pool();
	do_start(0);
	for (int n = 0; n < STEPS; n++) {
		int p = host_random(PROCS);

		if (!procs[p].alive)
			host_random(4) ? (void)0 : do_start(p);
		else
			step(p);
	}
	for (int p = 0; p < PROCS; p++)
		if (procs[p].alive)
			do_exit(p);
	for (int i = 0; i < 4; i++)
		objects_tick();
	deliver_all();
	CHECK(frame_free_count() + fake_pool() == used && vfs_refs == 0);
	space_drop(FAKE_FS);
}

/* The file system's memory was known to a device: it is nobody's until the device is through. */
static void memory_under_dma_rests(void)
{
	uint32_t all, before;

	host_seed(1);
	fake_start(FAKE_FRAMES - 100);
	all = frame_free_count() + fake_pool();
	start_file_system();
	before = frame_free_count() + fake_pool();
	fake_dma = true;
	space_drop(FAKE_FS);
	fake_dma = false;
	for (int i = 0; i < REST_TICKS; i++)
		CHECK(frame_free_count() + fake_pool() == before && rest_tick());
	CHECK(!rest_tick() && frame_free_count() + fake_pool() > before + FILES * FILE_PAGES - 1);
	CHECK(frame_free_count() + fake_pool() <= all);
}

int main(void)
{
	memory_under_dma_rests();
	for (uint64_t seed = 1; seed <= 3; seed++)
		run(seed);
	puts("ok");
	return 0;
}

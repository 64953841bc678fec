/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of VM. The kernel says which frames are free and which services it has loaded; what these have mapped is read back from
 * their page tables. Nothing else is needed, so a reborn VM would begin the same way.
 *
 * Until the table of frames exists, frames are cut off the largest free range: some for page tables, then the table itself.
 */
#include "boot.h"
#include "calls.h"
#include "kmem.h"
#include "mapper.h"
#include "own.h"
#include "space.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <libsys/log.h>
#include <sys/mman.h>

enum { READ_BATCH = 64, FIRST_PTFRAMES = 32, IMAGE_END_MAX_GAP = 1 << 20 };
#define IMAGE_LIMIT 0x100000000ull	/* programs of services lie below, stacks above */

static struct boot {
	struct vm_boot info;
	struct map_page pages[READ_BATCH];
	uint64_t highest;		/* frame number above all that VM will have */
} boot;

static uint64_t range_pages(uint32_t i)
{
	return (boot.info.free[i].last + 1 - boot.info.free[i].first) >> PAGE_SHIFT;
}

/* n frames off the end of the largest free range. */
static paddr_t boot_cut(uint64_t n)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < boot.info.nr_free; i++)
		if (range_pages(i) > range_pages(best))
			best = i;
	if (boot.info.nr_free == 0 || range_pages(best) <= n)
		fail_stop("vm: not enough memory to begin with");
	boot.info.free[best].last -= n << PAGE_SHIFT;
	return boot.info.free[best].last + 1;
}

static void boot_give_ptframes(void)
{
	paddr_t frames[FIRST_PTFRAMES], first = boot_cut(FIRST_PTFRAMES);

	for (int i = 0; i < FIRST_PTFRAMES; i++)
		frames[i] = first + ((paddr_t)i << PAGE_SHIFT);
	sys_ptframes(PTFRAMES_GIVE, frames, FIRST_PTFRAMES, NULL, NULL);
}

/* Calls each(ep, page) for all pages of a process. */
static void boot_read(endpoint_t ep, void (*each)(endpoint_t ep, const struct map_page *p))
{
	vaddr_t addr = PAGE_BYTES;
	uint64_t n = 0;

	do {
		if (sys_mapread(ep, addr, boot.pages, READ_BATCH, &n, &addr) != 0)
			return;
		for (uint64_t i = 0; i < n && i < READ_BATCH; i++)
			each(ep, &boot.pages[i]);
	} while (n && addr);
}


static void note_frame(endpoint_t ep, const struct map_page *p)
{
	(void)ep;
	boot.highest = frame_of(p->paddr) >= boot.highest ? frame_of(p->paddr) + 1 : boot.highest;
}

static uint64_t boot_highest_frame(void)
{
	for (uint32_t i = 0; i < boot.info.nr_free; i++)
		if (frame_of(boot.info.free[i].last) >= boot.highest)
			boot.highest = frame_of(boot.info.free[i].last) + 1;
	if (frame_of(boot.info.archive_last) >= boot.highest)
		boot.highest = frame_of(boot.info.archive_last) + 1;
	for (uint32_t i = 0; i < boot.info.nr_procs; i++)
		boot_read(boot.info.procs[i], note_frame);
	return boot.highest;
}

static void boot_make_frame_table(void)
{
	uint64_t count = boot_highest_frame(), pages = page_up(frame_table_bytes(count)) >> PAGE_SHIFT;

	own_map_run(OWN_FRAMES_BASE, boot_cut(pages), pages);
	frame_init((void *)OWN_FRAMES_BASE, count);
	for (uint32_t i = 0; i < boot.info.nr_free; i++)
		frame_add(frame_of(boot.info.free[i].first), range_pages(i));
}

/* ---- adopting what is mapped ---- */

static void adopt_page(endpoint_t ep, const struct map_page *p)
{
	struct space *s = space_of(ep);
	struct region r = { .first = p->addr, .last = p->addr + PAGE_BYTES, .kind = REGION_ANON, .prot = p->prot & 7,
		.max_prot = PROT_READ | PROT_WRITE | PROT_EXEC, .file_end = LIMIT_NONE };

	if (ep == EP_VM && p->addr >= OWN_FRAMES_BASE && p->addr < OWN_HEAP_BASE + ((vaddr_t)KMEM_ARENA_PAGES << PAGE_SHIFT))
		return;
	if (pagemap_set(&s->pages, page_of(p->addr), frame_of(p->paddr)) != 0 || space_insert(s, &r) != 0)
		fail_stop("vm: no memory to adopt service %d", ep);
	frame_adopt(frame_of(p->paddr));
}

/* The break is behind the program, the highest mapping below 4 GiB; the region on top is the stack. */
static void adopt_finish(struct space *s)
{
	struct region *r;

	REGIONS_EACH(&s->regions, r)
		if (r->last <= IMAGE_LIMIT)
			s->brk_start = s->brk = r->last;
	r = regions_last(&s->regions);
	if (r && r->first >= IMAGE_LIMIT)
		r->flags |= REGION_STACK;
}

static void adopt_process(endpoint_t ep)
{
	struct space *s = space_adopt(ep);

	if (!s)
		fail_stop("vm: no memory to adopt service %d", ep);
	boot_read(ep, adopt_page);
	adopt_finish(s);
}

/* The last frames are kept back: for page tables and VM itself, then for services. */
static void boot_set_reserves(void)
{
	uint32_t base = frame_total() / 128;

	base = base < 96 ? 96 : base > 2048 ? 2048 : base;
	frame_set_reserve(FRAME_FOR_SERVICE, base);
	frame_set_reserve(FRAME_FOR_USER, base * 2);
}

void vm_take_over(void)
{
	err_t err = sys_vmctl(VMCTL_BOOT, (uintptr_t)&boot.info, 0, 0, 0, NULL);

	if (err)
		fail_stop("vm: the kernel gives no memory: %d", err);
	boot_give_ptframes();
	boot_make_frame_table();
	kmem_init(OWN_HEAP_BASE);
	for (uint32_t i = 0; i < boot.info.nr_procs; i++)
		adopt_process(boot.info.procs[i]);
	boot_set_reserves();
	vdso_set(boot.info.vdso_paddr, boot.info.vdso_pages, boot.info.vvar_paddr, boot.info.vvar_pages);
	archive_set(boot.info.archive_first, boot.info.archive_last);
	info_set_memory(boot.info.memory_bytes);
}

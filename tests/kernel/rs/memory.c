/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping, copies, missing memory. */
#include "ktest_rs.h"
#include <string.h>

enum { RW = MAP_READ | MAP_WRITE };
#define PLACE 0x300000000ull		/* nothing there, and not lazy */

/* Fresh memory that VM has not filled yet. */
static uint8_t *lazy_memory(uint64_t bytes)
{
	return (uint8_t *)linux_call(9, 0, bytes, 3, 0x22, ~0ull, 0);
}

static void kernel_memory_is_safe(void)
{
	uint64_t root = 0, done;
	paddr_t f = frames_from_vm(1);

	CHECK_EQ(sys_space(EP_DS, SPACE_ROOT, 0, &root), 0, "root of a space");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, PLACE, 1, 0x100000, 0, RW), -K_EPERM, "mapping the kernel");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, PLACE, 1, root, 0, MAP_READ), -K_EPERM, "mapping a page table");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, PLACE, 1, 0, 0, RW), -K_EPERM, "mapping frame 0");
	CHECK_EQ(vm_map(MAP_ZERO, EP_RS, PLACE, 1, 0xfe000000, 0, RW), -K_EPERM, "zeroing a device");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, PLACE, 1ull << 40, f, 0, RW), -K_EINVAL, "mapping too much");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, PLACE, 1, 1ull << 50, 0, RW), -K_EPERM, "mapping beyond physical memory");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, PLACE + 1, 1, f, 0, RW), -K_EINVAL, "unaligned address");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, PLACE, 1, f + 8, 0, RW), -K_EINVAL, "unaligned frame");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, 0xffff800000000000ull, 1, f, 0, RW), -K_EINVAL, "mapping into the kernel's half");
	CHECK_EQ(vm_map(MAP_FRAMES, EP_RS, PLACE, 1, f, 0, RW | MAP_EXEC), -K_EPERM, "writable and executable, for a service");
	CHECK_EQ(vm_map(MAP_FRAMES, endpoint_make(9, 60), PLACE, 1, f, 0, RW), -EDEADEPT, "mapping for the dead");
	CHECK_EQ(vm_map(77, EP_RS, PLACE, 1, f, 0, RW), -K_EINVAL, "unknown operation");
	CHECK_EQ(sys_memset(0x100000, 4096, 0), -K_EPERM, "memset of the kernel");
	CHECK_EQ(sys_memset(root, 4096, 0), -K_EPERM, "memset of a page table");
	CHECK_EQ(sys_physcopy(f, root, 8), -K_EPERM, "physcopy to a page table");
	CHECK_EQ(sys_physcopy(f, f, ~0ull), -K_EPERM, "physcopy of everything");
	CHECK_EQ(sys_ptframes(PTFRAMES_GIVE, &root, 1, &done, 0), -K_EPERM, "giving a page table again");
	CHECK_EQ(done, 0, "none taken");
}

static void map_and_read_back(void)
{
	paddr_t f = frames_from_vm(3), found = 0;
	struct map_page pages[4] = { { 0 } };
	uint64_t filled = 0, bytes = 0;
	vaddr_t next;
	volatile uint32_t *p = (volatile uint32_t *)PLACE;

	CHECK_EQ(vm_map(MAP_ZERO, EP_RS, PLACE, 2, f, 0, RW), 0, "map zeroed");
	CHECK_EQ(p[0] | p[1024], 0, "zeros");
	p[0] = 0x12345678;
	CHECK_EQ(vm_map(MAP_COPY, EP_RS, PLACE + 8192, 1, f + 8192, f, MAP_READ), 0, "map a copy");
	CHECK_EQ(p[2048], 0x12345678, "the copy");
	CHECK_EQ(sys_umap(EP_SELF, PLACE + 4, 8000, &found, &bytes), 0, "umap");
	CHECK(found == f + 4 && bytes == 8000, "contiguous");
	CHECK_EQ(sys_mapread(EP_SELF, PLACE, pages, 4, &filled, &next), 0, "mapread");
	CHECK(filled >= 3 && pages[0].addr == PLACE && pages[0].paddr == f && pages[2].paddr == f + 8192, "pages read back");
	CHECK(pages[0].prot == RW && pages[2].prot == MAP_READ, "rights read back");
	CHECK((pages[0].flags & MAP_PAGE_DIRTY) && !(pages[2].flags & MAP_PAGE_DIRTY), "dirty bits");
	CHECK_EQ(vm_map(MAP_PROTECT, EP_RS, PLACE, 2, 0, 0, MAP_READ), 0, "protect");
	CHECK_EQ(sys_vircopy(EP_SELF, PLACE, EP_SELF, PLACE + 4096, 8, COPY_TRY, &bytes), -ESOFTFAULT, "copy to a read-only page");
	CHECK_EQ(sys_ptframes(PTFRAMES_GIVE, &f, 1, &bytes, 0), -K_EPERM, "a mapped frame for page tables");
	CHECK_EQ(vm_map(MAP_UNMAP, EP_RS, PLACE, 3, 0, 0, 0), 0, "unmap");
	CHECK_EQ(sys_ptframes(PTFRAMES_GIVE, &f, 1, &bytes, 0), 0, "the same frame, mapped nowhere");
	CHECK_EQ(sys_umap(EP_SELF, PLACE, 1, &found, &bytes), -K_EFAULT, "umap of nothing");
	CHECK_EQ(sys_vircopy(EP_SELF, PLACE, EP_SELF, (vaddr_t)&found, 8, 0, 0), -K_EFAULT, "copy from nothing");
}

static void page_table_frames_run_out(void)
{
	paddr_t taken[256], f = frames_from_vm(1);
	struct map_op op = { .kind = MAP_FRAMES, .ep = EP_RS, .addr = 0x500000000000, .npages = 1, .paddr = f, .prot = RW };
	uint64_t n = 0, left = 0, done = 9;

	CHECK_EQ(sys_ptframes(PTFRAMES_TAKE, taken, 256, &n, &left), 0, "take the pool");
	CHECK_EQ(left, 0, "the pool is empty");
	CHECK_EQ(sys_map(&op, 1, &done), -K_ENOMEM, "map without page-table frames");
	CHECK_EQ(done, 0, "no operation done");
	CHECK_EQ(sys_ptframes(PTFRAMES_GIVE, taken, (uint32_t)n, &done, &left), 0, "give them back");
	CHECK(done == n && left == n, "the pool is full again");
	CHECK_EQ(sys_map(&op, 1, &done), 0, "now it works");
	op.kind = MAP_UNMAP;
	CHECK_EQ(sys_map(&op, 1, &done), 0, "unmap");
	CHECK_EQ(sys_ptframes(PTFRAMES_GIVE, taken, 257, &done, 0), -K_EINVAL, "too many frames");
}

/* ---- missing memory ---- */

static void touch(struct thread *t)
{
	volatile uint8_t *p = (volatile uint8_t *)t->a[0];

	for (int64_t i = 0; i < t->a[1]; i++)
		p[i * PAGE_BYTES] = (uint8_t)(i + 1);
	t->r[0] = 1;
}

static void page_faults_are_resolved(void)
{
	uint8_t *p = lazy_memory(32 * PAGE_BYTES);
	struct thread *t[4];

	for (int i = 0; i < 4; i++)
		t[i] = spawn(i & 1 ? USER : SERVICE, touch, (int64_t)p + i * 8 * PAGE_BYTES, 8);
	for (int i = 0; i < 4; i++)
		CHECK(wait_done(t[i]), "page faults of several processes");
	CHECK(p[0] == 1 && p[31 * PAGE_BYTES] == 8, "what they wrote");
	for (int i = 0; i < 4; i++)
		reap(t[i]);
}

static void copies_ask_for_memory(void)
{
	enum { BYTES = 1 << 20 };
	uint8_t *src = lazy_memory(BYTES), *dst = lazy_memory(BYTES);
	uint64_t done;
	paddr_t paddr;

	CHECK_EQ(sys_vircopy(EP_SELF, (vaddr_t)src, EP_SELF, (vaddr_t)dst, 100, COPY_TRY, &done), -ESOFTFAULT, "missing, TRY");
	CHECK_EQ(done, 0, "nothing copied");
	src[0] = 7;
	src[BYTES - 1] = 9;
	CHECK_EQ(sys_vircopy(EP_SELF, (vaddr_t)src, EP_SELF, (vaddr_t)dst, BYTES, 0, &done), 0, "copy of memory never touched");
	CHECK_EQ(done, BYTES, "all of it");
	CHECK(dst[0] == 7 && dst[BYTES - 1] == 9 && dst[5000] == 0, "its contents");
	CHECK_EQ(sys_umap(EP_DS, LAZY_FIRST + 0x10000000, 1, &paddr, 0), -K_EFAULT, "not present in the other process");
	CHECK_EQ(sys_vircopy(EP_SELF, (vaddr_t)src, EP_DS, LAZY_FIRST + 0x10000123, BYTES, 0, &done), 0, "missing in the other process");
	memset(dst, 1, 8192);
	CHECK_EQ(sys_vircopy(EP_DS, LAZY_FIRST + 0x10000123, EP_SELF, (vaddr_t)dst, BYTES, 0, &done), 0, "and back");
	CHECK(dst[0] == 7 && dst[BYTES - 1] == 9 && dst[5000] == 0, "unchanged");
	CHECK_EQ(sys_getinfo(GETINFO_PROC, lazy_memory(1 << 18), 1 << 18, 0, &done), 0, "a call that writes to missing memory");
}

/* Kills a process while its kernel call is parked, and the target of such a call. */
static void copy_out(struct thread *t)
{
	t->r[0] = sys_vircopy(EP_SELF, (vaddr_t)t->m.w, (endpoint_t)t->a[0], (vaddr_t)t->a[1], 56, 0, 0);
}

static void die_while_parked(void)
{
	for (int i = 0; i < 50; i++) {
		struct thread *victim = spawn(SERVICE, copy_out, EP_SELF, (int64_t)lazy_memory(PAGE_BYTES));
		struct thread *target = spawn(SERVICE, touch, 0, 0);
		struct thread *other = spawn(SERVICE, copy_out, target->ep, 0x250000000);

		sys_runctl(EP_VM, RUNCTL_STOP, 0, 0);
		sleep_ms(1);
		reap(victim);
		reap(target);
		sys_runctl(EP_VM, RUNCTL_RESUME, 0, 0);
		CHECK(wait_done(other), "the call ends when its target dies");
		reap(other);
	}
}

void check_memory(void)
{
	kernel_memory_is_safe();
	map_and_read_back();
	page_table_frames_run_out();
	page_faults_are_resolved();
	copies_ask_for_memory();
	die_while_parked();
}

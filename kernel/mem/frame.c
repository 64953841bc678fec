/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns which frame. One bit per frame of RAM: set if the frame is VM's to map, clear if it is the kernel's own or part of a page
 * table. VM gives frames to the pool of page-table frames (their bits are cleared) and may take free ones back. A frame
 * that is mapped anywhere is refused: nobody but the kernel ever writes a page table.
 *
 * Addresses outside RAM are devices: VM may map them (it asks the privileges of the service it maps them for), except low
 * addresses that could be RAM which the firmware keeps for itself.
 */
#include <arch/boot.h>
#include <arch/clock.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/frame.h>
#include <kernel/mem.h>

static struct {
	uint64_t *vm_bits;		/* by frame number */
	uint64_t frames;		/* bits */
	uint64_t pool_free, pool_used;	/* page-table frames */
	paddr_t pool;			/* list through the first word of each */
	uint64_t boot_frames;		/* handed to boot services */
	bool booting;
} frame;

struct frame_counts frame_counts;

/* Where the hole for devices begins on a PC with much memory, and the legacy hole below 1 MiB. */
#define DEVICE_HOLE_FIRST 0xc0000000ull
#define DEVICE_HOLE_END 0x100000000ull
#define LEGACY_HOLE_FIRST 0xa0000ull
#define LEGACY_HOLE_END 0x100000ull
enum { RAM_SLACK = 16 << 20 };

static void bit_set(uint64_t n) { frame.vm_bits[n / 64] |= 1ull << (n % 64); }
static void bit_clear(uint64_t n) { frame.vm_bits[n / 64] &= ~(1ull << (n % 64)); }
static bool bit_test(uint64_t n) { return n < frame.frames && (frame.vm_bits[n / 64] >> (n % 64) & 1); }

static void range_set(paddr_t first, paddr_t last)
{
	for (uint64_t n = first >> PAGE_SHIFT; n <= last >> PAGE_SHIFT && n < frame.frames; n++)
		bit_set(n);
}

void frame_init(void)
{
	paddr_t top = boot_info.nr_free ? boot_info.free[boot_info.nr_free - 1].last + 1 : 0;
	uint64_t bytes;

	if (boot_info.archive.first < boot_info.archive.last)
		top = max_u64(top, boot_info.archive.last + 1);
	frame.frames = round_up_page(top) >> PAGE_SHIFT;
	bytes = round_up_page(frame.frames / 8 + 8);
	frame.vm_bits = arch_phys_ptr(boot_alloc(bytes >> PAGE_SHIFT));
	memset(frame.vm_bits, 0, bytes);
	bytes = round_up_page(frame.frames * sizeof(*frame_counts.mapped));
	frame_counts.mapped = arch_phys_ptr(boot_alloc(bytes >> PAGE_SHIFT));
	memset(frame_counts.mapped, 0, bytes);
	frame_counts.frames = frame.frames;
	frame.booting = true;
}

paddr_t frame_boot_alloc(void)
{
	paddr_t f = boot_alloc(1);

	arch_page_zero(f);
	bit_set(f >> PAGE_SHIFT);
	frame.boot_frames++;
	return f;
}

void frame_boot_done(void)
{
	for (uint32_t i = 0; i < boot_info.nr_free; i++)
		range_set(boot_info.free[i].first, boot_info.free[i].last);
	if (boot_info.archive.first < boot_info.archive.last)
		range_set(boot_info.archive.first, boot_info.archive.last);
	frame.booting = false;
}

bool frame_is_vm(paddr_t first, uint64_t npages)
{
	uint64_t n = first >> PAGE_SHIFT;

	if (npages > frame.frames || n >= frame.frames)
		return false;
	for (; npages; npages--, n++)
		if (!bit_test(n))
			return false;
	return true;
}

static bool range_is_device(paddr_t first, paddr_t end)
{
	paddr_t low_end = min_u64(boot_info.memory_bytes + RAM_SLACK, DEVICE_HOLE_FIRST);

	if (first >= LEGACY_HOLE_FIRST && end <= LEGACY_HOLE_END)
		return true;
	if (first >= max_u64(low_end, frame.frames << PAGE_SHIFT) && end <= DEVICE_HOLE_END)
		return true;
	if (first >= DEVICE_HOLE_FIRST && end <= DEVICE_HOLE_END)
		return true;
	return first >= DEVICE_HOLE_END + boot_info.memory_bytes && first >= frame.frames << PAGE_SHIFT;
}

bool frame_may_map(paddr_t first, uint64_t npages)
{
	enum { PADDR_BITS = 46 };
	uint64_t end;

	if (first >> PADDR_BITS || npages >> (PADDR_BITS - PAGE_SHIFT))
		return false;
	end = first + (npages << PAGE_SHIFT);
	return frame_is_vm(first, npages) || range_is_device(first, end);
}

static bool range_contains(paddr_t start, uint64_t pages, paddr_t first, uint64_t npages)
{
	return first >= start && npages <= pages && first - start <= (pages - npages) << PAGE_SHIFT;
}

bool frame_is_vdso(paddr_t first, uint64_t npages)
{
	struct arch_vdso vdso;

	arch_vdso_get(&vdso);
	return range_contains(vdso.code, vdso.code_pages, first, npages) || range_contains(vdso.data, vdso.data_pages, first, npages);
}

/* ---- page-table frames ---- */

static void pool_push(paddr_t f)
{
	*(paddr_t *)arch_phys_ptr(f) = frame.pool;
	frame.pool = f;
	frame.pool_free++;
}

static paddr_t pool_pop(void)
{
	paddr_t f = frame.pool;

	if (!f)
		return 0;
	frame.pool = *(paddr_t *)arch_phys_ptr(f);
	frame.pool_free--;
	return f;
}

err_t ptframe_give(paddr_t f)
{
	if (f & (PAGE_BYTES - 1))
		return -EINVAL;
	if (!frame_is_vm(f, 1) || frame_counts.mapped[f >> PAGE_SHIFT])
		return -EPERM;
	bit_clear(f >> PAGE_SHIFT);
	pool_push(f);
	return 0;
}

paddr_t ptframe_take(void)
{
	paddr_t f = pool_pop();

	if (f && (f >> PAGE_SHIFT) < frame.frames)
		bit_set(f >> PAGE_SHIFT);
	return f;
}

paddr_t ptframe_alloc(void)
{
	paddr_t f = pool_pop();

	if (!f && frame.booting)
		f = boot_alloc(1);
	if (f)
		frame.pool_used++;
	return f;
}

void ptframe_free(paddr_t f)
{
	frame.pool_used--;
	pool_push(f);
}

uint64_t ptframe_pool(void)
{
	return frame.pool_free;
}

uint64_t ptframe_in_use(void)
{
	return frame.pool_used;
}

/* ---- the hand-over ---- */

void frame_get_vm_boot(struct vm_boot *out)
{
	struct arch_vdso vdso;
	uint64_t free = 0;

	arch_vdso_get(&vdso);
	*out = (struct vm_boot){ .memory_bytes = boot_info.memory_bytes, .archive_first = boot_info.archive.first,
		.archive_last = boot_info.archive.last, .vdso_paddr = vdso.code, .vdso_pages = vdso.code_pages,
		.vvar_paddr = vdso.data, .vvar_pages = vdso.data_pages };
	for (uint32_t i = 0; i < boot_info.nr_free && i < VM_BOOT_RANGES; i++) {
		out->free[i].first = boot_info.free[i].first;
		out->free[i].last = boot_info.free[i].last;
		out->nr_free++;
		free += boot_info.free[i].last - boot_info.free[i].first + 1;
	}
	if (out->archive_first < out->archive_last)
		free += out->archive_last - out->archive_first + 1;
	out->kernel_bytes = out->memory_bytes - free - frame.boot_frames * PAGE_BYTES;
	for (int slot = 1; slot <= EP_BOOT_LAST; slot++)
		if (proc_of_endpoint(endpoint_make(0, slot)))
			out->procs[out->nr_procs++] = endpoint_make(0, slot);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's half of every address space (map in x86/layout.h). Its top-level entries are all made here
 * at boot and copied into each new space, so they must never change afterwards; the tables below them may
 * grow (device window, stacks).
 *
 * The image is mapped page by page with the rights of its segments; the template of CPU-local data is left
 * out, so that a variable reached without its accessor faults.
 */
#include <arch/console.h>
#include <arch/space.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/pte.h>

#define PTE_DATA (PTE_P | PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)	/* of the kernel */
enum { LARGE = 1 << 21, DEVICE_WINDOW = 1 << 30, STACKS_PER_CPU = 0x10000 };

static uint64_t root_table[512] __attribute__((aligned(4096)));
uint64_t x86_kernel_root;
static uint64_t device_next = X86_DEVICES;
static paddr_t direct_low_end;		/* the direct map reaches from 0 to here, and RAM above 4 GiB */

static uint64_t *table_below(uint64_t *entry)
{
	if (!(*entry & PTE_P)) {
		paddr_t frame = boot_alloc(1);
		arch_page_zero(frame);
		*entry = frame | PTE_P | PTE_W;
	}
	return arch_phys_ptr(*entry & PTE_FRAME);
}

/* Entry of va at a level: 1 = 4 KiB pages, 2 = 2 MiB pages. */
static uint64_t *entry_of(uint64_t va, unsigned level)
{
	uint64_t *table = root_table;

	for (unsigned l = 4; l > level; l--)
		table = table_below(&table[va >> (12 + 9 * (l - 1)) & 511]);
	return &table[va >> (12 + 9 * (level - 1)) & 511];
}

static void direct_map_add(paddr_t first, paddr_t end)
{
	for (first &= ~(paddr_t)(LARGE - 1); first < end; first += LARGE)
		*entry_of(X86_DIRECT + first, 2) = first | PTE_DATA | PTE_LARGE;
}

static void direct_map_init(void)
{
	struct boot_range r;

	for (unsigned i = 0; x86_ram_range(i, &r); i++)
		if (r.last >> 32)
			direct_map_add(r.first, r.last + 1);
		else if (r.last >= direct_low_end)
			direct_low_end = (r.last + LARGE) & ~(paddr_t)(LARGE - 1);
	direct_map_add(0, direct_low_end);
}

static void image_map(const char *start, const char *end, uint64_t rights)
{
	for (uint64_t va = (uint64_t)start; va < (uint64_t)end; va += PAGE_BYTES)
		*entry_of(va, 1) = (va - X86_IMAGE) | PTE_P | PTE_A | PTE_D | PTE_G | rights;
}

void x86_kernel_map_init(void)
{
	direct_map_init();
	image_map(x86_image_start, x86_text_end, 0);
	image_map(x86_text_end, x86_rodata_end, PTE_NX);
	image_map(x86_data_start, x86_image_end, PTE_W | PTE_NX);
	entry_of(X86_DEVICES, 1);
	entry_of(X86_STACKS, 1);
	x86_kernel_root = (uint64_t)root_table - X86_IMAGE;
	x86_cr3_set(x86_kernel_root);
}

void *x86_device_map(paddr_t p, uint64_t len)
{
	uint64_t va = device_next + (p & (PAGE_BYTES - 1));
	paddr_t end = p + len;

	if (len > DEVICE_WINDOW || device_next + len > X86_DEVICES + DEVICE_WINDOW)
		return 0;
	for (p &= ~(paddr_t)(PAGE_BYTES - 1); p < end; p += PAGE_BYTES, device_next += PAGE_BYTES)
		*entry_of(device_next, 1) = p | PTE_DATA | PTE_UNCACHED;
	return (void *)va;
}

void *x86_firmware_map(paddr_t p, uint64_t len)
{
	if (p + len >= p && p + len <= direct_low_end)
		return arch_phys_ptr(p);
	return x86_device_map(p, len);
}

static void stack_map(uint64_t end, unsigned pages)
{
	paddr_t frame = boot_alloc(pages);

	for (unsigned i = pages; i > 0; i--)
		*entry_of(end - i * PAGE_BYTES, 1) = (frame + (pages - i) * PAGE_BYTES) | PTE_DATA;
}

uint64_t x86_stack_end(unsigned cpu, uint64_t which)
{
	uint64_t base = X86_STACKS + (uint64_t)cpu * STACKS_PER_CPU;

	if (!(*entry_of(base + X86_STACK_MAIN_END - 1, 1) & PTE_P)) {
		stack_map(base + X86_STACK_MAIN_END, 4);
		stack_map(base + X86_STACK_DF_END, 2);
		stack_map(base + X86_STACK_NMI_END, 2);
		stack_map(base + X86_STACK_MC_END, 2);
		stack_map(base + X86_STACK_DB_END, 1);
	}
	return base + which;
}

/* Stack and CPU-local data are used together in every entry: one page for both. */
uint64_t x86_main_stack_top(unsigned cpu)
{
	return x86_stack_end(cpu, X86_STACK_MAIN_END) - (uint64_t)(x86_cpulocal_end - x86_cpulocal_start);
}

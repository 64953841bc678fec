/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what the loader left (PVH start info or multiboot2 tags) into boot_info and hands out early memory.
 * Runs on the temporary tables, which reach 4 GiB: everything read lies below that, or is left out. Numbers
 * from the loader are taken as they are, but no list is followed beyond its stated end or our limits.
 *
 * Memory below 1 MiB is never given away: the trampoline for further CPUs and firmware data lie there.
 */
#include <x86/port.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/space.h>
#include <kernel/lib.h>
#include <x86/layout.h>

enum { FIRST_FREE = 0x100000, MEM_RAM = 1, MEM_ACPI = 3, MEM_NVS = 4, MAX_RAM_RANGES = 64 };

struct boot_info boot_info;
static struct boot_range ram[MAX_RAM_RANGES];
static unsigned nr_ram;

struct pvh_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modules, cmdline, rsdp, memmap;
	uint32_t nr_memmap, reserved;
};
struct pvh_module { uint64_t address, size, cmdline, reserved; };
struct pvh_memory { uint64_t address, size; uint32_t type, reserved; };
enum { PVH_MAGIC = 0x336ec578 };

struct mb2_tag { uint32_t type, size; };
enum {
	MB2_END = 0, MB2_CMDLINE = 1, MB2_MODULE = 3, MB2_MEMMAP = 6, MB2_RSDP_OLD = 14, MB2_RSDP_NEW = 15,
	MB2_LIMIT = 1 << 20,
};
struct mb2_module { uint32_t type, size, first, end; };
struct mb2_memmap { uint32_t type, size, entry_size, version; };
struct mb2_memory { uint64_t address, length; uint32_t type, reserved; };

/* ---- free list ---- */

static void free_add(paddr_t first, paddr_t last)
{
	unsigned i;

	if (boot_info.nr_free == BOOT_RANGES || first > last)
		return;
	for (i = boot_info.nr_free; i > 0 && boot_info.free[i - 1].first > first; i--)
		boot_info.free[i] = boot_info.free[i - 1];
	boot_info.free[i] = (struct boot_range){ first, last };
	boot_info.nr_free++;
}

static void free_remove_index(unsigned i)
{
	boot_info.nr_free--;
	for (; i < boot_info.nr_free; i++)
		boot_info.free[i] = boot_info.free[i + 1];
}

void boot_reserve(paddr_t first, paddr_t last)
{
	struct boot_range r;

	first &= ~(paddr_t)(PAGE_BYTES - 1);
	last |= PAGE_BYTES - 1;
	for (unsigned i = 0; i < boot_info.nr_free; ) {
		r = boot_info.free[i];
		if (r.last < first || r.first > last) {
			i++;
			continue;
		}
		free_remove_index(i);
		if (r.first < first)
			free_add(r.first, first - 1);
		if (r.last > last)
			free_add(last + 1, r.last);
		i = 0;
	}
}

paddr_t boot_alloc(uint64_t npages)
{
	uint64_t bytes = npages << PAGE_SHIFT;
	struct boot_range *r;

	for (unsigned i = boot_info.nr_free; i-- > 0; ) {
		r = &boot_info.free[i];
		if (r->last >> 32 || r->last - r->first + 1 < bytes)
			continue;
		r->last -= bytes;
		if (r->last + 1 == r->first) {
			paddr_t only = r->first;
			free_remove_index(i);
			return only;
		}
		return r->last + 1;
	}
	panic("boot: no memory for %llu pages", (unsigned long long)npages);
}

/* ---- collecting ---- */

static void ram_add(paddr_t first, paddr_t last)
{
	if (nr_ram < MAX_RAM_RANGES)
		ram[nr_ram++] = (struct boot_range){ first, last };
}

bool x86_ram_range(unsigned i, struct boot_range *out)
{
	if (i >= nr_ram)
		return false;
	*out = ram[i];
	return true;
}

static void memory_add(uint64_t address, uint64_t size, uint32_t type)
{
	paddr_t first = (address + PAGE_BYTES - 1) & ~(paddr_t)(PAGE_BYTES - 1);
	paddr_t end = (address + size) & ~(paddr_t)(PAGE_BYTES - 1);

	if (size == 0 || address + size < address)
		return;
	if (type == MEM_RAM) {
		boot_info.memory_bytes += size;
		if (end > first)
			free_add(first, end - 1);
	}
	if (type == MEM_RAM || type == MEM_ACPI || type == MEM_NVS)
		ram_add(address, address + size - 1);
}

static void cmdline_set(const char *text)
{
	string_copy(boot_info.cmdline, text, sizeof(boot_info.cmdline));
}

static void pvh_read(const struct pvh_info *info)
{
	const struct pvh_memory *m = arch_phys_ptr(info->memmap);
	const struct pvh_module *module = arch_phys_ptr(info->modules);

	if (info->magic != PVH_MAGIC)
		panic("boot: the loader's start information is damaged");
	boot_info.loader = "pvh";
	arch_firmware_root = info->rsdp;
	if (info->version >= 1)
		for (uint32_t i = 0; i < info->nr_memmap; i++)
			memory_add(m[i].address, m[i].size, m[i].type);
	if (info->nr_modules > 0 && module->size > 0)
		boot_info.archive = (struct boot_range){
			module->address, module->address + module->size - 1 };
	if (info->cmdline)
		cmdline_set(arch_phys_ptr(info->cmdline));
}

static void mb2_memmap_read(const struct mb2_memmap *map)
{
	uint32_t step = map->entry_size;

	for (uint32_t o = 16; step >= 20 && o + step <= map->size; o += step) {
		const struct mb2_memory *m = (const void *)((const char *)map + o);
		memory_add(m->address, m->length, m->type);
	}
}

static void mb2_tag_read(const struct mb2_tag *tag)
{
	const char *at = (const char *)tag;
	const struct mb2_module *module = (const void *)tag;
	const struct mb2_memmap *map = (const void *)tag;

	switch (tag->type) {
	case MB2_CMDLINE:
		cmdline_set(at + 8);
		break;
	case MB2_MODULE:
		if (boot_info.archive.first > boot_info.archive.last && module->end > module->first)
			boot_info.archive = (struct boot_range){ module->first, module->end - 1 };
		break;
	case MB2_MEMMAP:
		mb2_memmap_read(map);
		break;
	case MB2_RSDP_OLD:
	case MB2_RSDP_NEW:
		arch_firmware_root = arch_phys_of(at + 8);
		break;
	}
}

static void mb2_read(const char *info)
{
	uint32_t total = *(const uint32_t *)info;

	boot_info.loader = "multiboot2";
	if (total > MB2_LIMIT)
		total = MB2_LIMIT;
	for (uint32_t o = 8; o + 8 <= total; ) {
		const struct mb2_tag *tag = (const void *)(info + o);
		if (tag->type == MB2_END || tag->size < 8)
			break;
		mb2_tag_read(tag);
		o += (tag->size + 7) & ~7u;
	}
	/* The ACPI root may be a copy inside this list: keep it. */
	boot_reserve(arch_phys_of(info), arch_phys_of(info) + total - 1);
}

void x86_boot_info_read(uint32_t loader, uint32_t info)
{
	boot_info.archive = (struct boot_range){ 1, 0 };
	if (loader == 1)
		pvh_read(arch_phys_ptr(info));
	else
		mb2_read(arch_phys_ptr(info));
	boot_reserve(0, FIRST_FREE - 1);
	boot_reserve((uint64_t)x86_image_start - X86_IMAGE, (uint64_t)x86_image_end - X86_IMAGE - 1);
	if (boot_info.archive.first <= boot_info.archive.last)
		boot_reserve(boot_info.archive.first, boot_info.archive.last);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables of user address spaces: four levels, 4 KiB leaves. Only entries 0..255 of a root are ever
 * changed here; the kernel's upper half is copied in at creation.
 *
 * A leaf is one of: 0 (nothing), present, or held: a frame that belongs to the page but may not be accessed
 * at all (PROT_NONE), which the processor takes for absent and arch_space_query() still reports.
 *
 * Tables that become empty stay until the space is destroyed: another CPU may have cached the way to them
 * up to the end of the batch.
 */
#include <arch/space.h>
#include <kernel/errno.h>
#include <kernel/frame.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/pte.h>

enum { ENTRIES = 512, USER_ENTRIES = 256 };
#define TABLE_SPAN (1ull << 21)		/* bytes one leaf table covers */
#define PTE_HELD PTE_U			/* without PTE_P */

static uint64_t *table_of(uint64_t entry)
{
	return arch_phys_ptr(entry & PTE_FRAME);
}

static unsigned index_at(vaddr_t va, unsigned level)
{
	return va >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

static bool range_ok(vaddr_t addr, uint64_t npages)
{
	return addr % PAGE_BYTES == 0 && npages <= X86_USER_LIMIT >> PAGE_SHIFT
	       && arch_user_range(addr, npages << PAGE_SHIFT);
}

/* Behind the empty entry for va and those that follow it in the same table: ranges are mostly holes. */
static vaddr_t hole_end(const uint64_t *table, vaddr_t va, unsigned level)
{
	uint64_t span = 1ull << (12 + 9 * (level - 1));
	unsigned i = index_at(va, level) + 1;

	while (i < ENTRIES && !(table[i] & PTE_P))
		i++;
	return (va & ~(span - 1)) + (i - index_at(va, level)) * span;
}

/* The leaf table for va, or NULL; then *skip (may be 0) is where the next table could begin. */
static uint64_t *leaf_table(const struct space *s, vaddr_t va, vaddr_t *skip)
{
	uint64_t *table = arch_phys_ptr(s->root);

	for (unsigned level = 4; level > 1; level--) {
		uint64_t e = table[index_at(va, level)];
		if (!(e & PTE_P)) {
			if (skip)
				*skip = hole_end(table, va, level);
			return 0;
		}
		table = table_of(e);
	}
	return table;
}

static uint64_t *leaf_table_make(struct space *s, vaddr_t va)
{
	uint64_t *table = arch_phys_ptr(s->root);

	for (unsigned level = 4; level > 1; level--) {
		uint64_t *e = &table[index_at(va, level)];
		if (!(*e & PTE_P)) {
			paddr_t frame = ptframe_alloc();
			if (!frame)
				return 0;
			arch_page_zero(frame);
			*e = frame | PTE_P | PTE_W | PTE_U;
		}
		table = table_of(*e);
	}
	return table;
}

static uint64_t leaf_bits(uint32_t prot)
{
	uint64_t bits = PTE_U;

	if (prot & (MAP_READ | MAP_WRITE | MAP_EXEC))
		bits |= PTE_P;
	if (prot & MAP_WRITE)
		bits |= PTE_W;
	if (!(prot & MAP_EXEC))
		bits |= PTE_NX;
	if (prot & MAP_UNCACHED)
		bits |= PTE_UNCACHED;
	if (prot & MAP_SHARED_FRAME)
		bits |= PTE_SHARED;
	return bits;
}

static uint32_t leaf_prot(uint64_t e)
{
	uint32_t prot = 0;

	if (e & PTE_P)
		prot = MAP_READ | (e & PTE_W ? MAP_WRITE : 0) | (e & PTE_NX ? 0 : MAP_EXEC);
	return prot | (e & PTE_UNCACHED ? MAP_UNCACHED : 0) | (e & PTE_SHARED ? MAP_SHARED_FRAME : 0);
}

/* ---- life ---- */

err_t arch_space_create(struct space *s)
{
	uint64_t *table, *kernel = arch_phys_ptr(x86_kernel_root);
	paddr_t root = ptframe_alloc();

	if (!root)
		return -ENOMEM;
	table = arch_phys_ptr(root);
	arch_fill(table, 0, USER_ENTRIES * sizeof(*table));
	arch_copy(table + USER_ENTRIES, kernel + USER_ENTRIES, USER_ENTRIES * sizeof(*table));
	s->root = root;
	return 0;
}

/* Every change of a leaf goes through here: the kernel knows how often each frame is mapped. */
static inline void leaf_set(uint64_t *leaf, uint64_t e)
{
	if (*leaf)
		frame_unmapped(*leaf & PTE_FRAME);
	if (e)
		frame_mapped(e & PTE_FRAME);
	__atomic_store_n(leaf, e, __ATOMIC_RELAXED);
}

static void leaf_tables_free(uint64_t *directory)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (!(directory[i] & PTE_P))
			continue;
		for (uint64_t *leaf = table_of(directory[i]), *end = leaf + ENTRIES; leaf < end; leaf++)
			if (*leaf)
				leaf_set(leaf, 0);
		ptframe_free(directory[i] & PTE_FRAME);
	}
}

static void directories_free(uint64_t *pointers)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (pointers[i] & PTE_P) {
			leaf_tables_free(table_of(pointers[i]));
			ptframe_free(pointers[i] & PTE_FRAME);
		}
}

void arch_space_destroy(struct space *s)
{
	uint64_t *root = arch_phys_ptr(s->root);

	for (unsigned i = 0; i < USER_ENTRIES; i++)
		if (root[i] & PTE_P) {
			directories_free(table_of(root[i]));
			ptframe_free(root[i] & PTE_FRAME);
		}
	ptframe_free(s->root);
	s->root = 0;
}

/* ---- edits ---- */

err_t arch_space_map(struct space *s, vaddr_t addr, paddr_t frame, uint64_t npages, uint32_t prot,
	uint64_t *done)
{
	uint64_t bits = leaf_bits(prot), *table = 0;

	*done = 0;
	if (!range_ok(addr, npages) || addr < ARCH_USER_FIRST || frame & ~PTE_FRAME)
		return -EINVAL;
	for (; *done < npages; ++*done, addr += PAGE_BYTES, frame += PAGE_BYTES) {
		if (!table || addr % TABLE_SPAN == 0)
			table = leaf_table_make(s, addr);
		if (!table)
			return -ENOMEM;
		leaf_set(&table[index_at(addr, 1)], frame | bits);
	}
	return 0;
}

/* Calls `change` on each leaf that is not 0. */
static void leaves_change(struct space *s, vaddr_t addr, uint64_t npages,
	uint64_t (*change)(uint64_t, uint64_t), uint64_t bits)
{
	vaddr_t end = addr + (npages << PAGE_SHIFT), next;
	uint64_t *table;

	for (; addr < end; addr = next) {
		table = leaf_table(s, addr, &next);
		if (!table)
			continue;
		next = (addr | (TABLE_SPAN - 1)) + 1;
		for (; addr < next && addr < end; addr += PAGE_BYTES) {
			uint64_t *e = &table[index_at(addr, 1)];
			if (*e)
				leaf_set(e, change(*e, bits));
		}
	}
}

static uint64_t change_to_none(uint64_t e, uint64_t bits)
{
	(void)e;
	return bits;
}

static uint64_t change_rights(uint64_t e, uint64_t bits)
{
	return (e & (PTE_FRAME | PTE_A | PTE_D | PTE_SHARED | PTE_UNCACHED)) | bits;
}

err_t arch_space_unmap(struct space *s, vaddr_t addr, uint64_t npages)
{
	if (!range_ok(addr, npages))
		return -EINVAL;
	leaves_change(s, addr, npages, change_to_none, 0);
	return 0;
}

err_t arch_space_protect(struct space *s, vaddr_t addr, uint64_t npages, uint32_t prot)
{
	if (!range_ok(addr, npages))
		return -EINVAL;
	leaves_change(s, addr, npages, change_rights, leaf_bits(prot));
	return 0;
}

static void leaves_share(uint64_t *to, uint64_t *from, unsigned i, unsigned end, uint64_t lost)
{
	for (; i < end; i++) {
		uint64_t e = from[i];
		if (!e)
			continue;
		if (e & lost)
			from[i] = e &= ~lost;
		leaf_set(&to[i], e & ~PTE_A);
	}
}

err_t arch_space_share(struct space *dst, struct space *src, vaddr_t addr, uint64_t npages, bool cow,
	uint64_t *done)
{
	vaddr_t start = addr, end = addr + (npages << PAGE_SHIFT), next;
	uint64_t *from, *to;

	*done = 0;
	if (!range_ok(addr, npages) || addr < ARCH_USER_FIRST)
		return -EINVAL;
	for (; addr < end; addr = next) {
		*done = (addr - start) >> PAGE_SHIFT;
		from = leaf_table(src, addr, &next);
		if (!from)
			continue;
		to = leaf_table_make(dst, addr);
		if (!to)
			return -ENOMEM;
		next = (addr | (TABLE_SPAN - 1)) + 1;
		leaves_share(to, from, index_at(addr, 1), next <= end ? ENTRIES : index_at(end, 1),
			     cow ? PTE_W : 0);
	}
	*done = npages;
	return 0;
}

/* ---- reading ---- */

bool arch_space_query(struct space *s, vaddr_t addr, vaddr_t last, bool next, struct arch_mapping *out)
{
	uint64_t *table, e;
	vaddr_t skip;

	if (last > ARCH_USER_LAST)
		last = ARCH_USER_LAST;
	for (addr &= ~(vaddr_t)(PAGE_BYTES - 1); addr <= last; addr = skip) {
		table = leaf_table(s, addr, &skip);
		e = table ? table[index_at(addr, 1)] : 0;
		if (e) {
			*out = (struct arch_mapping){ addr, e & PTE_FRAME, leaf_prot(e),
				(e & PTE_A ? MAP_PAGE_ACCESSED : 0) | (e & PTE_D ? MAP_PAGE_DIRTY : 0) };
			return true;
		}
		if (!next)
			return false;
		if (table)
			skip = addr + PAGE_BYTES;
	}
	return false;
}

void *arch_space_walk(struct space *s, vaddr_t addr, bool write)
{
	uint64_t need = PTE_P | PTE_U | (write ? PTE_W : 0), mark = PTE_A | (write ? PTE_D : 0);
	uint64_t *table, *e;

	if (addr > ARCH_USER_LAST)
		return 0;
	table = leaf_table(s, addr, 0);
	if (!table)
		return 0;
	e = &table[index_at(addr, 1)];
	if ((*e & need) != need)
		return 0;
	if ((*e & mark) != mark)
		__atomic_fetch_or(e, mark, __ATOMIC_RELAXED);
	return (char *)arch_phys_ptr(*e & PTE_FRAME) + (addr & (PAGE_BYTES - 1));
}

void arch_page_zero(paddr_t frame)
{
	arch_fill(arch_phys_ptr(frame), 0, PAGE_BYTES);
}

void arch_page_copy(paddr_t dst, paddr_t src)
{
	arch_copy(arch_phys_ptr(dst), arch_phys_ptr(src), PAGE_BYTES);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF64 as in the System V ABI and its AMD64 supplement. Every number of the file is checked for range and overflow before use; headers
 * are copied out, because nothing says that they are aligned.
 */
#include <elf.h>
#include <errno.h>
#include <libelf/elf_load.h>
#include <string.h>
#include <sys/mman.h>

_Static_assert(sizeof(Elf64_Phdr) == ELF_PHDR_BYTES, "program header size");

static vaddr_t page_down(vaddr_t a)
{
	return a & ~(vaddr_t)(PAGE_BYTES - 1);
}

static vaddr_t page_up(vaddr_t a)
{
	return page_down(a + PAGE_BYTES - 1);
}

static bool elf_range_inside(uint64_t first, uint64_t bytes, uint64_t end)
{
	return first <= end && bytes <= end - first;
}

static bool elf_header_is_ours(const Elf64_Ehdr *h)
{
	return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64
		&& h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == EM_X86_64
		&& (h->e_type == ET_EXEC || h->e_type == ET_DYN) && h->e_phentsize == sizeof(Elf64_Phdr)
		&& h->e_phnum >= 1 && h->e_phnum <= ELF_PHDRS_MAX;
}

static int elf_prot(uint32_t flags)
{
	return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

static err_t elf_add_segment(struct elf_image *out, const Elf64_Phdr *p, uint64_t file_bytes)
{
	struct elf_segment *s = out->segments + out->segment_count;

	if (p->p_memsz == 0)
		return 0;
	if (out->segment_count == ELF_SEGMENTS_MAX || p->p_filesz > p->p_memsz
	    || !elf_range_inside(p->p_offset, p->p_filesz, file_bytes)
	    || !elf_range_inside(p->p_vaddr, p->p_memsz, ELF_ADDRESS_END)
	    || (p->p_vaddr ^ p->p_offset) % PAGE_BYTES != 0)
		return -ENOEXEC;
	if (out->segment_count && p->p_vaddr < s[-1].addr + s[-1].memory_bytes)
		return -ENOEXEC;
	*s = (struct elf_segment){ .addr = p->p_vaddr, .memory_bytes = p->p_memsz, .offset = p->p_offset,
		.file_bytes = p->p_filesz, .prot = elf_prot(p->p_flags) };
	out->segment_count++;
	return 0;
}

static err_t elf_take(struct elf_image *out, const Elf64_Phdr *p, uint64_t file_bytes)
{
	switch (p->p_type) {
	case PT_LOAD:
		return elf_add_segment(out, p, file_bytes);
	case PT_INTERP:
		if (p->p_filesz < 2 || p->p_filesz > 4096 || !elf_range_inside(p->p_offset, p->p_filesz, file_bytes))
			return -ENOEXEC;
		out->interp_offset = p->p_offset;
		out->interp_bytes = p->p_filesz;
		return 0;
	case PT_GNU_STACK:
		out->exec_stack = p->p_flags & PF_X;
		return 0;
	default:
		return 0;
	}
}

/* The program headers are in memory if a segment holds all of them. */
static vaddr_t elf_phdr_addr(const struct elf_image *image, uint64_t offset, uint64_t bytes)
{
	for (uint32_t i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];

		if (offset >= s->offset && elf_range_inside(offset - s->offset, bytes, s->file_bytes))
			return s->addr + (offset - s->offset);
	}
	return 0;
}

static err_t elf_finish(struct elf_image *out, const Elf64_Ehdr *h)
{
	const struct elf_segment *last;

	if (out->segment_count == 0 || h->e_entry >= ELF_ADDRESS_END)
		return -ENOEXEC;
	last = &out->segments[out->segment_count - 1];
	out->relocatable = h->e_type == ET_DYN;
	out->entry = h->e_entry;
	out->first = page_down(out->segments[0].addr);
	out->last = page_up(last->addr + last->memory_bytes);
	out->phdr_count = h->e_phnum;
	out->phdr_addr = elf_phdr_addr(out, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr));
	return 0;
}

err_t elf_parse(const void *head, size_t head_bytes, uint64_t file_bytes, struct elf_image *out)
{
	Elf64_Ehdr h;

	if (head_bytes < sizeof(h) || head_bytes > file_bytes)
		return -ENOEXEC;
	memcpy(&h, head, sizeof(h));
	if (!elf_header_is_ours(&h)
	    || !elf_range_inside(h.e_phoff, (uint64_t)h.e_phnum * sizeof(Elf64_Phdr), head_bytes))
		return -ENOEXEC;
	memset(out, 0, sizeof(*out));
	out->exec_stack = true;
	for (uint32_t i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p;
		err_t r;

		memcpy(&p, (const char *)head + h.e_phoff + i * sizeof(p), sizeof(p));
		r = elf_take(out, &p, file_bytes);
		if (r != 0)
			return r;
	}
	return elf_finish(out, &h);
}

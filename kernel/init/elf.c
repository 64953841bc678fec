/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the program of a boot service: a static ELF64 executable at fixed addresses. VM takes what is mapped here over as it is. The
 * stack starts as Linux's: argc, argv, environment, auxiliary vector, so that musl's start-up code runs unchanged.
 */
#include <arch/cpu.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/init.h>
#include <kernel/mem.h>

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment { uint32_t type, flags; uint64_t offset, vaddr, paddr, filesz, memsz, align; };
enum { ET_EXEC = 2, EM_X86_64 = 62, PT_LOAD = 1, SEG_EXEC = 1, SEG_WRITE = 2, MAX_SEGMENTS = 16 };
enum { AT_NULL, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_ENTRY = 9, AT_SECURE = 23, AT_RANDOM = 25 };
#define STACK_TOP 0x7fffffff0000ull
enum { STACK_BYTES = 64 * 1024 };

struct image { const uint8_t *bytes; uint64_t size; struct elf_header header; };

static err_t image_open(struct image *im, const uint8_t *bytes, uint64_t size)
{
	struct elf_header *h = &im->header;

	im->bytes = bytes;
	im->size = size;
	if (size < sizeof(*h))
		return -ENOEXEC;
	memcpy(h, bytes, sizeof(*h));
	if (memcmp(h->ident, "\177ELF\2\1", 6) || h->type != ET_EXEC || h->machine != EM_X86_64)
		return -ENOEXEC;
	if (h->phentsize != sizeof(struct elf_segment) || h->phnum > MAX_SEGMENTS || h->phoff > size
	    || h->phnum * sizeof(struct elf_segment) > size - h->phoff)
		return -ENOEXEC;
	return 0;
}

static void image_segment(const struct image *im, int i, struct elf_segment *s)
{
	memcpy(s, im->bytes + im->header.phoff + (uint64_t)i * sizeof(*s), sizeof(*s));
}

static err_t segment_check(const struct image *im, const struct elf_segment *s)
{
	if (s->offset > im->size || s->filesz > im->size - s->offset || s->filesz > s->memsz)
		return -ENOEXEC;
	if (s->vaddr < ARCH_USER_FIRST || !arch_user_range(s->vaddr, s->memsz) || s->vaddr + s->memsz > STACK_TOP - STACK_BYTES)
		return -ENOEXEC;
	if ((s->flags & SEG_WRITE) && (s->flags & SEG_EXEC))
		return -ENOEXEC;
	return 0;
}

/* A page of p at addr, fresh or already there from a segment that shares it. */
static err_t page_get(struct proc *p, vaddr_t addr, uint32_t prot, paddr_t *frame)
{
	struct arch_mapping m;
	uint64_t done;

	if (arch_space_query(p->space, addr, addr, false, &m)) {
		*frame = m.frame;
		prot |= m.prot;
		if ((prot & MAP_WRITE) && (prot & MAP_EXEC))
			return -ENOEXEC;
	} else {
		*frame = frame_boot_alloc();
	}
	return arch_space_map(p->space, addr, *frame, 1, prot, &done);
}

/* The bytes of the file that belong into [page, page + PAGE_BYTES). */
static void page_fill(const struct image *im, const struct elf_segment *s, vaddr_t page, paddr_t frame)
{
	vaddr_t first = max_u64(page, s->vaddr), end = min_u64(page + PAGE_BYTES, s->vaddr + s->filesz);

	if (first < end)
		memcpy((uint8_t *)arch_phys_ptr(frame) + (first - page), im->bytes + s->offset + (first - s->vaddr), end - first);
}

static err_t segment_load(struct proc *p, const struct image *im, const struct elf_segment *s)
{
	uint32_t prot = MAP_READ | (s->flags & SEG_WRITE ? MAP_WRITE : 0) | (s->flags & SEG_EXEC ? MAP_EXEC : 0);
	paddr_t frame;

	for (vaddr_t page = s->vaddr & ~(vaddr_t)(PAGE_BYTES - 1); page < s->vaddr + s->memsz; page += PAGE_BYTES) {
		err_t err = page_get(p, page, prot, &frame);

		if (err)
			return err;
		page_fill(im, s, page, frame);
	}
	return 0;
}

static err_t image_load(struct proc *p, const struct image *im, vaddr_t *phdr)
{
	const struct elf_header *h = &im->header;
	struct elf_segment s;
	err_t err = 0;

	*phdr = 0;
	for (int i = 0; !err && i < h->phnum; i++) {
		image_segment(im, i, &s);
		if (s.type != PT_LOAD)
			continue;
		err = segment_check(im, &s);
		if (!err)
			err = segment_load(p, im, &s);
		if (h->phoff >= s.offset && h->phoff < s.offset + s.filesz)
			*phdr = s.vaddr + (h->phoff - s.offset);
	}
	return err;
}

/* ---- stack ---- */

struct stack_image {
	uint64_t argc, argv[2], envp[1];
	uint64_t aux[8][2];
	uint64_t random[2];
	char name[PROC_NAME_LEN];
};

static void stack_describe(struct stack_image *st, vaddr_t sp, const struct image *im, vaddr_t phdr, const char *name)
{
	const uint64_t aux[8][2] = {
		{ AT_PHDR, phdr }, { AT_PHENT, sizeof(struct elf_segment) }, { AT_PHNUM, im->header.phnum }, { AT_PAGESZ, PAGE_BYTES },
		{ AT_ENTRY, im->header.entry }, { AT_SECURE, 0 }, { AT_RANDOM, sp + offsetof(struct stack_image, random) },
		{ AT_NULL, 0 },
	};

	*st = (struct stack_image){ .argc = 1, .argv = { sp + offsetof(struct stack_image, name), 0 },
				    .random = { arch_random(), arch_random() } };
	memcpy(st->aux, aux, sizeof(aux));
	string_copy(st->name, name, sizeof(st->name));
}

static err_t stack_load(struct proc *p, const struct image *im, vaddr_t phdr, const char *name, vaddr_t *sp)
{
	struct stack_image st;
	paddr_t frame = 0;

	_Static_assert(sizeof(st) <= 1024, "the initial stack fits its last page");
	for (vaddr_t page = STACK_TOP - STACK_BYTES; page < STACK_TOP; page += PAGE_BYTES) {
		err_t err = page_get(p, page, MAP_READ | MAP_WRITE, &frame);

		if (err)
			return err;
	}
	*sp = STACK_TOP - 1024;
	stack_describe(&st, *sp, im, phdr, name);
	memcpy((uint8_t *)arch_phys_ptr(frame) + PAGE_BYTES - 1024, &st, sizeof(st));
	return 0;
}

err_t boot_load(struct proc *p, const char *name, const uint8_t *bytes, uint64_t size)
{
	struct image im;
	vaddr_t phdr, sp;
	err_t err = image_open(&im, bytes, size);

	if (!err)
		err = image_load(p, &im, &phdr);
	if (!err)
		err = stack_load(p, &im, phdr, name, &sp);
	if (err)
		return err;
	return arch_frame_init(&p->frame, im.header.entry, sp) ? 0 : -ENOEXEC;
}

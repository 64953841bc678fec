/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF headers, right ones and wrong ones, and ten thousand damaged ones. */
#include <elf.h>
#include <errno.h>
#include <expect.h>
#include <libelf/elf_load.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FILE_BYTES = 0x5000 };

struct head { Elf64_Ehdr h; Elf64_Phdr p[4]; };

static struct head good(void)
{
	struct head f = { .h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC,
		.e_machine = EM_X86_64, .e_version = 1, .e_entry = 0x401000, .e_phoff = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 4 } };

	f.p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0, .p_vaddr = 0x400000,
		.p_filesz = 0x3000, .p_memsz = 0x3000 };
	f.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x3080, .p_vaddr = 0x404080,
		.p_filesz = 0x800, .p_memsz = 0x9000 };
	f.p[2] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
	f.p[3] = (Elf64_Phdr){ .p_type = PT_NULL };
	return f;
}

static err_t parse(const struct head *f, struct elf_image *out)
{
	return elf_parse(f, sizeof(*f), FILE_BYTES, out);
}

static void a_good_file_is_understood(void)
{
	struct head f = good();
	struct elf_image e;

	EXPECT_EQ(parse(&f, &e), 0);
	EXPECT(!e.relocatable && !e.exec_stack);
	EXPECT_EQ(e.segment_count, 2);
	EXPECT_EQ(e.segments[0].prot, PROT_READ | PROT_EXEC);
	EXPECT_EQ(e.segments[1].prot, PROT_READ | PROT_WRITE);
	EXPECT_EQ(e.first, 0x400000);
	EXPECT_EQ(e.last, 0x40e000);
	EXPECT_EQ(e.phdr_addr, 0x400000 + sizeof(Elf64_Ehdr));
	EXPECT_EQ(e.interp_bytes, 0);
}

static void an_interpreter_is_found(void)
{
	struct head f = good();
	struct elf_image e;

	f.h.e_type = ET_DYN;
	f.p[3] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 0x300, .p_filesz = 28 };
	EXPECT_EQ(parse(&f, &e), 0);
	EXPECT(e.relocatable);
	EXPECT_EQ(e.interp_offset, 0x300);
	EXPECT_EQ(e.interp_bytes, 28);
	f.p[3].p_filesz = 5000;
	EXPECT_EQ(parse(&f, &e), -ENOEXEC);
	f.p[3].p_filesz = 28;
	f.p[3].p_offset = FILE_BYTES - 27;
	EXPECT_EQ(parse(&f, &e), -ENOEXEC);
}

#define REFUSED(change) do { struct head f = good(); struct elf_image e; change; EXPECT_EQ(parse(&f, &e), -ENOEXEC); } while (0)

static void wrong_headers_are_refused(void)
{
	REFUSED(f.h.e_ident[0] = 0);
	REFUSED(f.h.e_ident[EI_CLASS] = ELFCLASS32);
	REFUSED(f.h.e_ident[EI_DATA] = ELFDATA2MSB);
	REFUSED(f.h.e_machine = EM_AARCH64);
	REFUSED(f.h.e_type = ET_REL);
	REFUSED(f.h.e_phentsize = 32);
	REFUSED(f.h.e_phnum = 0);
	REFUSED(f.h.e_phnum = 5);
	REFUSED(f.h.e_phnum = 65535);
	REFUSED(f.h.e_phoff = ~0ull - 8);
	REFUSED(f.h.e_entry = ~0ull);
}

static void wrong_segments_are_refused(void)
{
	REFUSED(f.p[1].p_filesz = 0xa000);
	REFUSED(f.p[1].p_offset = ~0ull);
	REFUSED(f.p[1].p_offset = FILE_BYTES - 0x700);
	REFUSED(f.p[1].p_vaddr = 0x404081);
	REFUSED(f.p[1].p_vaddr = 0x402080);
	REFUSED(f.p[1].p_vaddr = 0xffffffff80000080);
	REFUSED(f.p[1].p_memsz = ~0ull);
	REFUSED(f.p[0].p_type = PT_NOTE; f.p[1].p_type = PT_NOTE);
}

static void short_files_are_refused(void)
{
	struct head f = good();
	struct elf_image e;

	for (size_t n = 0; n < sizeof(f); n++)
		EXPECT_EQ(elf_parse(&f, n, FILE_BYTES, &e), -ENOEXEC);
	EXPECT_EQ(elf_parse(&f, sizeof(f), sizeof(f) - 1, &e), -ENOEXEC);
}

static void check_sane(const struct elf_image *e)
{
	vaddr_t end = 0;

	for (uint32_t i = 0; i < e->segment_count; i++) {
		const struct elf_segment *s = &e->segments[i];

		EXPECT(s->addr >= end && s->addr + s->memory_bytes <= ELF_ADDRESS_END);
		EXPECT(s->offset + s->file_bytes <= FILE_BYTES && s->file_bytes <= s->memory_bytes);
		end = s->addr + s->memory_bytes;
	}
	EXPECT(e->last >= end && e->last <= ELF_ADDRESS_END + 0x1000ull);
}

static void damage_is_survived(void)
{
	unsigned int seed = 99;

	for (int i = 0; i < 10000; i++) {
		struct head f = good();
		struct elf_image e;

		for (int n = 0; n < 1 + i % 4; n++)
			((unsigned char *)&f)[(unsigned)rand_r(&seed) % sizeof(f)] = (unsigned char)rand_r(&seed);
		if (parse(&f, &e) == 0)
			check_sane(&e);
	}
}

int main(void)
{
	a_good_file_is_understood();
	an_interpreter_is_found();
	wrong_headers_are_refused();
	wrong_segments_are_refused();
	short_files_are_refused();
	damage_is_survived();
	return expect_end();
}

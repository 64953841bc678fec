/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and checking ELF64 executables of x86-64. Pure: works on the first bytes of the file, allocates nothing. The file is untrusted
 * input; what elf_parse() accepts can be mapped without further checks of numbers.
 */
#pragma once
#include <abi/types.h>
#include <stdbool.h>

enum { ELF_SEGMENTS_MAX = 32, ELF_PHDRS_MAX = 64, ELF_PHDR_BYTES = 56 };
/* Bytes of the file that elf_parse() should be given (or the whole file if it is shorter). */
enum { ELF_HEAD_BYTES = 4096 };
#define ELF_ADDRESS_END 0x7ffffffff000ull	/* end of user addresses */

struct elf_segment {		/* ascending addresses, no overlap */
	vaddr_t addr;		/* where it begins; addr and offset are congruent modulo the page size */
	uint64_t memory_bytes;	/* > 0; what lies behind the file's bytes is zero */
	uint64_t offset, file_bytes;	/* inside the file; file_bytes <= memory_bytes */
	int prot;		/* Linux's PROT_* */
};

struct elf_image {
	bool relocatable;	/* ET_DYN: all addresses are relative to a base of the loader's choice */
	bool exec_stack;	/* PT_GNU_STACK asks for it, or there is none */
	vaddr_t entry;
	vaddr_t first, last;	/* page-aligned range of all segments, last exclusive */
	vaddr_t phdr_addr;	/* where the program headers lie in memory, 0 if in no segment */
	uint32_t phdr_count;
	uint64_t interp_offset, interp_bytes;	/* PT_INTERP with its NUL, 0 bytes if none */
	uint32_t segment_count;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/* head: the first head_bytes bytes of a file of file_bytes. 0 or -ENOEXEC (not ours, or malformed). */
err_t elf_parse(const void *head, size_t head_bytes, uint64_t file_bytes, struct elf_image *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The initial stack of a program, read back as the program would. */
#include "execargs.h"
#include "expect.h"
#include <elf.h>
#include <string.h>

static const vaddr_t top = 0x7ffffffff000ull;
static uint8_t *image;
static vaddr_t sp;
static size_t bytes;

static const void *at(uint64_t addr)
{
	EXPECT(addr >= sp && addr < sp + bytes);
	return image + (addr - sp);
}

static uint64_t aux_value(const uint64_t *w, uint64_t type)
{
	for (; w[0] != AT_NULL; w += 2)
		if (w[0] == type)
			return w[1];
	EXPECT(!"aux entry");
	return 0;
}

static void check(unsigned argc, unsigned envc, const char *execfn)
{
	char text[4096];
	struct args a = { .text = text, .argc = argc, .envc = envc };
	for (unsigned i = 0; i < argc + envc; i++)
		a.used += (size_t)sprintf(text + a.used, "string %u", i) + 1;
	struct stack_plan p = { .args = &a, .execfn = execfn, .top = top, .random = "0123456789abcde", .aux_count = 1,
		.aux = { { AT_PAGESZ, 4096 } } };
	EXPECT(stack_build(&p, &image, &bytes, &sp) == 0);
	EXPECT(sp % 16 == 0 && sp + bytes == top);
	const uint64_t *w = at(sp);
	EXPECT(*w++ == argc);
	for (unsigned i = 0; i < argc + envc; i++) {
		char want[32];
		if (i == argc)
			EXPECT(*w++ == 0);
		sprintf(want, "string %u", i);
		EXPECT(strcmp(at(*w++), want) == 0);
	}
	if (envc == 0)
		EXPECT(*w++ == 0);
	EXPECT(*w++ == 0);
	EXPECT(aux_value(w, AT_PAGESZ) == 4096);
	EXPECT(strcmp(at(aux_value(w, AT_EXECFN)), execfn) == 0);
	EXPECT(strcmp(at(aux_value(w, AT_PLATFORM)), "x86_64") == 0);
	EXPECT(memcmp(at(aux_value(w, AT_RANDOM)), "0123456789abcde", 16) == 0);
	EXPECT(*(const uint64_t *)(const void *)(image + bytes - 8) == 0);
	free(image);
}

int main(void)
{
	for (unsigned argc = 1; argc < 20; argc++)
		for (unsigned envc = 0; envc < 20; envc++)
			check(argc, envc, argc & 1 ? "/bin/x" : "/usr/bin/program");
	printf("ok execstack\n");
}

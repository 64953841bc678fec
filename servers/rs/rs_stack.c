/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The initial stack of a service, as abi/image.h describes it (Linux's layout): argc, argv, an empty environment, the auxiliary
 * vector, and above them the strings. Pure: it only fills a buffer that stands for the memory below `top`.
 */
#include "rs.h"
#include <elf.h>

enum { STACK_ARGS_MAX = 64, STACK_RANDOM_BYTES = 16 };

struct stack { uint8_t *buf; size_t size, used; vaddr_t top; };

static vaddr_t stack_push(struct stack *s, const void *p, size_t len)
{
	if (len > s->size - s->used)
		return 0;
	s->used += len;
	memcpy(s->buf + s->size - s->used, p, len);
	return s->top - s->used;
}

/* Strings of the list, first to last; returns their number or -E2BIG. */
static int stack_push_args(struct stack *s, const struct rs_image *image, uint64_t *argv)
{
	const char *p = image->args, *end = p + image->args_len;
	int argc = 0;

	for (; p < end; p += strlen(p) + 1) {
		if (argc == STACK_ARGS_MAX)
			return -E2BIG;
		argv[argc] = stack_push(s, p, strlen(p) + 1);
		if (!argv[argc++])
			return -E2BIG;
	}
	return argc;
}

static vaddr_t stack_push_random(struct stack *s)
{
	uint64_t random[STACK_RANDOM_BYTES / 8];
	uint64_t x = (uint64_t)__builtin_ia32_rdtsc();

	for (size_t i = 0; i < sizeof(random) / sizeof(random[0]); i++) {
		x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull + i;
		random[i] = x;
	}
	return stack_push(s, random, sizeof(random));
}

/* Everything above the final stack pointer must be a multiple of 16 bytes. */
static void stack_align(struct stack *s, size_t words)
{
	while ((s->used + words * 8) % 16 != 0 && s->used < s->size)
		s->buf[s->size - ++s->used] = 0;
}

err_t rs_stack_build(const struct rs_image *image, vaddr_t top, uint8_t *buf, size_t size, size_t *used)
{
	struct stack s = { .buf = buf, .size = size, .top = top };
	uint64_t argv[STACK_ARGS_MAX], words[STACK_ARGS_MAX + 32];
	size_t n = 0;
	int argc = stack_push_args(&s, image, argv);
	vaddr_t random = stack_push_random(&s);

	if (argc < 0 || !random)
		return -E2BIG;
	words[n++] = (uint64_t)argc;
	for (int i = 0; i < argc; i++)
		words[n++] = argv[i];
	words[n++] = 0;	/* end of argv */
	words[n++] = 0;	/* no environment */
	const uint64_t auxv[] = { AT_PHDR, image->elf.phdr_addr, AT_PHENT, ELF_PHDR_BYTES, AT_PHNUM, image->elf.phdr_count,
		AT_PAGESZ, PAGE_BYTES, AT_RANDOM, random, AT_ENTRY, image->elf.entry, AT_SECURE, 0, AT_NULL, 0 };
	memcpy(&words[n], auxv, sizeof(auxv));
	n += sizeof(auxv) / sizeof(auxv[0]);
	stack_align(&s, n);
	if (!stack_push(&s, words, n * 8))
		return -E2BIG;
	*used = s.used;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The initial stack of a Linux program. Pure.
 *
 *   sp -> argc | argv pointers, 0 | envp pointers, 0 | auxv pairs, AT_NULL | padding | random | platform | strings | execfn | 0   <- top
 */
#include "execargs.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

static const char platform[] = "x86_64";

struct layout { size_t strings, execfn, platform, random, vectors, total; };

static struct layout layout_of(const struct stack_plan *p)
{
	struct layout l;
	size_t words = 1 + p->args->argc + 1 + p->args->envc + 1 + 2 * (p->aux_count + 4);
	l.vectors = 0;
	l.random = words * 8;
	l.platform = l.random + sizeof p->random;
	l.strings = l.platform + sizeof platform;
	l.execfn = l.strings + p->args->used;
	l.total = l.execfn + strlen(p->execfn) + 1 + 8;
	size_t pad = -l.total & 15;	/* sp is a multiple of 16 */
	l.random += pad;
	l.platform += pad;
	l.strings += pad;
	l.execfn += pad;
	l.total += pad;
	return l;
}

static const char *put_pointers(uint64_t **to, const char *text, unsigned n, vaddr_t delta)
{
	for (unsigned i = 0; i < n; i++) {
		*(*to)++ = (uint64_t)(uintptr_t)text + delta;
		text += strlen(text) + 1;
	}
	*(*to)++ = 0;
	return text;
}

static void put_aux(uint64_t **to, uint64_t type, uint64_t value)
{
	*(*to)++ = type;
	*(*to)++ = value;
}

int stack_build(struct stack_plan *p, uint8_t **image, size_t *bytes, vaddr_t *sp)
{
	struct layout l = layout_of(p);
	uint8_t *buf = calloc(1, l.total);
	if (!buf)
		return -ENOMEM;
	*sp = p->top - l.total;
	vaddr_t delta = *sp - (vaddr_t)(uintptr_t)buf;	/* own address -> address in the new process */
	memcpy(buf + l.random, p->random, sizeof p->random);
	memcpy(buf + l.platform, platform, sizeof platform);
	memcpy(buf + l.strings, p->args->text, p->args->used);
	strcpy((char *)buf + l.execfn, p->execfn);
	uint64_t *w = (uint64_t *)(void *)buf;
	*w++ = p->args->argc;
	const char *text = put_pointers(&w, (char *)buf + l.strings, p->args->argc, delta);
	p->where.arg_start = *sp + l.strings;
	p->where.arg_end = p->where.env_start = (vaddr_t)(uintptr_t)text + delta;
	text = put_pointers(&w, text, p->args->envc, delta);
	p->where.env_end = (vaddr_t)(uintptr_t)text + delta;
	for (unsigned i = 0; i < p->aux_count; i++)
		put_aux(&w, p->aux[i].type, p->aux[i].value);
	put_aux(&w, AT_RANDOM, *sp + l.random);
	put_aux(&w, AT_EXECFN, *sp + l.execfn);
	put_aux(&w, AT_PLATFORM, *sp + l.platform);
	put_aux(&w, AT_NULL, 0);
	*image = buf;
	*bytes = l.total;
	return 0;
}

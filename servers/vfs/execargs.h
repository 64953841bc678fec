/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments and environment of a program being loaded, and the stack image made of them.
 */
#pragma once
#include "vfs.h"
#include <proto/vfs.h>

enum { ARGS_MAX = 2 << 20, ARG_STRING_MAX = 131072, EXECFN_MAX = 4096 };

struct args {
	char *text;		/* NUL-terminated strings: arguments, then environment */
	size_t used, room;
	unsigned argc, envc;
	uint64_t limit;		/* bytes, with the pointers */
};

/* Copy both vectors in; limit: bytes allowed, but never less than ARG_STRING_MAX nor more than ARGS_MAX. -EFAULT, -E2BIG, -ENOMEM. */
int args_read(struct args *a, endpoint_t ep, vaddr_t argv, vaddr_t envp, uint64_t limit);
/* For `#!`: the first argument is replaced by these strings (NULL ends; at most three). */
int args_replace_first(struct args *a, const char *const strings[]);
void args_free(struct args *a);

struct aux { uint64_t type, value; };
enum { AUX_MAX = 24 };
struct stack_plan {
	const struct args *args;
	const char *execfn;
	vaddr_t top;			/* end of the stack's memory */
	uint8_t random[16];
	struct aux aux[AUX_MAX];	/* AT_RANDOM, AT_EXECFN, AT_PLATFORM are added; AT_NULL too */
	unsigned aux_count;
	struct vfs_args_info where;	/* out: the strings in the new process */
};
/* Linux's initial stack. *image is allocated, *sp is where its first byte goes. -ENOMEM */
int stack_build(struct stack_plan *p, uint8_t **image, size_t *bytes, vaddr_t *sp);

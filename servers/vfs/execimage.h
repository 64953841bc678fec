/* SPDX-License-Identifier: BSD-2-Clause */
/* The program file and its interpreter, and their mapping into a process. */
#pragma once
#include "client.h"
#include "execargs.h"
#include "vnode.h"
#include <libelf/elf_load.h>

struct program {
	struct vnode *exe, *interp;	/* references */
	struct elf_image image, interp_image;
};

/* Find and check the program at `path` (through `#!` files, which change args). On failure nothing is held. */
int program_find(struct client *cl, int dirfd, unsigned at_flags, const char *path, struct args *args, struct program *p);
void program_free(struct program *p);

struct loaded { vaddr_t entry, base, interp_base, phdr, vdso; };
/* Replace the memory of ep by the program's and a stack of stack_bytes below `top`. An error: the old memory is gone. */
int program_load(endpoint_t ep, const struct program *p, vaddr_t top, uint64_t stack_bytes, struct loaded *out);

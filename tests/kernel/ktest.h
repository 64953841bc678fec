/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of the kernel tests agree on. */
#pragma once
#include <abi/message.h>

#define LAZY_FIRST 0x100000000ull	/* zero pages on demand, in every process */
#define LAZY_LAST  0x200000000ull

enum {
	KTEST_VM_FRAMES = MSG_TEST,		/* n -> physical address of n free frames */
	KTEST_VM_PTFRAMES = MSG_TEST + 2,	/* n: give the kernel frames for page tables */
	KTEST_VM_MAP = MSG_TEST + 4,		/* the fields of a map_op: carried out by VM */
};

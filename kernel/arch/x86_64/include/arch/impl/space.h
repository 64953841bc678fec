/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <abi/types.h>
#include <kernel/space.h>
#include <stdbool.h>

extern uint64_t x86_kernel_root;	/* physical */
extern bool x86_pcid;			/* address-space tags are in use */

static inline void arch_space_load(struct space *s, bool fresh)
{
	uint64_t cr3 = s ? s->root : x86_kernel_root;

	if (x86_pcid)
		cr3 |= (s ? s->id & 0xfff : 0) | (fresh ? 1ull << 63 : 0);
	__asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}

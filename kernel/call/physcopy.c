/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_PHYSCOPY, KC_MEMSET: physical memory that VM owns. */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>

static bool phys_range_is_vm(paddr_t first, uint64_t len)
{
	uint64_t offset = first & (PAGE_BYTES - 1);

	return len <= 1ull << 46 && frame_is_vm(first - offset, (offset + len + PAGE_BYTES - 1) >> PAGE_SHIFT);
}

err_t kcall_PHYSCOPY(struct proc *caller, struct kcall *c)
{
	(void)caller;
	if (!phys_range_is_vm(c->w[0], c->w[2]) || !phys_range_is_vm(c->w[1], c->w[2]))
		return -EPERM;
	memmove(arch_phys_ptr(c->w[1]), arch_phys_ptr(c->w[0]), c->w[2]);
	return 0;
}

err_t kcall_MEMSET(struct proc *caller, struct kcall *c)
{
	(void)caller;
	if (!phys_range_is_vm(c->w[0], c->w[1]))
		return -EPERM;
	arch_fill(arch_phys_ptr(c->w[0]), (uint8_t)c->w[2], c->w[1]);
	return 0;
}

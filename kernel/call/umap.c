/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_UMAP: the physical address of memory, and how far it is contiguous. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/lib.h>
#include <kernel/mem.h>

err_t kcall_UMAP(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);
	vaddr_t addr = c->w[1], page = addr & ~(vaddr_t)(PAGE_BYTES - 1);
	uint64_t len = c->w[2], bytes = PAGE_BYTES - (addr - page);
	struct arch_mapping m, next;

	if (!p)
		return -EDEADEPT;
	if (!p->space || !arch_user_range(addr, len) || !arch_space_query(p->space, page, addr, false, &m))
		return -EFAULT;
	while (bytes < len && arch_space_query(p->space, addr + bytes, addr + bytes, false, &next)
	       && next.frame == m.frame + (addr - page) + bytes)
		bytes += PAGE_BYTES;
	c->w[1] = m.frame + (addr - page);
	c->w[2] = min_u64(bytes, len);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_MAPREAD: what is mapped in a process, page by page from an address on. For VM, which rebuilds its tables from it after a crash. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/lib.h>
#include <kernel/mem.h>

enum { BATCH = 64 };

/* Fills at most BATCH entries; *addr moves behind the last one (0: none left). */
static uint32_t mapread_batch(struct space *s, struct map_page *out, uint64_t want, vaddr_t *addr)
{
	struct arch_mapping m;
	uint32_t n = 0;

	while (n < want && *addr) {
		if (!arch_space_query(s, *addr, ARCH_USER_LAST, true, &m)) {
			*addr = 0;
			break;
		}
		out[n++] = (struct map_page){ m.addr, m.frame, m.prot, m.flags };
		*addr = m.addr + PAGE_BYTES > ARCH_USER_LAST ? 0 : m.addr + PAGE_BYTES;
	}
	return n;
}

err_t kcall_MAPREAD(struct proc *caller, struct kcall *c)
{
	struct map_page batch[BATCH];
	struct proc *p = kcall_target(caller, c, 0);
	vaddr_t addr = max_u64(c->w[1] & ~(uint64_t)(PAGE_BYTES - 1), ARCH_USER_FIRST);
	uint64_t filled = 0, want = c->w[3];

	if (!p)
		return -EDEADEPT;
	if (!p->space)
		return -EINVAL;
	while (filled < want && addr) {
		uint32_t n = mapread_batch(p->space, batch, min_u64(want - filled, BATCH), &addr);
		err_t err = mem_write(caller, c->w[2] + filled * sizeof(batch[0]), batch, n * sizeof(batch[0]));

		if (err)
			return err;
		filled += n;
	}
	c->w[1] = filled;
	c->w[2] = addr;
	return 0;
}

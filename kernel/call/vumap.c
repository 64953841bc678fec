/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KC_VUMAP: physical addresses of granted memory, for a driver whose device copies by itself. Each segment is checked as a copy through
 * its grant would be, and its pages are made present as for a copy; if one is missing the caller is parked and the call runs again from
 * its start. The work of one call is bounded by VUMAP_BYTES_MAX.
 */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/lib.h>
#include <kernel/mem.h>
#include <kernel/priv.h>

static struct { struct phys_run runs[VUMAP_RUNS_MAX]; uint64_t n, room; } list;	/* of the call in progress */

static err_t run_add(paddr_t paddr, uint64_t len)
{
	struct phys_run *last = list.n ? &list.runs[list.n - 1] : 0;

	if (last && last->paddr + last->len == paddr) {
		last->len += len;
		return 0;
	}
	if (list.n == list.room)
		return -E2BIG;
	list.runs[list.n++] = (struct phys_run){ paddr, len };
	return 0;
}

static err_t range_add(struct proc *caller, const struct grant_range *g, vaddr_t start, uint64_t len, bool write)
{
	err_t err = 0;

	if (!g->owner->space || !arch_user_range(start, len))
		return -EFAULT;
	for (uint64_t done = 0, n; done < len && !err; done += n) {
		vaddr_t addr = start + done;
		void *p = arch_space_walk(g->owner->space, addr, write);

		n = min_u64(len - done, PAGE_BYTES - (addr & (PAGE_BYTES - 1)));
		if (!p)
			return g->try ? -ESOFTFAULT : vm_request(caller, g->owner, addr, len - done, write);
		if (!frame_is_vm(arch_phys_of(p), 1))
			return -EPERM;
		err = run_add(arch_phys_of(p), n);
	}
	return err;
}

static err_t segment_add(struct proc *caller, endpoint_t granter, const struct vumap_seg *s, uint32_t access)
{
	struct grant_range g = { .owner = caller };
	vaddr_t addr = s->offset;
	err_t err = granter == EP_SELF ? 0 : grant_resolve(caller, granter, s->grant, access, &g);

	if (!err && granter != EP_SELF)
		err = grant_part(&g, s->offset, s->len, &addr);
	if (err)
		return err;
	if (g.owner->priv->id == PRIV_ID_USER)
		return -EPERM;
	if (g.owner->space)
		g.owner->space->dma = true;	/* VM learns it when the space ends */
	err = range_add(caller, &g, addr, s->len, access & GRANT_WRITE);
	if (err == -ESOFTFAULT)
		grant_mark_faulted(caller, granter, s->grant);
	return err;
}

err_t kcall_VUMAP(struct proc *caller, struct kcall *c)
{
	static struct vumap_seg segs[VUMAP_SEGS_MAX];
	uint64_t n = c->w[2], access = c->w[3], bytes = 0;
	err_t err;

	if (n > VUMAP_SEGS_MAX || !access || (access & ~(uint64_t)(GRANT_READ | GRANT_WRITE)))
		return -EINVAL;
	err = mem_read(caller, segs, c->w[1], n * sizeof(segs[0]));
	list.n = 0;
	list.room = min_u64(c->w[5], VUMAP_RUNS_MAX);
	for (uint64_t i = 0; i < n && !err; i++) {
		bytes += segs[i].len;
		err = bytes > VUMAP_BYTES_MAX ? -E2BIG : segment_add(caller, (endpoint_t)c->w[0], &segs[i], (uint32_t)access);
	}
	if (!err)
		err = mem_write(caller, c->w[4], list.runs, list.n * sizeof(list.runs[0]));
	if (!err)
		c->w[1] = list.n;
	return err;
}

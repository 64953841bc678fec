/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KC_MAP: a batch of changes to address spaces. For VM. Each operation is checked completely before it acts; the batch stops at the
 * first that fails. Runs of operations on one space make its translations stale once, at the end of the run.
 */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/mem.h>
#include "map.h"

static bool range_aligned(const struct map_op *o)
{
	return !(o->addr & (PAGE_BYTES - 1)) && o->npages <= (ARCH_USER_LAST >> PAGE_SHIFT) + 1
		&& arch_user_range(o->addr, o->npages << PAGE_SHIFT);
}

static err_t check_prot(const struct proc *p, uint32_t prot)
{
	if ((prot & MAP_WRITE) && (prot & MAP_EXEC) && !proc_is_user(p))
		return -EPERM;
	return 0;
}

static err_t check_frames(const struct proc *p, const struct map_op *o)
{
	bool fill = o->kind != MAP_FRAMES;

	if (o->paddr & (PAGE_BYTES - 1))
		return -EINVAL;
	/* Of the kernel's own memory only the vDSO and its clock data, to read. */
	if (!fill && !(o->prot & MAP_WRITE) && frame_is_vdso(o->paddr, o->npages))
		return check_prot(p, o->prot);
	if (fill ? !frame_is_vm(o->paddr, o->npages) : !frame_may_map(o->paddr, o->npages))
		return -EPERM;
	if (o->kind == MAP_COPY && (o->npages != 1 || (o->src_paddr & (PAGE_BYTES - 1))))
		return -EINVAL;
	if (o->kind == MAP_COPY && !frame_is_vm(o->src_paddr, 1))
		return -EPERM;
	return check_prot(p, o->prot);
}

static err_t map_check(struct proc *caller, const struct map_op *o, struct proc **p, struct proc **src)
{
	*p = o->ep == EP_SELF ? caller : proc_of_endpoint(o->ep);
	*src = 0;
	if (!*p)
		return -EDEADEPT;
	if (!(*p)->space || !range_aligned(o))
		return -EINVAL;
	switch (o->kind) {
	case MAP_FRAMES: case MAP_ZERO: case MAP_COPY:
		return check_frames(*p, o);
	case MAP_UNMAP:
		return 0;
	case MAP_PROTECT:
		return check_prot(*p, o->prot);
	case MAP_SHARE_COW: case MAP_SHARE:
		*src = proc_of_endpoint((endpoint_t)o->src_ep);
		if (!*src)
			return -EDEADEPT;
		return (*src)->space && (*src)->space != (*p)->space ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static void frames_fill(const struct map_op *o)
{
	if (o->kind == MAP_COPY)
		arch_page_copy(o->paddr, o->src_paddr);
	if (o->kind != MAP_ZERO)
		return;
	for (uint64_t i = 0; i < o->npages; i++)
		arch_page_zero(o->paddr + (i << PAGE_SHIFT));
}

static err_t map_apply(const struct map_op *o, struct space *s, struct space *src)
{
	uint64_t done;

	switch (o->kind) {
	case MAP_FRAMES: case MAP_ZERO: case MAP_COPY:
		frames_fill(o);
		return arch_space_map(s, o->addr, o->paddr, o->npages, o->prot, &done);
	case MAP_UNMAP:
		return arch_space_unmap(s, o->addr, o->npages);
	case MAP_PROTECT:
		return arch_space_protect(s, o->addr, o->npages, o->prot);
	default:
		return arch_space_share(s, src, o->addr, o->npages, o->kind == MAP_SHARE_COW, &done);
	}
}

/* Edits of one space are announced together. */
static void map_edited(struct space **edited, struct space *s)
{
	if (*edited && *edited != s)
		space_mark_stale(*edited);
	*edited = s;
}

static err_t map_one(struct proc *caller, const struct map_op *o, struct space **edited)
{
	struct proc *p, *src;
	err_t err = map_check(caller, o, &p, &src);

	if (err)
		return err;
	if (src && o->kind == MAP_SHARE_COW)
		map_edited(edited, src->space);
	map_edited(edited, p->space);
	return map_apply(o, p->space, src ? src->space : 0);
}

err_t map_run(struct proc *caller, vaddr_t ops, uint64_t n, uint64_t *done)
{
	static struct map_op op[MAP_OPS_MAX];
	struct space *edited = 0;
	err_t err;

	*done = 0;
	if (n > MAP_OPS_MAX)
		return -EINVAL;
	err = mem_read(caller, op, ops, n * sizeof(op[0]));
	for (; !err && *done < n; *done += !err)
		err = map_one(caller, &op[*done], &edited);
	if (edited)
		space_mark_stale(edited);
	return err;
}

err_t kcall_MAP(struct proc *caller, struct kcall *c)
{
	uint64_t n = c->w[1];

	return map_run(caller, c->w[0], n, &c->w[1]);
}

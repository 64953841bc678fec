/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See mapper.h. If VM dies with operations collected but not flushed, the page tables simply lack them; a reborn VM reads what is
 * mapped from the kernel.
 */
#include "mapper.h"
#include "hot.h"

#include <abi/errno.h>
#include <errno.h>
#include <libsys/kcall.h>
#include <libsys/log.h>

enum { OPS_MAX = 64, GIVE_BATCH = 32, POOL_HIGH = 192, POOL_LOW = 96 };

static struct mapper {
	uint32_t n;
	err_t error;
	uint64_t given;			/* frames in the hands of the kernel */
	struct map_op ops[OPS_MAX];
	paddr_t frames[GIVE_BATCH];
} mapper;

bool ptframes_give(void)
{
	uint32_t n = 0;
	uint64_t done = 0;
	frame_t f;

	while (n < GIVE_BATCH && (f = frame_alloc(FRAME_FOR_VM)) != FRAME_NONE)
		mapper.frames[n++] = frame_addr(f);
	if (n == 0)
		return false;
	sys_ptframes(PTFRAMES_GIVE, mapper.frames, n, &done, 0);
	mapper.given += done;
	for (uint32_t i = done; i < n; i++)
		frame_put(frame_of(mapper.frames[i]));
	return done != 0;
}

uint64_t ptframes_pool(void)
{
	uint64_t pool = 0;

	sys_ptframes(PTFRAMES_TAKE, mapper.frames, 0, 0, &pool);
	return pool;
}

uint64_t ptframes_given(void) { return mapper.given; }

/* The kernel gives back frames of its own too when it had some at boot; those become managed here. */
static void frame_take_back(frame_t f)
{
	if (!frame_managed(f)) {
		frame_adopt(f);
		mapper.given++;
	}
	frame_put(f);
	mapper.given--;
}

void ptframes_trim(void)
{
	uint64_t pool = ptframes_pool();

	if (pool <= POOL_HIGH)
		return;
	while (pool > POOL_LOW) {
		uint64_t n = pool - POOL_LOW < GIVE_BATCH ? pool - POOL_LOW : GIVE_BATCH, done = 0;

		if (sys_ptframes(PTFRAMES_TAKE, mapper.frames, n, &done, &pool) != 0 || done == 0)
			return;
		for (uint64_t i = 0; i < done && i < GIVE_BATCH; i++)
			frame_take_back(frame_of(mapper.frames[i]));
	}
}

HOT err_t map_flush(void)
{
	uint32_t from = 0;
	err_t err = mapper.error;

	while (from < mapper.n && !err) {
		uint64_t done = 0;

		err = sys_map(&mapper.ops[from], mapper.n - from, &done);
		from += done;
		if (err == -ENOMEM && ptframes_give())
			err = 0;
	}
	mapper.n = 0;
	mapper.error = 0;
	return err;
}

HOT static bool fault_clear(endpoint_t ep, struct page_fault *next)
{
	uint64_t got = 0;

	sys_vmctl(VMCTL_CLEAR_PAGEFAULT, (uint64_t)(int64_t)ep, (uintptr_t)next, 0, 0, &got);
	return got == 1;
}

static bool fault_get(struct page_fault *next)
{
	return sys_vmctl(VMCTL_GET_PAGEFAULT, (uintptr_t)next, 0, 0, 0, 0) == 0;
}

HOT bool map_flush_resolve(endpoint_t ep, struct page_fault *next, err_t *err)
{
	uint64_t got = 0;
	uint32_t n = mapper.n;

	*err = mapper.error;
	if (n == 0 && !*err)
		return fault_clear(ep, next);
	if (!*err) {
		*err = sys_vmctl(VMCTL_RESOLVE, (uintptr_t)mapper.ops, n, (uint64_t)(int64_t)ep, (uintptr_t)next, &got);
		if (*err == -ENOMEM && ptframes_give()) {
			*err = map_flush();
			return *err == 0 && fault_clear(ep, next);
		}
	}
	mapper.n = 0;
	mapper.error = 0;
	/* The process died in between: nothing is left to do for it, the next one may be here already. */
	if (*err == -EDEADEPT || *err == -ESRCH) {
		*err = 0;
		return got == 1 || fault_get(next);
	}
	return got == 1;
}

HOT static struct map_op *op_last(void) { return mapper.n ? &mapper.ops[mapper.n - 1] : 0; }

HOT static struct map_op *op_new(uint32_t kind, endpoint_t ep, vaddr_t addr, uint64_t npages)
{
	struct map_op *op;

	if (mapper.n == OPS_MAX)
		mapper.error = map_flush();
	op = &mapper.ops[mapper.n++];
	*op = (struct map_op){ .kind = kind, .ep = ep, .addr = addr, .npages = npages };
	return op;
}

HOT static bool op_continues(const struct map_op *op, uint32_t kind, endpoint_t ep, vaddr_t addr, uint32_t prot)
{
	return op && op->kind == kind && op->ep == ep && op->prot == prot && op->addr + (op->npages << PAGE_SHIFT) == addr;
}

HOT void map_add(uint32_t kind, endpoint_t ep, vaddr_t addr, frame_t f, uint32_t prot)
{
	struct map_op *op = op_last();

	if (op_continues(op, kind, ep, addr, prot) && op->paddr + (op->npages << PAGE_SHIFT) == frame_addr(f)) {
		op->npages++;
		return;
	}
	op = op_new(kind, ep, addr, 1);
	op->paddr = frame_addr(f);
	op->prot = prot;
}

void map_add_run(endpoint_t ep, vaddr_t addr, paddr_t paddr, uint64_t npages, uint32_t prot)
{
	struct map_op *op = op_new(MAP_FRAMES, ep, addr, npages);

	op->paddr = paddr;
	op->prot = prot;
}

HOT void map_add_copy(endpoint_t ep, vaddr_t addr, frame_t f, frame_t src, uint32_t prot)
{
	struct map_op *op = op_new(MAP_COPY, ep, addr, 1);

	op->paddr = frame_addr(f);
	op->src_paddr = frame_addr(src);
	op->prot = prot;
}

void map_add_unmap(endpoint_t ep, vaddr_t addr, uint64_t npages)
{
	struct map_op *op = op_last();

	if (op_continues(op, MAP_UNMAP, ep, addr, 0))
		op->npages += npages;
	else
		op_new(MAP_UNMAP, ep, addr, npages);
}

void map_add_protect(endpoint_t ep, vaddr_t addr, uint64_t npages, uint32_t prot)
{
	struct map_op *op = op_last();

	if (op_continues(op, MAP_PROTECT, ep, addr, prot))
		op->npages += npages;
	else
		op_new(MAP_PROTECT, ep, addr, npages)->prot = prot;
}

void map_add_share(uint32_t kind, endpoint_t ep, endpoint_t src, vaddr_t addr, uint64_t npages)
{
	op_new(kind, ep, addr, npages)->src_ep = src;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What kmem gets its pages from, and musl's malloc for the few library functions that use it (printf, libsef's output queue). */
#include "own.h"
#include "kmem.h"
#include "mapper.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <libsys/log.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_OPS = 8, HEADER_BYTES = 16 };

void own_map_run(vaddr_t addr, paddr_t paddr, uint64_t npages)
{
	struct map_op op = { .kind = MAP_ZERO, .ep = EP_SELF, .addr = addr, .npages = npages, .paddr = paddr,
		.prot = MAP_READ | MAP_WRITE };
	err_t err = sys_map(&op, 1, NULL);

	if (err)
		fail_stop("vm: no memory for the table of frames: %d", err);
}

static err_t own_map(const struct map_op *ops, uint32_t n)
{
	uint32_t from = 0;
	err_t err = 0;

	while (from < n && !err) {
		uint64_t done = 0;

		err = sys_map(ops + from, n - from, &done);
		from += done;
		if (err == -ENOMEM && ptframes_give())
			err = 0;
	}
	return err;
}

static void own_unmap(uintptr_t addr, uint32_t npages)
{
	struct map_op op = { .kind = MAP_UNMAP, .ep = EP_SELF, .addr = addr, .npages = npages };

	own_map(&op, 1);
}

/* The frames behind own pages; the page tables are the only record of them. */
static void own_put_frames(uintptr_t addr, uint32_t npages)
{
	paddr_t p;

	while (npages--) {
		if (sys_umap(EP_SELF, addr + ((uintptr_t)npages << PAGE_SHIFT), 1, &p, NULL) != 0)
			continue;
		own_unmap(addr + ((uintptr_t)npages << PAGE_SHIFT), 1);
		frame_put(frame_of(p));
	}
}

int kmem_backend_map(uintptr_t addr, uint32_t npages)
{
	struct map_op ops[OWN_OPS];
	uint32_t done = 0, n;

	if (!frame_available(FRAME_FOR_VM, npages))
		return -ENOMEM;
	while (done < npages) {
		for (n = 0; n < OWN_OPS && done + n < npages; n++)
			ops[n] = (struct map_op){ .kind = MAP_FRAMES, .ep = EP_SELF, .addr = addr + ((uintptr_t)(done + n) << PAGE_SHIFT),
				.npages = 1, .paddr = frame_addr(frame_alloc(FRAME_FOR_VM)), .prot = MAP_READ | MAP_WRITE };
		if (own_map(ops, n) != 0)
			break;
		done += n;
	}
	if (done == npages)
		return 0;
	own_put_frames(addr, done);
	return -ENOMEM;
}

void kmem_backend_unmap(uintptr_t addr, uint32_t npages) { own_put_frames(addr, npages); }

/* ---- malloc: the size stands before the memory ---- */

void *malloc(size_t size)
{
	size_t *p;

	if (size > SIZE_MAX - HEADER_BYTES)
		return NULL;
	p = kmem_alloc(size + HEADER_BYTES);
	if (!p)
		return NULL;
	*p = size;
	return (char *)p + HEADER_BYTES;
}

static size_t malloc_size(void *p) { return *(size_t *)((char *)p - HEADER_BYTES); }

void free(void *p)
{
	if (p)
		kmem_free((char *)p - HEADER_BYTES, malloc_size(p) + HEADER_BYTES);
}

void *calloc(size_t n, size_t size)
{
	void *p;

	if (size && n > SIZE_MAX / size)
		return NULL;
	p = malloc(n * size);
	if (p)
		memset(p, 0, n * size);
	return p;
}

void *realloc(void *old, size_t size)
{
	void *p;
	size_t keep;

	if (!old)
		return malloc(size);
	keep = malloc_size(old) < size ? malloc_size(old) : size;
	p = malloc(size);
	if (!p)
		return NULL;
	memcpy(p, old, keep);
	free(old);
	return p;
}

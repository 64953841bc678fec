/* SPDX-License-Identifier: BSD-2-Clause */
#include "host_backend.h"
#include "../frame.h"
#include "../kmem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct { int maps_left; uint64_t random; void *table; } host = { .maps_left = -1, .random = 1 };

void host_seed(uint64_t seed) { host.random = seed * 2 + 1; }

uint32_t host_random(uint32_t below)
{
	host.random = host.random * 6364136223846793005ull + 1442695040888963407ull;
	return (host.random >> 33) % below;
}

void host_check(int ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	abort();
}

void host_fail_after(int maps) { host.maps_left = maps; }

int kmem_backend_map(uintptr_t addr, uint32_t npages)
{
	if (host.maps_left == 0)
		return -ENOMEM;
	if (host.maps_left > 0)
		host.maps_left--;
	return mprotect((void *)addr, (size_t)npages << PAGE_SHIFT, PROT_READ | PROT_WRITE) ? -ENOMEM : 0;
}

void kmem_backend_unmap(uintptr_t addr, uint32_t npages)
{
	madvise((void *)addr, (size_t)npages << PAGE_SHIFT, MADV_DONTNEED);
	mprotect((void *)addr, (size_t)npages << PAGE_SHIFT, PROT_NONE);
}

void host_start(uint32_t frames)
{
	static void *arena;

	if (!arena)
		arena = mmap(NULL, (size_t)KMEM_ARENA_PAGES << PAGE_SHIFT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);
	kmem_init((uintptr_t)arena);
	free(host.table);
	host.table = calloc(1, frame_table_bytes(frames));
	frame_init(host.table, frames);
	frame_add(1, frames - 1);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of one size from a free list. Memory is taken in chunks and kept: a fork or a signal then costs no call to VM, and the
 * objects in use stay close together on few pages.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct pool {
	size_t size;		/* bytes of an object, at least a pointer */
	uint32_t chunk;		/* objects taken at a time */
	uint32_t limit;		/* most objects ever, 0 = no limit */
	uint32_t used, total;
	void *free;		/* list through the first word */
};

void *pool_get(struct pool *p);		/* zeroed; 0 when memory is short or the limit reached */
void pool_put(struct pool *p, void *object);

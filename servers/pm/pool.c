/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of one size: see pool.h. Free objects are chained through their first word. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

static void pool_grow(struct pool *p)
{
	uint32_t n = p->chunk;

	if (p->limit && p->total + n > p->limit)
		n = p->limit - p->total;
	char *chunk = n ? calloc(n, p->size) : 0;
	if (!chunk)
		return;
	for (uint32_t i = 0; i < n; i++) {
		void *object = chunk + (n - 1 - i) * p->size;
		*(void **)object = p->free;
		p->free = object;
	}
	p->total += n;
}

void *pool_get(struct pool *p)
{
	if (!p->free)
		pool_grow(p);
	void *object = p->free;
	if (!object)
		return 0;
	p->free = *(void **)object;
	p->used++;
	return memset(object, 0, p->size);
}

void pool_put(struct pool *p, void *object)
{
	*(void **)object = p->free;
	p->free = object;
	p->used--;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of the arena are free or used by one bit each. A slab is one page: a header, then objects of one size; free
 * objects are chained by their index. Slabs with room are in a list per size; a slab that becomes empty goes back to the pages.
 *
 * Mapping a page costs an address-space edit (and with it VM's own TLB), so single pages are mapped some at a time and kept,
 * empty, in `spare`; they count as free memory in what VM tells others.
 */
#include "kmem.h"

#include <abi/types.h>
#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { SPARE_MAX = 64, SPARE_BATCH = 8, WORD_BITS = 64, NR_CLASSES = 9, NO_OBJECT = 0xffff };

struct slab {
	struct slab *next, *prev;
	uint16_t size_class, used, first_free, capacity;
	uint8_t pad[40];
};
_Static_assert(sizeof(struct slab) == 64, "objects stay aligned to cache lines");

static const uint16_t class_size[NR_CLASSES] = { 32, 64, 128, 192, 256, 384, 576, 1008, 2016 };

static struct kmem {
	uintptr_t base;
	uint64_t used_map[KMEM_ARENA_PAGES / WORD_BITS];	/* 1 = address taken */
	uint32_t hint;				/* word where the search starts */
	uint32_t nr_spare;
	uint64_t pages;				/* mapped, spare ones included */
	struct slab *partial[NR_CLASSES];
	void *spare[SPARE_MAX];
} kmem;

void kmem_init(uintptr_t base)
{
	memset(&kmem, 0, sizeof kmem);
	kmem.base = base;
}

uint64_t kmem_pages_used(void) { return kmem.pages - kmem.nr_spare; }
uint64_t kmem_pages_spare(void) { return kmem.nr_spare; }

static bool run_is_free(uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		if (kmem.used_map[i / WORD_BITS] >> (i % WORD_BITS) & 1)
			return false;
	return true;
}

static void run_mark(uint32_t first, uint32_t n, bool used)
{
	for (uint32_t i = first; i < first + n; i++) {
		uint64_t bit = 1ull << (i % WORD_BITS);

		if (used)
			kmem.used_map[i / WORD_BITS] |= bit;
		else
			kmem.used_map[i / WORD_BITS] &= ~bit;
	}
}

/* n free addresses, or -1. Runs begin at a word's start or anywhere inside the first word that has room. */
static int64_t run_find(uint32_t n)
{
	for (uint32_t k = 0; k < KMEM_ARENA_PAGES / WORD_BITS; k++) {
		uint32_t word = (kmem.hint + k) % (KMEM_ARENA_PAGES / WORD_BITS);

		if (!~kmem.used_map[word])
			continue;
		uint32_t first = word * WORD_BITS + __builtin_ctzll(~kmem.used_map[word]);
		for (; first < (word + 1) * WORD_BITS && first + n <= KMEM_ARENA_PAGES; first++) {
			if (!run_is_free(first, n))
				continue;
			kmem.hint = word;
			return first;
		}
	}
	return -1;
}

static void *pages_map(uint32_t n)
{
	int64_t first = run_find(n);
	uintptr_t addr;

	if (first < 0)
		return NULL;
	addr = kmem.base + ((uintptr_t)first << PAGE_SHIFT);
	if (kmem_backend_map(addr, n) != 0)
		return NULL;
	run_mark(first, n, true);
	kmem.pages += n;
	return (void *)addr;
}

static void pages_unmap(void *p, uint32_t n)
{
	uint32_t first = ((uintptr_t)p - kmem.base) >> PAGE_SHIFT;

	kmem_backend_unmap((uintptr_t)p, n);
	run_mark(first, n, false);
	kmem.hint = first / WORD_BITS < kmem.hint ? first / WORD_BITS : kmem.hint;
	kmem.pages -= n;
}

static void *page_alloc(void)
{
	char *p;

	if (kmem.nr_spare)
		return kmem.spare[--kmem.nr_spare];
	p = pages_map(SPARE_BATCH);
	if (!p)
		return pages_map(1);
	for (int i = SPARE_BATCH - 1; i > 0; i--)
		kmem.spare[kmem.nr_spare++] = p + i * PAGE_BYTES;
	return p;
}

static void page_free(void *p)
{
	if (kmem.nr_spare < SPARE_MAX)
		kmem.spare[kmem.nr_spare++] = p;
	else
		pages_unmap(p, 1);
}

static void slab_link(struct slab *s)
{
	s->prev = NULL;
	s->next = kmem.partial[s->size_class];
	if (s->next)
		s->next->prev = s;
	kmem.partial[s->size_class] = s;
}

static void slab_unlink(struct slab *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		kmem.partial[s->size_class] = s->next;
	if (s->next)
		s->next->prev = s->prev;
}

static void *slab_object(struct slab *s, uint32_t index)
{
	return (char *)(s + 1) + index * class_size[s->size_class];
}

static struct slab *slab_new(int size_class)
{
	struct slab *s = page_alloc();

	if (!s)
		return NULL;
	s->size_class = size_class;
	s->used = 0;
	s->capacity = (PAGE_BYTES - sizeof *s) / class_size[size_class];
	s->first_free = 0;
	for (uint32_t i = 0; i < s->capacity; i++)
		*(uint16_t *)slab_object(s, i) = i + 1 < s->capacity ? i + 1 : NO_OBJECT;
	slab_link(s);
	return s;
}

static int class_of(size_t size)
{
	int c = 0;

	while (c < NR_CLASSES && class_size[c] < size)
		c++;
	return c;
}

void *kmem_alloc(size_t size)
{
	int c = class_of(size);
	struct slab *s;
	uint16_t *object;

	if (c == NR_CLASSES && size <= PAGE_BYTES)
		return page_alloc();
	if (c == NR_CLASSES && size > (size_t)KMEM_ARENA_PAGES * PAGE_BYTES)
		return NULL;
	if (c == NR_CLASSES)
		return pages_map((size + PAGE_BYTES - 1) >> PAGE_SHIFT);
	s = kmem.partial[c] ? kmem.partial[c] : slab_new(c);
	if (!s)
		return NULL;
	object = slab_object(s, s->first_free);
	s->first_free = *object;
	s->used++;
	if (s->first_free == NO_OBJECT)
		slab_unlink(s);
	return object;
}

void *kmem_zalloc(size_t size)
{
	void *p = kmem_alloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

static void slab_free(void *p)
{
	struct slab *s = (struct slab *)((uintptr_t)p & ~(uintptr_t)(PAGE_BYTES - 1));
	uint32_t index = ((char *)p - (char *)(s + 1)) / class_size[s->size_class];

	assert(slab_object(s, index) == p && s->used > 0);
	if (s->first_free == NO_OBJECT)
		slab_link(s);
	*(uint16_t *)p = s->first_free;
	s->first_free = index;
	if (--s->used == 0) {
		slab_unlink(s);
		page_free(s);
	}
}

void kmem_free(void *p, size_t size)
{
	if (!p)
		return;
	if (class_of(size) < NR_CLASSES)
		slab_free(p);
	else if (size <= PAGE_BYTES)
		page_free(p);
	else
		pages_unmap(p, (size + PAGE_BYTES - 1) >> PAGE_SHIFT);
}

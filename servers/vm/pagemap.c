/* SPDX-License-Identifier: BSD-2-Clause */
/* See pagemap.h. Nothing here outlives VM; a reborn VM fills its maps from what the kernel has mapped. */
#include "pagemap.h"
#include "hot.h"
#include "kmem.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { LEAF_BYTES = LEAF_PAGES * sizeof(frame_t), FIRST_ROOM = 8 };

/* Index of the first leaf whose key is not below `key`. */
HOT static uint32_t leaf_lower(const struct pagemap *m, uint32_t key)
{
	uint32_t low = 0, high = m->count;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (m->leaves[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

HOT static struct leaf *leaf_find(struct pagemap *m, uint64_t page)
{
	uint32_t key = page >> LEAF_SHIFT;
	uint32_t i;

	if (m->last < m->count && m->leaves[m->last].key == key)
		return &m->leaves[m->last];
	i = leaf_lower(m, key);
	if (i == m->count || m->leaves[i].key != key)
		return NULL;
	m->last = i;
	return &m->leaves[i];
}

static err_t leaves_grow(struct pagemap *m)
{
	uint32_t room = m->room ? m->room * 2 : FIRST_ROOM;
	struct leaf *leaves = kmem_alloc(room * sizeof *leaves);

	if (!leaves)
		return -ENOMEM;
	if (m->count)
		memcpy(leaves, m->leaves, m->count * sizeof *leaves);
	kmem_free(m->leaves, m->room * sizeof *leaves);
	m->leaves = leaves;
	m->room = room;
	return 0;
}

HOT static struct leaf *leaf_make(struct pagemap *m, uint64_t page)
{
	struct leaf *leaf = leaf_find(m, page);
	frame_t *entries;
	uint32_t i;

	if (leaf)
		return leaf;
	if (m->count == m->room && leaves_grow(m) != 0)
		return NULL;
	entries = kmem_zalloc(LEAF_BYTES);
	if (!entries)
		return NULL;
	i = leaf_lower(m, page >> LEAF_SHIFT);
	memmove(&m->leaves[i + 1], &m->leaves[i], (m->count - i) * sizeof *m->leaves);
	m->leaves[i] = (struct leaf){ .key = page >> LEAF_SHIFT, .frames = entries };
	m->count++;
	m->last = i;
	return &m->leaves[i];
}

static void leaf_remove(struct pagemap *m, uint32_t i)
{
	kmem_free(m->leaves[i].frames, LEAF_BYTES);
	m->count--;
	memmove(&m->leaves[i], &m->leaves[i + 1], (m->count - i) * sizeof *m->leaves);
}

HOT frame_t pagemap_get(struct pagemap *m, uint64_t page)
{
	struct leaf *leaf = leaf_find(m, page);

	return leaf ? leaf->frames[page % LEAF_PAGES] : FRAME_NONE;
}

err_t pagemap_reserve(struct pagemap *m, uint64_t page) { return leaf_make(m, page) ? 0 : -ENOMEM; }

HOT err_t pagemap_set(struct pagemap *m, uint64_t page, frame_t f)
{
	struct leaf *leaf = leaf_make(m, page);
	frame_t *entry;

	assert(f != FRAME_NONE);
	if (!leaf)
		return -ENOMEM;
	entry = &leaf->frames[page % LEAF_PAGES];
	if (*entry == FRAME_NONE) {
		leaf->used++;
		m->pages++;
	}
	*entry = f;
	return 0;
}

frame_t pagemap_clear(struct pagemap *m, uint64_t page)
{
	struct leaf *leaf = leaf_find(m, page);
	frame_t f = leaf ? leaf->frames[page % LEAF_PAGES] : FRAME_NONE;

	if (f == FRAME_NONE)
		return FRAME_NONE;
	leaf->frames[page % LEAF_PAGES] = FRAME_NONE;
	m->pages--;
	if (--leaf->used == 0)
		leaf_remove(m, leaf - m->leaves);
	return f;
}

bool pagemap_next(struct pagemap *m, uint64_t from, uint64_t to, uint64_t *page, frame_t *f)
{
	for (uint32_t i = leaf_lower(m, from >> LEAF_SHIFT); i < m->count; i++) {
		struct leaf *leaf = &m->leaves[i];
		uint64_t base = (uint64_t)leaf->key << LEAF_SHIFT;

		if (base >= to)
			return false;
		for (uint64_t p = from > base ? from : base; p < base + LEAF_PAGES && p < to; p++) {
			if (leaf->frames[p - base] == FRAME_NONE)
				continue;
			*page = p;
			*f = leaf->frames[p - base];
			return true;
		}
	}
	return false;
}

/* Entries of one leaf in [from, to), as indices. */
static void leaf_span(const struct leaf *leaf, uint64_t from, uint64_t to, uint32_t *first, uint32_t *last)
{
	uint64_t base = (uint64_t)leaf->key << LEAF_SHIFT;

	*first = from > base ? from - base : 0;
	*last = to < base + LEAF_PAGES ? to - base : LEAF_PAGES;
}

static uint32_t leaf_drop(struct leaf *leaf, uint32_t first, uint32_t last)
{
	uint32_t dropped = 0;

	for (uint32_t i = first; i < last; i++) {
		if (leaf->frames[i] == FRAME_NONE)
			continue;
		frame_put(leaf->frames[i]);
		leaf->frames[i] = FRAME_NONE;
		dropped++;
	}
	leaf->used -= dropped;
	return dropped;
}

uint64_t pagemap_drop(struct pagemap *m, uint64_t from, uint64_t to)
{
	uint32_t start = leaf_lower(m, from >> LEAF_SHIFT), keep = start, i;
	uint64_t dropped = 0;

	for (i = start; i < m->count && (uint64_t)m->leaves[i].key << LEAF_SHIFT < to; i++) {
		struct leaf *leaf = &m->leaves[i];
		uint32_t first, last;

		leaf_span(leaf, from, to, &first, &last);
		dropped += leaf_drop(leaf, first, last);
		if (leaf->used == 0)
			kmem_free(leaf->frames, LEAF_BYTES);
		else
			m->leaves[keep++] = *leaf;
	}
	if (keep != i) {
		memmove(&m->leaves[keep], &m->leaves[i], (m->count - i) * sizeof *m->leaves);
		m->count -= i - keep;
	}
	m->pages -= dropped;
	return dropped;
}

static void leaf_copy(struct leaf *dst, const struct leaf *src, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i < last; i++) {
		frame_t f = src->frames[i];

		if (f == FRAME_NONE)
			continue;
		frame_get(f);
		dst->frames[i] = f;
		dst->used++;
	}
}

err_t pagemap_copy(struct pagemap *dst, struct pagemap *src, uint64_t from, uint64_t to)
{
	for (uint32_t i = leaf_lower(src, from >> LEAF_SHIFT); i < src->count; i++) {
		const struct leaf *leaf = &src->leaves[i];
		uint64_t page = (uint64_t)leaf->key << LEAF_SHIFT;
		uint32_t first, last, before;
		struct leaf *copy;

		if (page >= to)
			break;
		leaf_span(leaf, from, to, &first, &last);
		copy = leaf_make(dst, page);
		if (!copy)
			return -ENOMEM;
		before = copy->used;
		leaf_copy(copy, leaf, first, last);
		dst->pages += copy->used - before;
		if (copy->used == 0)
			leaf_remove(dst, copy - dst->leaves);
	}
	return 0;
}

void pagemap_fini(struct pagemap *m)
{
	pagemap_drop(m, 0, UINT64_MAX);
	kmem_free(m->leaves, m->room * sizeof *m->leaves);
	memset(m, 0, sizeof *m);
}

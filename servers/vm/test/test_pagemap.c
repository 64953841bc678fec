/* SPDX-License-Identifier: BSD-2-Clause */
/* Pagemaps: random sets, clears, drops and copies against a plain array; references of frames must come out even. */
#include "../kmem.h"
#include "../pagemap.h"
#include "host_backend.h"

#include <stdio.h>
#include <string.h>

enum { PAGES = 2000, FRAMES = 9000, STEPS = 60000 };
#define BASE 0x7ffff0000ull	/* pages of the map used, far from 0 */

static struct pagemap map;
static frame_t model[PAGES];

static uint64_t model_count(void)
{
	uint64_t n = 0;

	for (int i = 0; i < PAGES; i++)
		n += model[i] != FRAME_NONE;
	return n;
}

static void set_one(uint32_t p)
{
	frame_t f = frame_alloc(FRAME_FOR_VM);

	if (f == FRAME_NONE)
		return;
	if (model[p] != FRAME_NONE)
		frame_put(model[p]);
	CHECK(pagemap_set(&map, BASE + p, f) == 0);
	model[p] = f;
}

static void clear_one(uint32_t p)
{
	frame_t f = pagemap_clear(&map, BASE + p);

	CHECK(f == model[p]);
	if (f != FRAME_NONE)
		frame_put(f);
	model[p] = FRAME_NONE;
}

static void drop_range(uint32_t from, uint32_t to)
{
	uint64_t before = model_count();

	for (uint32_t p = from; p < to; p++)
		model[p] = FRAME_NONE;
	CHECK(pagemap_drop(&map, BASE + from, BASE + to) == before - model_count());
}

static void copy_range(uint32_t from, uint32_t to)
{
	struct pagemap copy = { 0 };
	uint64_t n = 0;

	CHECK(pagemap_copy(&copy, &map, BASE + from, BASE + to) == 0);
	for (uint32_t p = 0; p < PAGES; p++) {
		frame_t expected = p >= from && p < to ? model[p] : FRAME_NONE;

		CHECK(pagemap_get(&copy, BASE + p) == expected);
		n += expected != FRAME_NONE;
		if (expected != FRAME_NONE)
			CHECK(frame_refs(expected) == 2);
	}
	CHECK(copy.pages == n);
	pagemap_fini(&copy);
}

static void walk(uint32_t from, uint32_t to)
{
	uint64_t page = BASE + from;
	frame_t f;

	for (uint32_t p = from; p < to; p++) {
		if (model[p] == FRAME_NONE)
			continue;
		CHECK(pagemap_next(&map, page, BASE + to, &page, &f) && page == BASE + p && f == model[p]);
		page++;
	}
	CHECK(!pagemap_next(&map, page, BASE + to, &page, &f));
}

static void step(void)
{
	uint32_t a = host_random(PAGES), b = a + host_random(host_random(10) ? 20 : PAGES - a);

	b = b > PAGES ? PAGES : b;
	switch (host_random(20)) {
	case 0: drop_range(a, b); break;
	case 1: host_random(10) ? (void)0 : copy_range(a, b); break;
	case 2: walk(a, b); break;
	case 3: case 4: case 5: case 6: clear_one(a); break;
	default: set_one(a);
	}
	CHECK(pagemap_get(&map, BASE + a) == model[a]);
}

static void out_of_memory_is_clean(void)
{
	struct pagemap m = { 0 };
	uint64_t n = 0;

	host_fail_after(4);
	while (pagemap_set(&m, n * 1000, 1) == 0)
		n++;
	CHECK(m.pages == n && n > 10);
	host_fail_after(-1);
	while (n)
		CHECK(pagemap_clear(&m, --n * 1000) == 1);
	pagemap_fini(&m);
}

int main(void)
{
	host_start(FRAMES);
	for (int n = 0; n < STEPS; n++)
		step();
	CHECK(map.pages == model_count());
	pagemap_fini(&map);
	CHECK(frame_free_count() == FRAMES - 1);
	out_of_memory_is_clean();
	CHECK(kmem_pages_used() == 0);
	puts("ok");
	return 0;
}

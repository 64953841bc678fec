/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions: random insertions, removals, changes of rights and address choices against a model that describes every page by itself. The
 * set must be sorted, disjoint and merged wherever the model's neighbours are alike; the tree must be balanced and know its holes.
 */
#include "../kmem.h"
#include "../region.h"
#include "host_backend.h"

#include <stdio.h>
#include <string.h>

enum { PAGES = 400, STEPS = 100000, OBJECTS = 3 };
#define BASE (0x7f0000000000ull)

struct page { int used; uint8_t kind, prot; struct object *object; uint64_t offset; };
static struct page model[PAGES];
static struct regions set;
static struct object objects[OBJECTS];

static vaddr_t addr_of(uint32_t page) { return BASE + (vaddr_t)page * PAGE_BYTES; }

static int alike(const struct page *a, const struct page *b)
{
	return a->used && b->used && a->kind == b->kind && a->prot == b->prot && a->object == b->object
		&& (a->kind == REGION_ANON || a->offset + PAGE_BYTES == b->offset);
}

/* Walks the branch in order; *end and *count go along. Returns its height. */
static uint32_t check_branch(const struct regions *rs, uint16_t t, vaddr_t *end, uint32_t *count)
{
	const struct region *r = &rs->at[t];
	uint32_t low, high;
	uint64_t hole;

	if (!t)
		return 0;
	low = check_branch(rs, r->low, end, count);
	CHECK(*end <= r->first && r->first < r->last && rs->at[r->prev].last == *end && rs->at[rs->at[r->prev].next].first == r->first);
	hole = r->first - *end;
	*end = r->last;
	++*count;
	high = check_branch(rs, r->high, end, count);
	CHECK(low <= high + 1 && high <= low + 1 && r->height == 1 + (low > high ? low : high));
	hole = hole > rs->at[r->low].hole ? hole : rs->at[r->low].hole;
	CHECK(r->hole == (hole > rs->at[r->high].hole ? hole : rs->at[r->high].hole));
	return r->height;
}

static void check_tree(const struct regions *rs)
{
	vaddr_t end = 0;
	uint32_t count = 0;

	if (!rs->at)
		return;
	check_branch(rs, rs->root, &end, &count);
	CHECK(count == rs->count && rs->at[rs->at->prev].last == end && rs->used <= rs->room);
	CHECK(rs->at->height == 0 && rs->at->hole == 0 && rs->at->last == 0);
}

static void compare(void)
{
	uint32_t runs = 0, p = 0;
	uint64_t bytes = 0;
	int refs[OBJECTS] = { 0 };
	const struct region *r;

	check_tree(&set);
	REGIONS_EACH(&set, r) {
		for (; addr_of(p) < r->first; p++)
			CHECK(!model[p].used);
		for (; addr_of(p) < r->last; p++) {
			CHECK(model[p].used && model[p].kind == r->kind && model[p].prot == r->prot && model[p].object == r->object);
			if (r->kind != REGION_ANON)
				CHECK(r->offset + (addr_of(p) - r->first) == model[p].offset);
			bytes += PAGE_BYTES;
		}
		if (r->object)
			refs[r->object - objects]++;
	}
	for (; p < PAGES; p++)
		CHECK(!model[p].used);
	for (p = 0; p < PAGES; p++)
		runs += model[p].used && (p == 0 || !alike(&model[p - 1], &model[p]));
	CHECK(runs == set.count && bytes == set.bytes);
	for (int i = 0; i < OBJECTS; i++)
		CHECK(refs[i] == objects[i].refs);
}

static void remove_range(uint32_t a, uint32_t b)
{
	CHECK(regions_reserve(&set, 2) == 0);
	regions_remove(&set, addr_of(a), addr_of(b));
	for (; a < b; a++)
		model[a].used = 0;
}

static void insert_range(uint32_t a, uint32_t b)
{
	struct region r = { .first = addr_of(a), .last = addr_of(b), .kind = host_random(3), .prot = host_random(3), .file_end = ~0ull };

	remove_range(a, b);
	if (r.kind != REGION_ANON) {
		r.object = &objects[host_random(OBJECTS)];
		r.offset = addr_of(a) - BASE + (host_random(4) ? 0 : (uint64_t)host_random(5) << PAGE_SHIFT);
		object_get(r.object);
	}
	for (uint32_t p = a; p < b; p++)
		model[p] = (struct page){ 1, r.kind, r.prot, r.object, r.offset + (addr_of(p) - r.first) };
	CHECK(regions_reserve(&set, 1) == 0);
	regions_insert(&set, &r);
}

static void protect_range(uint32_t a, uint32_t b)
{
	uint8_t prot = host_random(3);
	struct region *r;

	CHECK(regions_reserve(&set, 2) == 0);
	regions_cut(&set, addr_of(a), addr_of(b));
	REGIONS_IN(&set, r, addr_of(a), addr_of(b))
		r->prot = prot;
	regions_join(&set, addr_of(a), addr_of(b));
	for (; a < b; a++)
		model[a].prot = prot;
}

static int model_is_free(uint32_t a, uint32_t n)
{
	while (n--)
		if (model[a++].used)
			return 0;
	return 1;
}

static void place(uint32_t low, uint32_t high)
{
	uint32_t n = 1 + host_random(30);
	int64_t down = -1, up = -1;

	for (int64_t a = low; a + n <= high; a++) {
		if (!model_is_free(a, n))
			continue;
		up = up < 0 ? a : up;
		down = a;
	}
	CHECK(regions_place_down(&set, n * PAGE_BYTES, addr_of(low), addr_of(high)) == (down < 0 ? 0 : addr_of(down)));
	CHECK(regions_place_up(&set, n * PAGE_BYTES, addr_of(low), addr_of(high)) == (up < 0 ? 0 : addr_of(up)));
}

static void look_up(uint32_t a, uint32_t b)
{
	struct region *r = regions_at(&set, addr_of(a) + host_random(PAGE_BYTES));
	int all = 1, any = 0;

	CHECK((r != NULL) == model[a].used);
	for (uint32_t p = a; p < b; p++) {
		all &= model[p].used;
		any |= model[p].used;
	}
	CHECK(regions_cover(&set, addr_of(a), addr_of(b)) == all && regions_overlap(&set, addr_of(a), addr_of(b)) == any);
}

static void copy_all(void)
{
	struct regions copy = { 0 };

	CHECK(regions_copy(&copy, &set) == 0 && copy.count == set.count && copy.bytes == set.bytes);
	check_tree(&copy);
	regions_fini(&copy);
}

static void step(void)
{
	uint32_t a = host_random(PAGES), b = a + 1 + host_random(host_random(10) ? 12 : PAGES - a);

	b = b > PAGES ? PAGES : b;
	switch (host_random(8)) {
	case 0: case 1: remove_range(a, b); break;
	case 2: case 3: insert_range(a, b); break;
	case 4: protect_range(a, b); break;
	case 5: place(a, b); break;
	case 6: look_up(a, b); break;
	default: copy_all();
	}
}

static void stacks_keep_their_distance(void)
{
	struct regions s = { 0 };
	struct region r = { .first = BASE + (1 << 24), .last = BASE + (1 << 25), .flags = REGION_STACK };

	CHECK(regions_reserve(&s, 1) == 0);
	regions_insert(&s, &r);
	CHECK(regions_place_down(&s, PAGE_BYTES, BASE, r.first) == r.first - STACK_GUARD_BYTES - PAGE_BYTES);
	CHECK(regions_place_up(&s, r.first - BASE, BASE, r.last) == 0);
	regions_grow_down(&s, regions_at(&s, r.first), r.first - PAGE_BYTES);
	check_tree(&s);
	CHECK(s.bytes == r.last - r.first + PAGE_BYTES);
	regions_fini(&s);
}

static void put_alone(struct regions *s, vaddr_t addr, uint64_t bytes, uint32_t n)
{
	struct region r = { .first = addr, .last = addr + bytes, .prot = n % 2 };

	CHECK(regions_reserve(s, 1) == 0);
	regions_insert(s, &r);
}

/* As many as there may be, down from the top, up from the bottom, then with holes: still found, placed and removed at once. */
static void as_many_as_may_be(void)
{
	struct regions s = { 0 };
	vaddr_t top = BASE + (8ull << 30), addr;

	for (uint32_t n = 0; n < REGIONS_MAX; n++) {
		addr = n % 3 == 0 ? regions_place_up(&s, PAGE_BYTES, BASE, top) : regions_place_down(&s, PAGE_BYTES, BASE, top);
		CHECK(addr != 0);
		put_alone(&s, addr, PAGE_BYTES, addr >> PAGE_SHIFT);
	}
	check_tree(&s);
	CHECK(s.count == REGIONS_MAX && regions_reserve(&s, 2) == 0 && regions_reserve(&s, 3) == -12);
	for (addr = BASE; addr < BASE + 20000 * PAGE_BYTES; addr += 3 * PAGE_BYTES)
		regions_remove(&s, addr, addr + PAGE_BYTES);
	check_tree(&s);
	CHECK(regions_place_up(&s, PAGE_BYTES, BASE + PAGE_BYTES, top) == BASE + 3 * PAGE_BYTES);
	CHECK(regions_place_down(&s, 2 * PAGE_BYTES, BASE, BASE + 20000 * PAGE_BYTES) == 0);
	regions_remove(&s, BASE, top);
	check_tree(&s);
	CHECK(s.count == 0 && s.bytes == 0 && regions_place_up(&s, PAGE_BYTES, BASE, top) == BASE);
	regions_fini(&s);
}

int main(void)
{
	host_start(2);
	for (int n = 0; n < STEPS; n++) {
		step();
		compare();
	}
	remove_range(0, PAGES);
	compare();
	regions_fini(&set);
	stacks_keep_their_distance();
	as_many_as_may_be();
	CHECK(kmem_pages_used() == 0);
	puts("ok");
	return 0;
}

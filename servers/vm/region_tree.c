/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions as nodes of one pool, so that a fork copies them all, tree and list included, as a run of bytes: links are numbers in the pool,
 * not pointers. Node 0 is no region: it ends every branch (height 0, no hole), and closes the list to a ring (its next is the lowest
 * region, its prev the highest; its `last` is 0, where the lowest hole begins).
 *
 * The tree is balanced by height (the two sides of a node differ by one at most). Each node knows the largest hole of its branch; the
 * holes of a branch are those directly below each of its regions. The list knows neighbours, thus the size of one's own hole. Whoever
 * goes in or out of the tree changes the hole of the region above it alone; that one lies on the way from the root to the place of the
 * change or takes that place, and all nodes on this way are weighed anew anyhow.
 */
#include "region_tree.h"
#include "kmem.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Nodes at first: a plain program has ten regions or so, and 15 fill one of kmem's sizes. */
enum { FIRST_NODES = 15, NODES_MAX = REGIONS_MAX + 3 };
_Static_assert(NODES_MAX <= UINT16_MAX, "links have 16 bits");

static inline uint64_t max(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Height and largest hole of a branch, from the branches below. */
static inline void weigh(struct region *at, struct region *r)
{
	const struct region *low = &at[r->low], *high = &at[r->high];

	r->height = 1 + (low->height > high->height ? low->height : high->height);
	r->hole = max(r->first - at[r->prev].last, max(low->hole, high->hole));
}

/* The low child becomes the root of the branch. */
static uint16_t turn_up_low(struct region *at, uint16_t t)
{
	uint16_t top = at[t].low;

	at[t].low = at[top].high;
	at[top].high = t;
	weigh(at, &at[t]);
	weigh(at, &at[top]);
	return top;
}

static uint16_t turn_up_high(struct region *at, uint16_t t)
{
	uint16_t top = at[t].high;

	at[t].high = at[top].low;
	at[top].low = t;
	weigh(at, &at[t]);
	weigh(at, &at[top]);
	return top;
}

static inline int lean(const struct region *at, uint16_t t) { return at[at[t].low].height - at[at[t].high].height; }

static __attribute__((noinline)) uint16_t turn(struct region *at, uint16_t t)
{
	struct region *r = &at[t];

	if (lean(at, t) > 0) {
		if (lean(at, r->low) < 0)
			r->low = turn_up_high(at, r->low);
		return turn_up_low(at, t);
	}
	if (lean(at, r->high) > 0)
		r->high = turn_up_low(at, r->high);
	return turn_up_high(at, t);
}

/* One side of t has grown or shrunk by one at most. The branch's new root, weighed. */
static inline uint16_t balance(struct region *at, uint16_t t)
{
	int by = lean(at, t);

	if (by > 1 || by < -1)
		return turn(at, t);
	weigh(at, &at[t]);
	return t;
}

static uint16_t branch_add(struct region *at, uint16_t t, uint16_t n)
{
	if (!t) {
		weigh(at, &at[n]);
		return n;
	}
	if (at[n].first < at[t].first)
		at[t].low = branch_add(at, at[t].low, n);
	else
		at[t].high = branch_add(at, at[t].high, n);
	return balance(at, t);
}

/* Takes out the lowest node of a branch. */
static uint16_t branch_take_lowest(struct region *at, uint16_t t, uint16_t *lowest)
{
	if (!at[t].low) {
		*lowest = t;
		return at[t].high;
	}
	at[t].low = branch_take_lowest(at, at[t].low, lowest);
	return balance(at, t);
}

static uint16_t branch_remove(struct region *at, uint16_t t, uint16_t n)
{
	uint16_t heir, high;

	if (t != n) {
		if (at[n].first < at[t].first)
			at[t].low = branch_remove(at, at[t].low, n);
		else
			at[t].high = branch_remove(at, at[t].high, n);
		return balance(at, t);
	}
	if (!at[t].high)
		return at[t].low;
	high = branch_take_lowest(at, at[t].high, &heir);
	at[heir].low = at[t].low;
	at[heir].high = high;
	return balance(at, heir);
}

static void branch_weigh_to(struct region *at, uint16_t t, uint16_t n)
{
	if (t != n)
		branch_weigh_to(at, at[n].first < at[t].first ? at[t].low : at[t].high, n);
	weigh(at, &at[t]);
}

void tree_hole_changed(struct regions *rs, uint16_t n) { branch_weigh_to(rs->at, rs->root, n); }

/* Freed nodes are chained by `next`; behind `used` no node was ever in use. */
static uint16_t node_take(struct regions *rs)
{
	uint16_t n = rs->free;

	assert(rs->count + 1 < rs->room);
	if (n)
		rs->free = rs->at[n].next;
	else
		n = rs->used++;
	return n;
}

uint16_t tree_add(struct regions *rs, uint16_t prev, const struct region *r)
{
	uint16_t n = node_take(rs);
	struct region *node = &rs->at[n];

	*node = *r;
	node->low = node->high = 0;
	node->prev = prev;
	node->next = rs->at[prev].next;
	rs->at[node->next].prev = n;
	rs->at[prev].next = n;
	rs->count++;
	rs->root = branch_add(rs->at, rs->root, n);
	return n;
}

void tree_remove(struct regions *rs, uint16_t n)
{
	struct region *node = &rs->at[n];

	rs->at[node->prev].next = node->next;
	rs->at[node->next].prev = node->prev;
	rs->root = branch_remove(rs->at, rs->root, n);
	*node = (struct region){ .next = rs->free };
	rs->free = n;
	rs->count--;
}

err_t tree_reserve(struct regions *rs, uint32_t extra)
{
	uint32_t need = rs->count + 1 + extra, room = rs->room ? rs->room : FIRST_NODES;
	struct region *at;

	if (need > NODES_MAX)
		return -ENOMEM;
	if (need <= rs->room)
		return 0;
	while (room < need)
		room *= 2;
	room = room < NODES_MAX ? room : NODES_MAX;
	at = kmem_alloc(room * sizeof *at);
	if (!at)
		return -ENOMEM;
	if (rs->room)
		memcpy(at, rs->at, rs->used * sizeof *at);
	else
		*at = (struct region){ 0 };
	rs->used = rs->room ? rs->used : 1;
	kmem_free(rs->at, rs->room * sizeof *at);
	rs->at = at;
	rs->room = room;
	return 0;
}

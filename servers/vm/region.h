/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regions of an address space: what each stretch of addresses is for. Sorted by address, never overlapping; neighbours that are the
 * same in all respects are one region. A region says what a page would be; the space's pagemap says which frame it is.
 */
#pragma once
#include <abi/types.h>
#include <stdbool.h>

struct object;

enum region_kind {
	REGION_ANON,	/* private, zeros at first, copied on write after a fork */
	REGION_FILE,	/* private pages of an object (file), copied on write */
	REGION_SHARED,	/* the object's pages themselves (file or shared memory) */
	REGION_PHYS,	/* given physical memory, not counted by frame */
};
enum region_flags {
	REGION_STACK = 1,	/* grows down on a fault below it */
	REGION_HEAP = 2,	/* made by brk */
	REGION_LOCKED = 4,	/* mlock */
	REGION_DONTFORK = 8,
	REGION_WIPEONFORK = 0x10,
	REGION_UNCACHED = 0x20,
	REGION_SPECIAL = 0x40,	/* vdso, vvar */
	REGION_RANDOM = 0x80,	/* no reading ahead (MADV_RANDOM) */
	REGION_CONTIG = 0x100,	/* made by VM_ALLOC_CONTIG: counts against the service's limit */
};

struct region {
	vaddr_t first, last;	/* last: exclusive; both page-aligned */
	uint8_t kind, prot, max_prot;	/* prot: PROT_* of Linux; max_prot: what mprotect may give */
	uint8_t height;		/* this and the last line are the set's, not the owner's: see region_tree.c */
	uint32_t flags;
	struct object *object;	/* FILE, SHARED: one reference held */
	uint64_t offset;	/* of `first` in the object, bytes; PHYS: physical address */
	uint64_t file_end;	/* FILE: bytes of the object from here on read as zeros; ~0 = no such limit */
	uint64_t hole;		/* the largest in the branch of the tree that begins here */
	uint16_t low, high, prev, next;	/* in tree and list, numbers in `at`; 0: none */
};
_Static_assert(sizeof(struct region) == 64, "a cache line");

struct regions {
	struct region *at;	/* the pool; its first is none */
	uint32_t count, room;	/* regions; nodes there is memory for */
	uint32_t used;		/* nodes that have ever been used */
	uint16_t root, free;
	uint16_t found;		/* the node found last */
	uint64_t bytes;		/* sum of sizes */
};

enum { REGIONS_MAX = 65530 };			/* Linux: vm.max_map_count */
#define STACK_GUARD_BYTES (256ull << PAGE_SHIFT)	/* never mapped below a stack by address choice or growth */

/* In the order of addresses; NULL: none. Pointers hold until the next regions_reserve, or until the region is removed or merged. */
struct region *regions_first(const struct regions *rs);
struct region *regions_last(const struct regions *rs);
struct region *region_next(const struct regions *rs, const struct region *r);
struct region *region_prev(const struct regions *rs, const struct region *r);
/* The first region that ends above addr. */
struct region *regions_lower(struct regions *rs, vaddr_t addr);

#define REGIONS_EACH(rs, r) for ((r) = regions_first(rs); (r); (r) = region_next((rs), (r)))
/* Those that have a part in [from, to). */
#define REGIONS_IN(rs, r, from, to) for ((r) = regions_lower((rs), (from)); (r) && (r)->first < (to); (r) = region_next((rs), (r)))

struct region *regions_at(struct regions *rs, vaddr_t addr);	/* the region that contains addr, or NULL */
bool regions_overlap(struct regions *rs, vaddr_t first, vaddr_t last);
vaddr_t regions_covered(struct regions *rs, vaddr_t first, vaddr_t last);	/* end of what is covered from first on */
bool regions_cover(struct regions *rs, vaddr_t first, vaddr_t last);	/* no hole in it */

/* Makes sure that the next `extra` insertions and splits succeed. -ENOMEM. */
err_t regions_reserve(struct regions *rs, uint32_t extra);
/* Adds r (with its reference on the object) where nothing is, merging with neighbours. Needs room for 1. */
void regions_insert(struct regions *rs, const struct region *r);
/* Removes [first, last), splitting what sticks out. Needs room for 2. */
void regions_remove(struct regions *rs, vaddr_t first, vaddr_t last);
/* Splits so that first and last are boundaries. Needs room for 2. */
void regions_cut(struct regions *rs, vaddr_t first, vaddr_t last);
/* Merges what can be merged at and between the boundaries first and last. */
void regions_join(struct regions *rs, vaddr_t first, vaddr_t last);
void regions_grow_down(struct regions *rs, struct region *r, vaddr_t first);
void regions_fini(struct regions *rs);
err_t regions_copy(struct regions *dst, const struct regions *src);	/* dst empty; takes references. -ENOMEM */

/* Highest place for len bytes (not 0) in [low, high), keeping away from stacks; 0: none. */
vaddr_t regions_place_down(struct regions *rs, uint64_t len, vaddr_t low, vaddr_t high);
vaddr_t regions_place_up(struct regions *rs, uint64_t len, vaddr_t low, vaddr_t high);

/* Provided by object.c. */
void object_get(struct object *o);
void object_put(struct object *o);

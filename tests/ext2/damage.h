/* SPDX-License-Identifier: BSD-2-Clause */
/* A good image, and ways to damage it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { PLACES_MAX = 4096 };

struct places { uint32_t at[PLACES_MAX]; unsigned count; };	/* byte offsets into the image */

struct image {
	const uint8_t *good;
	uint8_t *bytes;			/* the damaged copy */
	uint32_t size, block, inode_bytes, nr_blocks, nr_inodes, table;	/* table: of group descriptors */
	struct places inodes, files, dirs, links;			/* inodes */
	struct places tables, dir_blocks, indexes, entries, targets;	/* blocks; entries: directory entries with a name */
};

/* 0: it is no ext2 image that this understands. */
int image_read(struct image *m, const uint8_t *good, uint32_t size);
/* A fresh copy with what the seed does to it. Returns the kind of damage done first. */
const char *image_damage(struct image *m, uint32_t seed);

/* The next number of a seed's sequence, below `below`. */
uint32_t any(uint32_t below);
void any_seed(uint32_t seed);

/* Everything programs may do to files below `top`, with limits. */
struct used { unsigned calls, damage_seen; };	/* damage_seen: calls that ended with EUCLEAN, EIO or EROFS */
/* What the watchdog sees. */
extern struct shared { volatile unsigned seed, seeds, verbose; const char *volatile kind, *volatile doing; } *shared;
void files_use(const char *top, struct used *u);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which block of a directory a name may be: a table in memory, by hash of the name, for directories of more than one block. It is made
 * when such a directory is searched for the first time, follows every change, and goes with the inode, or when too many are there
 * and nobody uses the directory. A block it names is searched as always, so of a wrong entry nothing follows; a name that it does not know
 * is not there: it has all names or does not exist.
 *
 * Open addressing. Removed entries leave a mark until the table is made anew. Without memory there is no table, and the directory is
 * searched from its beginning.
 */
#include <stdlib.h>

#include "ext2.h"

enum { SLOTS_MIN = 256, SLOTS_ALL = 1 << 19 };	/* of one table; of all together */
static const uint32_t FREE = 0, GONE = UINT32_MAX;

/* where: block of the directory plus one, or one of the above. */
struct index_slot { uint32_t hash, where; };
struct dir_index { uint32_t mask, used; /* with those that are gone */ uint32_t live; struct index_slot slot[]; };

uint32_t dir_hash(const char *name, size_t len)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 16777619u;
	return h ^ h >> 15;
}

void dir_index_drop(struct ext2 *fs, struct dir_index **x)
{
	if (*x)
		fs->index_slots -= (*x)->mask + 1;
	free(*x);
	*x = NULL;
}

/* Those of directories that nobody uses. */
static void unused_drop(struct ext2 *fs)
{
	for (struct inode *n = fs->lru_first; n; n = n->lru_next)
		dir_index_drop(fs, &n->index);
}

struct dir_index *dir_index_new(struct ext2 *fs, uint32_t names)
{
	uint32_t slots = SLOTS_MIN;
	while (slots / 2 < names && slots < SLOTS_ALL)
		slots *= 2;
	if (fs->index_slots + slots > SLOTS_ALL)
		unused_drop(fs);
	if (slots / 2 < names || fs->index_slots + slots > SLOTS_ALL)
		return NULL;
	struct dir_index *x = calloc(1, sizeof *x + slots * sizeof x->slot[0]);
	if (!x)
		return NULL;
	x->mask = slots - 1;
	fs->index_slots += slots;
	return x;
}

static void slot_take(struct dir_index *x, uint32_t hash, uint32_t where)
{
	uint32_t i = hash & x->mask;
	while (x->slot[i].where != FREE)
		i = (i + 1) & x->mask;
	x->slot[i] = (struct index_slot){ hash, where };
	x->used++;
	x->live++;
}

/* The same entries with room for as many again, and without marks. */
static void table_renew(struct ext2 *fs, struct dir_index **x)
{
	struct dir_index *old = *x, *new = dir_index_new(fs, old->live * 2);
	for (uint32_t i = 0; new && i <= old->mask; i++)
		if (old->slot[i].where != FREE && old->slot[i].where != GONE)
			slot_take(new, old->slot[i].hash, old->slot[i].where);
	dir_index_drop(fs, x);
	*x = new;
}

void dir_index_add(struct ext2 *fs, struct dir_index **x, uint32_t hash, uint64_t at)
{
	if (*x && (*x)->used * 4ull > (*x)->mask * 3ull)
		table_renew(fs, x);
	if (*x)
		slot_take(*x, hash, (uint32_t)at + 1);
}

void dir_index_remove(struct ext2 *fs, struct dir_index **x, uint32_t hash, uint64_t at)
{
	if (!*x)
		return;
	struct index_slot *slot = (*x)->slot;
	uint32_t i = hash & (*x)->mask;
	while (slot[i].where != FREE && (slot[i].hash != hash || slot[i].where != (uint32_t)at + 1))
		i = (i + 1) & (*x)->mask;
	if (slot[i].where == FREE) {		/* it cannot be: then nothing that it says counts */
		dir_index_drop(fs, x);
		return;
	}
	slot[i].where = GONE;
	(*x)->live--;
}

bool dir_index_next(const struct dir_index *x, uint32_t hash, uint32_t *probe, uint64_t *at)
{
	for (;;) {
		const struct index_slot *s = &x->slot[(hash + (*probe)++) & x->mask];
		if (s->where == FREE)
			return false;
		if (s->hash == hash && s->where != GONE) {
			*at = s->where - 1;
			return true;
		}
	}
}

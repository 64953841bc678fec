/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock table of one file. Pure. Ranges of one owner and kind never overlap; setting a range first cuts it out of what the owner
 * has, then inserts it and joins it with equal neighbours. The spare element for a split is allocated before anything is changed.
 */
#include "locks.h"

#include <stdlib.h>

struct locklist *locklist_new(void)
{
	struct locklist *l = malloc(sizeof *l);
	if (!l)
		return NULL;
	list_init(&l->locks);
	l->count = 0;
	waitq_init(&l->q);
	return l;
}

void locklist_free(struct locklist *l)
{
	if (!l)
		return;
	while (!list_empty(&l->locks)) {
		struct lock *k = list_entry(l->locks.next, struct lock, link);
		list_remove(&k->link);
		free(k);
	}
	free(l);
}

static bool overlaps(const struct lock *a, const struct lock *b)
{
	return a->kind == b->kind && a->first <= b->last && b->first <= a->last;
}

struct lock *locklist_conflict(const struct locklist *l, const struct lock *want)
{
	for (struct list *e = l->locks.next; e != &l->locks; e = e->next) {
		struct lock *k = list_entry(e, struct lock, link);
		if (k->owner != want->owner && overlaps(k, want) && (k->exclusive || want->exclusive))
			return k;
	}
	return NULL;
}

static void lock_remove(struct locklist *l, struct lock *k)
{
	l->count--;
	list_remove(&k->link);
	free(k);
}

/* Cut [want] out of k. Uses *spare for a second half. */
static void lock_cut(struct locklist *l, struct lock *k, const struct lock *want, struct lock **spare)
{
	if (k->first < want->first && k->last > want->last) {
		struct lock *right = *spare;
		*spare = NULL;
		*right = *k;
		right->first = want->last + 1;
		list_insert_before(k->link.next, &right->link);
		l->count++;
		k->last = want->first - 1;
	} else if (k->first < want->first) {
		k->last = want->first - 1;
	} else if (k->last > want->last) {
		k->first = want->last + 1;
	} else {
		lock_remove(l, k);
	}
}

/* Join `n` with touching ranges of the same owner and sort. */
static void lock_join(struct locklist *l, struct lock *n)
{
	for (struct list *e = l->locks.next, *next = e->next; e != &l->locks; e = next, next = e->next) {
		struct lock *k = list_entry(e, struct lock, link);
		if (k == n || k->owner != n->owner || k->kind != n->kind || k->exclusive != n->exclusive)
			continue;
		if (k->last != UINT64_MAX && k->last + 1 == n->first)
			n->first = k->first;
		else if (n->last != UINT64_MAX && n->last + 1 == k->first)
			n->last = k->last;
		else
			continue;
		lock_remove(l, k);
	}
}

int locklist_set(struct locklist *l, const struct lock *want, bool unlock)
{
	if (l->count >= LOCKS_PER_FILE && !unlock)
		return -ENOLCK;
	struct lock *spare = malloc(sizeof *spare), *n = malloc(sizeof *n);
	if (!spare || !n) {
		free(spare);
		free(n);
		return -ENOLCK;
	}
	for (struct list *e = l->locks.next, *next = e->next; e != &l->locks; e = next, next = e->next) {
		struct lock *k = list_entry(e, struct lock, link);
		if (k->owner == want->owner && overlaps(k, want))
			lock_cut(l, k, want, &spare);
	}
	free(spare);
	if (unlock) {
		free(n);
		return 0;
	}
	*n = *want;
	struct list *at = l->locks.next;
	while (at != &l->locks && list_entry(at, struct lock, link)->first < n->first)
		at = at->next;
	list_insert_before(at, &n->link);
	l->count++;
	lock_join(l, n);
	return 0;
}

bool locklist_drop_owner(struct locklist *l, const void *owner)
{
	bool any = false;
	for (struct list *e = l->locks.next, *next = e->next; e != &l->locks; e = next, next = e->next) {
		struct lock *k = list_entry(e, struct lock, link);
		if (k->owner != owner)
			continue;
		lock_remove(l, k);
		any = true;
	}
	return any;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The lock table against a simple model: an array of owner and mode for each byte. */
#include "expect.h"
#include "locks.h"
#include <string.h>

enum { BYTES = 64, OWNERS = 3, STEPS = 200000 };

static char owner_mark[OWNERS];
static struct { bool shared[OWNERS]; int exclusive; } model[BYTES];	/* exclusive: owner + 1 */

static bool model_conflict(int owner, int first, int last, bool exclusive)
{
	for (int b = first; b <= last; b++) {
		if (model[b].exclusive && model[b].exclusive != owner + 1)
			return true;
		for (int o = 0; exclusive && o < OWNERS; o++)
			if (o != owner && model[b].shared[o])
				return true;
	}
	return false;
}

static void model_set(int owner, int first, int last, bool exclusive, bool unlock)
{
	for (int b = first; b <= last; b++) {
		model[b].shared[owner] = !unlock && !exclusive;
		if (model[b].exclusive == owner + 1)
			model[b].exclusive = 0;
		if (!unlock && exclusive)
			model[b].exclusive = owner + 1;
	}
}

/* Sorted by start, no overlap or touching equals within an owner. */
static void check_shape(const struct locklist *l)
{
	for (struct list *a = l->locks.next; a != &l->locks; a = a->next)
		for (struct list *b = a->next; b != &l->locks; b = b->next) {
			struct lock *x = list_entry(a, struct lock, link), *y = list_entry(b, struct lock, link);
			EXPECT(x->first <= x->last && y->first <= y->last);
			EXPECT(x->owner != y->owner || x->last < y->first || y->last < x->first);
		}
}

static void random_ranges_agree_with_model(void)
{
	struct locklist *l = locklist_new();
	srandom(1);
	for (int i = 0; i < STEPS; i++) {
		int owner = (int)(random() % OWNERS), first = (int)(random() % BYTES), last = first + (int)(random() % (BYTES - first));
		bool exclusive = random() & 1, unlock = random() % 3 == 0;
		struct lock want = { .owner = &owner_mark[owner], .exclusive = exclusive,
			.first = (uint64_t)first, .last = (uint64_t)last };
		bool conflict = locklist_conflict(l, &want) != NULL;
		EXPECT(conflict == model_conflict(owner, first, last, exclusive));
		if (conflict && !unlock)
			continue;
		EXPECT(locklist_set(l, &want, unlock) == 0);
		model_set(owner, first, last, exclusive, unlock);
		if (i % 1000 == 0)
			check_shape(l);
	}
	for (int o = 0; o < OWNERS; o++)
		locklist_drop_owner(l, &owner_mark[o]);
	EXPECT(list_empty(&l->locks));
	locklist_free(l);
}

static void kinds_do_not_meet(void)
{
	struct locklist *l = locklist_new();
	struct lock record = { .kind = LOCK_KIND_RECORD, .owner = &owner_mark[0], .exclusive = true, .last = UINT64_MAX };
	struct lock whole = { .kind = LOCK_KIND_FLOCK, .owner = &owner_mark[1], .exclusive = true, .last = UINT64_MAX };
	EXPECT(locklist_set(l, &record, false) == 0);
	EXPECT(locklist_conflict(l, &whole) == NULL);
	EXPECT(locklist_set(l, &whole, false) == 0);
	record.owner = &owner_mark[2];
	EXPECT(locklist_conflict(l, &record) != NULL);
	locklist_free(l);
}

static void ranges_to_the_end_join_and_split(void)
{
	struct locklist *l = locklist_new();
	struct lock k = { .owner = &owner_mark[0], .exclusive = true, .first = 10, .last = UINT64_MAX };
	EXPECT(locklist_set(l, &k, false) == 0);
	k.first = 0, k.last = 9;
	EXPECT(locklist_set(l, &k, false) == 0);
	EXPECT(l->locks.next->next == &l->locks);	/* one range now */
	k.first = k.last = 5;
	EXPECT(locklist_set(l, &k, true) == 0);
	EXPECT(l->locks.next->next->next == &l->locks);
	locklist_free(l);
}

int main(void)
{
	random_ranges_agree_with_model();
	kinds_do_not_meet();
	ranges_to_the_end_join_and_split();
	printf("ok locks\n");
}

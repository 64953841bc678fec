/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks between fibers. Who waits stands in a queue on its own stack and is handed the lock by the one that leaves, so nobody can be
 * overtaken. Fibers switch only where they wait: the fields need no protection.
 */
#include "lock.h"

#include <libfiber/fiber.h>
#include <stddef.h>

struct lock_waiter { struct lock_waiter *next; struct fiber *fiber; bool write, granted; };

static bool lock_is_free_for(const struct lock *l, bool write)
{
	return write ? l->holders == 0 : l->holders >= 0;
}

bool lock_try(struct lock *l, bool write)
{
	if (l->first || !lock_is_free_for(l, write))
		return false;
	l->holders = write ? -1 : l->holders + 1;
	return true;
}

/* Not inline: gcc cannot see that whoever is in the queue leaves it before its function returns, and warns. */
__attribute__((noinline)) static void lock_queue(struct lock *l, struct lock_waiter *w)
{
	*(l->first ? &l->last->next : &l->first) = w;
	l->last = w;
}

void lock_get(struct lock *l, bool write)
{
	if (lock_try(l, write))
		return;
	struct lock_waiter w = { .fiber = fiber_self(), .write = write };
	lock_queue(l, &w);
	while (!w.granted)
		fiber_yield();
}

void lock_put(struct lock *l)
{
	l->holders = l->holders < 0 ? 0 : l->holders - 1;
	while (l->first && lock_is_free_for(l, l->first->write)) {
		struct lock_waiter *w = l->first;
		l->first = w->next;
		l->holders = w->write ? -1 : l->holders + 1;
		w->granted = true;
		fiber_wake(w->fiber);
	}
}

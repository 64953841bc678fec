/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting. An object that can change has a wait queue; a fiber that waits puts a waiter on it and yields. Wake-ups may be early or
 * double: whoever wakes looks again. Nothing here survives this process: a caller that waited is answered EIO by the kernel.
 */
#include "vfs.h"

#include <libfiber/fiber.h>

struct fiber_waiter { struct waiter w; struct fiber *fiber; };

static void fiber_waiter_wake(struct waiter *w, unsigned events)
{
	(void)events;
	list_remove(&w->link);
	fiber_wake(list_entry(w, struct fiber_waiter, w)->fiber);
}

void waitq_wake(struct waitq *q, unsigned events)
{
	struct list *l = q->waiters.next;
	while (l != &q->waiters) {
		struct list *next = l->next;
		struct waiter *w = list_entry(l, struct waiter, link);
		w->wake(w, events);
		l = next;
	}
}

struct deadline { struct timer t; struct fiber *fiber; bool passed; };

static void deadline_passed(struct timer *t)
{
	struct deadline *d = list_entry(t, struct deadline, t);
	d->passed = true;
	fiber_wake(d->fiber);
}

int call_pause(struct call *c, nstime_t deadline)
{
	if (c->cancelled)
		return -EINTR;
	struct deadline d = { .fiber = fiber_self() };
	if (deadline) {
		timer_init(&d.t, deadline_passed);
		timer_set(&d.t, deadline);
	}
	c->sleeper = fiber_self();
	fiber_yield();
	c->sleeper = NULL;
	if (deadline)
		timer_stop(&d.t);
	if (c->cancelled)
		return -EINTR;
	return d.passed ? -ETIMEDOUT : 0;
}

int call_wait(struct call *c, struct waitq *q, nstime_t deadline)
{
	struct fiber_waiter w = { .w.wake = fiber_waiter_wake, .fiber = fiber_self() };
	waitq_add(q, &w.w);
	int r = call_pause(c, deadline);
	list_remove(&w.w.link);
	return r;
}

void call_wake(struct call *c)
{
	if (c->sleeper)
		fiber_wake(c->sleeper);
}

void call_cancel(struct call *c)
{
	c->cancelled = true;
	call_wake(c);
}

void waitq_wait(struct waitq *q)
{
	struct fiber_waiter w = { .w.wake = fiber_waiter_wake, .fiber = fiber_self() };
	waitq_add(q, &w.w);
	fiber_yield();
	list_remove(&w.w.link);
}

int waitq_wait_until(struct waitq *q, nstime_t deadline)
{
	struct fiber_waiter w = { .w.wake = fiber_waiter_wake, .fiber = fiber_self() };
	struct deadline d = { .fiber = fiber_self() };
	timer_init(&d.t, deadline_passed);
	timer_set(&d.t, deadline);
	waitq_add(q, &w.w);
	fiber_yield();
	list_remove(&w.w.link);
	timer_stop(&d.t);
	return d.passed ? -ETIMEDOUT : 0;
}

void fiber_lock_get(struct fiber_lock *l)
{
	while (l->held)
		waitq_wait(&l->q);
	l->held = true;
}

void fiber_lock_put(struct fiber_lock *l)
{
	l->held = false;
	waitq_wake(&l->q, 0);
}

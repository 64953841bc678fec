/* SPDX-License-Identifier: BSD-2-Clause */
/* A binary heap of timers by deadline: see timer_heap.h. */
#include "timer_heap.h"

#include <errno.h>
#include <stdlib.h>

static void heap_put(struct timer_heap *h, uint32_t i, struct timer *t)
{
	h->slots[i] = t;
	t->place = i + 1;
}

static void heap_up(struct timer_heap *h, uint32_t i)
{
	struct timer *t = h->slots[i];

	while (i > 0 && h->slots[(i - 1) / 2]->deadline > t->deadline) {
		heap_put(h, i, h->slots[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_put(h, i, t);
}

static void heap_down(struct timer_heap *h, uint32_t i)
{
	struct timer *t = h->slots[i];

	for (;;) {
		uint32_t child = 2 * i + 1;
		if (child + 1 < h->count && h->slots[child + 1]->deadline < h->slots[child]->deadline)
			child++;
		if (child >= h->count || h->slots[child]->deadline >= t->deadline)
			break;
		heap_put(h, i, h->slots[child]);
		i = child;
	}
	heap_put(h, i, t);
}

err_t timer_heap_reserve(struct timer_heap *h, uint32_t more)
{
	if (h->count + more <= h->room)
		return 0;
	uint32_t room = h->room ? 2 * h->room : 64;
	while (room < h->count + more)
		room *= 2;
	struct timer **slots = realloc(h->slots, room * sizeof *slots);
	if (!slots)
		return -ENOMEM;
	h->slots = slots;
	h->room = room;
	return 0;
}

void timer_heap_start(struct timer_heap *h, struct timer *t, nstime_t deadline)
{
	nstime_t old = t->deadline;

	t->deadline = deadline;
	if (!timer_is_running(t)) {
		heap_put(h, h->count++, t);
		heap_up(h, t->place - 1);
	} else if (deadline < old) {
		heap_up(h, t->place - 1);
	} else {
		heap_down(h, t->place - 1);
	}
}

void timer_heap_stop(struct timer_heap *h, struct timer *t)
{
	if (!timer_is_running(t))
		return;
	uint32_t i = t->place - 1;
	struct timer *last = h->slots[--h->count];
	t->place = 0;
	if (last == t)
		return;
	heap_put(h, i, last);
	heap_up(h, i);
	heap_down(h, last->place - 1);
}

struct timer *timer_heap_due(struct timer_heap *h, nstime_t now)
{
	if (!h->count || h->slots[0]->deadline > now)
		return 0;
	struct timer *t = h->slots[0];
	timer_heap_stop(h, t);
	return t;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All timers of PM in one heap, the earliest on top. A timer lies in its owner (task, group or POSIX timer) and knows its place, so that
 * stopping it needs no search. The heap never allocates at start of a timer: room is made when its owner is created.
 */
#pragma once
#include <abi/types.h>
#include <stdbool.h>
#include <stdint.h>

struct timer {
	nstime_t deadline;	/* ns since boot */
	uint32_t place;		/* index in the heap + 1, 0 = not running */
	uint32_t kind;		/* for the owner: what to do */
	void *owner;
};

struct timer_heap {
	struct timer **slots;
	uint32_t count, room;
};

err_t timer_heap_reserve(struct timer_heap *h, uint32_t more);	/* room for `more` beyond those running; -ENOMEM */
void timer_heap_start(struct timer_heap *h, struct timer *t, nstime_t deadline);	/* also moves a running one */
void timer_heap_stop(struct timer_heap *h, struct timer *t);
struct timer *timer_heap_due(struct timer_heap *h, nstime_t now);	/* stops and returns one that is due, or 0 */
static inline nstime_t timer_heap_next(const struct timer_heap *h) { return h->count ? h->slots[0]->deadline : 0; }
static inline bool timer_is_running(const struct timer *t) { return t->place != 0; }

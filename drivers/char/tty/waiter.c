/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that wait on a terminal: a FIFO for each terminal, records from one bounded pool.
 *
 *   begin --finished at once--> answered
 *     |
 *   READY --transfer_try--> answered      READY -> JUDGED (PM asked)  -> READY (proceed) | BACKGROUND (signalled) | answered EIO
 *                                         BACKGROUND -> READY when the foreground group changes
 */
#include <errno.h>
#include <stdlib.h>

#include <proto/pm.h>

#include "tty.h"

static struct waiter_pool {
	struct waiter slots[NR_WAITERS];
	struct waiter *free;
} pool;

void waiter_init(void)
{
	for (int i = 0; i < NR_WAITERS; i++) {
		pool.slots[i].next = pool.free;
		pool.free = &pool.slots[i];
	}
}

static void waiter_free(struct waiter *w)
{
	w->next = pool.free;
	pool.free = w;
}

void waiter_drop_all(struct tty *t)
{
	while (t->waiters) {
		struct waiter *w = t->waiters;
		t->waiters = w->next;
		waiter_free(w);
	}
}

/* Is an earlier request of the same kind and side still waiting? Bytes must not overtake. */
static bool waiter_must_queue(const struct tty *t, enum waiter_kind kind, bool master)
{
	for (const struct waiter *w = t->waiters; w; w = w->next)
		if (w->kind == kind && kind != WAIT_IOCTL && w->master == master && w->state == WAITER_READY)
			return true;
	return false;
}

int64_t waiter_begin(struct tty *t, const struct cdev_req *r, enum waiter_kind kind, bool master)
{
	struct waiter fresh = { .r = *r, .kind = kind, .master = master };
	bool queue = waiter_must_queue(t, kind, master);
	if (queue && (r->flags & CDEV_NONBLOCK))
		return -EAGAIN;
	int64_t result = queue ? CDEV_LATER : transfer_try(t, &fresh);
	if (result != CDEV_LATER)
		return result;
	struct waiter *w = pool.free, **end = &t->waiters;
	if (!w)
		return -ENOMEM;
	pool.free = w->next;
	*w = fresh;
	w->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = w;
	return CDEV_LATER;
}

static struct waiter **waiter_find(struct tty *t, uint32_t id)
{
	struct waiter **at = &t->waiters;
	while (*at && (*at)->r.id != id)
		at = &(*at)->next;
	return *at ? at : NULL;
}

static void waiter_end(struct waiter **at, int64_t result)
{
	struct waiter *w = *at;
	*at = w->next;
	cdev_reply(w->r.id, result);
	waiter_free(w);
}

/* A write that has moved bytes ends with their count; the library answers -EINTR for the rest. */
bool waiter_cancel(struct tty *t, uint32_t id)
{
	struct waiter **at = waiter_find(t, id);
	if (!at)
		return false;
	struct waiter *w = *at;
	if (w->kind == WAIT_WRITE && w->done) {
		waiter_end(at, (int64_t)w->done);
		return false;		/* answered here */
	}
	*at = w->next;
	waiter_free(w);
	return true;
}

bool waiter_run(struct tty *t)
{
	bool blocked[3][2] = { { false } }, progress = false;
	struct waiter **at = &t->waiters;
	while (*at) {
		struct waiter *w = *at;
		bool *stuck = &blocked[w->kind][w->master];
		int64_t result = w->state != WAITER_READY || *stuck ? CDEV_LATER : transfer_try(t, w);
		if (result == CDEV_LATER) {
			*stuck |= w->state == WAITER_READY && w->kind != WAIT_IOCTL;
			at = &w->next;
			continue;
		}
		waiter_end(at, result);
		progress = true;
	}
	return progress;
}

bool waiter_verdict(struct tty *t, uint32_t id, uint32_t verdict)
{
	struct waiter **at = waiter_find(t, id);
	if (!at || (*at)->state != WAITER_JUDGED)
		return false;
	if (verdict == PM_TTY_EIO)
		waiter_end(at, -EIO);
	else if (verdict == PM_TTY_SENT)
		(*at)->state = WAITER_BACKGROUND;
	else {
		(*at)->state = WAITER_READY;
		(*at)->permitted = true;
	}
	return true;
}

void waiter_foreground_changed(struct tty *t)
{
	for (struct waiter *w = t->waiters; w; w = w->next)
		if (w->state == WAITER_BACKGROUND)
			w->state = WAITER_READY;
}

nstime_t waiter_next_deadline(const struct tty *t)
{
	nstime_t next = 0;
	for (const struct waiter *w = t->waiters; w; w = w->next)
		if (w->deadline && (!next || w->deadline < next))
			next = w->deadline;
	return next;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations of a leg, their memory, and waiting.
 *
 * Two operations that touch the same bytes of a leg, one of them a write, are never at its driver together: the later one waits, even if
 * nobody waits for the earlier one any more. An operation that is left alone (its driver hangs) keeps its memory until the driver has
 * answered or libbdev has ended it.
 */
#include "engine_private.h"
#include <errno.h>
#include <libfiber/fiber.h>
#include <stdlib.h>
#include <string.h>

struct iobuf *iobuf_make(size_t len)
{
	struct iobuf *b = malloc(sizeof(*b) + len);

	if (b)
		*b = (struct iobuf){ .refs = 1, .len = len };
	return b;
}

void iobuf_put(struct iobuf *b)
{
	if (b && --b->refs == 0)
		free(b);
}

/* ---- operations ---- */

static bool op_conflicts(const struct leg_op *a, const struct leg_op *b)
{
	if (a->kind == LEG_READ && b->kind == LEG_READ)
		return false;
	return a->pos < b->pos + b->len && b->pos < a->pos + a->len;
}

static void op_send_if_free(struct leg_op *op)
{
	for (const struct leg_op *o = engine.legs[op->leg].ops; o != op; o = o->next)
		if (op_conflicts(o, op))
			return;
	op->sent = true;
	engine.world->submit(op);
}

struct leg_op *op_start(int leg, enum leg_op_kind kind, uint64_t pos, struct iobuf *buf, bool fua)
{
	struct leg_op *op = calloc(1, sizeof(*op)), **at = &engine.legs[leg].ops;

	if (!op)
		return 0;
	*op = (struct leg_op){ .leg = leg, .kind = kind, .fua = fua, .pos = pos, .len = buf ? buf->len : 0, .buf = buf,
		.started_ns = engine.world->now() };
	if (buf)
		buf->refs++;
	while (*at)
		at = &(*at)->next;
	*at = op;
	op_send_if_free(op);
	return op;
}

static void ops_send(int leg)
{
	for (struct leg_op *o = engine.legs[leg].ops; o; o = o->next)
		if (!o->sent)
			op_send_if_free(o);
}

static void op_free(struct leg_op *op)
{
	iobuf_put(op->buf);
	free(op);
}

void engine_op_done(struct leg_op *op, int64_t result)
{
	struct leg_op **at = &engine.legs[op->leg].ops;
	int leg = op->leg;

	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	op->done = true;
	op->result = result;
	if (result >= 0)
		engine.legs[leg].late = false;
	if (op->orphan)
		op_free(op);
	else if (op->waiter)
		fiber_wake(op->waiter);
	ops_send(leg);
}

/* One that was never sent is taken back. */
void op_end(struct leg_op *op)
{
	struct leg_op **at = &engine.legs[op->leg].ops;
	int leg = op->leg;

	if (!op->done && op->sent) {
		op->orphan = true;
		op->waiter = 0;
		return;
	}
	while (!op->done && *at != op)
		at = &(*at)->next;
	if (!op->done)
		*at = op->next;
	op_free(op);
	ops_send(leg);
}

void leg_wake_waiters(int leg)
{
	for (struct leg_op *op = engine.legs[leg].ops; op; op = op->next)
		if (op->waiter)
			fiber_wake(op->waiter);
}

/* ---- time ---- */

static void timer_add(struct timer *t, nstime_t deadline)
{
	*t = (struct timer){ .next = engine.timers, .deadline = deadline, .fiber = fiber_self() };
	engine.timers = t;
	engine.world->set_alarm(deadline);
}

static void timer_remove(struct timer *t)
{
	struct timer **at = &engine.timers;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
}

/* The earlier of two deadlines (0 = none); one that has passed does not count. */
static nstime_t sooner(nstime_t a, nstime_t b, nstime_t now) { return b > now && (!a || b < a) ? b : a; }

void engine_alarm(nstime_t now)
{
	nstime_t first = 0;

	for (struct timer *t = engine.timers; t; t = t->next) {
		if (t->deadline <= now)
			fiber_wake(t->fiber);
		else
			first = sooner(first, t->deadline, now);
	}
	for (int i = 0; i < LEGS; i++) {
		struct leg *l = &engine.legs[i];
		if (l->retry_ns && l->retry_ns <= now) {
			l->try_join = true;
			l->retry_ns = 0;
		}
		first = sooner(sooner(first, l->retry_ns, now), l->sync_after_ns, now);
	}
	first = sooner(first, engine.super_after_ns, now);
	if (!engine.ready && engine.first_up_ns)
		first = sooner(first, engine.first_up_ns + engine.config.start_ms * 1000000ull, now);
	if (first)
		engine.world->set_alarm(first);
}

void timer_pass(nstime_t deadline)
{
	struct timer t;

	timer_add(&t, deadline);
	while (engine.world->now() < deadline)
		fiber_yield();
	timer_remove(&t);
}

bool op_wait(struct leg_op *op, nstime_t deadline)
{
	struct timer t;
	const struct leg *l = &engine.legs[op->leg];
	bool away = l->state == LEG_AWAY;

	op->waiter = fiber_self();
	if (deadline && !op->done)
		timer_add(&t, deadline);
	else
		deadline = 0;
	while (!op->done && (!deadline || engine.world->now() < deadline) && (away || l->state != LEG_AWAY) && !(op->impatient && l->down))
		fiber_yield();
	if (deadline)
		timer_remove(&t);
	op->waiter = 0;
	return op->done;
}

int op_run(int leg, enum leg_op_kind kind, uint64_t pos, struct iobuf *buf, nstime_t deadline)
{
	struct leg_op *op = op_start(leg, kind, pos, buf, kind == LEG_WRITE);
	int r = -ENOMEM;

	if (!op)
		return r;
	r = -ETIMEDOUT;
	if (op_wait(op, deadline))
		r = op->result < 0 ? (int)op->result : kind == LEG_FLUSH || (uint64_t)op->result == op->len ? 0 : -EIO;
	op_end(op);
	return r;
}

/* ---- locks: first come, first served ---- */

static bool range_must_wait(const struct range *r)
{
	for (const struct range *o = engine.locks; o != r; o = o->next)
		if ((o->exclusive || r->exclusive) && o->first < r->first + r->n && r->first < o->first + o->n)
			return true;
	return false;
}

void range_lock(struct range *r, uint64_t first, uint64_t n, bool exclusive)
{
	struct range **at = &engine.locks;

	*r = (struct range){ .first = first, .n = n, .exclusive = exclusive, .waiter = fiber_self() };
	while (*at)
		at = &(*at)->next;
	*at = r;
	while (range_must_wait(r))
		fiber_yield();
	r->waiter = 0;
}

void range_unlock(struct range *r)
{
	struct range **at = &engine.locks;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	for (struct range *o = r->next; o; o = o->next)
		if (o->waiter)
			fiber_wake(o->waiter);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The health of legs: who is believed where, who is dropped, and what the superblocks say about it. */
#include "engine_private.h"
#include <errno.h>
#include <libsys/log.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
#define RETRY_NS 10000000000ull	/* a dropped leg whose driver lives is looked at again */

static uint64_t region_of(uint64_t group) { return group / REGION_GROUPS; }

bool leg_may_read(int leg, uint64_t group)
{
	const struct leg *l = &engine.legs[leg];

	return l->state != LEG_AWAY && !l->stale[region_of(group)];
}

/* A stale region is copied as a whole later: writing parts of it would help nobody. */
bool leg_takes_writes(int leg, uint64_t group) { return leg_may_read(leg, group); }

bool leg_is_needed(int leg)
{
	const struct leg *other = &engine.legs[!leg];

	return engine.config.legs == 1 || other->state != LEG_GOOD;
}

uint32_t leg_fails_max(void) { return (engine.config.retries + 1) * (engine.config.restarts + 1); }

void leg_failed_once(int leg, uint32_t fails, const char *why)
{
	struct leg *l = &engine.legs[leg];

	if (fails % (engine.config.retries + 1) || l->accusations >= engine.config.restarts || l->down)
		return;
	l->accusations++;
	l->stats.accusations++;
	engine.world->accuse(leg, why);
}

void leg_answered(int leg) { engine.legs[leg].accusations = 0; }

nstime_t drop_deadline(int leg)
{
	return leg_is_needed(leg) ? 0 : engine.world->now() + engine.config.drop_ms * MS;
}

void leg_drop(int leg, const char *why)
{
	struct leg *l = &engine.legs[leg];

	if (l->state == LEG_AWAY || leg_is_needed(leg))
		return;
	log_warn("disk %d is dropped: %s; going on with disk %d", leg, why, !leg);
	l->state = LEG_AWAY;
	l->stats.drops++;
	l->retry_ns = engine.world->now() + RETRY_NS;
	engine.world->set_alarm(l->retry_ns);
	engine.super_due = true;
	leg_wake_waiters(leg);
}

void leg_mark_stale(int leg, uint64_t group, uint32_t n)
{
	struct leg *l = &engine.legs[leg];

	for (uint64_t r = region_of(group); r <= region_of(group + n - 1); r++) {
		l->nr_stale += !l->stale[r];
		l->stale[r] = 1;
	}
}

void leg_mark_all_stale(int leg)
{
	struct leg *l = &engine.legs[leg];

	memset(l->stale, 1, engine.nr_regions);
	l->nr_stale = engine.nr_regions;
}

void region_repair_later(uint64_t group, enum repair how)
{
	uint64_t r = region_of(group);

	engine.nr_repair += !engine.repair[r];
	if (engine.repair[r] < how)
		engine.repair[r] = (uint8_t)how;
	engine.unsettled[r] |= how == REPAIR_SETTLE;
}

/* ---- superblocks ---- */

static int super_write_once(int leg, struct iobuf *out, struct iobuf *back)
{
	uint64_t pos = engine.generation % 2 * SECTOR;
	nstime_t deadline = drop_deadline(leg);
	int r = op_run(leg, LEG_WRITE, pos, out, deadline);

	if (r == 0)
		r = op_run(leg, LEG_READ, pos, back, deadline);
	if (r == 0 && memcmp(out->bytes, back->bytes, SECTOR) != 0)
		r = -EIO;
	return r;
}

static int super_write(int leg, uint32_t flags)
{
	struct iobuf *out = iobuf_make(SECTOR), *back = iobuf_make(SECTOR);
	int r = out && back ? -EIO : -ENOMEM;

	if (r == -EIO) {
		struct super s = { .n = engine.layout.n, .kind = engine.layout.kind, .flags = flags, .id = engine.layout.id,
			.generation = engine.generation, .groups = engine.layout.groups };
		super_seal(&s);
		memset(out->bytes, 0, SECTOR);
		memcpy(out->bytes, &s, sizeof(s));
		for (uint32_t i = 1; r && i <= leg_fails_max() && engine.legs[leg].state == LEG_GOOD; i++) {
			struct iobuf *fresh = iobuf_make(SECTOR);	/* an earlier read may still be on its way into the old one */
			iobuf_put(back);
			back = fresh;
			r = back ? super_write_once(leg, out, back) : -ENOMEM;
			if (r)
				leg_failed_once(leg, i, "its superblock cannot be written");
			else
				engine.legs[leg].generation = engine.generation;
		}
	}
	iobuf_put(out);
	iobuf_put(back);
	return r;
}

static uint32_t super_flags(bool clean)
{
	bool alone = engine.legs[0].state != LEG_GOOD || engine.legs[1].state != LEG_GOOD;	/* also if only one is asked for */

	return (clean ? 0 : SUPER_DIRTY) | (alone ? SUPER_ALONE : 0);
}

/*
 * All good legs get the new generation, one after the other. A leg that cannot take it is dropped, unless it is the last: then
 * nothing can be promised any more. Everybody who waits for the result waits for the lock.
 */
int super_flush(bool clean)
{
	struct range lock;
	int r = 0;

	if (!engine.super_due)
		return 0;
	range_lock(&lock, SUPER_LOCK, 1, true);
	while (engine.super_due && r == 0) {
		engine.super_due = false;
		engine.generation++;
		for (int i = 0; i < LEGS && r == 0; i++) {
			/* An empty disk must not get a superblock that makes it look like the one that was there. */
			if (engine.legs[i].state == LEG_GOOD && engine.legs[i].try_join)
				leg_look_locked(i);
			if (engine.legs[i].state != LEG_GOOD || super_write(i, super_flags(clean)) == 0)
				continue;
			if (leg_is_needed(i))
				r = -EIO;
			else
				leg_drop(i, "its superblock cannot be written");
		}
	}
	if (r) {
		engine.super_due = true;
		engine.super_after_ns = engine.world->now() + PAUSE_NS;
		engine.world->set_alarm(engine.super_after_ns);
	}
	range_unlock(&lock);
	return r;
}

int super_renew(bool clean)
{
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		engine.super_due = true;
		r = super_flush(clean);
	}
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which leg is to be believed: at the start, and when the driver of one comes up again.
 *
 * At the start the superblock of the highest generation counts: all legs that were good then have it. A leg of an older
 * generation has missed something and is copied as a whole. When the filter died in the middle of writes the two may differ where a write
 * was not finished: all groups are compared and settled while they serve (without sums: the second leg is copied). A leg with zeros in
 * place of the superblock is new and is copied too; one with anything else is refused unless `adopt` is given, so that no file system is
 * destroyed by a wrong argument. Two new legs, or `format`: the first is formatted.
 */
#include "engine_private.h"
#include <errno.h>
#include <libsys/log.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull

struct look { bool there, valid, blank, both; uint32_t other_format; struct super super; };

/* The newer of the two superblocks. `both`: the other is its predecessor, so the disk has not been exchanged in between. */
static void look_at(int leg, struct look *k)
{
	struct iobuf *buf = iobuf_make(2 * SECTOR);
	int r = buf ? op_run(leg, LEG_READ, 0, buf, engine.ready ? drop_deadline(leg) : 0) : -ENOMEM;

	memset(k, 0, sizeof(*k));
	k->there = r == 0;
	k->blank = k->there;
	for (int i = 0; k->there && i < 2; i++) {
		struct super s;
		memcpy(&s, buf->bytes + i * SECTOR, sizeof(s));
		if (!super_is_valid(&s)) {
			k->other_format |= super_other_format(&s);
			continue;
		}
		k->both = k->valid && k->super.id == s.id && (k->super.generation + 1 == s.generation ||
			s.generation + 1 == k->super.generation);
		if (!k->valid || s.generation > k->super.generation)
			k->super = s;
		k->valid = true;
	}
	for (size_t i = 0; k->there && i < 2 * SECTOR; i++)
		k->blank &= buf->bytes[i] == 0;
	iobuf_put(buf);
}

/* Sums make transient mistakes of the rest visible; a superblock is looked at more than once before it is judged. */
static void look_twice(int leg, struct look *k)
{
	for (uint32_t i = 1; i <= leg_fails_max(); i++) {
		look_at(leg, k);
		if (k->valid || k->blank || k->other_format)
			return;
		leg_failed_once(leg, i, "its superblock cannot be read");
	}
}

static int tables_make(void)
{
	engine.nr_regions = (engine.layout.groups + REGION_GROUPS - 1) / REGION_GROUPS;
	engine.repair = calloc(1, engine.nr_regions + 1);
	engine.unsettled = calloc(1, engine.nr_regions + 1);
	for (int i = 0; i < LEGS; i++)
		engine.legs[i].stale = calloc(1, engine.nr_regions + 1);
	return engine.repair && engine.unsettled && engine.legs[0].stale && engine.legs[1].stale ? versions_make() : -ENOMEM;
}

/* ---- a new mirror ---- */

static int format_region(int leg, uint64_t group, uint32_t n)
{
	static const uint8_t zeros[SECTOR];
	struct image im;
	int r = image_make(&im, group, n);

	if (r)
		return r;
	for (uint32_t g = 0; g < n; g++)
		for (uint32_t i = 0; i < engine.layout.n; i++)
			group_seal(&engine.layout, group + g, im.raw + (size_t)g * layout_stride(&engine.layout) * SECTOR, i, zeros, 0);
	image_finish(&im);
	r = image_write(&im, 1u << leg, false, true);
	image_free(&im);
	return r;
}

static int format(int leg)
{
	uint64_t bytes = UINT64_MAX;
	int r;

	for (int i = 0; i < LEGS; i++)
		if (engine.legs[i].present && engine.legs[i].bytes < bytes)
			bytes = engine.legs[i].bytes;
	engine.layout = (struct layout){ .n = engine.config.n, .kind = engine.config.kind, .id = engine.config.new_id };
	engine.layout.groups = layout_groups(&engine.layout, bytes);
	r = engine.layout.groups ? tables_make() : -ENOSPC;
	engine.legs[leg].state = LEG_GOOD;
	engine.legs[leg].accepted = true;
	log_info("disk %d is formatted: %lu groups of %u sectors", leg, (unsigned long)engine.layout.groups, engine.layout.n);
	for (uint64_t g = 0; g < engine.layout.groups && r == 0; g += REGION_GROUPS) {
		uint64_t left = engine.layout.groups - g;
		r = format_region(leg, g, left < REGION_GROUPS ? (uint32_t)left : REGION_GROUPS);
	}
	return r;
}

/* ---- an old one ---- */

static int adopt(int leg, const struct super *s)
{
	engine.layout = (struct layout){ .n = s->n, .kind = (enum sum_kind)s->kind, .id = s->id, .groups = s->groups };
	engine.generation = s->generation;
	engine.dirty = s->flags & SUPER_DIRTY;
	if (s->n != engine.config.n || s->kind != engine.config.kind)
		log_warn("disk %d was formatted with other arguments; they hold", leg);
	if (layout_pos(&engine.layout, s->groups) > engine.legs[leg].bytes)
		return -EINVAL;
	engine.legs[leg].state = LEG_GOOD;
	engine.legs[leg].accepted = true;
	engine.legs[leg].generation = s->generation;
	return tables_make();
}

/* The last run did not end cleanly: writes may have been cut off anywhere. */
static void settle_all(void)
{
	for (uint64_t g = 0; g < engine.layout.groups; g += REGION_GROUPS)
		region_repair_later(g, REPAIR_SETTLE);
}

/* The first one was alone, and so was this one, as often: nobody can say which has what is wanted. */
static bool is_rival(const struct look *k, bool missed)
{
	return missed && k->valid && k->super.id == engine.layout.id && k->super.generation == engine.generation &&
		(k->super.flags & SUPER_ALONE);
}

static const char *stranger(const struct look *k)
{
	if (is_rival(k, true))
		return "one that was used without the other, as that was without it";
	return k->other_format ? "in another format of the filter's" : "no part of this mirror";
}

/* The other leg, once the layout stands. `missed`: it has missed something, whatever its superblock says. */
static void second_leg(int leg, const struct look *k, bool missed)
{
	struct leg *l = &engine.legs[leg];
	bool ours = k->valid && k->super.id == engine.layout.id;
	bool usable = (ours && !is_rival(k, missed)) || l->accepted || k->blank || engine.config.adopt || engine.config.format;

	if (!k->there)
		return;
	if (layout_pos(&engine.layout, engine.layout.groups) > l->bytes || !usable) {
		log_warn("disk %d is %s and not used%s", leg, usable ? "too small" : stranger(k), usable ? "" : " (argument `adopt`?)");
		l->refused = true;
		return;
	}
	l->accepted = true;
	l->generation = k->super.generation;
	if (ours && k->super.generation == engine.generation && !missed) {
		l->state = LEG_GOOD;
		return;
	}
	leg_mark_all_stale(leg);
	l->state = LEG_SYNC;
	log_info("disk %d is copied from disk %d", leg, !leg);
}

/* Of the same generation the one that says that the other has missed something. */
static bool is_newer(const struct super *a, const struct super *b)
{
	if (a->generation != b->generation)
		return a->generation > b->generation;
	return (a->flags & SUPER_ALONE) > (b->flags & SUPER_ALONE);
}

static int choose(const struct look looks[LEGS])
{
	int best = -1;

	for (int i = 0; i < LEGS; i++)
		if (looks[i].valid && (best < 0 || is_newer(&looks[i].super, &looks[best].super)))
			best = i;
	return best;
}

static bool may_format(const struct look looks[LEGS])
{
	for (int i = 0; i < LEGS; i++)
		if (looks[i].there && !looks[i].blank && !engine.config.format)
			return false;
	return engine.config.format || engine.config.fresh;
}

static void explain_refusal(const struct look looks[LEGS])
{
	for (int i = 0; i < LEGS; i++)
		if (looks[i].other_format)
			log_warn("disk %d holds a mirror of format %u; this filter knows format %d only: start the old one, and copy", i,
				looks[i].other_format, FORMAT_VERSION);
	log_warn("no disk holds a mirror: nothing is done without the argument `format`");
}

static int first_there(const struct look looks[LEGS]) { return looks[0].there ? 0 : looks[1].there ? 1 : -1; }

static bool must_wait_for_other(int best, const struct look looks[LEGS])
{
	return engine.config.legs == 2 && !looks[!best].there && !(looks[best].super.flags & SUPER_ALONE) && !engine.config.degraded;
}

/* 0, an error, or -EAGAIN: wait for the other leg. */
static int begin(const struct look looks[LEGS])
{
	int best = choose(looks), first = first_there(looks), r;
	bool alone = false;

	if (first < 0)
		return -EAGAIN;
	if (best < 0 || engine.config.format) {
		if (!may_format(looks)) {
			explain_refusal(looks);
			return -EINVAL;
		}
		best = first;
		r = format(best);
		engine.super_due = true;
	} else if (must_wait_for_other(best, looks)) {
		log_warn("disk %d alone is not enough: the other may be newer (argument `degraded`)", best);
		return -EAGAIN;
	} else {
		r = adopt(best, &looks[best].super);
		alone = looks[best].super.flags & SUPER_ALONE;
	}
	if (r == 0 && engine.dirty) {
		settle_all();
		engine.super_due = true;	/* versions begin with the generation: a new one before anything is written */
	}
	if (r == 0 && engine.config.legs == 2)
		second_leg(!best, &looks[!best], alone || (engine.dirty && engine.layout.kind == SUM_NONE));
	return r;
}

bool engine_start_is_due(void)
{
	bool all = true, any = false;

	for (uint32_t i = 0; i < engine.config.legs; i++) {
		all &= engine.legs[i].present;
		any |= engine.legs[i].present;
	}
	if (engine.ready || engine.error || !engine.starting)
		return false;
	return all || (any && engine.world->now() >= engine.first_up_ns + engine.config.start_ms * MS);
}

void engine_start(void)
{
	struct look looks[LEGS] = { 0 };
	int r;

	engine.starting = false;
	for (int i = 0; i < (int)engine.config.legs; i++)
		if (engine.legs[i].present)
			look_twice(i, &looks[i]);
	r = begin(looks);
	if (r == 0 && (engine.super_due || (engine.config.legs == 2 && engine.legs[0].state != engine.legs[1].state))) {
		r = super_renew(!engine.dirty);
	}
	if (r == -EAGAIN)
		return;		/* the next driver that comes up starts this again */
	engine.error = r;
	engine.ready = r == 0;
	for (int i = 0; i < LEGS; i++)
		engine.legs[i].try_join = false;
	if (r)
		log_warn("cannot serve: %s", err_text(r));
	else
		log_info("%lu bytes on %d of %u disks, generation %lu%s", (unsigned long)engine_size(),
			(engine.legs[0].state == LEG_GOOD) + (engine.legs[1].state == LEG_GOOD), engine.config.legs,
			(unsigned long)engine.generation, engine.dirty ? ", not ended cleanly" : "");
	engine.world->ready();
}

/* ---- a leg whose driver has come up while we serve ---- */

static void leg_return(int leg, const struct look *k)
{
	struct leg *l = &engine.legs[leg];
	uint64_t generation = l->generation;

	if (!k->there) {
		l->retry_ns = engine.world->now() + engine.config.drop_ms * MS;
		engine.world->set_alarm(l->retry_ns);
		return;
	}
	if (k->valid && k->super.id == engine.layout.id && k->super.generation == generation && l->nr_stale < engine.nr_regions &&
		layout_pos(&engine.layout, engine.layout.groups) <= l->bytes) {
		l->state = LEG_SYNC;
		log_info("disk %d is back, %lu of %lu regions are copied", leg, (unsigned long)l->nr_stale,
			(unsigned long)engine.nr_regions);
		return;
	}
	engine.dirty = true;
	second_leg(leg, k, true);
}

/* Its driver was restarted, but we never dropped it. Is the disk still the same? A disk in memory is not. */
static void leg_check(int leg, const struct look *k)
{
	struct leg *l = &engine.legs[leg];

	if (l->state == LEG_SYNC && !(k->valid && k->super.id == engine.layout.id && k->super.generation == l->generation))
		leg_mark_all_stale(leg);
	if (!k->there || l->state != LEG_GOOD || (k->both && k->super.id == engine.layout.id && k->super.generation >= l->generation))
		return;
	if (leg_is_needed(leg)) {
		log_warn("disk %d has lost its contents", leg);
		return;
	}
	leg_drop(leg, "it has lost its contents");
	leg_mark_all_stale(leg);
}

void leg_look_locked(int leg)
{
	struct leg *l = &engine.legs[leg];
	struct look k;

	l->try_join = false;
	if (l->refused)
		return;
	look_twice(leg, &k);
	if (l->state == LEG_AWAY)
		leg_return(leg, &k);
	else
		leg_check(leg, &k);
}

void leg_look(int leg)
{
	struct range lock;

	range_lock(&lock, SUPER_LOCK, 1, true);
	leg_look_locked(leg);
	range_unlock(&lock);
}

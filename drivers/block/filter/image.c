/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces of the disk, whole groups within one region: read from whichever leg has them right, sector by sector if need be, and written
 * to all.
 *
 * A read is right when the sums say so, and the sums that count are the newest ones that any leg has shown, if they are not older than what
 * is known of the group. Where nothing is known yet all legs are asked. A leg that gives something else is tried again, after the other
 * one; every few failures its driver is restarted. Where a write may have been cut off between sums and data, a sector whose sum
 * "before" fits is taken if no leg has a better one; elsewhere it is not, because data that is there by mistake, zeros for instance, may
 * be what was there once. What was wrong on a leg and could be had from the other is written anew later (repair).
 */
#include "engine_private.h"
#include <errno.h>
#include <libfiber/fiber.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull

static size_t image_len(const struct image *im) { return (size_t)im->n * layout_stride(&engine.layout) * SECTOR; }
static uint32_t image_sectors(const struct image *im) { return im->n * engine.layout.n; }
static uint8_t *image_group(const struct image *im, uint8_t *raw, uint32_t g)
{
	return raw + ((void)im, (size_t)g * layout_stride(&engine.layout) * SECTOR);
}

int image_make(struct image *im, uint64_t group, uint32_t n)
{
	*im = (struct image){ .group = group, .n = n };
	im->raw = calloc(1, image_len(im));
	im->quality = calloc(1, image_sectors(im));
	im->wanted = calloc(1, image_sectors(im));
	im->versions = calloc(n, sizeof(*im->versions));
	if (im->raw && im->quality && im->wanted && im->versions)
		return 0;
	image_free(im);
	return -ENOMEM;
}

void image_free(struct image *im)
{
	free(im->raw);
	free(im->quality);
	free(im->wanted);
	free(im->versions);
	*im = (struct image){ 0 };
}

/* ---- reading ---- */

/* Sums that no write has confirmed: what they say of "before" may be what is there. */
static bool before_counts(const struct image *im, uint32_t g)
{
	uint64_t floor = version_floor(im->group + g);

	return floor ? im->versions[g] > floor : engine.unsettled[im->group / REGION_GROUPS];
}

/* What data is to the sums that count. */
static enum quality sector_quality(const struct image *im, const uint8_t *data, uint32_t g, uint32_t i)
{
	const struct layout *l = &engine.layout;
	enum quality q;

	if (!im->versions[g])
		return SUM_BAD;
	q = slot_check(l, (im->group + g) * l->n + i, data, group_slot(l, image_group(im, im->raw, g), i));
	return q == SUM_BEFORE && !before_counts(im, g) ? SUM_BAD : q;
}

/* Sums that cover number and data can judge data of another leg. With the others data counts only together with the sums beside it. */
static bool sums_are_strong(void) { return engine.layout.kind == SUM_CRC || engine.layout.kind == SUM_MD5; }

/* False: they are not right, or old. */
static bool sums_merge(struct image *im, uint8_t *raw, uint32_t g)
{
	const struct layout *l = &engine.layout;
	uint64_t version = group_version(l, im->group + g, raw);
	uint8_t *mine = image_group(im, im->raw, g);

	if (!version || version < im->versions[g] || version < version_floor(im->group + g))
		return false;
	if (version == im->versions[g])
		return true;
	im->differed |= im->versions[g] != 0;
	im->versions[g] = version;
	memcpy(group_sums(l, mine), group_sums(l, raw), SECTOR);
	for (uint32_t i = 0; i < l->n; i++)
		im->quality[g * l->n + i] = sums_are_strong() ? (uint8_t)sector_quality(im, group_data(mine, i), g, i) : SUM_BAD;
	return true;
}

/* False: it is wanted, and wrong. */
static bool sector_merge(struct image *im, uint8_t *raw, uint32_t g, uint32_t i)
{
	uint8_t *mine = group_data(image_group(im, im->raw, g), i), *quality = &im->quality[g * engine.layout.n + i];
	enum quality q = sector_quality(im, group_data(raw, i), g, i);

	im->differed |= q != *quality && q != SUM_BAD && *quality != SUM_BAD;
	if (q > *quality) {
		memcpy(mine, group_data(raw, i), SECTOR);
		*quality = (uint8_t)q;
	} else if (q == SUM_GOOD && memcmp(mine, group_data(raw, i), SECTOR) != 0) {
		im->differed = true;	/* weak sums cannot tell which one is right: the first is, and will be on all legs */
	}
	return q != SUM_BAD || !im->wanted[g * engine.layout.n + i];
}

static bool group_is_wanted(const struct image *im, uint32_t g)
{
	return memchr(im->wanted + (size_t)g * engine.layout.n, 1, engine.layout.n) != 0;
}

static bool group_merge(struct image *im, uint8_t *raw, uint32_t g)
{
	bool fit = sums_merge(im, raw, g), right = fit || !group_is_wanted(im, g);

	for (uint32_t i = 0; i < engine.layout.n && (fit || sums_are_strong()); i++)
		right &= sector_merge(im, raw, g, i);
	return right;
}

/* What a leg has given: the better sectors are taken over. False: something wanted is wrong in it. */
static bool image_merge(struct image *im, uint8_t *raw)
{
	bool right = true;

	if (!im->read)
		memcpy(im->raw, raw, image_len(im));
	if (engine.layout.kind == SUM_NONE)
		memset(im->quality, SUM_GOOD, image_sectors(im));
	for (uint32_t g = 0; g < im->n && engine.layout.kind != SUM_NONE; g++)
		right &= group_merge(im, image_group(im, raw, g), g);
	im->read = true;
	return right;
}

static bool image_has(const struct image *im, enum quality q)
{
	for (uint32_t i = 0; i < image_sectors(im); i++)
		if (im->wanted[i] && im->quality[i] < q)
			return false;
	return im->read;
}

struct attempts { uint32_t fails[LEGS]; bool tried[LEGS], answered[LEGS]; struct leg_op *ops[LEGS]; };

static bool leg_slow(int leg) { return engine.legs[leg].down || engine.legs[leg].late; }

/* Not tried yet before tried, answering before slow, fewer failures before more, the first before the second. */
static int leg_pick(const struct image *im, const struct attempts *a)
{
	int best = -1;
	uint32_t best_rank = UINT32_MAX;

	for (int i = 0; i < LEGS; i++) {
		uint32_t rank = (a->tried[i] ? 1000u : 0) + (leg_slow(i) ? 500u : 0) + a->fails[i];
		if (!leg_may_read(i, im->group) || a->fails[i] >= leg_fails_max() || rank >= best_rank)
			continue;
		best = i;
		best_rank = rank;
	}
	return best;
}

static bool other_could(const struct image *im, const struct attempts *a, int leg)
{
	return leg_may_read(!leg, im->group) && a->fails[!leg] < leg_fails_max() && !leg_slow(!leg);
}

static struct leg_op *leg_read_start(const struct image *im, int leg)
{
	struct iobuf *buf = iobuf_make(image_len(im));
	struct leg_op *op = buf ? op_start(leg, LEG_READ, layout_pos(&engine.layout, im->group), buf, false) : 0;

	iobuf_put(buf);
	return op;
}

static const char *leg_read_end(struct image *im, struct attempts *a, int leg, struct leg_op *op)
{
	struct leg *l = &engine.legs[leg];

	op->impatient = other_could(im, a, leg) || image_has(im, SUM_GOOD);
	if (!op_wait(op, op->impatient ? engine.world->now() + engine.config.patience_ms * MS : 0)) {
		l->late = true;
		l->stats.late++;
		return "it does not answer in time";
	}
	if (op->result != (int64_t)op->len) {
		l->stats.errors++;
		return "it cannot read";
	}
	a->answered[leg] = true;
	if (!image_merge(im, op->buf->bytes)) {
		l->stats.bad_data++;
		return "what it reads is wrong";
	}
	leg_answered(leg);
	return 0;
}

static void leg_read(struct image *im, struct attempts *a, int leg)
{
	struct leg_op *op = a->ops[leg] ? a->ops[leg] : leg_read_start(im, leg);
	const char *why = op ? leg_read_end(im, a, leg, op) : "memory is short";

	a->ops[leg] = 0;
	a->tried[leg] = true;
	if (op)
		op_end(op);
	if (!why)
		return;
	im->differed |= im->read;
	leg_failed_once(leg, ++a->fails[leg], why);
}

static bool all_tried(const struct image *im, const struct attempts *a)
{
	for (int i = 0; i < LEGS; i++)
		if (leg_may_read(i, im->group) && !a->tried[i])
			return false;
	return true;
}

static bool versions_are_known(const struct image *im)
{
	for (uint32_t g = 0; g < im->n && engine.layout.kind != SUM_NONE; g++)
		if (!version_floor(im->group + g))
			return false;
	return true;
}

/* Nothing is known of some group: the legs must be compared, unless that means to wait for one that hangs. */
static bool must_compare(const struct image *im, const struct attempts *a, int leg)
{
	return leg_may_read(leg, im->group) && !leg_slow(leg) && !a->tried[leg] && !versions_are_known(im);
}

static bool image_is_satisfied(const struct image *im, const struct attempts *a)
{
	if (!image_has(im, SUM_GOOD) && !(image_has(im, SUM_BEFORE) && all_tried(im, a)))
		return false;
	return !must_compare(im, a, 0) && !must_compare(im, a, 1);
}

bool image_is_whole(const struct image *im, uint32_t g)
{
	for (uint32_t i = 0; i < engine.layout.n; i++)
		if (im->quality[g * engine.layout.n + i] != SUM_GOOD)
			return false;
	return true;
}

/* All legs that can have shown what they have: from now on nothing older is believed. Not before writes that were cut off are settled. */
static void image_confirm(const struct image *im, const struct attempts *a)
{
	for (int i = 0; i < LEGS; i++)
		if (leg_may_read(i, im->group) && !a->answered[i])
			return;
	for (uint32_t g = 0; g < im->n; g++)
		if (!version_floor(im->group + g) && (image_is_whole(im, g) || !engine.unsettled[im->group / REGION_GROUPS]))
			version_confirm(im->group + g, im->versions[g]);
}

/* What is old must not be taken for right by whoever is given this image. */
static void image_void(struct image *im)
{
	for (uint32_t g = 0; g < im->n && engine.layout.kind != SUM_NONE; g++)
		if (!im->versions[g])
			memset(group_sums(&engine.layout, image_group(im, im->raw, g)), 0, SECTOR);
}

int image_read(struct image *im)
{
	struct attempts a = { 0 };
	int leg;

	if (must_compare(im, &a, 0) && must_compare(im, &a, 1))
		for (int i = 0; i < LEGS; i++)
			a.ops[i] = leg_read_start(im, i);
	while ((leg = leg_pick(im, &a)) >= 0) {
		leg_read(im, &a, leg);
		if (image_is_satisfied(im, &a))
			break;
	}
	for (int i = 0; i < LEGS; i++)
		if (a.ops[i])
			op_end(a.ops[i]);
	image_confirm(im, &a);
	image_void(im);
	if (!image_has(im, SUM_BEFORE))
		return -EIO;
	if (im->differed || !image_has(im, SUM_GOOD))
		region_repair_later(im->group, REPAIR_REWRITE);
	return 0;
}

void image_finish(struct image *im)
{
	uint64_t version = version_next(im);

	for (uint32_t g = 0; g < im->n && engine.layout.kind != SUM_NONE; g++) {
		group_finish(&engine.layout, im->group + g, image_group(im, im->raw, g), version);
		im->versions[g] = version;
	}
}

/* ---- writing ---- */

uint32_t image_takers(const struct image *im)
{
	uint32_t mask = 0;

	for (int i = 0; i < (int)engine.config.legs; i++) {
		if (leg_takes_writes(i, im->group))
			mask |= 1u << i;
		else
			leg_mark_stale(i, im->group, im->n);
	}
	return mask;
}

/* One operation on each leg of the mask, at the same time; back: their ops, to be ended by the caller. */
static void legs_run(uint32_t mask, enum leg_op_kind kind, uint64_t pos, struct iobuf *bufs[LEGS], bool fua, struct leg_op *ops[LEGS])
{
	for (int i = 0; i < LEGS; i++)
		ops[i] = mask >> i & 1 && bufs[i] ? op_start(i, kind, pos, bufs[i], fua) : 0;
	for (int i = 0; i < LEGS; i++)
		if (ops[i] && !op_wait(ops[i], drop_deadline(i)))
			leg_drop(i, "it does not answer");
}

static bool op_is_good(const struct leg_op *op) { return op && op->done && op->result == (int64_t)op->len; }

static uint32_t legs_write(uint32_t mask, uint64_t pos, struct iobuf *buf, bool fua)
{
	struct iobuf *bufs[LEGS] = { buf, buf };
	struct leg_op *ops[LEGS];
	uint32_t good = 0;

	legs_run(mask, LEG_WRITE, pos, bufs, fua, ops);
	for (int i = 0; i < LEGS; i++) {
		good |= op_is_good(ops[i]) ? 1u << i : 0;
		if (ops[i])
			op_end(ops[i]);
	}
	return good;
}

static uint32_t legs_compare(uint32_t mask, uint64_t pos, struct iobuf *buf)
{
	struct iobuf *bufs[LEGS] = { 0 };
	struct leg_op *ops[LEGS];
	uint32_t good = 0;

	for (int i = 0; i < LEGS; i++)
		bufs[i] = mask >> i & 1 ? iobuf_make(buf->len) : 0;
	legs_run(mask, LEG_READ, pos, bufs, false, ops);
	for (int i = 0; i < LEGS; i++) {
		if (op_is_good(ops[i]) && memcmp(bufs[i]->bytes, buf->bytes, buf->len) == 0)
			good |= 1u << i;
		else if (op_is_good(ops[i]))
			engine.legs[i].stats.bad_data++;
		if (ops[i])
			op_end(ops[i]);
		iobuf_put(bufs[i]);
	}
	return good;
}

/* Legs that failed in this round: those that may try again. */
static uint32_t legs_again(uint32_t failed, uint32_t fails[LEGS])
{
	uint32_t again = 0;

	for (int i = 0; i < LEGS; i++) {
		if (!(failed >> i & 1) || engine.legs[i].state == LEG_AWAY)
			continue;
		engine.legs[i].stats.errors++;
		leg_failed_once(i, ++fails[i], "what is written does not get onto its disk");
		if (fails[i] < leg_fails_max())
			again |= 1u << i;
	}
	return again;
}

/* A leg does not have what was written. If the other has it, this one goes; if it cannot go, the write has failed. */
static void image_missed(const struct image *im, int leg, bool other_has)
{
	if (other_has)
		leg_drop(leg, "what is written does not get onto its disk");
	if (engine.legs[leg].state != LEG_GOOD)
		leg_mark_stale(leg, im->group, im->n);
}

/* A leg that is believed has not got it. */
static bool legs_are_missing(uint32_t mask)
{
	return (mask & 1 && engine.legs[0].state == LEG_GOOD) || (mask & 2 && engine.legs[1].state == LEG_GOOD);
}

int image_write(struct image *im, uint32_t legs, bool fua, bool verify)
{
	uint64_t pos = layout_pos(&engine.layout, im->group);
	uint32_t good = 0, fails[LEGS] = { 0 };
	struct iobuf *buf = iobuf_make(image_len(im));

	if (!buf)
		return -ENOMEM;
	memcpy(buf->bytes, im->raw, buf->len);
	for (uint32_t todo = legs; todo;) {
		uint32_t done = legs_write(todo, pos, buf, fua);
		if (verify)
			done = legs_compare(done, pos, buf);
		good |= done;
		todo = legs_again(todo & ~done, fails);
	}
	iobuf_put(buf);
	for (int i = 0; i < LEGS; i++)
		if (legs >> i & 1 && !(good >> i & 1))
			image_missed(im, i, good >> !i & 1);
	if (!good || legs_are_missing(legs & ~good)) {
		region_repair_later(im->group, REPAIR_REWRITE);
		return -EIO;
	}
	for (int i = 0; i < LEGS; i++)
		if (good >> i & 1)
			leg_answered(i);
	return 0;
}

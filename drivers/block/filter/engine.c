/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of clients, and what goes on besides: start, looks at superblocks, repair, resynchronisation. Background work is done by one
 * fiber at a time, one region after the other, between requests.
 *
 *   write   lock the groups; read what is there (sums, and the sectors around); put the new sums beside the old data; write the new data;
 *           read it back from each leg; if a leg had to be dropped, write the news into the other's superblock; answer
 *   read    lock the groups, shared; read until all sectors are right; answer
 *
 * If this process dies here: the successor finds superblocks that say `dirty`, compares all groups and settles them while it serves
 * (without sums: copies the first leg over the second). No write that was answered is lost: it was on all legs that are good.
 */
#include "engine_private.h"
#include <errno.h>
#include <libfiber/fiber.h>
#include <libsys/log.h>
#include <string.h>

struct engine engine;

void engine_init(const struct engine_config *config, const struct engine_world *world)
{
	memset(&engine, 0, sizeof(engine));
	engine.config = *config;
	engine.world = world;
	engine.starting = true;
}

bool engine_is_ready(void) { return engine.ready; }
int engine_error(void) { return engine.error; }
uint64_t engine_size(void) { return engine.layout.groups * engine.layout.n * SECTOR; }
enum leg_state engine_leg_state(int leg) { return engine.legs[leg].state; }
const struct leg_stats *engine_leg_stats(int leg) { return &engine.legs[leg].stats; }
uint64_t engine_stale_regions(int leg) { return engine.legs[leg].nr_stale; }

/* ---- drivers come and go ---- */

void engine_leg_up(int leg, uint64_t bytes)
{
	struct leg *l = &engine.legs[leg];

	l->bytes = bytes;
	l->present = true;
	l->down = l->late = false;
	l->retry_ns = 0;
	if (engine.ready) {
		l->try_join = true;
		return;
	}
	engine.starting = true;
	if (!engine.first_up_ns)
		engine.first_up_ns = engine.world->now();
	engine.world->set_alarm(engine.first_up_ns + engine.config.start_ms * 1000000ull);
}

void engine_leg_down(int leg)
{
	engine.legs[leg].down = true;
	leg_wake_waiters(leg);
}

void engine_leg_failed(int leg, const char *why)
{
	engine_leg_down(leg);
	if (engine.ready && !leg_is_needed(leg))
		leg_drop(leg, why);
}

/* ---- pieces: as much of a request as lies in one region ---- */

struct piece { uint64_t group, first, sectors; uint32_t n; };

static struct piece piece_at(uint64_t sector, uint64_t sectors)
{
	uint32_t n = engine.layout.n;
	uint64_t region_end = (sector / n / REGION_GROUPS + 1) * REGION_GROUPS * n;
	struct piece p = { .group = sector / n, .first = sector, .sectors = sectors };

	if (p.sectors > region_end - sector)
		p.sectors = region_end - sector;
	p.n = (uint32_t)((sector + p.sectors - 1) / n - p.group + 1);
	return p;
}

static uint8_t *piece_group(const struct piece *p, const struct image *im, uint64_t sector)
{
	return im->raw + (size_t)(sector / engine.layout.n - p->group) * layout_stride(&engine.layout) * SECTOR;
}

static uint8_t *piece_data(const struct piece *p, const struct image *im, uint64_t sector)
{
	return group_data(piece_group(p, im, sector), (uint32_t)(sector % engine.layout.n));
}

/* All sectors of the piece, or all around it, are wanted. */
static void piece_want(const struct piece *p, struct image *im, bool inside)
{
	for (uint64_t i = 0; i < (uint64_t)p->n * engine.layout.n; i++) {
		uint64_t sector = p->group * engine.layout.n + i;
		im->wanted[i] = inside == (sector >= p->first && sector < p->first + p->sectors);
	}
}

/* ---- reading ---- */

static int piece_read(const struct piece *p, uint8_t *to)
{
	struct range lock;
	struct image im;
	int r;

	range_lock(&lock, p->group, p->n, false);
	r = image_make(&im, p->group, p->n);
	if (r == 0) {
		piece_want(p, &im, true);
		r = image_read(&im);
		for (uint64_t i = 0; i < p->sectors && r == 0; i++)
			memcpy(to + i * SECTOR, piece_data(p, &im, p->first + i), SECTOR);
		image_free(&im);
	}
	range_unlock(&lock);
	return r;
}

int engine_read(uint64_t pos, void *p, uint64_t len)
{
	uint64_t sector = pos / SECTOR, left = len / SECTOR;
	uint8_t *to = p;
	int r = engine.ready ? 0 : -EIO;

	while (left && r == 0) {
		struct piece piece = piece_at(sector, left);
		r = piece_read(&piece, to);
		to += piece.sectors * SECTOR;
		sector += piece.sectors;
		left -= piece.sectors;
	}
	return r;
}

/* ---- writing ---- */

/* Around the piece: what was cut off has its old contents from now on, what is lost stays lost. */
static void sector_reseal(struct image *im, uint32_t g, uint32_t i)
{
	const struct layout *l = &engine.layout;
	uint8_t *raw = im->raw + (size_t)g * layout_stride(l) * SECTOR;

	switch ((enum quality)im->quality[g * l->n + i]) {
	case SUM_GOOD: group_forget_before(l, raw, i); break;
	case SUM_BEFORE: group_seal(l, im->group + g, raw, i, group_data(raw, i), 0); break;
	case SUM_BAD: group_spoil(l, raw, i); break;
	}
}

/* New sums beside the data as it is; the sums of what is there become those "before". */
static void piece_seal(const struct piece *p, struct image *im, const uint8_t *from)
{
	uint8_t before[SUM_BYTES];

	for (uint32_t i = 0; i < im->n * engine.layout.n; i++) {
		uint64_t sector = p->group * engine.layout.n + i;
		uint8_t *raw = piece_group(p, im, sector);
		uint32_t k = i % engine.layout.n;
		if (sector < p->first || sector >= p->first + p->sectors) {
			sector_reseal(im, i / engine.layout.n, k);
			continue;
		}
		sum_make(&engine.layout, sector, group_data(raw, k), before);
		group_seal(&engine.layout, sector / engine.layout.n, raw, k, from + (sector - p->first) * SECTOR,
			im->quality[i] != SUM_BAD ? before : 0);
	}
	image_finish(im);
}

static void image_confirm_written(const struct image *im)
{
	for (uint32_t g = 0; g < im->n; g++)
		version_confirm(im->group + g, im->versions[g]);
}

static int piece_write_locked(const struct piece *p, struct image *im, const uint8_t *from, bool fua)
{
	int r;

	piece_want(p, im, false);
	r = image_read(im);
	if (r && !im->read)
		return r;	/* a bad sector around is kept, bad as it is; but no sectors at all are no image */
	piece_seal(p, im, from);
	if (engine.config.ordered && engine.layout.kind != SUM_NONE) {
		r = image_write(im, image_takers(im), true, false);
		if (r)
			return r;
	}
	for (uint64_t i = 0; i < p->sectors; i++)
		memcpy(piece_data(p, im, p->first + i), from + i * SECTOR, SECTOR);
	r = image_write(im, image_takers(im), fua, true);
	if (r)
		return r;
	image_confirm_written(im);
	return super_flush(false);
}

static int piece_write(const struct piece *p, const uint8_t *from, bool fua)
{
	struct range lock;
	struct image im;
	int r;

	range_lock(&lock, p->group, p->n, true);
	r = image_make(&im, p->group, p->n);
	if (r == 0) {
		r = piece_write_locked(p, &im, from, fua);
		image_free(&im);
	}
	range_unlock(&lock);
	return r;
}

int engine_write(uint64_t pos, const void *p, uint64_t len, bool fua)
{
	uint64_t sector = pos / SECTOR, left = len / SECTOR;
	const uint8_t *from = p;
	int r = engine.ready ? 0 : -EIO;

	if (!engine.dirty)
		engine.dirty = engine.super_due = true;
	if (r == 0)
		r = super_flush(false);
	while (left && r == 0) {
		struct piece piece = piece_at(sector, left);
		r = piece_write(&piece, from, fua);
		from += piece.sectors * SECTOR;
		sector += piece.sectors;
		left -= piece.sectors;
	}
	return r;
}

static int leg_flush(int leg)
{
	int r = -EIO;

	for (uint32_t i = 1; r && i <= leg_fails_max() && engine.legs[leg].state != LEG_AWAY; i++) {
		r = op_run(leg, LEG_FLUSH, 0, 0, drop_deadline(leg));
		if (r == -ETIMEDOUT && engine.legs[leg].state != LEG_AWAY)
			leg_drop(leg, "it does not answer");
		else if (r)
			leg_failed_once(leg, i, "it cannot flush");
	}
	return r;
}

int engine_flush(void)
{
	bool flushed = false;

	for (int i = 0; i < LEGS; i++) {
		if (engine.legs[i].state == LEG_AWAY)
			continue;
		if (leg_flush(i) == 0)
			flushed |= engine.legs[i].state == LEG_GOOD;
		else if (leg_is_needed(i) && engine.legs[i].state != LEG_AWAY)
			return -EIO;
		else
			leg_drop(i, "it cannot flush");
	}
	return flushed ? super_flush(false) : -EIO;
}

void engine_stop(void)
{
	if (!engine.ready || engine_flush() != 0)
		return;
	engine.super_due = true;
	engine.dirty = engine.legs[0].state == LEG_SYNC || engine.legs[1].state == LEG_SYNC ||
		memchr(engine.unsettled, 1, engine.nr_regions);
	super_flush(!engine.dirty);
}

/* ---- background ---- */

static uint32_t region_groups(uint64_t region)
{
	uint64_t left = engine.layout.groups - region * REGION_GROUPS;

	return left < REGION_GROUPS ? (uint32_t)left : REGION_GROUPS;
}

static int region_image(struct image *im, uint64_t region)
{
	int r = image_make(im, region * REGION_GROUPS, region_groups(region));

	if (r)
		return r;
	memset(im->wanted, 1, (size_t)im->n * engine.layout.n);
	image_read(im);		/* what is bad on both stays bad: as it is, with sums that do not fit */
	if (im->read)
		return 0;
	image_free(im);
	return -EIO;
}

static void region_sync(int leg, uint64_t region)
{
	struct leg *l = &engine.legs[leg];
	struct range lock;
	struct image im;
	int r;

	range_lock(&lock, region * REGION_GROUPS, region_groups(region), true);
	r = region_image(&im, region);
	if (r == 0) {
		r = image_write(&im, 1u << leg, false, true);
		image_free(&im);
		if (r && l->state == LEG_SYNC)
			leg_drop(leg, "it cannot be copied to");
	} else {
		l->sync_after_ns = engine.world->now() + PAUSE_NS;
		engine.world->set_alarm(l->sync_after_ns);
	}
	if (r == 0 && l->state == LEG_SYNC && l->stale[region]) {
		l->stale[region] = 0;
		l->nr_stale--;
		l->stats.repaired++;
	}
	range_unlock(&lock);
}

static void leg_sync_step(int leg)
{
	struct leg *l = &engine.legs[leg];

	for (uint64_t i = 0; i < engine.nr_regions && l->nr_stale; i++) {
		uint64_t region = (l->sync_next + i) % engine.nr_regions;
		if (!l->stale[region])
			continue;
		l->sync_next = region + 1;
		region_sync(leg, region);
		break;
	}
	if (l->state != LEG_SYNC || l->nr_stale)
		return;
	l->state = LEG_GOOD;
	if (super_renew(false) == 0 && l->state == LEG_GOOD)
		log_info("disk %d is up to date, generation %lu", leg, (unsigned long)engine.generation);
}

/* Sectors whose write was cut off have their old contents from now on. True: there were some. */
static bool image_settle(struct image *im)
{
	bool some = false;

	for (uint32_t i = 0; i < im->n * engine.layout.n; i++) {
		uint32_t g = i / engine.layout.n, k = i % engine.layout.n;
		if (im->quality[i] != SUM_BEFORE)
			continue;
		sector_reseal(im, g, k);
		im->quality[i] = SUM_GOOD;
		some = true;
	}
	if (some)
		image_finish(im);
	return some;
}

/* Groups that are right onto all legs. Others are left as they are: perhaps a leg will show them again. 0: there were no others. */
static int image_write_whole_groups(struct image *im)
{
	size_t len = layout_stride(&engine.layout) * SECTOR;
	int result = 0;

	for (uint32_t g = 0, end; g < im->n; g = end + 1) {
		for (end = g; end < im->n && image_is_whole(im, end); end++)
			;
		struct image part = { .group = im->group + g, .n = end - g, .raw = im->raw + g * len, .versions = im->versions + g };
		if (part.n && image_write(&part, image_takers(&part), false, true) == 0)
			image_confirm_written(&part);
		else if (part.n)
			result = -EIO;
		if (end < im->n)
			result = -EIO;
	}
	return result;
}

/* Some leg gave wrong data here, or a write may have been cut off: write what is right to all. */
static void repair_step(void)
{
	uint64_t region = engine.repair_next % engine.nr_regions;
	struct range lock;
	struct image im;
	bool settled = true;
	enum repair how;

	while (!engine.repair[region])
		region = (region + 1) % engine.nr_regions;
	engine.repair_next = region + 1;
	range_lock(&lock, region * REGION_GROUPS, region_groups(region), true);
	how = engine.repair[region];
	engine.repair[region] = REPAIR_NONE;
	engine.nr_repair--;
	if (region_image(&im, region) == 0) {
		if (image_settle(&im) || how == REPAIR_REWRITE || im.differed)
			settled = image_write_whole_groups(&im) == 0;
		image_free(&im);
	} else {
		settled = false;
	}
	if (settled)
		engine.unsettled[region] = 0;
	range_unlock(&lock);
	super_flush(false);
}

static bool leg_wants_look(int leg)
{
	const struct leg *l = &engine.legs[leg];

	return engine.ready && l->try_join && (l->state != LEG_AWAY || !l->ops);
}

static bool leg_wants_sync(int leg)
{
	const struct leg *l = &engine.legs[leg];

	return engine.ready && l->state == LEG_SYNC && engine.world->now() >= l->sync_after_ns;
}

static bool super_is_due(void) { return engine.ready && engine.super_due && engine.world->now() >= engine.super_after_ns; }

bool engine_has_work(void)
{
	if (engine.working)
		return false;
	return engine_start_is_due() || leg_wants_look(0) || leg_wants_look(1) || super_is_due() ||
		(engine.ready && engine.nr_repair) ||
		leg_wants_sync(0) || leg_wants_sync(1);
}

void engine_work(void)
{
	engine.working = true;
	if (engine_start_is_due())
		engine_start();
	else if (leg_wants_look(0) || leg_wants_look(1))
		leg_look(leg_wants_look(0) ? 0 : 1);
	else if (super_is_due())
		super_flush(false);
	else if (engine.nr_repair)
		repair_step();
	else if (leg_wants_sync(0) || leg_wants_sync(1))
		leg_sync_step(leg_wants_sync(0) ? 0 : 1);
	engine.working = false;
}

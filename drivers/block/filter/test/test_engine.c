/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter over two disks that do everything wrong that disks and drivers can do, many seeds. What is read is what was written last, or
 * an error; with one faithful disk there is no error either; disks that come back become equal again; restarts of the filter at
 * any moment lose nothing that was answered.
 *
 *	test_engine [SEEDS [FIRST]]
 */
#include "../engine_private.h"
#include <errno.h>
#include <expect.h>
#include <libfiber/fiber.h>
#include <libsys/log.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORIES = 4, N = 4, GROUPS = 70, DISK = (SUPER_SECTORS + GROUPS * (N + 1)) * SECTOR, SECTORS = GROUPS * N, PENDING = 512,
	STEPS = 400, SEEDS = 96, CLIENTS = 5, WIDEST = 24 };
#define MS 1000000ull

enum fault { F_READ_WRONG = 1, F_ERROR = 2, F_LOST = 4, F_MISDIRECT = 8, F_HANG = 16, F_CRASH = 32, F_FAILED = 64, F_BLANK = 128,
	F_WRITE_WRONG = 256, F_READ_MISDIRECT = 512,
	F_FORGET = 1024 };	/* shows a write for a while, then what was there before */

static struct disk {
	uint8_t bytes[DISK];
	struct memory { uint64_t pos, len; uint8_t bytes[REGION_GROUPS * (N + 1) * SECTOR]; } before[MEMORIES];
	struct leg_op *ops[PENDING];
	uint32_t n, faults, permille;
	bool hung, dead, failed;
	nstime_t up_at;
} disks[LEGS];

/* What a sector may hold: the last value written; after an error, others too. */
static struct model { uint32_t now, others[4]; uint32_t n; bool anything; } model[SECTORS];

static struct world { nstime_t now, alarm; bool quiet, ready; uint32_t seed, busy, tag, steps, reads, writes, errors; } w;
static uint32_t sector_users[SECTORS];

static uint32_t rnd(uint32_t n) { w.seed = w.seed * 1664525 + 1013904223; return (w.seed >> 8) % n; }

/* ---- disks ---- */

static nstime_t world_now(void) { return w.now; }
static void world_alarm(nstime_t t) { if (!w.alarm || t < w.alarm) w.alarm = t; }
static void world_ready(void) { w.ready = true; }

static void world_submit(struct leg_op *op)
{
	struct disk *d = &disks[op->leg];

	for (uint32_t i = 0; i < d->n; i++)
		if (op->len && d->ops[i]->len && (op->kind == LEG_WRITE || d->ops[i]->kind == LEG_WRITE) &&
			op->pos < d->ops[i]->pos + d->ops[i]->len && d->ops[i]->pos < op->pos + op->len)
			fail_stop("two operations on the same bytes");
	if (d->n == PENDING)
		fail_stop("too many operations");
	d->ops[d->n++] = op;
}

static void disk_restart(struct disk *d)
{
	if (!w.quiet && d->faults & F_BLANK && rnd(3) == 0)
		memset(d->bytes, 0, DISK);
	d->up_at = w.now + rnd(50) * MS;
	d->dead = true;
	engine_leg_down((int)(d - disks));
}

static void world_accuse(int leg, const char *why)
{
	(void)why;
	if (!disks[leg].dead)
		disk_restart(&disks[leg]);
}

static bool strikes(const struct disk *d, enum fault f) { return !w.quiet && d->faults & f && rnd(1000) < d->permille; }

/* Anywhere; or, as `faulty` does it, at a multiple of the length: then a long write and its reading back often go to the same place. */
static uint64_t place_for(const struct leg_op *op)
{
	uint32_t len = (uint32_t)op->len;

	return rnd(2) ? rnd((DISK - len) / SECTOR + 1) * (uint64_t)SECTOR : rnd(DISK / len) * (uint64_t)len;
}

static int64_t disk_read(struct disk *d, struct leg_op *op)
{
	uint64_t pos = strikes(d, F_READ_MISDIRECT) ? place_for(op) : op->pos;

	memcpy(op->buf->bytes, d->bytes + pos, op->len);
	if (strikes(d, F_READ_WRONG))
		op->buf->bytes[rnd((uint32_t)op->len)] ^= (uint8_t)(1 + rnd(255));
	return (int64_t)op->len;
}

static void disk_remember(struct disk *d, uint64_t pos, uint64_t len)
{
	struct memory *m = &d->before[rnd(MEMORIES)];

	*m = (struct memory){ .pos = pos, .len = len };
	memcpy(m->bytes, d->bytes + pos, len);
}

static void disk_forget(struct disk *d)
{
	struct memory *m = &d->before[rnd(MEMORIES)];

	memcpy(d->bytes + m->pos, m->bytes, m->len);
	m->len = 0;
}

static int64_t disk_write(struct disk *d, struct leg_op *op)
{
	uint64_t pos = op->pos;

	if (strikes(d, F_LOST))
		return (int64_t)op->len;
	if (strikes(d, F_MISDIRECT))
		pos = place_for(op);
	if (strikes(d, F_FORGET))
		disk_remember(d, pos, op->len);
	memcpy(d->bytes + pos, op->buf->bytes, op->len);
	if (strikes(d, F_WRITE_WRONG))
		d->bytes[pos + rnd((uint32_t)op->len)] ^= 0x55;
	return (int64_t)op->len;
}

static void op_finish(struct disk *d, uint32_t i, int64_t result)
{
	struct leg_op *op = d->ops[i];

	d->ops[i] = d->ops[--d->n];
	engine_op_done(op, result);
}

/* Some operation ends; or the driver has an accident, then it stays where it is and is done after the restart. */
static void disk_step(struct disk *d)
{
	uint32_t i;

	if (d->dead && !d->failed && w.now >= d->up_at) {
		d->dead = d->hung = false;
		engine_leg_up((int)(d - disks), DISK);
	}
	if (d->failed && d->n) {
		op_finish(d, rnd(d->n), -EIO);
		return;
	}
	if (d->dead || d->hung || !d->n)
		return;
	if (strikes(d, F_FORGET))
		disk_forget(d);
	if (strikes(d, F_HANG)) {
		d->hung = true;
		d->up_at = w.now + rnd(12000) * MS;
	} else if (strikes(d, F_CRASH)) {
		disk_restart(d);
	} else {
		i = rnd(d->n);
		struct leg_op *op = d->ops[i];
		if (strikes(d, F_ERROR))
			op_finish(d, i, -EIO);
		else
			op_finish(d, i, op->kind == LEG_READ ? disk_read(d, op) : op->kind == LEG_WRITE ? disk_write(d, op) : 0);
	}
}

/* RS finds out what is wrong. */
static void disk_time(struct disk *d)
{
	if (d->hung && !d->dead && w.now >= d->up_at)
		disk_restart(d);
	if (!d->failed && strikes(d, F_FAILED)) {
		d->failed = d->dead = true;
		engine_leg_failed((int)(d - disks), "its driver has failed");
	} else if (d->failed && (w.quiet || rnd(10) == 0)) {
		d->failed = false;
		disk_restart(d);
	}
}

/* A driver that is well needs no seconds: before much time passes it has done what it was asked. */
static void world_pass(nstime_t ns)
{
	for (int i = 0; i < LEGS && ns > 100 * MS; i++)
		while (disks[i].n && !disks[i].dead && !disks[i].hung)
			disk_step(&disks[i]);
	w.now += ns;
	for (int i = 0; i < LEGS; i++)
		disk_time(&disks[i]);
	if (w.alarm && w.alarm <= w.now) {
		w.alarm = 0;
		engine_alarm(w.now);
	}
}

/* ---- clients ---- */

static void sector_fill(uint8_t *p, uint32_t s, uint32_t tag)
{
	/* Scrambled, so that different contents have different sums even where they are weak (xor). */
	for (uint32_t i = 0; i < SECTOR / 4; i++) {
		uint32_t x = tag * 2654435761u + s * 97 + i;
		((uint32_t *)(void *)p)[i] = tag ? (x ^ x >> 15) * ((x >> 7) | 1) : 0;
	}
}

static bool sector_holds(const uint8_t *p, uint32_t s, uint32_t tag)
{
	uint8_t wanted[SECTOR];

	sector_fill(wanted, s, tag);
	return memcmp(p, wanted, SECTOR) == 0;
}

static bool model_allows(uint32_t s, const uint8_t *p)
{
	const struct model *m = &model[s];

	if (m->anything || sector_holds(p, s, m->now))
		return true;
	for (uint32_t i = 0; i < m->n; i++)
		if (sector_holds(p, s, m->others[i]))
			return true;
	return false;
}

static void model_write(uint32_t s, uint32_t tag, bool good)
{
	struct model *m = &model[s];

	if (good)
		*m = (struct model){ .now = tag };
	else if (m->n == 4)
		m->anything = true;
	else
		m->others[m->n++] = tag;
}

static bool sectors_take(uint32_t first, uint32_t n, bool write)
{
	for (uint32_t s = first; s < first + n; s++)
		if (sector_users[s] == -1u || (write && sector_users[s]))
			return false;
	for (uint32_t s = first; s < first + n; s++)
		sector_users[s] = write ? -1u : sector_users[s] + 1;
	return true;
}

static void client_write(uint32_t first, uint32_t n)
{
	uint8_t data[WIDEST * SECTOR];
	uint32_t tag = ++w.tag, incarnation = w.steps;
	int r;

	(void)incarnation;
	for (uint32_t i = 0; i < n; i++)
		sector_fill(data + i * SECTOR, first + i, tag);
	r = engine_write(first * (uint64_t)SECTOR, data, n * (uint64_t)SECTOR, rnd(4) == 0);
	for (uint32_t s = first; s < first + n; s++) {
		model_write(s, tag, r == 0);
		sector_users[s] = 0;
	}
	w.writes++;
	if (r)
		log_warn("request at sector %u, %u sectors: %s", first, n, err_text(r));
	w.errors += r != 0;
}

static void client_read(uint32_t first, uint32_t n)
{
	uint8_t data[WIDEST * SECTOR];
	int r = engine_read(first * (uint64_t)SECTOR, data, n * (uint64_t)SECTOR);

	for (uint32_t s = first; s < first + n; s++) {
		if (r == 0 && !model_allows(s, data + (s - first) * SECTOR)) {
			EXPECT(!"what is read is what was written");
			printf("sector %u\n", s);
		}
		sector_users[s]--;
		/* Gone on both disks. After a filter that did not end cleanly its older contents may be taken for good: README, limits. */
		model[s].anything |= r != 0 && n == 1;
	}
	w.reads++;
	if (r)
		log_warn("request at sector %u, %u sectors: %s", first, n, err_text(r));
	w.errors += r != 0;
}

static void client(uint32_t first, uint32_t n, bool write)
{
	if (w.busy >= CLIENTS || !w.ready || !engine_is_ready() || !fiber_reserve() || !sectors_take(first, n, write))
		return;
	w.busy++;
	if (write)
		client_write(first, n);
	else
		client_read(first, n);
	w.busy--;
}

static void client_random(void)
{
	uint32_t n = 1 + rnd(rnd(3) ? 6 : WIDEST), first = rnd(SECTORS - n);

	if (rnd(40) == 0 && engine_is_ready() && fiber_reserve())
		engine_flush();
	else
		client(first, n, rnd(2));
}

/* ---- a run: start, work, calm, check, perhaps a restart of the filter ---- */

static const struct engine_world world = { world_now, world_submit, world_accuse, world_alarm, world_ready };
static struct run { uint32_t seed, last, check; enum { BEGIN, WORK, CALM, CHECK, COMPARE, STOP } phase; bool one_leg, again, clean; } run;
static const uint32_t mixtures[] = { 0, F_READ_WRONG, F_ERROR, F_LOST, F_MISDIRECT, F_WRITE_WRONG, F_HANG, F_CRASH, F_FAILED,
	F_BLANK | F_CRASH, F_READ_MISDIRECT, F_READ_MISDIRECT | F_MISDIRECT, F_FORGET, F_FORGET | F_CRASH | F_FAILED | F_HANG,
	F_READ_WRONG | F_ERROR | F_LOST | F_MISDIRECT | F_WRITE_WRONG | F_HANG | F_CRASH | F_FAILED,
	F_READ_WRONG | F_ERROR | F_LOST | F_MISDIRECT | F_WRITE_WRONG | F_HANG | F_CRASH | F_FAILED | F_BLANK,
	F_READ_WRONG | F_ERROR | F_LOST | F_MISDIRECT | F_WRITE_WRONG | F_HANG | F_CRASH | F_FAILED | F_READ_MISDIRECT | F_FORGET,
	2047 /* all */ };
enum { MIXTURES = sizeof(mixtures) / sizeof(mixtures[0]) };

static void engine_begin(void)
{
	static const enum sum_kind kinds[] = { SUM_CRC, SUM_MD5, SUM_XOR };
	struct engine_config c = { .legs = run.one_leg ? 1 : 2, .n = N, .kind = kinds[run.seed % 7 % 3], .ordered = run.seed % 3 != 0,
		.retries = 3, .restarts = 2, .patience_ms = 500, .drop_ms = 6000, .start_ms = 3000, .fresh = !run.again, .adopt = run.again,
		.new_id = 0x1122334455667788ull + run.seed };

	free(engine.repair);
	free(engine.unsettled);
	versions_free();
	for (int i = 0; i < LEGS; i++)
		free(engine.legs[i].stale);
	w.ready = false;
	engine_init(&c, &world);
	for (uint32_t i = 0; i < c.legs; i++) {
		disks[i].dead = disks[i].hung = disks[i].failed = false;
		engine_leg_up((int)i, DISK);
	}
}

static void run_begin(void)
{
	memset(disks, 0, sizeof(disks));
	memset(model, 0, sizeof(model));
	memset(sector_users, 0, sizeof(sector_users));
	w.now = 1000000000;
	w.alarm = 0;
	w.seed = run.seed;
	w.steps = w.busy = 0;
	w.quiet = true;		/* until both disks have everything: before that a fault of one may lose data */
	run.one_leg = run.seed % 11 == 10;
	run.again = run.clean = false;
	disks[0].faults = mixtures[run.seed % MIXTURES];
	disks[1].faults = run.seed / MIXTURES % 3 == 2 ? mixtures[run.seed / MIXTURES % MIXTURES] & ~(uint32_t)F_BLANK : 0;
	disks[0].permille = disks[1].permille = 5 + rnd(150);
	if (run.seed / MIXTURES % 2 && !run.one_leg) {		/* sometimes the second is the bad one */
		uint32_t f = disks[0].faults;
		disks[0].faults = disks[1].faults;
		disks[1].faults = f;
	}
	if (run.one_leg)
		disks[1].faults = 0;
	engine_begin();
	run.phase = WORK;
}

static void world_step(void)
{
	switch (rnd(8)) {
	case 0: case 1: client_random(); break;
	case 2: case 3: case 4: disk_step(&disks[0]); break;
	case 5: case 6: disk_step(&disks[1]); break;
	case 7: world_pass(rnd(4) ? rnd(10) * MS : rnd(1500) * MS); break;
	}
}

static void settle_step(void)
{
	disk_step(&disks[0]);
	disk_step(&disks[1]);
	world_pass(rnd(20) == 0 ? 3000 * MS : 5 * MS);
}

static bool engine_is_calm(void)
{
	return !w.busy && !disks[0].n && !disks[1].n && !engine_has_work() && !engine.working && !engine.timers;
}

/* Nothing wrong any more: both disks become good and equal. */
static void settled_check(void)
{
	bool faithful = !disks[0].faults || !disks[1].faults || run.one_leg;
	uint64_t from = layout_pos(&engine.layout, 0), len = GROUPS * (N + 1) * SECTOR;

	if (faithful && !(run.one_leg && disks[0].faults))
		EXPECT_EQ(w.errors, 0);
	if (!run.one_leg) {
		EXPECT_EQ(engine_leg_state(0), LEG_GOOD);
		EXPECT_EQ(engine_leg_state(1), LEG_GOOD);
		EXPECT(engine_stale_regions(0) + engine_stale_regions(1) == 0);
		/* Where data went astray or was forgotten shows when it is read only. */
		if (!engine.nr_repair && !((disks[0].faults | disks[1].faults) & (F_MISDIRECT | F_FORGET)))
			for (uint64_t i = from; i < from + len; i += SECTOR)
				if (faithful && (i - from) / SECTOR % (N + 1) != N)
					EXPECT(!memcmp(disks[0].bytes + i, disks[1].bytes + i, SECTOR));
	}
}

static void run_end(void)
{
	if (expect_failures) {
		printf("seed %u: faults %#x %#x, permille %u\n", run.seed, disks[0].faults, disks[1].faults, disks[0].permille);
		exit(1);
	}
	if (++run.seed <= run.last) {
		run.phase = BEGIN;
		w.errors = 0;
		return;
	}
	printf("%u reads, %u writes\n", w.reads, w.writes);
	exit(expect_end());
}

static bool engine_is_whole(void)
{
	return engine_leg_state(0) == LEG_GOOD && (run.one_leg || engine_leg_state(1) == LEG_GOOD);
}

/* It may show old contents whose sums are right: only the other disk, or this filter as long as it lives, knows better. */
static bool disk_deceives(const struct disk *d)
{
	return d->faults & F_FORGET || (d->faults & F_MISDIRECT && d->faults & F_READ_MISDIRECT);
}

static bool disks_are_all_faulty(void) { return disks[0].faults && (run.one_leg || disks[1].faults); }

static bool may_start_again(void)
{
	return !run.again && !(disks_are_all_faulty() && (disk_deceives(&disks[0]) || disk_deceives(&disks[1])));
}

/* One run is through: once more with a filter that starts anew on these disks, or the next one. */
static void compared(void)
{
	settled_check();
	if (!may_start_again()) {
		run_end();
		return;
	}
	run.again = true;
	run.clean = rnd(2);
	run.phase = STOP;
	if (run.clean && fiber_reserve())
		engine_stop();
}

static void step_calm(void)
{
	w.quiet = true;
	settle_step();
	if (w.steps++ > STEPS + 200000) {
		EXPECT(!"comes to rest");
		run_end();
	}
	if (!engine_is_calm() || !engine_is_ready())
		return;
	if (w.steps < STEPS + 100000 && !engine_is_whole()) {
		world_pass(1000 * MS);
		return;
	}
	run.check = 0;
	run.phase = CHECK;
}

static void step(void)
{
	switch (run.phase) {
	case BEGIN:
		run_begin();
		break;
	case WORK:
		world_step();
		if (!engine_is_ready() && engine_error()) {
			/* Misdirected writes and the like may have taken the superblocks. */
			if (!(run.again && disks_are_all_faulty()))
				EXPECT_EQ(engine_error(), 0);
			run_end();
			break;
		}
		if (engine_is_ready() && w.quiet && w.steps == 0 && engine_is_whole() && !engine.nr_repair)
			w.quiet = false;
		if (engine_is_ready() && !w.quiet && w.steps++ >= STEPS)
			run.phase = CALM;
		break;
	case CALM:
		step_calm();
		break;
	case CHECK:
		settle_step();
		if (run.check < SECTORS) {
			if (!w.busy)
				client(run.check++, 1, false);
		} else if (engine_is_calm()) {
			run.phase = COMPARE;
		}
		break;
	case COMPARE:
		compared();
		break;
	case STOP:
		settle_step();
		if (!engine_is_calm())
			break;
		w.steps = 0;
		w.alarm = 0;
		engine_begin();
		run.phase = WORK;
		break;
	}
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		if (engine_has_work() && fiber_reserve())
			engine_work();
		else
			step();
	}
}

int main(int argc, char **argv)
{
	run.last = argc > 1 ? (uint32_t)atoi(argv[1]) : SEEDS;
	run.seed = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
	fibers_run(256 * 1024, loop);
	return 1;
}

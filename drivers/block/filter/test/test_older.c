/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mirror over several lives of the filter, of which each is a process of its own over the same two disks: what happens between them, a
 * power cut or a disk that is exchanged for an older copy of itself, and who is believed then.
 */
#include "../engine_private.h"
#include <errno.h>
#include <expect.h>
#include <libfiber/fiber.h>
#include <libsys/log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 4, GROUPS = 160, DISK = (SUPER_SECTORS + GROUPS * (N + 1)) * SECTOR, SECTORS = GROUPS * N, PENDING = 64 };
enum end { WELL, WRONG, CUT, REFUSED };	/* exit statuses of a life */
enum { BOTH = 3, FIRST = 1, SECOND = 2 };
#define MS 1000000ull

/* What outlives a life. */
static struct { uint8_t disks[LEGS][DISK], copy[DISK]; } *shared;

struct life {
	void (*script)(void);
	uint32_t disks;		/* mask of those that are there */
	bool degraded, adopt;
	bool single;		/* the filter is told of the one that is there only */
	uint32_t cut;		/* the power fails before this write, the first is 1; 0: never */
	bool second_first;	/* of two operations at once the second disk's is done first */
	enum sum_kind kind;
};

static struct {
	const struct life *life;
	nstime_t now;
	struct leg_op *ops[PENDING];
	uint32_t n, writes;
	bool begun;
} w;

/* ---- the world: disks without fault, and time ---- */

static nstime_t world_now(void) { return w.now; }
static void world_alarm(nstime_t t) { (void)t; }
static void world_ready(void) { }

/* On a fiber's stack: not exit(). */
static void life_end(enum end how) { fflush(stdout); _exit(how); }

static void world_accuse(int leg, const char *why)
{
	printf("FAIL disk %d is accused: %s\n", leg, why);
	life_end(WRONG);
}

static void world_submit(struct leg_op *op)
{
	if (w.n == PENDING)
		fail_stop("too many operations");
	w.ops[w.n++] = op;
}

static int disk_of(int leg) { return w.life->single ? w.life->disks == SECOND : leg; }

static void op_finish(uint32_t i)
{
	struct leg_op *op = w.ops[i];
	uint8_t *at = shared->disks[disk_of(op->leg)] + op->pos;

	memmove(&w.ops[i], &w.ops[i + 1], (--w.n - i) * sizeof(op));
	if (op->kind == LEG_WRITE && ++w.writes == w.life->cut)
		life_end(CUT);
	if (op->kind == LEG_WRITE)
		memcpy(at, op->buf->bytes, op->len);
	else if (op->kind == LEG_READ)
		memcpy(op->buf->bytes, at, op->len);
	engine_op_done(op, op->kind == LEG_FLUSH ? 0 : (int64_t)op->len);
}

static void world_step(void)
{
	if (w.n) {
		op_finish(w.life->second_first && w.n > 1 && w.ops[0]->leg == 0 && w.ops[1]->leg == 1);
		return;
	}
	w.now += 10 * MS;
	engine_alarm(w.now);
}

static const struct engine_world world = { world_now, world_submit, world_accuse, world_alarm, world_ready };

static void life_begin(const struct life *l)
{
	struct engine_config c = { .legs = l->single ? 1 : 2, .n = N, .kind = l->kind ? l->kind : SUM_CRC, .ordered = true, .retries = 3,
		.restarts = 2, .patience_ms = 500, .drop_ms = 6000, .start_ms = 300, .fresh = true, .adopt = l->adopt,
		.degraded = l->degraded, .new_id = 0x1122334455667788ull };

	w.life = l;
	w.now = 1000 * MS;
	engine_init(&c, &world);
	for (int i = 0; i < (int)c.legs; i++)
		if (l->disks >> disk_of(i) & 1)
			engine_leg_up(i, DISK);
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		if (engine_error() || w.now > 20000 * MS)
			life_end(REFUSED);
		if (engine_is_ready() && !w.begun && fiber_reserve()) {
			w.begun = true;
			w.life->script();
			life_end(expect_failures ? WRONG : WELL);
		}
		if (engine_has_work() && fiber_reserve())
			engine_work();
		else
			world_step();
	}
}

static enum end live(struct life l)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		expect_failures = 0;
		life_begin(&l);
		fibers_run(256 * 1024, loop);
		_exit(WRONG);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? (enum end)WEXITSTATUS(status) : WRONG;
}

static void disks_empty(void) { memset(shared, 0, sizeof(*shared)); }
static void disk_copy(int leg) { memcpy(shared->copy, shared->disks[leg], DISK); }
static void disk_exchange(int leg) { memcpy(shared->disks[leg], shared->copy, DISK); }

/* ---- what a script does ---- */

static void fill(uint8_t *p, uint32_t sector, uint8_t tag)
{
	for (uint32_t i = 0; i < SECTOR; i++)
		p[i] = (uint8_t)(tag * 37 + sector * 11 + i * i);
}

static void put(uint32_t first, uint32_t n, uint8_t tag)
{
	static uint8_t data[SECTORS * SECTOR];

	for (uint32_t i = 0; i < n; i++)
		fill(data + i * SECTOR, first + i, tag);
	EXPECT_EQ(engine_write(first * (uint64_t)SECTOR, data, n * (uint64_t)SECTOR, false), 0);
}

/* The tag that the sector has; 0: none of those there are, -1: unreadable. */
static int tag_of(uint32_t sector)
{
	uint8_t is[SECTOR], wanted[SECTOR];

	if (engine_read(sector * (uint64_t)SECTOR, is, SECTOR) != 0)
		return -1;
	for (uint8_t tag = 1; tag < 8; tag++) {
		fill(wanted, sector, tag);
		if (memcmp(is, wanted, SECTOR) == 0)
			return tag;
	}
	return 0;
}

static void expect_tags(uint32_t first, uint32_t n, int tag)
{
	uint32_t wrong = 0;

	for (uint32_t s = first; s < first + n; s++)
		wrong += tag_of(s) != tag;
	EXPECT_EQ(wrong, 0);
}

static void wait_until_mirrored(void)
{
	for (int i = 0; i < 1000 && (engine_leg_state(0) != LEG_GOOD || engine_leg_state(1) != LEG_GOOD || engine.nr_repair); i++)
		timer_pass(w.now + 10 * MS);
	EXPECT(engine_leg_state(0) == LEG_GOOD && engine_leg_state(1) == LEG_GOOD);
}

/* ---- a disk comes back with older contents ---- */

enum { CHANGED = 100 };	/* the sectors before it are written a second time */

static void write_all(void) { wait_until_mirrored(); put(0, SECTORS, 1); engine_stop(); }
static void write_some(void) { put(0, CHANGED, 2); engine_stop(); }

static void read_newest(void)
{
	expect_tags(0, CHANGED, 2);
	expect_tags(CHANGED, SECTORS - CHANGED, 1);
}

static void read_newest_and_mirror(void)
{
	read_newest();
	wait_until_mirrored();
	read_newest();
	engine_stop();
}

/* Whichever disk it is, afterwards either has everything. */
static void judge_after_exchange(int older)
{
	uint32_t one[LEGS] = { FIRST, SECOND };

	disk_exchange(older);
	EXPECT_EQ(live((struct life){ .script = read_newest_and_mirror, .disks = BOTH }), WELL);
	for (int i = 0; i < LEGS; i++)
		EXPECT_EQ(live((struct life){ .script = read_newest, .disks = one[i], .degraded = true }), WELL);
}

static void disk_of_an_earlier_run(int older)
{
	disks_empty();
	EXPECT_EQ(live((struct life){ .script = write_all, .disks = BOTH }), WELL);
	disk_copy(older);
	EXPECT_EQ(live((struct life){ .script = write_some, .disks = BOTH }), WELL);
	judge_after_exchange(older);
}

static int copied;
static void write_copy_write(void)
{
	wait_until_mirrored();
	put(0, SECTORS, 1);
	disk_copy(copied);
	put(0, CHANGED, 2);
	life_end(expect_failures ? WRONG : WELL);	/* the power fails */
}

/* The superblocks of both say the same then: only the versions of groups tell. */
static void disk_of_the_same_run(int older)
{
	disks_empty();
	copied = older;
	EXPECT_EQ(live((struct life){ .script = write_copy_write, .disks = BOTH }), WELL);
	judge_after_exchange(older);
}

/* ---- both were used alone ---- */

static void write_2(void) { put(0, SECTORS, 2); engine_stop(); }
static void write_3(void) { put(0, SECTORS, 3); engine_stop(); }
static void read_2(void) { expect_tags(0, SECTORS, 2); EXPECT(engine_leg_state(1) != LEG_GOOD); engine_stop(); }
static void read_2_everywhere(void) { wait_until_mirrored(); expect_tags(0, SECTORS, 2); engine_stop(); }
static void read_3(void) { expect_tags(0, SECTORS, 3); }

static void disks_that_were_both_used_alone_are_not_mixed(bool single)
{
	disks_empty();
	EXPECT_EQ(live((struct life){ .script = write_all, .disks = BOTH }), WELL);
	EXPECT_EQ(live((struct life){ .script = write_2, .disks = FIRST, .degraded = true, .single = single }), WELL);
	EXPECT_EQ(live((struct life){ .script = write_3, .disks = SECOND, .degraded = true, .single = single }), WELL);
	EXPECT_EQ(live((struct life){ .script = read_2, .disks = BOTH }), WELL);
	EXPECT_EQ(live((struct life){ .script = read_3, .disks = SECOND, .degraded = true }), WELL);
	EXPECT_EQ(live((struct life){ .script = read_2_everywhere, .disks = BOTH, .adopt = true }), WELL);
}

/* ---- writes that are cut off ---- */

/* In the last region: what is settled in the background begins with the first. */
enum { CUT_AT = SECTORS - 9, CUT_SECTORS = 6 };

static void write_and_be_cut(void) { put(CUT_AT, CUT_SECTORS, 2); life_end(WELL); }
static void stop_at_once(void) { engine_stop(); }

static int tags[SECTORS];
static void read_old_or_new(void)
{
	for (uint32_t s = 0; s < SECTORS; s++) {
		tags[s] = tag_of(s);
		EXPECT(tags[s] == 1 || (tags[s] == 2 && s >= CUT_AT && s < CUT_AT + CUT_SECTORS));
	}
}

static void read_and_mirror(void)
{
	int before[SECTORS];

	read_old_or_new();
	memcpy(before, tags, sizeof(tags));
	wait_until_mirrored();
	read_old_or_new();
	EXPECT(memcmp(before, tags, sizeof(tags)) == 0);
	engine_stop();
}

/* Each write of the life may be the last; the successor may end before it has settled anything. */
static void cut_write_is_old_or_new(bool second_first, bool short_life, enum sum_kind kind)
{
	enum end end = CUT;
	int failures = expect_failures;

	for (uint32_t cut = 1; end == CUT && expect_failures == failures; cut++) {
		disks_empty();
		EXPECT_EQ(live((struct life){ .script = write_all, .disks = BOTH, .kind = kind }), WELL);
		end = live((struct life){ .script = write_and_be_cut, .disks = BOTH, .cut = cut, .second_first = second_first,
			.kind = kind });
		if (short_life)
			EXPECT_EQ(live((struct life){ .script = stop_at_once, .disks = BOTH, .kind = kind }), WELL);
		EXPECT_EQ(live((struct life){ .script = read_and_mirror, .disks = BOTH, .kind = kind }), WELL);
		EXPECT_EQ(live((struct life){ .script = read_old_or_new, .disks = SECOND, .degraded = true, .kind = kind }), WELL);
		if (expect_failures != failures)
			printf("cut at write %u\n", cut);
	}
	EXPECT_EQ(end, WELL);
}

int main(void)
{
	shared = mmap(0, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	for (int older = 0; older < LEGS; older++) {
		disk_of_an_earlier_run(older);
		disk_of_the_same_run(older);
	}
	disks_that_were_both_used_alone_are_not_mixed(false);
	disks_that_were_both_used_alone_are_not_mixed(true);
	for (enum sum_kind kind = SUM_XOR; kind <= SUM_CRC; kind++)
		for (int i = 0; i < 4; i++)
			cut_write_is_old_or_new(i & 1, i & 2, kind);
	return expect_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter without its messages: one or two disks ("legs") under one disk that clients see. Requests run as fibers, so the code reads in
 * the order in which things happen; whatever waits for a disk yields. The world (filter.c, or a test) carries operations to the disks,
 * tells what happens to drivers, and keeps the time.
 *
 * States of a leg:
 *
 *	LEG_AWAY --superblock read--> LEG_GOOD or LEG_SYNC --all regions copied--> LEG_GOOD
 *	   ^                              |
 *	   +-- too many failures, no answer for drop_ms, while the other leg can do without
 *
 * A leg that is away misses writes: the regions concerned are `stale` on it until they have been copied from the other. Only then does
 * it serve reads of them. The superblock's generation, which grows whenever a leg goes or comes back and is written to those that are good,
 * keeps a leg that missed something from being believed after a restart of the filter.
 *
 * A leg may also show old contents whose sums are right: it has lost a write although it showed it when it was read back. So each group's
 * version on the disks that was last written by us, or found newest by comparing the legs, is kept in memory, and what is older is wrong.
 */
#pragma once
#include "sums.h"
#include <abi/types.h>

enum { LEGS = 2, REGION_GROUPS = 32 };

enum leg_op_kind { LEG_READ, LEG_WRITE, LEG_FLUSH };

/* Memory of operations: shared by the two legs of a write, and alive as long as a driver may still touch it. */
struct iobuf { uint32_t refs; size_t len; uint8_t bytes[]; };

struct fiber;
struct leg_op {
	struct leg_op *next;		/* of the same leg, by order */
	int leg;
	enum leg_op_kind kind;
	bool fua, sent, done;
	bool impatient;			/* do not wait while its driver is down */
	bool orphan;			/* nobody waits any more */
	uint64_t pos, len;
	struct iobuf *buf;
	int64_t result;
	struct fiber *waiter;
	nstime_t started_ns;
	void *world;			/* the world's own part; 0 until sent */
};

struct engine_world {
	nstime_t (*now)(void);
	void (*submit)(struct leg_op *op);		/* engine_op_done() later, never from within */
	void (*accuse)(int leg, const char *why);	/* have its driver restarted */
	void (*set_alarm)(nstime_t deadline);		/* engine_alarm() then */
	void (*ready)(void);				/* clients can be served, or never (engine_error()) */
};

struct engine_config {
	uint32_t legs;			/* 1 or 2 */
	uint32_t n;			/* data sectors in a group */
	enum sum_kind kind;
	bool ordered;			/* new sums are on the disk before the new data */
	bool format;			/* make a new mirror whatever lies on the disks */
	bool fresh;			/* make one if they hold zeros. Not for the successor of a filter that died: it had contents */
	bool adopt;			/* a second disk that holds something else becomes part of the mirror */
	bool degraded;			/* go on with one disk although the other may be newer */
	uint32_t retries, restarts;
	uint32_t patience_ms;		/* a read unanswered for so long: try the other leg */
	uint32_t drop_ms;		/* a write: go on without this leg */
	uint32_t start_ms;		/* at the start: wait so long for the second leg */
	uint64_t new_id;		/* of a mirror that is formatted */
};

enum leg_state { LEG_AWAY, LEG_SYNC, LEG_GOOD };
struct leg_stats { uint64_t bad_data, errors, late, drops, repaired, accusations; };

/* The world's calls. Those marked (fiber) may wait and must be called on a fiber that can be reserved. */
void engine_init(const struct engine_config *config, const struct engine_world *world);
void engine_leg_up(int leg, uint64_t bytes);	/* opened, or open again after a restart */
void engine_leg_down(int leg);			/* dead, hung or liar: waits for a successor */
void engine_leg_failed(int leg, const char *why);	/* operations end with errors, or not before somebody starts its driver */
void engine_op_done(struct leg_op *op, int64_t result);
void engine_alarm(nstime_t now);
bool engine_has_work(void);
void engine_work(void);				/* (fiber) start, resynchronisation, repair: a piece of it */

bool engine_is_ready(void);
int engine_error(void);				/* why it never will be, or 0 */
uint64_t engine_size(void);			/* bytes that clients see */

/* (fiber) A request of a client. 0 or a negative error. */
int engine_read(uint64_t pos, void *p, uint64_t len);
int engine_write(uint64_t pos, const void *p, uint64_t len, bool fua);
int engine_flush(void);
void engine_stop(void);				/* (fiber) a clean end: nothing needs to be compared at the next start */

enum leg_state engine_leg_state(int leg);
const struct leg_stats *engine_leg_stats(int leg);
uint64_t engine_stale_regions(int leg);

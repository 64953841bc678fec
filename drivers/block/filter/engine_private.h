/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the engine. */
#pragma once
#include "engine.h"

struct leg {
	enum leg_state state;
	bool present;		/* its driver has been heard of: operations make sense */
	bool down, late;	/* do not count on an answer soon */
	bool try_join;		/* look at its superblock */
	uint64_t bytes;
	struct leg_op *ops;	/* not done yet, orphans included, by order */
	uint8_t *stale;		/* a byte for each region: it has missed writes there */
	uint64_t nr_stale, sync_next;
	nstime_t sync_after_ns;	/* resynchronisation pauses */
	uint32_t accusations;	/* in a row */
	nstime_t retry_ns;	/* away: look again then; 0 = when its driver comes up */
	uint64_t generation;	/* that its superblock has */
	bool accepted;		/* it is a part of this mirror */
	bool refused;		/* holds something that is not ours */
	struct leg_stats stats;
};

/* What a request has locked. Group numbers; the superblock is at SUPER_LOCK. */
struct range { struct range *next; uint64_t first, n; bool exclusive; struct fiber *waiter; };
#define PAUSE_NS 5000000000ull	/* something in the background failed: later again */
#define SUPER_LOCK (UINT64_MAX - 1)

struct timer { struct timer *next; nstime_t deadline; struct fiber *fiber; };

struct engine {
	struct engine_config config;
	const struct engine_world *world;
	struct layout layout;
	uint64_t nr_regions, generation;
	struct leg legs[LEGS];
	uint8_t *repair;	/* enum repair of each region */
	uint64_t **versions;	/* versions.c */
	uint64_t version;	/* the last one given */
	uint8_t *unsettled;	/* regions in which a write may have been cut off: sums "before" count */
	uint64_t nr_repair, repair_next;
	bool ready, starting, super_due, dirty, working;
	int error;
	nstime_t first_up_ns, super_after_ns;
	struct range *locks;
	struct timer *timers;
};
enum repair { REPAIR_NONE, REPAIR_SETTLE /* a write may have been cut off here */, REPAIR_REWRITE /* a leg gave wrong data */ };
extern struct engine engine;

/* A piece of the disk, whole groups, as it should be. */
struct image {
	uint64_t group;
	uint32_t n;		/* groups */
	uint8_t *raw;		/* as on the disk */
	uint8_t *quality;	/* enum quality of each data sector: what it is to the sums in raw */
	uint8_t *wanted;	/* must be there for the request's sake */
	uint64_t *versions;	/* of the sums in raw, for each group; 0: none that are right */
	bool differed;		/* some leg gave something wrong */
	bool read;		/* raw holds something that came from a disk */
};

/* ops.c */
struct iobuf *iobuf_make(size_t len);
void iobuf_put(struct iobuf *b);
/* Takes a reference of buf. 0: no memory. */
struct leg_op *op_start(int leg, enum leg_op_kind kind, uint64_t pos, struct iobuf *buf, bool fua);
bool op_wait(struct leg_op *op, nstime_t deadline);	/* false: not done by then (0 = for ever), or the leg has gone away */
void op_end(struct leg_op *op);				/* the waiter is through with it, done or not */
int op_run(int leg, enum leg_op_kind kind, uint64_t pos, struct iobuf *buf, nstime_t deadline);	/* 0 or error; -ETIMEDOUT */
void leg_wake_waiters(int leg);
void timer_pass(nstime_t deadline);			/* wait */
void range_lock(struct range *r, uint64_t first, uint64_t n, bool exclusive);
void range_unlock(struct range *r);

/* legs.c */
bool leg_may_read(int leg, uint64_t group);
bool leg_takes_writes(int leg, uint64_t group);
bool leg_is_needed(int leg);		/* no other one is good */
void leg_failed_once(int leg, uint32_t fails, const char *why);	/* every so often its driver is accused */
uint32_t leg_fails_max(void);
void leg_answered(int leg);
void leg_drop(int leg, const char *why);
void leg_mark_stale(int leg, uint64_t group, uint32_t n);
void leg_mark_all_stale(int leg);
void region_repair_later(uint64_t group, enum repair how);
nstime_t drop_deadline(int leg);
int super_flush(bool clean);		/* if something has changed */
int super_renew(bool clean);		/* both sectors, so that a leg that is good has the last two generations */

/* image.c */
int image_make(struct image *im, uint64_t group, uint32_t n);
void image_free(struct image *im);
int image_read(struct image *im);	/* from whatever legs have it. 0: all that is wanted is there; -EIO */
/* To `legs` (a mask), and read back. 0: it is on one of them at least; those where it is not are dropped. */
int image_write(struct image *im, uint32_t legs, bool fua, bool verify);
uint32_t image_takers(const struct image *im);	/* mask of legs that take this write; on the others it becomes stale */

bool image_is_whole(const struct image *im, uint32_t g);	/* all sectors of its g-th group are there */
void image_finish(struct image *im);	/* slots have changed: tails of a new version */

/* versions.c */
int versions_make(void);
void versions_free(void);
uint64_t version_floor(uint64_t group);
void version_confirm(uint64_t group, uint64_t version);
uint64_t version_next(const struct image *im);

/* start.c */
bool engine_start_is_due(void);
void engine_start(void);
void leg_look(int leg);		/* at its superblock: may it join, is it still what it was? */
void leg_look_locked(int leg);	/* SUPER_LOCK is held */

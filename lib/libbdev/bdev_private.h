/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libbdev: the state machine (peer.c, bdev.c) sees the world through struct bdev_env only, so that a test can be the world.
 */
#pragma once
#include <libbdev/bdev.h>

enum { BDEV_SLOTS = 64 /* requests in progress at one driver */, BDEV_AREAS = 8, BDEV_SECTOR = 512 };

struct bdev_env {
	nstime_t (*now)(void);
	void (*send)(endpoint_t dst, const struct message *m);
	void (*set_alarm)(nstime_t deadline);
	/* DS: the next changed key, drv.blk.LABEL of LABEL itself or drv.failed.LABEL of RS; false: no more. */
	bool (*next_key)(char *key, endpoint_t *owner);
	bool (*has_failed)(const char *label);
	bool (*is_gone)(const char *label);	/* neither runs nor will be started again: it was taken down */
	grant_t (*grant)(endpoint_t grantee, const void *p, size_t len, int flags);
	err_t (*regrant)(grant_t g, endpoint_t grantee, const void *p, size_t len, int flags);
	void (*revoke)(grant_t g);
};

struct bdev_list { struct bdev_io *first, *last; };

enum dev_state {
	DEV_OPENING,	/* OPEN waits or is on its way: other requests wait */
	DEV_OPEN,
	DEV_BROKEN,	/* the driver's present instance has no such device: requests end with -EIO */
};

struct bdev {
	struct bdev *next;	/* of the same peer */
	struct bdev_peer *peer;
	uint32_t minor, access;
	enum dev_state state;
	bool known;		/* opened() has been told 0: size is known */
	bool closing;		/* the owner has let go: gone as soon as control is idle */
	bool control_busy;	/* waits or is in progress */
	struct bdev_io control;	/* OPEN, CLOSE */
	uint64_t size, block_size;
	uint64_t unfinished;	/* requests submitted and not done */
	uint32_t events;	/* 1 << enum bdev_event, to be told */
	bool tell_opened;
	err_t opened_result;
	struct bdev_options options;
};

/*
 *   ABSENT ---driver-up---> UP ---time-out, lie---> ACCUSED ---driver-up---> UP (next epoch)
 *     ^                     |  <---RS refuses------   |
 *     +---send failed-------+                         +---RS cannot, too often---> FAILED
 *   any ---drv.failed---> FAILED ---driver-up---> UP
 *   UP, ACCUSED ---taken down---> ABSENT ---not started again in time---> FAILED
 */
enum peer_state {
	PEER_ABSENT,	/* not up yet, or known to be dead: requests wait for the driver-up event */
	PEER_UP,
	PEER_ACCUSED,	/* RS has been asked to restart it: nothing is sent, good answers are taken */
	PEER_FAILED,	/* given up: requests end with -EIO */
};

struct bdev_slot {
	uint64_t id;		/* 0 = free */
	struct bdev_io *io;
	nstime_t sent_ns;
};

/* One driver, by label. */
struct bdev_peer {
	struct bdev_peer *next;
	char label[LABEL_LEN];
	enum peer_state state;
	endpoint_t ep;
	uint32_t epoch;		/* instances seen, from an arbitrary start: upper half of ids */
	uint32_t serial;
	bool was_up;
	bool told_failed;	/* RS has published drv.failed.LABEL */
	bool wants_restart;	/* RS is to be asked */
	bool restarting;	/* RS said that it has begun */
	struct bdev *devs;
	struct bdev_list waiting;	/* by order of submission */
	struct bdev_slot *slots;	/* BDEV_SLOTS, made at the first open */
	struct bdev_seg *segs;		/* BDEV_SEGS_MAX for each slot */
	uint32_t in_progress;
	grant_t segs_grant, area_grants[BDEV_AREAS];
	nstime_t retry_ns;	/* not before: the driver said -ERESTARTSYS, or memory was short; 0 = now */
	nstime_t lost_ns;	/* the loss was noticed, no good answer yet; 0 = all is well */
	nstime_t guard_ns;	/* ACCUSED: look again. ABSENT: it was taken down, then FAILED; 0 = it is on its way */
	uint32_t fruitless;	/* guards that passed without a successor */
	uint64_t repeated_before, failed_before;	/* statistics at the loss */
	uint64_t repeated_told, failed_told;		/* of them, what RS has been told */
	nstime_t timeout_ns;
	uint32_t strikes;
	struct bdev_stats stats;
};

struct bdev_area { uint8_t *p; size_t len; };

struct bdev_core {
	const struct bdev_env *env;
	struct bdev_peer *peers;
	struct bdev_area areas[BDEV_AREAS];
	uint32_t nr_areas;
	uint64_t order;
	struct bdev_list finished;	/* done() is due */
	bool events;			/* some device has events to be told */
	nstime_t armed;			/* the alarm's deadline, 0 = off */
	struct bdev_peer *asked;	/* whom RS's next answer is about */
	nstime_t asked_ns;
};
extern struct bdev_core bdev_core;

void bdev_core_init(const struct bdev_env *env);
bool bdev_core_message(const struct message *m);	/* an answer of a driver or of RS */
void bdev_core_keys(void);				/* DS has news */

void list_append(struct bdev_list *l, struct bdev_io *io);
void list_insert(struct bdev_list *l, struct bdev_io *io);	/* by order */
void list_remove(struct bdev_list *l, struct bdev_io *io);

struct bdev_peer *peer_get(const char *label);	/* made if need be; 0: no memory */
void peer_pump(struct bdev_peer *p);		/* send what may be sent */
void peer_up(struct bdev_peer *p, endpoint_t ep);
void peer_absent(struct bdev_peer *p);
void peer_gone(struct bdev_peer *p);		/* taken down: DS does not know it any more */
void peer_give_up(struct bdev_peer *p, const char *why);
void peer_accuse(struct bdev_peer *p, const char *why);
void peer_answer(struct bdev_peer *p, const struct bdev_rep *rep);
void peer_send_failed(struct bdev_peer *p, err_t error);
void peer_check_time(struct bdev_peer *p, nstime_t now);
nstime_t peer_deadline(const struct bdev_peer *p);
err_t peer_make_slots(struct bdev_peer *p);
void rs_ask_next(void);
void rs_answer(int64_t result);

void dev_event(struct bdev *dev, enum bdev_event event);
void dev_control(struct bdev *dev, uint32_t op);	/* OPEN or CLOSE goes its way */
void dev_control_done(struct bdev *dev, const struct bdev_rep *rep);
void dev_free_if_closed(struct bdev *dev);
void io_finish(struct bdev_io *io, int64_t result);

err_t data_check(const struct bdev_io *io);	/* is the request well formed? */
bool data_describe(struct bdev_peer *p, uint32_t slot, struct bdev_io *io, struct bdev_req *req);
void data_regrant(struct bdev_peer *p);		/* the peer's endpoint has changed */
void data_revoke(struct bdev_peer *p);

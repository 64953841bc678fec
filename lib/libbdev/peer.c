/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One driver: what is in progress at it, what waits for it, and what is known of its health. See struct bdev_peer for the states.
 *
 *   event                            what follows
 *   driver-up (also with the same    all unanswered requests wait again, in the order of their submission; a new epoch, so that answers
 *   endpoint)                        of the dead instance are recognised; minors are opened as often as they were; then requests go again
 *   -ERESTARTSYS                     a successor runs, its event is on the way: the request waits for that, or is tried again
 *                                    after RETRY_NS with an OPEN before it
 *   no answer in time, wrong id,     RS is asked to restart the driver; till it is up nothing is sent. RS refuses: go on with it
 *   impossible result                each such request has a strike more; too many: the driver is given up
 *   drv.failed.LABEL                 given up
 *   drv.blk.LABEL is no more         it was taken down: owners with another source are told at once; requests wait as long as for an answer
 *                                    for somebody to start it again, then it is given up
 *   given up                         the driver loses its grants (it may live, and must not touch memory that its owner uses again),
 *                                    then everything ends with -EIO
 *
 * Ids are epoch, serial, slot. An id of an older epoch is a late answer of a dead instance; any other id that is not in progress is a lie.
 */
#include "bdev_private.h"
#include <abi/endpoint.h>
#include <errno.h>
#include <libsys/grant.h>
#include <libsys/log.h>
#include <proto/rs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_NS 10000000ull
/* The step spreads serials, so that an id that is a little wrong is not that of another request in progress. */
enum { GUARD_TIMEOUTS = 4, ID_SLOT_BITS = 8, ID_SERIAL_BITS = 24, ID_SERIAL_STEP = 0x9e3779 };

/* ---- slots ---- */

static struct bdev_slot *slot_alloc(struct bdev_peer *p)
{
	for (uint32_t i = 0; i < BDEV_SLOTS; i++) {
		struct bdev_slot *s = &p->slots[i];
		if (s->id)
			continue;
		p->serial = (p->serial + ID_SERIAL_STEP) & ((1u << ID_SERIAL_BITS) - 1);
		s->id = (uint64_t)p->epoch << 32 | (uint64_t)p->serial << ID_SLOT_BITS | i;
		p->in_progress++;
		return s;
	}
	return 0;
}

static struct bdev_io *slot_release(struct bdev_peer *p, struct bdev_slot *s)
{
	struct bdev_io *io = s->io;

	*s = (struct bdev_slot){ 0 };
	p->in_progress--;
	return io;
}

static void slots_to_waiting(struct bdev_peer *p)
{
	for (uint32_t i = 0; p->slots && i < BDEV_SLOTS; i++)
		if (p->slots[i].id)
			list_insert(&p->waiting, slot_release(p, &p->slots[i]));
}

err_t peer_make_slots(struct bdev_peer *p)
{
	if (p->slots)
		return 0;
	p->slots = calloc(BDEV_SLOTS, sizeof(*p->slots));
	p->segs = calloc((size_t)BDEV_SLOTS * BDEV_SEGS_MAX, sizeof(*p->segs));
	if (p->slots && p->segs)
		return 0;
	free(p->slots);
	free(p->segs);
	p->slots = 0;
	p->segs = 0;
	return -ENOMEM;
}

struct bdev_peer *peer_get(const char *label)
{
	struct bdev_peer *p = bdev_core.peers;

	while (p && strcmp(p->label, label) != 0)
		p = p->next;
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return 0;
	snprintf(p->label, sizeof(p->label), "%s", label);
	p->ep = EP_NONE;
	p->segs_grant = GRANT_INVALID;
	for (uint32_t i = 0; i < BDEV_AREAS; i++)
		p->area_grants[i] = GRANT_INVALID;
	p->epoch = (uint32_t)(bdev_core.env->now() >> 20);	/* above all that a predecessor of this process has used */
	p->next = bdev_core.peers;
	bdev_core.peers = p;
	return p;
}

/* ---- sending ---- */

static bool io_send(struct bdev_peer *p, struct bdev_io *io, nstime_t now)
{
	struct bdev_slot *s = slot_alloc(p);
	struct message m;
	struct bdev_req *req = MSG_BODY(struct bdev_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = io->op;
	*req = (struct bdev_req){ .id = s->id, .minor = io->dev->minor, .flags = io->flags, .pos = io->pos, .len = io->len };
	if (!data_describe(p, (uint32_t)(s - p->slots), io, req)) {
		slot_release(p, s);
		return false;
	}
	s->io = io;
	s->sent_ns = now;
	if (io->sends++ && io != &io->dev->control)	/* opening again is our own business */
		p->stats.repeated++;
	bdev_core.env->send(p->ep, &m);
	return true;
}

static bool io_may_go(const struct bdev_io *io)
{
	return io == &io->dev->control || io->dev->state == DEV_OPEN;
}

void peer_pump(struct bdev_peer *p)
{
	struct bdev_io *io, *next;
	nstime_t now;

	if (p->state != PEER_UP || !p->waiting.first || p->in_progress == BDEV_SLOTS)
		return;
	now = bdev_core.env->now();
	if (now < p->retry_ns)
		return;
	p->retry_ns = 0;
	for (io = p->waiting.first; io && p->in_progress < BDEV_SLOTS; io = next) {
		next = io->next;
		if (!io_may_go(io))
			continue;
		list_remove(&p->waiting, io);
		if (io_send(p, io, now))
			continue;
		list_insert(&p->waiting, io);
		p->retry_ns = now + RETRY_NS;
		return;
	}
}

/* ---- health ---- */

static void peer_lost(struct bdev_peer *p)
{
	if (p->lost_ns || !p->was_up)
		return;
	p->lost_ns = bdev_core.env->now();
	p->repeated_before = p->stats.repeated;
	p->failed_before = p->stats.failed;
}

/* What it cost us, for `service why`. RS believes those whose description lets them have the driver restarted. */
static void peer_report(struct bdev_peer *p)
{
	struct message m;
	struct rs_report_req *req = MSG_BODY(struct rs_report_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = RS_REPORT;
	req->repeated = (uint32_t)(p->stats.repeated - p->repeated_told);
	req->failed = (uint32_t)(p->stats.failed - p->failed_told);
	if (!req->repeated && !req->failed)
		return;
	p->repeated_told = p->stats.repeated;
	p->failed_told = p->stats.failed;
	memcpy(req->label, p->label, sizeof(req->label));
	bdev_core.env->send(EP_RS, &m);
}

static void peer_found(struct bdev_peer *p)
{
	nstime_t took;

	if (!p->lost_ns)
		return;
	took = bdev_core.env->now() - p->lost_ns;
	p->lost_ns = 0;
	p->stats.recovery_ns = took;
	if (took > p->stats.recovery_max_ns)
		p->stats.recovery_max_ns = took;
	log_info("%s answers again, %lu.%03lu ms after its loss was noticed; %lu requests repeated, %lu failed", p->label,
		took / 1000000, took / 1000 % 1000, p->stats.repeated - p->repeated_before, p->stats.failed - p->failed_before);
	peer_report(p);
}

static void peer_event(struct bdev_peer *p, enum bdev_event event)
{
	for (struct bdev *d = p->devs; d; d = d->next)
		dev_event(d, event);
}

static void peer_devices_reopen(struct bdev_peer *p)
{
	struct bdev *next;

	for (struct bdev *d = p->devs; d; d = next) {
		next = d->next;
		if (d->control_busy)
			list_remove(&p->waiting, &d->control);
		d->control_busy = false;
		dev_free_if_closed(d);
	}
	for (struct bdev *d = p->devs; d; d = d->next) {
		if (!d->opened_result) {
			d->state = DEV_OPENING;
			dev_control(d, BDEV_OPEN);
		}
	}
}

void peer_up(struct bdev_peer *p, endpoint_t ep)
{
	bool moved = ep != p->ep;

	if (p->was_up && p->devs) {
		peer_lost(p);
		p->stats.recoveries++;
	}
	slots_to_waiting(p);
	p->epoch++;
	p->ep = ep;
	p->state = PEER_UP;
	p->was_up = true;
	p->wants_restart = p->restarting = false;
	p->retry_ns = p->guard_ns = 0;
	p->fruitless = 0;
	if (moved)
		data_regrant(p);
	peer_devices_reopen(p);
	peer_pump(p);
}

void peer_absent(struct bdev_peer *p)
{
	if (p->state != PEER_UP && p->state != PEER_ACCUSED)
		return;
	peer_lost(p);
	slots_to_waiting(p);
	p->state = PEER_ABSENT;
	p->guard_ns = 0;
	peer_event(p, BDEV_EVENT_DOWN);
}

void peer_gone(struct bdev_peer *p)
{
	peer_absent(p);
	if (p->state != PEER_ABSENT || !p->was_up || p->guard_ns)
		return;
	p->wants_restart = false;
	p->guard_ns = bdev_core.env->now() + p->timeout_ns;
	peer_event(p, BDEV_EVENT_GONE);
}

void peer_give_up(struct bdev_peer *p, const char *why)
{
	uint64_t before = p->stats.failed;
	struct bdev_io *io;

	if (p->state == PEER_FAILED)
		return;
	peer_lost(p);
	data_revoke(p);
	slots_to_waiting(p);
	p->epoch++;
	p->state = PEER_FAILED;
	p->wants_restart = p->restarting = false;
	while ((io = p->waiting.first)) {
		list_remove(&p->waiting, io);
		if (io == &io->dev->control) {
			dev_control_done(io->dev, &(struct bdev_rep){ .result = -EIO });
			continue;
		}
		p->stats.failed++;
		io_finish(io, -EIO);
	}
	peer_event(p, BDEV_EVENT_FAILED);
	peer_report(p);
	if (p->devs)
		log_warn("%s is given up: %s; %lu requests fail", p->label, why, p->stats.failed - before);
}

void peer_accuse(struct bdev_peer *p, const char *why)
{
	if (p->state != PEER_UP)
		return;
	log_warn("%s: %s; RS is asked to restart it", p->label, why);
	peer_lost(p);
	p->state = PEER_ACCUSED;
	p->stats.accusations++;
	p->wants_restart = true;
	p->restarting = false;
	p->guard_ns = bdev_core.env->now() + p->timeout_ns * GUARD_TIMEOUTS;
	peer_event(p, BDEV_EVENT_DOWN);
	rs_ask_next();
}

/* The driver stays as it is: go on with it, and give what is in progress its time again. */
static void peer_pardon(struct bdev_peer *p, err_t why)
{
	nstime_t now = bdev_core.env->now();

	log_warn("%s is not restarted: %s", p->label, err_text(why));
	p->state = PEER_UP;
	p->wants_restart = false;
	for (uint32_t i = 0; i < BDEV_SLOTS; i++)
		if (p->slots[i].id)
			p->slots[i].sent_ns = now;
	for (struct bdev *d = p->devs; d; d = d->next)
		if (d->state == DEV_OPEN)
			dev_event(d, BDEV_EVENT_UP);
	peer_pump(p);
}

void peer_send_failed(struct bdev_peer *p, err_t error)
{
	if (error == -EDEADSRCDST)
		peer_absent(p);
	else
		peer_give_up(p, err_text(error));
}

/* ---- RS: one question at a time, because its answers do not say whom they are about ---- */

void rs_ask_next(void)
{
	struct message m;
	struct rs_request_req *req = MSG_BODY(struct rs_request_req, &m);
	struct bdev_peer *p = bdev_core.peers;

	if (bdev_core.asked)
		return;
	while (p && !p->wants_restart)
		p = p->next;
	if (!p)
		return;
	p->wants_restart = false;
	memset(&m, 0, sizeof(m));
	m.type = RS_REQUEST;
	req->op = RS_OP_RESTART;
	req->flags = RS_REQ_NOWAIT;
	memcpy(req->label, p->label, LABEL_LEN);
	bdev_core.asked = p;
	bdev_core.asked_ns = bdev_core.env->now();
	bdev_core.env->send(EP_RS, &m);
}

void rs_answer(int64_t result)
{
	struct bdev_peer *p = bdev_core.asked;

	bdev_core.asked = 0;
	if (p && p->state == PEER_ACCUSED && !p->wants_restart) {
		if (result == 0 || result == -EBUSY)
			p->restarting = true;
		else if (result == -ESRCH)
			peer_give_up(p, "there is no such service any more");
		else
			peer_pardon(p, (err_t)result);
	}
	rs_ask_next();
}

/* ---- answers ---- */

static bool result_is_possible(const struct bdev_io *io, const struct bdev_rep *rep)
{
	uint64_t n = (uint64_t)rep->result, size = io->dev->size;

	if (rep->result < 0)
		return rep->result > -4096;
	switch (io->op) {
	case BDEV_OPEN:
		return n == 0 && rep->value2 >= BDEV_SECTOR && rep->value2 <= BDEV_LEN_MAX && (rep->value2 & (rep->value2 - 1)) == 0 &&
			rep->value % rep->value2 == 0 && rep->value <= INT64_MAX;
	case BDEV_READ:
	case BDEV_WRITE:
		if (n == io->len)
			return io->pos <= size && io->len <= size - io->pos;
		return n < io->len && (io->pos >= size ? n == 0 : n == size - io->pos);
	default:
		return n == 0;
	}
}

/* True: so often that enough is enough. */
static bool io_strike(struct bdev_peer *p, struct bdev_io *io) { return ++io->strikes >= p->strikes; }

static void answer_impossible(struct bdev_peer *p, struct bdev_slot *s, int64_t result)
{
	char why[96];
	struct bdev_io *io = s->io;
	bool enough = io_strike(p, io);

	snprintf(why, sizeof(why), "it answers %ld to request %#x of %lu bytes", (long)result, io->op, (unsigned long)io->len);
	p->stats.lies++;
	list_insert(&p->waiting, slot_release(p, s));
	if (enough)
		peer_give_up(p, why);
	else
		peer_accuse(p, why);
}

/* The successor does not know us yet: its event will come, or an OPEN helps. */
static void answer_restart(struct bdev_peer *p, struct bdev_slot *s)
{
	struct bdev_io *io = slot_release(p, s);

	list_insert(&p->waiting, io);
	peer_lost(p);
	p->retry_ns = bdev_core.env->now() + RETRY_NS;
	if (io != &io->dev->control && io->dev->state == DEV_OPEN) {
		io->dev->state = DEV_OPENING;
		dev_control(io->dev, BDEV_OPEN);
	}
}

static void answer_good(struct bdev_peer *p, struct bdev_slot *s, const struct bdev_rep *rep)
{
	struct bdev_io *io = slot_release(p, s);

	if (io == &io->dev->control) {
		dev_control_done(io->dev, rep);
		if (!p->waiting.first && !p->in_progress)
			peer_found(p);
		return;
	}
	peer_found(p);
	io_finish(io, rep->result);
}

void peer_answer(struct bdev_peer *p, const struct bdev_rep *rep)
{
	struct bdev_slot *s = p->slots ? &p->slots[rep->id & (BDEV_SLOTS - 1)] : 0;
	uint32_t epoch = (uint32_t)(rep->id >> 32);

	if (s && s->id && s->id == rep->id) {
		if (!result_is_possible(s->io, rep))
			answer_impossible(p, s, rep->result);
		else if (rep->result == -ERESTARTSYS && s->io->op != BDEV_CLOSE)
			answer_restart(p, s);	/* a CLOSE has nothing to close any more: that is good enough */
		else
			answer_good(p, s, rep);
		peer_pump(p);
	} else if (epoch < p->epoch) {
		p->stats.late++;
	} else {
		p->stats.lies++;
		peer_accuse(p, "it answers what was not asked");
	}
}

/* ---- time ---- */

static void peer_check_slots(struct bdev_peer *p, nstime_t now)
{
	uint32_t overdue = 0;
	bool enough = false;
	char why[64];

	for (uint32_t i = 0; i < BDEV_SLOTS; i++) {
		struct bdev_slot *s = &p->slots[i];
		if (!s->id || now - s->sent_ns < p->timeout_ns)
			continue;
		overdue++;
		enough |= io_strike(p, s->io);
	}
	if (!overdue)
		return;
	snprintf(why, sizeof(why), "%u requests unanswered for %lu ms", overdue, (unsigned long)(p->timeout_ns / 1000000));
	if (enough)
		peer_give_up(p, why);
	else
		peer_accuse(p, why);
}

static void peer_check_guard(struct bdev_peer *p, nstime_t now)
{
	if (now < p->guard_ns)
		return;
	if (++p->fruitless >= p->strikes) {
		peer_give_up(p, "its restart does not come about");
		return;
	}
	p->guard_ns = now + p->timeout_ns * GUARD_TIMEOUTS;
	p->wants_restart = true;
	rs_ask_next();
}

void peer_check_time(struct bdev_peer *p, nstime_t now)
{
	if (bdev_core.asked == p && now - bdev_core.asked_ns >= p->timeout_ns)
		rs_answer(-ETIMEDOUT);
	if (p->state == PEER_ACCUSED)
		peer_check_guard(p, now);
	else if (p->state == PEER_ABSENT && p->guard_ns && now >= p->guard_ns)
		peer_give_up(p, "it was taken down");
	else if (p->state == PEER_UP && p->slots)
		peer_check_slots(p, now);
	peer_pump(p);
}

static nstime_t sooner(nstime_t a, nstime_t b) { return !a || (b && b < a) ? b : a; }

nstime_t peer_deadline(const struct bdev_peer *p)
{
	nstime_t first = p->state == PEER_ACCUSED || p->state == PEER_ABSENT ? p->guard_ns : 0;

	if (bdev_core.asked == p)
		first = sooner(first, bdev_core.asked_ns + p->timeout_ns);
	if (p->state != PEER_UP || !p->slots)
		return first;
	if (p->waiting.first && p->retry_ns)
		first = sooner(first, p->retry_ns);
	for (uint32_t i = 0; i < BDEV_SLOTS && p->in_progress; i++)
		if (p->slots[i].id)
			first = sooner(first, p->slots[i].sent_ns + p->timeout_ns);
	return first;
}

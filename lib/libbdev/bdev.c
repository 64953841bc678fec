/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block drivers, the client's side: devices, requests, and the order in which the owner hears of things. Drivers are peer.c, memory is
 * data.c, the world is env.c.
 *
 * Whatever happens in here only marks requests as finished and devices as having events; the owner's callbacks are called at the end of
 * each of the three entries of the main loop (bdev_message, bdev_notify, bdev_alarm), when all is consistent. What finishes at another
 * time, e.g. a request to a driver that has been given up, is told by an alarm that fires at once.
 *
 * If this process dies here: its drivers sweep out what it had open; its successor opens again.
 */
#include "bdev_private.h"
#include <abi/endpoint.h>
#include <errno.h>
#include <libsys/log.h>
#include <proto/ds.h>
#include <proto/rs.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT_MS 5000
enum { STRIKES_DEFAULT = 3 };

struct bdev_core bdev_core;

void bdev_core_init(const struct bdev_env *env)
{
	memset(&bdev_core, 0, sizeof(bdev_core));
	bdev_core.env = env;
}

/* ---- lists ---- */

static void list_insert_after(struct bdev_list *l, struct bdev_io *at, struct bdev_io *io)
{
	io->prev = at;
	io->next = at ? at->next : l->first;
	*(at ? &at->next : &l->first) = io;
	*(io->next ? &io->next->prev : &l->last) = io;
}

void list_append(struct bdev_list *l, struct bdev_io *io) { list_insert_after(l, l->last, io); }

void list_insert(struct bdev_list *l, struct bdev_io *io)
{
	struct bdev_io *at = l->last;

	while (at && at->order > io->order)
		at = at->prev;
	list_insert_after(l, at, io);
}

void list_remove(struct bdev_list *l, struct bdev_io *io)
{
	*(io->prev ? &io->prev->next : &l->first) = io->next;
	*(io->next ? &io->next->prev : &l->last) = io->prev;
	io->next = io->prev = 0;
}

/* ---- the alarm, and what the owner is told ---- */

static nstime_t core_deadline(void)
{
	nstime_t first = 0;

	if (bdev_core.finished.first || bdev_core.events)
		return 1;
	for (const struct bdev_peer *p = bdev_core.peers; p; p = p->next) {
		nstime_t d = peer_deadline(p);
		if (d && (!first || d < first))
			first = d;
	}
	return first;
}

/* An alarm that is set too early is left alone: it does no harm, and most answers would move it otherwise. */
static void core_arm(void)
{
	nstime_t d = core_deadline();

	if (d == 0 || (bdev_core.armed && bdev_core.armed <= d))
		return;
	bdev_core.armed = d;
	bdev_core.env->set_alarm(d);
}

static void tell_done(void)
{
	struct bdev_io *io;

	while ((io = bdev_core.finished.first)) {
		list_remove(&bdev_core.finished, io);
		io->dev->unfinished--;
		io->done(io, io->result);
	}
}

/* Tells one thing; the lists may be others afterwards. */
static bool tell_event(void)
{
	for (struct bdev_peer *p = bdev_core.peers; p; p = p->next) {
		for (struct bdev *d = p->devs; d; d = d->next) {
			if (d->tell_opened) {
				d->tell_opened = false;
				d->options.opened(d, d->opened_result);
				return true;
			}
			if (d->events) {
				int event = __builtin_ctz(d->events);
				d->events &= d->events - 1;
				d->options.event(d, event);
				return true;
			}
		}
	}
	return false;
}

static void core_tell(void)
{
	while (bdev_core.finished.first || bdev_core.events) {
		tell_done();
		bdev_core.events = tell_event();
	}
	core_arm();
}

/* ---- devices ---- */

/* The newest news counts: down and up cancel each other only in this order. */
void dev_event(struct bdev *d, enum bdev_event event)
{
	if (!d->options.event || d->closing)
		return;
	if (event == BDEV_EVENT_DOWN)
		d->events &= ~(1u << BDEV_EVENT_UP);
	d->events |= 1u << event;
	bdev_core.events = true;
}

static void dev_tell_opened(struct bdev *d, err_t result)
{
	d->opened_result = result;
	d->known = result == 0;
	d->tell_opened = d->options.opened && !d->closing;
	bdev_core.events |= d->tell_opened;
}

static void dev_free(struct bdev *d)
{
	struct bdev **at = &d->peer->devs;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	free(d);
}

void dev_free_if_closed(struct bdev *d)
{
	if (d->closing && !d->control_busy)
		dev_free(d);
}

void dev_control(struct bdev *d, uint32_t op)
{
	if (d->control_busy)
		return;
	d->control_busy = true;
	/* Strikes stay until an OPEN is answered: a driver that never answers one is given up like any other. */
	d->control = (struct bdev_io){ .dev = d, .op = op, .flags = op == BDEV_OPEN ? d->access : 0, .strikes = d->control.strikes };
	list_insert(&d->peer->waiting, &d->control);
}

static void dev_fail_waiting(struct bdev *d)
{
	struct bdev_io *next;

	for (struct bdev_io *io = d->peer->waiting.first; io; io = next) {
		next = io->next;
		if (io->dev != d)
			continue;
		list_remove(&d->peer->waiting, io);
		d->peer->stats.failed++;
		io_finish(io, -EIO);
	}
}

static void dev_broken(struct bdev *d, err_t why)
{
	d->state = DEV_BROKEN;
	dev_fail_waiting(d);
	if (!d->known) {
		dev_tell_opened(d, why);
		return;
	}
	if (d->peer->state == PEER_FAILED)
		return;
	log_warn("%s minor %u is not what it was: %s", d->peer->label, d->minor, why ? err_text(why) : "another size");
	dev_event(d, BDEV_EVENT_CHANGED);
}

static void dev_opened(struct bdev *d, const struct bdev_rep *rep)
{
	if (rep->result != 0 || (d->known && rep->value != d->size)) {
		dev_broken(d, (err_t)rep->result);
		return;
	}
	d->state = DEV_OPEN;
	d->size = rep->value;
	d->block_size = rep->value2;
	if (d->known)
		dev_event(d, BDEV_EVENT_UP);
	else
		dev_tell_opened(d, 0);
}

void dev_control_done(struct bdev *d, const struct bdev_rep *rep)
{
	bool was_open = d->control.op == BDEV_OPEN;

	d->control_busy = false;
	d->control.strikes = 0;
	if (!d->closing) {
		if (was_open)
			dev_opened(d, rep);
	} else if (was_open && rep->result == 0) {
		dev_control(d, BDEV_CLOSE);
	}
	dev_free_if_closed(d);
}

err_t bdev_open(const char *label, uint32_t minor, uint32_t access, const struct bdev_options *options, struct bdev **dev)
{
	struct bdev_peer *p = strlen(label) < LABEL_LEN && *label ? peer_get(label) : 0;
	struct bdev *d;

	if (!p)
		return strlen(label) < LABEL_LEN && *label ? -ENOMEM : -EINVAL;
	d = peer_make_slots(p) == 0 ? calloc(1, sizeof(*d)) : 0;
	if (!d)
		return -ENOMEM;
	d->peer = p;
	d->minor = minor;
	d->access = access;
	if (options)
		d->options = *options;
	p->timeout_ns = (d->options.timeout_ms ? d->options.timeout_ms : TIMEOUT_DEFAULT_MS) * 1000000ull;
	p->strikes = d->options.strikes ? d->options.strikes : STRIKES_DEFAULT;
	d->next = p->devs;
	p->devs = d;
	*dev = d;
	if (p->state == PEER_FAILED)
		dev_broken(d, -EIO);
	else
		dev_control(d, BDEV_OPEN);
	peer_pump(p);
	core_arm();
	return 0;
}

void bdev_close(struct bdev *d)
{
	struct bdev_peer *p = d->peer;

	if (d->unfinished)
		fail_stop("a device is closed with %lu requests in progress", (unsigned long)d->unfinished);
	d->closing = true;
	d->events = 0;
	d->tell_opened = false;
	if (!d->control_busy && d->state == DEV_OPEN && p->state == PEER_UP)
		dev_control(d, BDEV_CLOSE);
	else if (d->control_busy && d->control.sends == 0) {
		list_remove(&p->waiting, &d->control);
		d->control_busy = false;
	}
	dev_free_if_closed(d);
	peer_pump(p);
	core_arm();
}

/* ---- requests ---- */

void io_finish(struct bdev_io *io, int64_t result)
{
	if (io->granted)
		bdev_core.env->revoke(io->grant);
	io->granted = false;
	io->result = result;
	list_append(&bdev_core.finished, io);
}

static bool io_conflict(const struct bdev_io *a, const struct bdev_io *b)
{
	if (a->dev != b->dev || (a->op == BDEV_READ && b->op == BDEV_READ) || a->len == 0 || b->len == 0)
		return false;
	return a->pos < b->pos + b->len && b->pos < a->pos + a->len;
}

/* The owner's promise, which repetition depends on. */
static void io_check_promise(const struct bdev_peer *p, const struct bdev_io *io)
{
	for (const struct bdev_io *w = p->waiting.first; w; w = w->next)
		if (io_conflict(io, w))
			fail_stop("two requests in progress at %lu of %s", (unsigned long)io->pos, p->label);
	for (uint32_t i = 0; i < BDEV_SLOTS && p->in_progress; i++)
		if (p->slots[i].id && io_conflict(io, p->slots[i].io))
			fail_stop("two requests in progress at %lu of %s", (unsigned long)io->pos, p->label);
}

void bdev_submit(struct bdev_io *io)
{
	struct bdev *d = io->dev;
	struct bdev_peer *p = d->peer;
	err_t r = data_check(io);

	io->order = ++bdev_core.order;
	io->sends = io->strikes = 0;
	io->granted = false;
	d->unfinished++;
	if (r == 0 && (p->state == PEER_FAILED || d->state == DEV_BROKEN))
		r = -EIO;
	if (r != 0) {
		p->stats.failed++;
		io_finish(io, r);
	} else {
		io_check_promise(p, io);
		p->stats.requests++;
		list_append(&p->waiting, io);
		peer_pump(p);
	}
	core_arm();
}

/* ---- entries of the main loop ---- */

static struct bdev_peer *peer_at(endpoint_t ep)
{
	struct bdev_peer *p = bdev_core.peers;

	while (p && (p->ep != ep || p->state == PEER_ABSENT))
		p = p->next;
	return p;
}

static void peer_resized(struct bdev_peer *p, const struct bdev_rep *rep)
{
	for (struct bdev *d = p->devs; d; d = d->next) {
		if (d->minor != rep->id || !d->known || d->state != DEV_OPEN || d->size == rep->value)
			continue;
		d->size = rep->value;
		dev_event(d, BDEV_EVENT_RESIZED);
	}
}

bool bdev_core_message(const struct message *m)
{
	struct bdev_peer *p;

	if (m->type == RS_REQUEST + 1 && m->source == EP_RS && bdev_core.asked) {
		rs_answer((int64_t)m->w[0]);
	} else if (m->type == BDEV_REPLY) {
		p = peer_at(m->source);
		if (p)
			peer_answer(p, MSG_BODY(const struct bdev_rep, m));
	} else if (m->type == BDEV_RESIZED) {
		p = peer_at(m->source);
		if (p)
			peer_resized(p, MSG_BODY(const struct bdev_rep, m));
	} else {
		return false;
	}
	core_tell();
	return true;
}

void bdev_core_keys(void)
{
	static const char up[] = "drv.blk.", failed[] = "drv.failed.";
	char key[DS_KEY_LEN];
	endpoint_t owner;

	while (bdev_core.env->next_key(key, &owner)) {
		bool is_up = strncmp(key, up, sizeof(up) - 1) == 0;
		const char *label = key + (is_up ? sizeof(up) : sizeof(failed)) - 1;
		struct bdev_peer *p = peer_get(label);
		if (!p)
			continue;
		/* News of both kinds may be on the way in any order: what holds now counts. */
		p->told_failed = (p->told_failed || !is_up) && bdev_core.env->has_failed(label);
		if (p->told_failed)
			peer_give_up(p, "RS has given it up");
		else if (is_up && owner != EP_NONE)
			peer_up(p, owner);
	}
	/* Keys that are no more are not named: the notification is all there is. */
	for (struct bdev_peer *p = bdev_core.peers; p; p = p->next)
		if (p->devs && p->was_up && p->state != PEER_FAILED && bdev_core.env->is_gone(p->label))
			peer_gone(p);
	core_tell();
}

void bdev_alarm(nstime_t now)
{
	bdev_core.armed = 0;
	for (struct bdev_peer *p = bdev_core.peers; p; p = p->next)
		peer_check_time(p, now);
	core_tell();
}

void bdev_send_failed(endpoint_t dst, const struct message *m, err_t error)
{
	struct bdev_peer *p = m->type >= BDEV_OPEN && m->type <= BDEV_DISCARD ? peer_at(dst) : 0;

	if (p)
		peer_send_failed(p, error);
	core_arm();
}

void bdev_accuse(struct bdev *d, const char *why)
{
	peer_accuse(d->peer, why);
	core_arm();
}

uint64_t bdev_size(const struct bdev *d) { return d->size; }
uint64_t bdev_block_size(const struct bdev *d) { return d->block_size; }
const char *bdev_label(const struct bdev *d) { return d->peer->label; }
uint32_t bdev_minor(const struct bdev *d) { return d->minor; }
void *bdev_owner(const struct bdev *d) { return d->options.owner; }
const struct bdev_stats *bdev_stats(const struct bdev *d) { return &d->peer->stats; }
bool bdev_is_up(const struct bdev *d) { return d->state == DEV_OPEN && d->peer->state == PEER_UP; }

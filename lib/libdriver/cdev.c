/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character drivers, the part they share: one table, one answer for each request.
 *
 *   request       goes to            answered by
 *   OPEN .. IOCTL the callback       its result at once, or cdev_reply() later
 *   CANCEL        driver->cancel     -EINTR under the id of the request that was cancelled, if it was waiting here
 *   SELECT        driver->select     events; CDEV_READY may follow once
 *   UP, REOPEN    driver->reopen, and driver->reopened after the last
 *
 * Between the announcement and CDEV_UP everything is void: it was sent to a predecessor, and VFS makes it again under another id. It is
 * dropped, because nobody waits for an answer (a caller that waits by SENDREC, which VFS never does, is told). From then on each
 * minor has to be opened, or named by CDEV_REOPEN, before it is used; anything else is answered with EIO and does not reach
 * the driver. Which minors are open is therefore the only state here, and it is meant to be lost.
 */
#include <errno.h>
#include <libdriver/cdev.h>
#include <libdriver/driver.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const struct cdev_driver *driver;
	bool deaf;		/* announced, and VFS has not said CDEV_UP */
	bool filter;		/* only minors of the set below pass. Not after an update: the old version's set is not known */
	uint32_t *opened;	/* devices opened since the announcement; few, so a list */
	uint32_t nr_opened;
	uint64_t to_reopen;	/* CDEV_REOPENs still to come */
} cdev;

/* ---- which minors are open ---- */

static bool cdev_is_open(uint32_t dev)
{
	for (uint32_t i = 0; i < cdev.nr_opened; i++)
		if (cdev.opened[i] == dev)
			return true;
	return false;
}

/* Without memory for the set everything passes: better a stray request than a lost one. */
static void cdev_minor_opened(uint32_t dev)
{
	uint32_t *bigger;

	if (!cdev.filter || cdev_is_open(dev))
		return;
	bigger = realloc(cdev.opened, (cdev.nr_opened + 1) * sizeof(*bigger));
	if (!bigger) {
		cdev.filter = false;
		return;
	}
	cdev.opened = bigger;
	cdev.opened[cdev.nr_opened++] = dev;
}

static void cdev_minors_forget(void)
{
	free(cdev.opened);
	cdev.opened = 0;
	cdev.nr_opened = 0;
}

/* The announcement is out. */
static void cdev_forget(bool again)
{
	(void)again;
	cdev_minors_forget();
	cdev.filter = cdev.deaf = true;
}

/* ---- answers ---- */

static void cdev_answer(uint32_t id, int64_t result, uint64_t value)
{
	struct message m;
	struct cdev_rep *rep = MSG_BODY(struct cdev_rep, &m);

	memset(&m, 0, sizeof(m));
	m.type = CDEV_REPLY;
	rep->id = id;
	rep->result = result;
	rep->value = value;
	sef_send(EP_VFS, &m, 0);
}

void cdev_reply(uint32_t id, int64_t result)
{
	cdev_answer(id, result, 0);
}

void cdev_ready(uint32_t minor, uint32_t events)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.type = CDEV_READY;
	MSG_BODY(struct cdev_ready, &m)->minor = minor;
	MSG_BODY(struct cdev_ready, &m)->events = events;
	sef_send(EP_VFS, &m, 0);
}

void cdev_progress(uint32_t id, uint64_t bytes)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.type = CDEV_PROGRESS;
	MSG_BODY(struct cdev_progress, &m)->id = id;
	MSG_BODY(struct cdev_progress, &m)->bytes = bytes;
	sef_send(EP_VFS, &m, 0);
	sef_flush();
}

/* ---- requests ---- */

static void rq_open(const struct cdev_req *r)
{
	uint64_t value = 0;
	int64_t result = cdev.driver->open ? cdev.driver->open(r, &value) : 0;

	if (result == CDEV_LATER)
		return;
	if (result >= 0)
		cdev_minor_opened(result & CDEV_CLONED ? (uint32_t)value : r->minor);
	cdev_answer(r->id, result, value);
}

static void rq_simple(const struct cdev_req *r, int64_t (*callback)(const struct cdev_req *), int64_t otherwise)
{
	int64_t result = callback ? callback(r) : otherwise;

	if (result != CDEV_LATER)
		cdev_answer(r->id, result, 0);
}

static void rq_cancel(const struct cdev_req *r)
{
	if (cdev.driver->cancel && cdev.driver->cancel(r->id))
		cdev_answer(r->id, -EINTR, 0);
}

static void rq_select(const struct cdev_select_req *r)
{
	uint32_t ready = cdev.driver->select ? cdev.driver->select(r->minor, r->events, r->want_ready) : r->events;

	cdev_answer(r->id, ready, 0);
}

/* What comes behind this message is meant for us. A second one (the event of a predecessor and ours) begins all over. */
static void rq_up(const struct cdev_req *r)
{
	cdev_minors_forget();
	cdev.filter = true;
	cdev.deaf = false;
	cdev.to_reopen = r->arg;
	if (cdev.driver->up)
		cdev.driver->up();
	if (cdev.to_reopen == 0 && cdev.driver->reopened)
		cdev.driver->reopened();
}

static void rq_reopen(const struct cdev_req *r)
{
	int64_t result = cdev.driver->reopen ? cdev.driver->reopen(r) : 0;

	if (result == 0)
		cdev_minor_opened(r->minor);
	cdev_answer(r->id, result, 0);
	if (cdev.to_reopen && --cdev.to_reopen == 0 && cdev.driver->reopened)
		cdev.driver->reopened();
}

static bool cdev_is_request(const struct message *m)
{
	return m->source == EP_VFS && m->type >= CDEV_OPEN && m->type <= CDEV_REOPEN && m->type % 2 == 0;
}

static bool cdev_request(const struct message *m, uint32_t status)
{
	const struct cdev_req *r = MSG_BODY(const struct cdev_req, m);
	const struct cdev_driver *d = cdev.driver;

	(void)status;
	if (!cdev_is_request(m))
		return false;
	switch (m->type) {
	case CDEV_OPEN: rq_open(r); break;
	case CDEV_CLOSE: rq_simple(r, d->close, 0); break;
	case CDEV_READ: rq_simple(r, d->read, -EIO); break;
	case CDEV_WRITE: rq_simple(r, d->write, -EIO); break;
	case CDEV_IOCTL: rq_simple(r, d->ioctl, -ENOTTY); break;
	case CDEV_CANCEL: rq_cancel(r); break;
	case CDEV_SELECT: rq_select(MSG_BODY(const struct cdev_select_req, m)); break;
	case CDEV_UP: rq_up(r); break;
	case CDEV_REOPEN: rq_reopen(r); break;
	}
	return true;
}

static bool cdev_names_open_minor(const struct message *m)
{
	uint32_t minor = MSG_BODY(const struct cdev_req, m)->minor;	/* also of a cdev_select_req */

	return m->type == CDEV_OPEN || m->type == CDEV_REOPEN || m->type == CDEV_CANCEL || !cdev.filter || cdev_is_open(minor);
}
_Static_assert(offsetof(struct cdev_req, minor) == offsetof(struct cdev_select_req, minor), "one minor for all requests");

static bool cdev_stale(const struct message *m, uint32_t status)
{
	const struct cdev_req *r = MSG_BODY(const struct cdev_req, m);

	if (!cdev_is_request(m) || m->type == CDEV_UP)
		return false;
	if (cdev.deaf) {
		log_debug("request %#x on minor %#x was for a predecessor, dropped", m->type, r->minor);
		if (status & IPC_STATUS_CALL)
			sef_reply_result(m->source, m->type, -ERESTARTSYS);
		return true;
	}
	if (cdev_names_open_minor(m))
		return false;
	log_debug("request %#x on minor %#x, which is not open", m->type, r->minor);
	cdev_answer(r->id, -EIO, 0);
	return true;
}

/* ---- data ---- */

static bool cdev_in_bounds(const struct cdev_req *r, uint64_t offset, size_t len)
{
	return offset <= r->len && len <= r->len - offset;
}

err_t cdev_copyin(const struct cdev_req *r, uint64_t offset, void *p, size_t len)
{
	return cdev_in_bounds(r, offset, len) ? sys_safecopyfrom(EP_VFS, r->grant, offset, p, len) : -EINVAL;
}

err_t cdev_copyout(const struct cdev_req *r, uint64_t offset, const void *p, size_t len)
{
	return cdev_in_bounds(r, offset, len) ? sys_safecopyto(EP_VFS, r->grant, offset, p, len) : -EINVAL;
}

err_t cdev_zero(const struct cdev_req *r, uint64_t offset, size_t len)
{
	return cdev_in_bounds(r, offset, len) ? sys_safememset(EP_VFS, r->grant, offset, 0, len) : -EINVAL;
}

/* ---- life ---- */

void cdev_announce(void)
{
	driver_announce(false);
}

void cdev_task(const struct cdev_driver *driver)
{
	static const struct driver_class class = {
		.event = "drv.chr.", .request = cdev_request, .stale = cdev_stale, .forget = cdev_forget,
	};
	static struct driver base;

	cdev.driver = driver;
	base = (struct driver){
		.class = &class, .sef = driver->sef, .on_irq = driver->on_irq, .on_alarm = driver->on_alarm,
		.on_notify = driver->on_notify, .on_message = driver->on_message,
	};
	driver_task(&base);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character drivers, the part they share: one loop, one table, one answer for each request.
 *
 *   request       goes to            answered by
 *   OPEN .. IOCTL the callback       its result at once, or cdev_reply() later
 *   CANCEL        driver->cancel     -EINTR under the id of the request that was cancelled, if it was waiting here
 *   SELECT        driver->select     events; CDEV_READY may follow once
 *
 * After a restart a driver may find requests in its queue that VFS sent to its predecessor: they name minors that nobody has
 * opened since the announcement. Those that arrive asynchronously are dropped (VFS has ended or repeats them after the driver-up event); a
 * caller that waits is told. Which minors are open is therefore the only state here, and it is meant to be lost.
 */
#include <errno.h>
#include <libdriver/cdev.h>
#include <libsef/ds.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const struct cdev_driver *driver;
	bool filter;		/* a predecessor lived: drop what was meant for it */
	uint32_t *opened;	/* devices opened since a predecessor's death; few, so a list */
	uint32_t nr_opened;
} cdev;

/* ---- spurious requests ---- */

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
	if (!cdev.filter || cdev_is_open(dev))
		return;
	uint32_t *bigger = realloc(cdev.opened, (cdev.nr_opened + 1) * sizeof(*bigger));
	if (!bigger) {
		cdev.filter = false;
		return;
	}
	cdev.opened = bigger;
	cdev.opened[cdev.nr_opened++] = dev;
}

static bool cdev_is_spurious(uint32_t type, uint32_t dev)
{
	return cdev.filter && type != CDEV_OPEN && !cdev_is_open(dev);
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

static void cdev_request(const struct message *m)
{
	const struct cdev_req *r = MSG_BODY(const struct cdev_req, m);
	const struct cdev_driver *d = cdev.driver;

	if (cdev_is_spurious(m->type, r->minor)) {
		log_debug("request %#x on minor %u was for a predecessor, dropped", m->type, r->minor);
		return;
	}
	switch (m->type) {
	case CDEV_OPEN: rq_open(r); break;
	case CDEV_CLOSE: rq_simple(r, d->close, 0); break;
	case CDEV_READ: rq_simple(r, d->read, -EIO); break;
	case CDEV_WRITE: rq_simple(r, d->write, -EIO); break;
	case CDEV_IOCTL: rq_simple(r, d->ioctl, -ENOTTY); break;
	case CDEV_CANCEL: rq_cancel(r); break;
	case CDEV_SELECT: rq_select(MSG_BODY(const struct cdev_select_req, m)); break;
	}
}

static bool cdev_is_request(const struct message *m)
{
	return m->source == EP_VFS && m->type >= CDEV_OPEN && m->type <= CDEV_SELECT && m->type % 2 == 0;
}

static void cdev_notified(const struct message *m)
{
	const struct cdev_driver *d = cdev.driver;
	const struct notify_body *body = MSG_BODY(const struct notify_body, m);

	if (m->source == EP_HARDWARE) {
		if (d->on_irq)
			d->on_irq(body->irqs);
	} else if (m->source == EP_CLOCK) {
		if (d->on_alarm)
			d->on_alarm(body->when);
	} else if (d->on_notify) {
		d->on_notify(m->source);
	}
}

static void cdev_dispatch(const struct message *m, uint32_t status)
{
	if (ipc_is_notify(status))
		cdev_notified(m);
	else if (cdev_is_request(m))
		cdev_request(m);
	else if (cdev.driver->on_message)
		cdev.driver->on_message(m, status);
	else if (status & IPC_STATUS_CALL)
		sef_reply_result(m->source, m->type, -EBADREQUEST);
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

/* Order: callers of the predecessor are let go first, then the world hears of us, then only what is opened anew counts. */
static void cdev_announce_as(bool same_endpoint)
{
	char label[LABEL_LEN], key[DS_KEY_LEN];
	err_t r = 0;

	if (same_endpoint)
		r = sys_statectl(STATECTL_CLEAR_IPC_REFS);
	if (r == 0)
		r = ds_retrieve_label_name(label, sef_self());
	if (r == 0) {
		snprintf(key, sizeof(key), "drv.chr.%s", label);
		r = ds_publish_u64(key, DS_DRIVER_UP, DSF_OVERWRITE);
	}
	if (r != 0)
		fail_stop("cannot announce: %s", err_text(r));
	free(cdev.opened);
	cdev.opened = 0;
	cdev.nr_opened = 0;
}

void cdev_announce(void)
{
	cdev_announce_as(false);
}

static err_t cdev_init_fresh(const struct sef_init_info *info)
{
	err_t r = cdev.driver->sef.init_fresh ? cdev.driver->sef.init_fresh(info) : 0;

	if (r == 0)
		cdev_announce_as(false);
	return r;
}

static err_t cdev_init_restart(const struct sef_init_info *info)
{
	err_t r = cdev.driver->sef.init_restart ? cdev.driver->sef.init_restart(info) : cdev_init_fresh(info);

	if (r == 0 && cdev.driver->sef.init_restart)
		cdev_announce_as(info->old_endpoint == info->endpoint);
	cdev.filter = true;
	return r;
}

/* An update with the state moved over is no event for anybody: the driver's own callback decides, and we keep silent. */
void cdev_task(const struct cdev_driver *driver)
{
	struct sef_callbacks cb = driver->sef;
	struct message m;
	uint32_t status;

	cdev.driver = driver;
	cb.init_fresh = cdev_init_fresh;
	cb.init_restart = cdev_init_restart;
	sef_startup(&cb);
	for (;;)
		if (sef_receive(EP_ANY, &m, &status) == 0)
			cdev_dispatch(&m, status);
}

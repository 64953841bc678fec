/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part that all drivers share. Order of an announcement: callers that wait for the predecessor by IPC are let go, then the world hears
 * of us, then only what is opened anew counts. A message that was queued keeps the IPC status it came with, because the way of answering it
 * depends on that; it passes the filter again when it is taken, for the announcement may have come between.
 *
 * If this process dies here: queued requests are lost with it; their senders send them again after the driver-up event of the successor.
 */
#include <abi/limits.h>
#include <errno.h>
#include <libdriver/driver.h>
#include <libsef/ds.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct driver_queued { struct driver_queued *next; struct message m; uint32_t status; };

static struct {
	const struct driver *driver;
	struct driver_queued *first, **last;	/* kept by driver_mq_queue() [lost: senders repeat] */
} driver;

/* ---- life ---- */

void driver_announce(bool restarted)
{
	const struct driver_class *class = driver.driver->class;
	char label[LABEL_LEN], key[DS_KEY_LEN];
	err_t r = 0;

	if (restarted)
		r = sys_statectl(STATECTL_CLEAR_IPC_REFS);
	if (r == 0)
		r = ds_retrieve_label_name(label, sef_self());
	if (r == 0 && class->event) {
		snprintf(key, sizeof(key), "%s%s", class->event, label);
		r = ds_publish_u64(key, DS_DRIVER_UP, DSF_OVERWRITE);
	}
	if (r != 0)
		fail_stop("cannot announce: %s", err_text(r));
	if (class->forget)
		class->forget(restarted);
}

static err_t driver_init_fresh(const struct sef_init_info *info)
{
	err_t r = driver.driver->sef.init_fresh ? driver.driver->sef.init_fresh(info) : 0;

	if (r == 0)
		driver_announce(false);
	return r;
}

static err_t driver_init_restart(const struct sef_init_info *info)
{
	const struct sef_callbacks *sef = &driver.driver->sef;
	err_t r = sef->init_restart ? sef->init_restart(info) : sef->init_fresh ? sef->init_fresh(info) : 0;

	if (r == 0)
		driver_announce(true);
	return r;
}

void driver_startup(const struct driver *d)
{
	struct sef_callbacks cb = d->sef;

	driver.driver = d;
	driver.last = &driver.first;
	cb.init_fresh = driver_init_fresh;
	cb.init_restart = driver_init_restart;
	sef_startup(&cb);
}

/* ---- reception ---- */

static bool driver_is_stale(const struct message *m, uint32_t status)
{
	const struct driver_class *class = driver.driver->class;

	return !ipc_is_notify(status) && class->stale && class->stale(m, status);
}

err_t driver_receive(endpoint_t src, struct message *m, uint32_t *status)
{
	uint32_t own_status = 0;
	err_t r;

	if (!status)
		status = &own_status;
	do {
		r = sef_receive(src, m, status);
	} while (r == 0 && driver_is_stale(m, *status));
	return r;
}

err_t driver_mq_queue(const struct message *m, uint32_t status)
{
	struct driver_queued *q = malloc(sizeof(*q));

	if (!q)
		return -ENOMEM;
	*q = (struct driver_queued){ .m = *m, .status = status };
	*driver.last = q;
	driver.last = &q->next;
	return 0;
}

static bool driver_mq_take(struct message *m, uint32_t *status)
{
	struct driver_queued *q = driver.first;

	if (!q)
		return false;
	driver.first = q->next;
	if (!driver.first)
		driver.last = &driver.first;
	*m = q->m;
	*status = q->status;
	free(q);
	return true;
}

err_t driver_receive_mq(struct message *m, uint32_t *status)
{
	uint32_t own_status = 0;

	if (!status)
		status = &own_status;
	if (driver.first)
		sef_flush();	/* the previous handler is done */
	while (driver_mq_take(m, status))
		if (!driver_is_stale(m, *status))
			return 0;
	return driver_receive(EP_ANY, m, status);
}

/* ---- the loop ---- */

static void driver_notified(const struct message *m)
{
	const struct driver *d = driver.driver;
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

void driver_dispatch(const struct message *m, uint32_t status)
{
	const struct driver *d = driver.driver;

	if (ipc_is_notify(status))
		driver_notified(m);
	else if (d->class->request && d->class->request(m, status))
		return;
	else if (d->on_message)
		d->on_message(m, status);
	else if (status & IPC_STATUS_CALL)
		sef_reply_result(m->source, m->type, -EBADREQUEST);
}

void driver_task(const struct driver *d)
{
	struct message m;
	uint32_t status;

	driver_startup(d);
	for (;;)
		if (driver_receive_mq(&m, &status) == 0)
			driver_dispatch(&m, status);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who waits for a service to run again (RS_OP_WAIT) or for the next event of any (RS_OP_WATCH). Looked at before each receive: there
 * are few. A waiter that is interrupted or dies is told to us by PM (rs_cancel).
 */
#include "rs.h"

enum { WAITERS_MAX = 16, WATCHER_SECONDS = 30 /* whoever asked last so long ago is gone */ };

static struct waiting {
	struct rs_waiter {
		endpoint_t ep;		/* 0: free */
		uint32_t type;
		char label[LABEL_LEN];	/* empty: RS_OP_WATCH */
		uint32_t restarts;
		uint64_t address, seq;
		bool runs_scripts;
	} waiters[WAITERS_MAX];
	nstime_t watched;		/* last time that somebody who runs scripts asked for events, or got one */
} waiting;

static struct rs_waiter *wait_new(endpoint_t ep, uint32_t type)
{
	for (struct rs_waiter *w = waiting.waiters; w < waiting.waiters + WAITERS_MAX; w++) {
		if (w->ep)
			continue;
		*w = (struct rs_waiter){ .ep = ep, .type = type };
		return w;
	}
	return 0;
}

err_t rs_wait_add(endpoint_t ep, uint32_t type, const char *label, uint32_t restarts)
{
	struct rs_waiter *w = wait_new(ep, type);

	if (!w)
		return -EAGAIN;
	memcpy(w->label, label, sizeof(w->label));
	w->restarts = restarts;
	return 0;
}

err_t rs_watch_add(endpoint_t ep, uint32_t type, uint64_t address, uint64_t seq, bool runs_scripts)
{
	struct rs_waiter *w = wait_new(ep, type);

	if (!w)
		return -EAGAIN;
	w->address = address;
	w->seq = seq;
	w->runs_scripts = runs_scripts;
	if (runs_scripts)
		waiting.watched = sys_uptime();
	return 0;
}

bool rs_watched(void)
{
	for (struct rs_waiter *w = waiting.waiters; w < waiting.waiters + WAITERS_MAX; w++)
		if (w->ep && !w->label[0] && w->runs_scripts)
			return true;
	return waiting.watched && sys_uptime() - waiting.watched < WATCHER_SECONDS * RS_SECOND;
}

/* 0: as awaited; -EAGAIN: not yet. */
static err_t wait_state(const struct rs_waiter *w)
{
	const struct rs_slot *s = rs_slot_of_label(w->label);

	if (!s)
		return -ESRCH;
	if (s->pub->state == RS_FAILED || s->pub->state == RS_DEAD)
		return -EIO;
	return s->pub->state == RS_RUNNING && s->pub->restarts >= w->restarts ? 0 : -EAGAIN;
}

static err_t watch_state(const struct rs_waiter *w)
{
	const struct rs_event *e = rs_history_after(w->seq);
	struct rs_slot *s = e ? rs_slot_of_label(e->label) : 0;
	struct rs_watch out;

	if (!e)
		return -EAGAIN;
	memset(&out, 0, sizeof(out));
	out.event = *e;
	/* For one event of those that made the service wait for it, and to one who runs scripts. */
	if (s && w->runs_scripts && s->script_waits && s->script_seq == e->seq) {
		memcpy(out.script, s->script, sizeof(out.script));
		s->script_seq = 0;
	}
	if (w->runs_scripts)
		waiting.watched = sys_uptime();
	return sys_datacopy_to(w->ep, w->address, &out, sizeof(out));
}

void rs_wait_check(void)
{
	for (struct rs_waiter *w = waiting.waiters; w < waiting.waiters + WAITERS_MAX; w++) {
		err_t r = !w->ep ? -EAGAIN : w->label[0] ? wait_state(w) : watch_state(w);

		if (r == -EAGAIN)
			continue;
		sef_reply_result(w->ep, w->type, r);
		w->ep = 0;
	}
}

void rs_wait_cancel(endpoint_t ep, bool answer)
{
	for (struct rs_waiter *w = waiting.waiters; w < waiting.waiters + WAITERS_MAX; w++) {
		if (w->ep != ep)
			continue;
		if (answer)
			sef_reply_result(ep, w->type, -EINTR);
		w->ep = 0;
	}
}

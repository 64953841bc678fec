/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports to RS: requests that were repeated or failed because a service died, and answers that no service may give. RS counts them, says
 * them in `service why` and replaces a service that goes on lying. A service can bring about as many as it likes, so each has one
 * entry here and RS one message from it in a time of RATE at most; what comes between is added up.
 *
 * There are few such services at a time. If there are more than entries, the one reported longest ago makes room; what it had
 * not told yet is told then. Nothing here survives this process, and RS then knows that little less.
 */
#include "report.h"

#include <libsef/sef.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

enum { ENTRIES = 16 };
static const nstime_t RATE = 100000000;

static struct reports {
	struct entry {
		endpoint_t ep;			/* 0: free */
		char label[LABEL_LEN];
		uint32_t repeated, failed, broken, how;
		nstime_t sent;
	} entries[ENTRIES];
	struct timer timer;
	bool ready;
} reports;

static bool has_news(const struct entry *e) { return e->repeated || e->failed || e->broken; }

static void entry_send(struct entry *e)
{
	struct message m = { .type = RS_REPORT };
	struct rs_report_req *q = MSG_BODY(struct rs_report_req, &m);
	*q = (struct rs_report_req){ .repeated = e->repeated, .failed = e->failed, .ep = e->ep, .broken = e->broken, .how = e->how };
	memcpy(q->label, e->label, sizeof q->label);
	peer_send(EP_RS, &m);
	e->repeated = e->failed = e->broken = 0;
	e->sent = time_now();
}

/* Those that have waited long enough; the others later. */
static void reports_send(struct timer *t)
{
	nstime_t now = time_now(), next = 0;
	(void)t;
	for (struct entry *e = reports.entries; e < reports.entries + ENTRIES; e++) {
		if (!has_news(e))
			continue;
		if (now >= e->sent + RATE)
			entry_send(e);
		else if (!next || e->sent + RATE < next)
			next = e->sent + RATE;
	}
	if (next)
		timer_set(&reports.timer, next);
}

static struct entry *entry_get(endpoint_t ep, const char *label)
{
	struct entry *oldest = reports.entries;
	for (struct entry *e = reports.entries; e < reports.entries + ENTRIES; e++) {
		if (e->ep == ep && !strcmp(e->label, label))
			return e;
		if (e->sent < oldest->sent)
			oldest = e;
	}
	if (has_news(oldest))
		entry_send(oldest);
	*oldest = (struct entry){ .ep = ep };
	snprintf(oldest->label, sizeof oldest->label, "%s", label);
	return oldest;
}

/* A moment later, so that what belongs together is one report. */
static void send_soon(const struct entry *e)
{
	enum { MOMENT = 5000000 };
	if (!reports.ready)
		timer_init(&reports.timer, reports_send);
	reports.ready = true;
	nstime_t when = time_now() + MOMENT;
	if (e->sent + RATE > when)
		when = e->sent + RATE;
	if (!reports.timer.armed || reports.timer.when > when)
		timer_set(&reports.timer, when);
}

void report_repeated(endpoint_t ep, const char *label)
{
	struct entry *e = entry_get(ep, label);
	e->repeated++;
	send_soon(e);
}

void report_failed(endpoint_t ep, const char *label)
{
	struct entry *e = entry_get(ep, label);
	e->failed++;
	send_soon(e);
}

void report_broken(endpoint_t ep, const char *label, enum rs_broken how)
{
	struct entry *e = entry_get(ep, label);
	log_debug("%d %s broke its protocol: %d", ep, label, how);
	e->broken++;
	e->how = how;
	send_soon(e);
}

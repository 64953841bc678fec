/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened: the last events of all services, in order, each with its number. A service that fails all the time must not push
 * out what others have to tell, so when there is no more room the oldest event of whoever has most of them goes.
 */
#include "rs.h"
#include <stdarg.h>
#include <stdio.h>

enum { EVENTS_MAX = 256 };

static struct history {
	struct rs_event events[EVENTS_MAX];	/* oldest first */
	uint16_t owner[EVENTS_MAX];		/* slot */
	uint32_t count, counts[RS_SLOTS];
	uint64_t seq;
} history;

static void history_remove(uint32_t i)
{
	history.counts[history.owner[i]]--;
	history.count--;
	memmove(&history.events[i], &history.events[i + 1], (history.count - i) * sizeof(history.events[0]));
	memmove(&history.owner[i], &history.owner[i + 1], (history.count - i) * sizeof(history.owner[0]));
}

static void history_make_room(void)
{
	uint32_t most = 0, i = 0;

	for (uint32_t slot = 0; slot < RS_SLOTS; slot++)
		if (history.counts[slot] > history.counts[most])
			most = slot;
	while (history.owner[i] != most)
		i++;
	history_remove(i);
}

static struct rs_event *history_add(struct rs_slot *s, enum rs_event_kind kind)
{
	struct rs_event *e;

	if (history.count == EVENTS_MAX)
		history_make_room();
	history.owner[history.count] = (uint16_t)(s - rs.slots);
	history.counts[s - rs.slots]++;
	e = &history.events[history.count++];
	memset(e, 0, sizeof(*e));
	e->seq = ++history.seq;
	e->when_ns = sys_uptime();
	e->kind = kind;
	e->fault = kind == RS_EVENT_FAULT ? s->pub->last_fault : 0;
	e->restarts = s->pub->restarts;
	memcpy(e->label, s->pub->label, sizeof(e->label));
	return e;
}

void rs_event(struct rs_slot *s, enum rs_event_kind kind, const char *format, ...)
{
	struct rs_event *e = history_add(s, kind);
	va_list args;

	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	log_info("%s %s", s->pub->label, e->text);
}

static bool history_concerns(const struct rs_event *e, const struct rs_slot *s)
{
	return !s || strcmp(e->label, s->pub->label) == 0;
}

/* The newest that fit. */
uint32_t rs_history_fetch(const struct rs_slot *s, struct rs_event *out, uint32_t room)
{
	uint32_t total = 0, skip, n = 0;

	for (uint32_t i = 0; i < history.count; i++)
		total += history_concerns(&history.events[i], s);
	skip = total > room ? total - room : 0;
	for (uint32_t i = 0; i < history.count && n < room; i++) {
		if (!history_concerns(&history.events[i], s))
			continue;
		if (skip)
			skip--;
		else
			out[n++] = history.events[i];
	}
	return total;
}

const struct rs_event *rs_history_after(uint64_t seq)
{
	for (uint32_t i = 0; i < history.count; i++)
		if (history.events[i].seq > seq)
			return &history.events[i];
	return 0;
}

uint64_t rs_history_newest(void)
{
	return history.seq;
}

/* ---- in words ---- */

struct text { char *p; size_t room, used; };

static void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void text_add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->p + t->used, t->room - t->used, format, args);
	va_end(args);
	t->used += (size_t)n < t->room - t->used ? (size_t)n : t->room - t->used - 1;
}

static void why_state(struct text *t, const struct rs_slot *s)
{
	const struct rs_pub *p = s->pub;
	unsigned long long seconds = (sys_uptime() - p->started_ns) / RS_SECOND;

	switch ((enum rs_state)p->state) {
	case RS_RUNNING:
		text_add(t, "%s runs since %llu s", p->label, seconds);
		break;
	case RS_FAILED: case RS_DEAD:
		text_add(t, "%s is %s since %llu s: it %s", p->label, rs_state_name(p->state),
			(unsigned long long)((sys_uptime() - p->failed_ns) / RS_SECOND), s->why_failed);
		break;
	default:
		text_add(t, "%s is %s", p->label, rs_state_name(p->state));
	}
	if (p->restarts > 1)
		text_add(t, ", restarted %u times.\n", p->restarts);
	else
		text_add(t, p->restarts ? ", restarted once.\n" : ", never restarted.\n");
	if (p->state == RS_FAILED)
		text_add(t, "Its clients get errors at once instead of waiting. \"service restart %s\" starts it again.\n", p->label);
	if (p->state == RS_BACKOFF && s->deadline > sys_uptime())
		text_add(t, "The next attempt is in %llu ms%s%s%s.\n", (unsigned long long)((s->deadline - sys_uptime()) / RS_MS),
			s->script_waits ? ", if its script " : "", s->script_waits ? s->script : "",
			s->script_waits ? " has decided nothing by then" : "");
}

static void why_faults(struct text *t, const struct rs_pub *p)
{
	static const char *const names[] = RS_FAULT_NAMES;
	const char *before = "Failures: ";

	for (int i = 1; i < RS_NR_FAULTS; i++) {
		if (!p->faults[i])
			continue;
		text_add(t, "%s%s %u", before, names[i], p->faults[i]);
		before = ", ";
	}
	text_add(t, before[0] == 'F' ? "It has not failed.\n" : ".\n");
}

static void why_recovery(struct text *t, const struct rs_slot *s)
{
	const struct rs_pub *p = s->pub;

	if (p->recovery_max_ns == 0)
		return;
	text_add(t, "Recovery: the last took %llu.%03llu ms, the longest %llu.%03llu ms; %s.\n",
		(unsigned long long)(p->recovery_ns / RS_MS), (unsigned long long)(p->recovery_ns % RS_MS / 1000),
		(unsigned long long)(p->recovery_max_ns / RS_MS), (unsigned long long)(p->recovery_max_ns % RS_MS / 1000),
		s->fresh_only ? "it begins anew each time, and who waits for its answer gets an error"
			: "endpoint and name stay, and who waits for its answer goes on waiting until the successor decides");
}

static void why_clients(struct text *t, const struct rs_pub *p)
{
	if (p->answers_refused)
		text_add(t, "Answers: %llu were refused, because no service may give them; the requests ended with errors.\n",
			(unsigned long long)p->answers_refused);
	if (p->requests_repeated || p->requests_failed)
		text_add(t, "Clients: %llu requests were repeated, %llu failed.\n", (unsigned long long)p->requests_repeated,
			(unsigned long long)p->requests_failed);
	else if (p->last_fault)
		text_add(t, "Clients: none has reported a request that was repeated or failed.\n");
}

size_t rs_why(const struct rs_slot *s, char *text, size_t room)
{
	struct text t = { .p = text, .room = room };

	why_state(&t, s);
	why_faults(&t, s->pub);
	why_recovery(&t, s);
	why_clients(&t, s->pub);
	for (uint32_t i = 0; i < history.count; i++) {
		const struct rs_event *e = &history.events[i];

		if (history_concerns(e, s) && room - t.used > sizeof(*e))
			text_add(&t, "%llu.%03llu %s %s\n", (unsigned long long)(e->when_ns / RS_SECOND),
				(unsigned long long)(e->when_ns / RS_MS % 1000), e->label, e->text);
	}
	return t.used;
}

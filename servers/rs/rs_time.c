/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Heartbeats and deadlines. There is one alarm, set to the earliest thing due.
 *
 * A running service gets a notification each period; its answer is a notification from libsef's receive loop, so it proves that the loop
 * turns. No answer for two periods: it is suspected; no answer soon after that, although RS has looked at all messages that were
 * waiting for it (the alarm comes before them): it hangs and is killed, which then goes the way of every death.
 *
 * Nobody is judged while another service initialises. And time in which RS itself could not run, because the machine stood still or
 * was overloaded, counts for nobody: all deadlines move by it.
 */
#include "rs.h"
#include <signal.h>

enum { PING_PATIENCE = 2 /* periods */, LATE_MS = 20 /* an alarm that comes later shows that RS could not run */ };

void rs_ping_reset(struct rs_slot *s)
{
	s->suspected = false;
	s->ping_sent = 0;
	s->ping_due = sys_uptime() + s->pub->period_ns;
}

void rs_pong(endpoint_t source)
{
	struct rs_slot *s = rs_slot_of_endpoint(source);

	if (!s || !s->ping_sent)
		return;
	s->ping_due = s->ping_sent + s->pub->period_ns;
	s->ping_sent = 0;
	s->suspected = false;
}

static bool rs_someone_initialises(void)
{
	for RS_EACH_SLOT(s)
		if (s->pub->in_use && s->pub->state == RS_STARTING)
			return true;
	return false;
}

static void rs_ping(struct rs_slot *s, nstime_t now)
{
	s->suspected = false;
	s->ping_sent = now;
	s->ping_due = now + PING_PATIENCE * s->pub->period_ns;
	sef_notify(s->pub->endpoint);
}

/* One more turn of our own loop before the verdict: the answer may be among the messages that wait for us. */
static void rs_suspect(struct rs_slot *s, nstime_t now)
{
	s->suspected = true;
	s->ping_due = now + s->pub->period_ns / 4;
}

/* Killing what cannot be started again would only make a slow service a dead one: of that we just tell. */
static void rs_hung(struct rs_slot *s)
{
	if (!s->image) {
		rs_event(s, RS_EVENT_NOTE, "does not answer; it is left alone, since no image of it is kept to start it again");
		return;
	}
	s->verdict = RS_VERDICT_HUNG;
	sys_kill(s->pub->endpoint, SIGKILL, 0, 0);
}

static void rs_ping_check(struct rs_slot *s, nstime_t now)
{
	if (now < s->ping_due)
		return;
	if (!s->ping_sent || rs_someone_initialises()) {
		rs_ping(s, now);
	} else if (!s->suspected) {
		rs_suspect(s, now);
	} else {
		s->ping_due = now + PING_PATIENCE * s->pub->period_ns;
		rs_hung(s);
	}
}

static void rs_deadline_passed(struct rs_slot *s)
{
	s->deadline = 0;
	switch ((enum rs_state)s->pub->state) {
	case RS_STARTING:
		s->verdict = RS_VERDICT_INIT_SLOW;
		sys_kill(s->pub->endpoint, SIGKILL, 0, 0);
		break;
	case RS_STOPPING:
		sys_kill(s->pub->endpoint, SIGKILL, 0, 0);
		break;
	case RS_BACKOFF:
		if (s->script_waits)
			rs_event(s, RS_EVENT_NOTE, "is started: its script has decided nothing within %d s", RS_SCRIPT_SECONDS);
		rs_revive(s);
		break;
	case RS_FREE:
		rs_boot_run(s);
		break;
	case RS_RUNNING: case RS_DEAD: case RS_FAILED: case RS_UPDATING: case RS_TEMPLATE:
		break;
	}
}

static void rs_time_shift(nstime_t lost)
{
	log_debug("could not run for %llu ms", (unsigned long long)(lost / RS_MS));
	for RS_EACH_SLOT(s) {
		s->ping_due += lost;
		if (s->ping_sent)
			s->ping_sent += lost;
		if (s->deadline)
			s->deadline += lost;
	}
}

/* `due`: when the alarm that brought us here was set to ring. */
void rs_time_check(nstime_t due)
{
	nstime_t now = sys_uptime();

	if (due && now > due + LATE_MS * RS_MS)
		rs_time_shift(now - due);
	for RS_EACH_SLOT(s) {
		if (!s->pub->in_use)
			continue;
		if (s->deadline && now >= s->deadline)
			rs_deadline_passed(s);
		if (s->pub->state == RS_RUNNING && s->pub->period_ns)
			rs_ping_check(s, now);
	}
}

static nstime_t rs_earlier(nstime_t a, nstime_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static nstime_t rs_time_next(void)
{
	nstime_t next = 0;

	for RS_EACH_SLOT(s) {
		if (!s->pub->in_use)
			continue;
		next = rs_earlier(next, s->deadline);
		if (s->pub->state == RS_RUNNING && s->pub->period_ns)
			next = rs_earlier(next, s->ping_due);
	}
	return next;
}

/* Called before each receive: costs a kernel call only when the earliest time has changed. */
void rs_time_arm(void)
{
	nstime_t next = rs_time_next();

	if (next == rs.alarm)
		return;
	if (sys_setalarm(next, 0) == 0)
		rs.alarm = next;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recovery. A dead service stays frozen, memory intact and callers waiting, under the name everybody knows: its endpoint E.
 *
 *   1  a successor is made and loaded beside it, under an endpoint T that nobody knows
 *   2  the two exchange their memory (VM_UPDATE): now E is the successor, T the dead one. Label, privileges' id, device majors, process id,
 *      interrupt hooks, waiting callers and queued messages, subscription and data in DS all belong to E, so nobody has to be told
 *   3  E is told to initialise, with T as the place of its predecessor's memory
 *   4  accepted: T is removed (or kept as a core image). Only here has the service changed hands
 *
 * If E dies or refuses in 3, the next attempt exchanges it away in turn; T, the last one that worked, is kept for all attempts. If it
 * answers -ERESTARTSYS it cannot continue a predecessor's work: all are removed and it starts fresh under a new endpoint, now and at every
 * later death. No step waits for anybody but VM and the kernel.
 *
 * The first restart is immediate; those that follow a short life wait 10 ms, 20 ms, ... 5 s, and each RS_HEALTHY_MS lived halves the
 * record. A service with a policy script waits for what that orders, if somebody runs scripts (`service watch --scripts`), but ten
 * seconds at most; such an order leaves the record as it is. More failures than its budget, or without one RS_QUICK_DEATHS_MAX in a
 * row, make it FAILED: said loudly, removed so that whoever waits for it gets EDEADSRCDST, and told in DS (drv.failed.LABEL). A core
 * boot service that cannot be had again stops the system with a report.
 */
#include "rs.h"
#include <stdio.h>

/* ---- records ---- */

static void rs_decay(struct rs_slot *s, nstime_t now)
{
	uint64_t halvings;

	if (s->pub->state != RS_RUNNING)
		return;
	halvings = (now - s->pub->started_ns) / (RS_HEALTHY_MS * RS_MS);
	s->quick_deaths = halvings < 32 ? s->quick_deaths >> halvings : 0;
}

void rs_failure_note(struct rs_slot *s, enum rs_fault fault)
{
	nstime_t now = sys_uptime();

	rs_decay(s, now);
	s->quick_deaths++;
	s->pub->last_fault = fault;
	s->pub->last_fault_ns = now;
	s->pub->faults[fault]++;
	s->failures[s->nr_failures++ % RS_BUDGET_MAX] = now;
}

void rs_recovered(struct rs_slot *s)
{
	nstime_t took = s->died ? s->pub->started_ns - s->died : 0;

	s->died = 0;
	s->pub->recovery_ns = took;
	if (took > s->pub->recovery_max_ns)
		s->pub->recovery_max_ns = took;
	if (s->up_flags & RS_UP_KEEP_CORE) {
		rs_instance_remove(&s->core);
		s->core = s->old;
		s->old = EP_NONE;
		s->pub->flags |= s->core != EP_NONE ? RS_PUB_HAS_CORE : 0;
	}
	rs_instance_remove(&s->old);
	rs_event(s, RS_EVENT_RECOVERED, "runs again (restart %u) after %llu.%03llu ms", s->pub->restarts,
		(unsigned long long)(took / RS_MS), (unsigned long long)(took % RS_MS / 1000));
}

/* ---- giving up ---- */

static void rs_core_died(struct rs_slot *s)
{
	log_warn("********************************************************************");
	log_warn("core service %s is dead: the system cannot go on without it", s->pub->label);
	log_warn("********************************************************************");
	sys_diag_stacktrace(s->pub->endpoint);
	sys_abort(ABORT_PANIC, 0);
}

static void rs_give_up(struct rs_slot *s, enum rs_state state, const char *why)
{
	if ((s->pub->flags & RS_PUB_CORE) && !rs.shutdown)
		rs_core_died(s);
	snprintf(s->why_failed, sizeof(s->why_failed), "%s", why);
	log_warn("service %s has FAILED: it %s", s->pub->label, why);
	rs_event(s, RS_EVENT_FAILED, "%s", why);
	s->died = 0;
	s->pub->failed_ns = sys_uptime();
	rs_tell_failed(s, true);
	rs_tell_down(s, false);
	rs_instances_remove(s);
	rs_state_set(s, state);
	rs_answer_waiter(s, -EIO);
	rs_template_answer(s, -EIO);
}

static bool rs_budget_is_spent(const struct rs_slot *s)
{
	uint32_t n = s->budget_failures;

	if (n == 0 || s->nr_failures <= n)
		return false;
	return sys_uptime() - s->failures[(s->nr_failures - 1 - n) % RS_BUDGET_MAX] <= s->budget_ns;
}

/* True, and in words, if there will be no further attempt. */
static bool rs_is_beyond_help(const struct rs_slot *s, char *why, size_t len)
{
	if (s->up_flags & RS_UP_NO_RESTART)
		snprintf(why, len, "is not to be started again when it has died");
	else if (rs_budget_is_spent(s))
		snprintf(why, len, "has failed %u times within %llu s and is not started again", s->budget_failures + 1,
			(unsigned long long)(s->budget_ns / RS_SECOND));
	else if (!s->budget_failures && !(s->up_flags & RS_UP_NO_BUDGET) && s->quick_deaths > RS_QUICK_DEATHS_MAX)
		snprintf(why, len, "has failed %u times in a row and is not started again", s->quick_deaths);
	else
		return false;
	return true;
}

/* ---- a successor ---- */

/* The dead one is under the service's endpoint before and under `old` after; if `old` was there already, it was a failed successor. */
static err_t rs_replace(struct rs_slot *s)
{
	endpoint_t next;
	uint32_t unused;
	err_t r = rs_process_create(s, EP_NONE, &next, &unused);

	if (r != 0)
		return r;
	r = rs_process_exchange(s->pub->endpoint, next);
	if (r == 0 && s->old == EP_NONE)
		s->old = next;
	else
		rs_process_destroy(next);
	if (r == 0)
		r = rs_process_run(s);
	if (r == 0)
		rs_init_send(s, SEF_INIT_RESTART);
	return r;
}

/* With a new endpoint; the dead one keeps its own until the successor is accepted. */
static err_t rs_start_beside(struct rs_slot *s)
{
	endpoint_t dead = s->pub->endpoint;

	if (dead != EP_NONE) {
		rs_instance_remove(&s->old);
		rs_tell_process(s->pub, dead, false);
		s->old = dead;
		s->pub->endpoint = EP_NONE;
	}
	return rs_start(s);
}

static void rs_attempt(struct rs_slot *s)
{
	err_t r;

	s->pub->restarts++;
	s->pub->failed_ns = 0;
	s->why_failed[0] = 0;
	r = s->fresh_only || s->pub->endpoint == EP_NONE ? rs_start_beside(s) : rs_replace(s);
	if (r == 0)
		return;
	rs_failure_note(s, RS_FAULT_START);
	rs_event(s, RS_EVENT_FAULT, "could not be started: %s", err_text(r));
	rs_recover(s);
}

static nstime_t rs_backoff(const struct rs_slot *s)
{
	nstime_t ms = RS_BACKOFF_FIRST_MS;

	if (s->quick_deaths <= 1 || (s->up_flags & RS_UP_NO_BACKOFF))
		return 0;
	for (uint32_t i = 2; i < s->quick_deaths && ms < s->backoff_max_ms; i++)
		ms *= 2;
	return (ms < s->backoff_max_ms ? ms : s->backoff_max_ms) * RS_MS;
}

/* Somebody runs scripts: that of s is to be run for the newest event, and s waits for what it orders, but not for ever. */
bool rs_script_decides(struct rs_slot *s)
{
	if (!s->script[0] || !rs_watched())
		return false;
	rs_state_set(s, RS_BACKOFF);
	s->script_seq = rs_history_newest();
	s->script_waits = true;
	s->deadline = sys_uptime() + RS_SCRIPT_SECONDS * RS_SECOND;
	return true;
}

void rs_recover(struct rs_slot *s)
{
	char why[RS_EVENT_TEXT];
	nstime_t wait;

	if (!s->image) {
		rs_give_up(s, RS_DEAD, "is not started again: no image of it is kept; its clients get errors from now on");
		return;
	}
	if (rs_is_beyond_help(s, why, sizeof(why))) {
		rs_give_up(s, RS_FAILED, why);
		return;
	}
	if (rs_script_decides(s))
		return;
	wait = rs_backoff(s);
	rs_state_set(s, RS_BACKOFF);
	s->deadline = sys_uptime() + (wait ? wait : 1);
	if (wait == 0)
		rs_attempt(s);
}

/* BACKOFF is over, or an administrator wants it now. */
void rs_revive(struct rs_slot *s)
{
	rs_attempt(s);
}

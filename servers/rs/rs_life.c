/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a service. Every event is handled by one function; rs_state_set() is the only writer of the state.
 *
 *            up                 init ok                 down, restart
 *   FREE ---------> STARTING ------------> RUNNING ---------------------> STOPPING
 *    ^                 |  ^                  | death                         | death, or killed when its time is over
 *    |  first init bad |  | time is over     v                               |
 *    +-----------------+  +------------- BACKOFF --too many--> FAILED        +--> FREE (down) or STARTING (restart)
 *    ^                                                           |
 *    +------------------------------- down ----------------------+--restart--> STARTING
 *
 * Side by side: a dead instance stays frozen, its memory intact and its callers waiting, until its successor has initialised; then it
 * is removed and whoever still waits for it gets EDEADSRCDST. The label is told its new endpoint and never deleted in between, so what
 * the service left in DS is still there. A successor that dies before it has initialised counts as one more death.
 *
 * The first restart is immediate; those that follow a short life wait 10 ms, 20 ms, ... 5 s; RS_QUICK_DEATHS_MAX of them in a row make it
 * FAILED: it is removed, so that clients get errors at once. A boot service has no image here: it is DEAD, and if it is a core one,
 * the system stops with a report.
 */
#include "rs.h"
#include <signal.h>
#include <stdio.h>

static void rs_recover(struct rs_slot *s);

/* ---- words ---- */

static const char *rs_signal_words(int signo)
{
	switch (signo) {
	case SIGILL: return "illegal instruction or failed check";
	case SIGBUS: return "bus error";
	case SIGFPE: return "arithmetic error";
	case SIGSEGV: return "segmentation fault";
	case SIGKILL: return "killed";
	case SIGPIPE: return "broken pipe";
	default: return "signal";
	}
}

static void rs_describe_death(const struct rs_slot *s, char *p, size_t len, int signo, const struct ksig_info *info)
{
	if (s->verdict == RS_VERDICT_HUNG)
		snprintf(p, len, "did not answer for %llu ms and was killed", (unsigned long long)(2 * s->pub->period_ns / RS_MS));
	else if (s->verdict == RS_VERDICT_INIT_SLOW)
		snprintf(p, len, "did not finish within %d s and was killed", RS_INIT_SECONDS);
	else if (signo == SIGABRT)
		snprintf(p, len, "ended itself");
	else if (info->fault_signo == signo)
		snprintf(p, len, "%s at instruction %#llx, address %#llx", rs_signal_words(signo),
			(unsigned long long)info->fault_ip, (unsigned long long)info->fault_addr);
	else
		snprintf(p, len, "%s", rs_signal_words(signo));
}

/* ---- start ---- */

void rs_init_send(struct rs_slot *s, enum sef_init_type type)
{
	struct message m;
	struct rs_init_req *req = MSG_BODY(struct rs_init_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = RS_INIT;
	req->type = type;
	req->flags = s->init_flags;
	req->proctab_grant = rs.proctab_grant;
	req->proctab_count = rs.nr_slots;
	req->restarts = s->pub->restarts;
	req->old_endpoint = s->old;
	memcpy(req->label, s->pub->label, sizeof(req->label));
	s->init_type = type;
	sef_send(s->pub->endpoint, &m, IPC_NOREPLY);
	rs_state_set(s, RS_STARTING);
	s->deadline = sys_uptime() + RS_INIT_SECONDS * RS_SECOND;
}

/* Names first, then permission to run, then the order to initialise: so nobody meets a service that has no name yet. */
err_t rs_start(struct rs_slot *s, enum sef_init_type type)
{
	endpoint_t ep;
	err_t r = rs_process_create(s, &ep);

	if (r != 0)
		return r;
	s->pub->endpoint = ep;
	s->pub->pid = pm_service_pid(ep);
	rs_tell_up(s);
	r = sys_privctl(ep, PRIVCTL_ALLOW, 0, 0, 0);
	if (r == 0)
		r = sys_runctl(ep, RUNCTL_RESUME, 0, 0);
	if (r != 0) {
		rs_process_destroy(ep);
		s->pub->endpoint = EP_NONE;
		return r;
	}
	rs_init_send(s, type);
	return 0;
}

/* ---- the end of instances ---- */

static void rs_remove_instance(struct rs_slot *s, endpoint_t *ep)
{
	if (*ep == EP_NONE)
		return;
	rs_tell_process(s, *ep, false);
	rs_process_destroy(*ep);
	*ep = EP_NONE;
}

static void rs_remove_instances(struct rs_slot *s)
{
	rs_remove_instance(s, &s->old);
	rs_remove_instance(s, &s->pub->endpoint);
}

void rs_retire(struct rs_slot *s)
{
	rs_tell_down(s);
	rs_remove_instances(s);
	rs_slot_free(s);
}

static void rs_give_up(struct rs_slot *s)
{
	rs_event(s, "has failed %u times in a row and is not started again", s->quick_deaths);
	rs_tell_down(s);
	rs_remove_instances(s);
	rs_state_set(s, RS_FAILED);
	rs_answer_waiter(s, -EIO);
}

/* ---- initialisation ---- */

static void rs_init_accepted(struct rs_slot *s)
{
	nstime_t now = sys_uptime();
	bool restart = s->old != EP_NONE;

	sef_reply_result(s->pub->endpoint, RS_INIT_DONE, 0);
	sef_flush();
	rs_state_set(s, RS_RUNNING);
	s->ever_ran = true;
	s->pub->started_ns = now;
	s->init_flags = 0;
	rs_ping_reset(s);
	rs_remove_instance(s, &s->old);
	if (restart)
		rs_event(s, "runs again (restart %u)", s->pub->restarts);
	rs_answer_waiter(s, 0);
	if (s->pub->flags & RS_PUB_BOOT)
		rs_boot_initialised(s);
}

/* `why`: its own error, -ECHILD when it died, -ETIMEDOUT. The instance is beyond use. */
static void rs_init_failed(struct rs_slot *s, err_t why)
{
	if (s->pub->flags & RS_PUB_BOOT) {
		log_warn("boot service %s cannot initialise, the system cannot start", s->pub->label);
		sys_abort(ABORT_PANIC, 0);
	}
	rs_remove_instance(s, &s->pub->endpoint);
	if (s->ever_ran) {
		rs_recover(s);
		return;
	}
	rs_answer_waiter(s, why);
	rs_retire(s);
}

void rs_init_done(struct rs_slot *s, err_t result)
{
	err_t r;

	if (result == 0) {
		rs_init_accepted(s);
		return;
	}
	if (result == -ERESTARTSYS && s->init_type == SEF_INIT_RESTART) {
		s->fresh_only = true;
		rs_remove_instance(s, &s->pub->endpoint);
		r = rs_start(s, SEF_INIT_FRESH);
		if (r == 0)
			return;
		result = r;
	}
	rs_event(s, "could not initialise: %s", err_text(result));
	rs_init_failed(s, result);
}

/* ---- recovery ---- */

static void rs_restart(struct rs_slot *s)
{
	err_t r;

	s->pub->restarts++;
	r = rs_start(s, s->fresh_only ? SEF_INIT_FRESH : SEF_INIT_RESTART);
	if (r == 0)
		return;
	rs_event(s, "could not be started: %s", err_text(r));
	rs_recover(s);
}

static nstime_t rs_backoff(const struct rs_slot *s)
{
	nstime_t ms = RS_BACKOFF_FIRST_MS;

	if (s->quick_deaths <= 1 || (s->up_flags & RS_UP_NO_BACKOFF))
		return 0;
	for (uint32_t i = 2; i < s->quick_deaths && ms < RS_BACKOFF_MAX_MS; i++)
		ms *= 2;
	return (ms < RS_BACKOFF_MAX_MS ? ms : RS_BACKOFF_MAX_MS) * RS_MS;
}

/* The service has no working instance: start one now, later, or not at all. */
static void rs_recover(struct rs_slot *s)
{
	nstime_t wait;

	s->quick_deaths++;
	if ((s->up_flags & RS_UP_NO_RESTART) || s->quick_deaths > RS_QUICK_DEATHS_MAX) {
		rs_give_up(s);
		return;
	}
	wait = rs_backoff(s);
	rs_state_set(s, RS_BACKOFF);
	s->deadline = sys_uptime() + (wait ? wait : 1);
	if (wait == 0)
		rs_revive(s);
}

/* BACKOFF is over, or an administrator wants it now. */
void rs_revive(struct rs_slot *s)
{
	rs_restart(s);
}

/* ---- death ---- */

static void rs_core_died(struct rs_slot *s)
{
	log_warn("********************************************************************");
	log_warn("core service %s is dead: the system cannot go on without it", s->pub->label);
	log_warn("********************************************************************");
	sys_diag_stacktrace(s->pub->endpoint);
	sys_abort(ABORT_PANIC, 0);
}

static void rs_boot_service_died(struct rs_slot *s)
{
	if ((s->pub->flags & RS_PUB_CORE) && !rs.shutdown)
		rs_core_died(s);
	rs_event(s, "is not started again: no image of it is kept; its clients get errors from now on");
	rs_tell_down(s);
	rs_remove_instances(s);
	rs_state_set(s, RS_DEAD);
}

static void rs_died_running(struct rs_slot *s)
{
	if (!s->image) {
		rs_boot_service_died(s);
		return;
	}
	if (sys_uptime() - s->pub->started_ns > RS_HEALTHY_MS * RS_MS)
		s->quick_deaths = 0;
	rs_remove_instance(s, &s->old);
	s->old = s->pub->endpoint;
	s->pub->endpoint = EP_NONE;
	rs_recover(s);
}

/* Taken down on request. */
static void rs_died_stopping(struct rs_slot *s)
{
	endpoint_t waiter = s->waiter;

	if (s->op != RS_OP_DOWN) {
		s->quick_deaths = 0;
		s->old = s->pub->endpoint;
		s->pub->endpoint = EP_NONE;
		rs_restart(s);
		return;
	}
	s->waiter = EP_NONE;
	if (waiter != EP_NONE)
		sef_reply_result(waiter, s->waiter_type, 0);
	rs_event(s, "is down");
	rs_retire(s);
}

static void rs_died(struct rs_slot *s, int signo, const struct ksig_info *info)
{
	char words[RS_EVENT_BYTES / 2];
	err_t why = s->verdict == RS_VERDICT_INIT_SLOW ? -ETIMEDOUT : -ECHILD;

	rs_describe_death(s, words, sizeof(words), signo, info);
	s->pub->last_signal = signo;
	switch ((enum rs_state)s->pub->state) {
	case RS_STARTING:
		rs_event(s, "died while initialising: %s", words);
		rs_init_failed(s, why);
		break;
	case RS_RUNNING:
		rs_event(s, "died: %s", words);
		rs_died_running(s);
		break;
	case RS_STOPPING:
		rs_died_stopping(s);
		break;
	case RS_FREE: case RS_DEAD: case RS_BACKOFF: case RS_FAILED: case RS_UPDATING: case RS_TEMPLATE:
		break;
	}
}

static bool rs_ends(int signo)
{
	return signo == SIGILL || signo == SIGBUS || signo == SIGFPE || signo == SIGSEGV || signo == SIGABRT || signo == SIGKILL
		|| signo == SIGPIPE || signo == SIGSYS;
}

static void rs_pass_on(endpoint_t target, int signo)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.type = SEF_SIGNAL;
	MSG_BODY(struct sef_signal_req, &m)->signo = (uint32_t)signo;
	sef_send(target, &m, IPC_NOREPLY);
}

/* Manager of every service's signals. Those that end it are not passed on; it stays frozen (no KC_ENDKSIG). */
err_t rs_signalled(endpoint_t target, int signo, const struct ksig_info *info)
{
	struct rs_slot *s = rs_slot_of_endpoint(target);

	if (signo == 0)
		return 0;
	if (!rs_ends(signo)) {
		rs_pass_on(target, signo);
		return 0;
	}
	if (s)
		rs_died(s, signo, info);
	return -EDEADEPT;
}

/* ---- taking down ---- */

void rs_stop(struct rs_slot *s, enum rs_op op, bool gently)
{
	s->op = op;
	if (s->pub->endpoint == EP_NONE) {
		rs_state_set(s, RS_STOPPING);
		rs_died_stopping(s);
		return;
	}
	rs_state_set(s, RS_STOPPING);
	s->deadline = sys_uptime() + RS_STOP_SECONDS * RS_SECOND;
	if (gently)
		rs_pass_on(s->pub->endpoint, SIGTERM);
	else
		sys_kill(s->pub->endpoint, SIGKILL, 0, 0);
}

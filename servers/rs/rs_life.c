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
 * A first initialisation that fails is reported to who started the service, and the service is gone. Once it has run, every death,
 * refused initialisation and failed start is recovered: rs_recover.c.
 */
#include "rs.h"
#include <libsys/grant.h>
#include <signal.h>

/* All that a process may have: offsets of the grant are addresses. */
static const size_t RS_USER_BYTES = 0x7fffffff0000;

/* ---- start ---- */

/* Its successor alone may read it, with no right over anybody else's memory. */
static grant_t rs_old_grant(struct rs_slot *s)
{
	rs_old_revoke(s);
	if (s->old != EP_NONE)
		s->old_grant = grant_magic(s->pub->endpoint, s->old, 0, RS_USER_BYTES, GRANT_READ);
	return s->old_grant;
}

void rs_old_revoke(struct rs_slot *s)
{
	if (s->old_grant != GRANT_INVALID)
		grant_revoke(s->old_grant);
	s->old_grant = GRANT_INVALID;
}

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
	req->old_grant = rs_old_grant(s);
	memcpy(req->label, s->pub->label, sizeof(req->label));
	s->init_type = type;
	sef_send(s->pub->endpoint, &m, IPC_NOREPLY);
	rs_state_set(s, RS_STARTING);
	s->deadline = sys_uptime() + RS_INIT_SECONDS * RS_SECOND;
}

/* Names first, then permission to run, then the order to initialise: so nobody meets a service that has no name yet. */
err_t rs_start(struct rs_slot *s)
{
	endpoint_t ep;
	err_t r = rs_process_create(s, s->boot, &ep, &s->priv_id);

	if (r != 0)
		return r;
	s->pub->endpoint = ep;
	rs_priv_refresh_others(s);
	s->pub->pid = pm_service_pid(ep);
	rs_tell_failed(s, false);
	rs_tell_up(s);
	r = rs_process_run(s);
	if (r != 0) {
		rs_process_destroy(ep);
		s->pub->endpoint = EP_NONE;
		return r;
	}
	rs_init_send(s, SEF_INIT_FRESH);
	return 0;
}

/* ---- the end of instances ---- */

void rs_instance_remove(endpoint_t *ep)
{
	if (*ep != EP_NONE)
		rs_process_destroy(*ep);
	*ep = EP_NONE;
}

/* The one that has the name, with the predecessor it never replaced. */
void rs_instances_remove(struct rs_slot *s)
{
	rs_old_revoke(s);
	rs_instance_remove(&s->old);
	if (s->pub->endpoint != EP_NONE)
		rs_tell_process(s->pub, s->pub->endpoint, false);
	rs_instance_remove(&s->pub->endpoint);
}

void rs_retire(struct rs_slot *s)
{
	rs_tell_down(s, true);
	rs_tell_failed(s, false);
	rs_instances_remove(s);
	rs_instance_remove(&s->core);
	rs_slot_free(s);
}

/* ---- initialisation ---- */

static void rs_init_accepted(struct rs_slot *s)
{
	bool first = !s->ever_ran;

	rs_old_revoke(s);
	sef_reply_result(s->pub->endpoint, RS_INIT_DONE, 0);
	sef_flush();
	rs_state_set(s, RS_RUNNING);
	s->ever_ran = true;
	s->broken = 0;
	s->init_flags = 0;
	s->pub->started_ns = sys_uptime();
	rs_ping_reset(s);
	if (first) {
		s->pub->first_started_ns = s->pub->started_ns;
		if (!(s->pub->flags & RS_PUB_BOOT))
			rs_event(s, RS_EVENT_STARTED, "runs");
	} else {
		rs_recovered(s);
	}
	rs_answer_waiter(s, 0);
	rs_template_answer(s, 0);
	if (first && (s->pub->flags & RS_PUB_BOOT))
		rs_boot_initialised(s);
}

/* `why`: its own error, -ECHILD when it died, -ETIMEDOUT. The instance is beyond use. */
static void rs_init_failed(struct rs_slot *s, err_t why)
{
	if (s->ever_ran) {
		rs_recover(s);
		return;
	}
	if (s->pub->flags & RS_PUB_BOOT) {
		log_warn("boot service %s cannot initialise, the system cannot start", s->pub->label);
		sys_abort(ABORT_PANIC, 0);
	}
	rs_answer_waiter(s, why);
	rs_template_answer(s, why);
	rs_retire(s);
}

/* "Start me fresh": whoever waits for its endpoint hears now that nothing will come. */
static bool rs_start_fresh(struct rs_slot *s)
{
	err_t r;

	if (s->pub->flags & RS_PUB_BOOT)
		return false;	/* others know it by its endpoint alone */
	s->fresh_only = true;
	s->pub->policy = RS_POLICY_RESET;
	rs_instances_remove(s);
	r = rs_start(s);
	if (r != 0) {
		rs_event(s, RS_EVENT_FAULT, "could not be started: %s", err_text(r));
		rs_failure_note(s, RS_FAULT_START);
		rs_recover(s);
	}
	return true;
}

/* It stays frozen in its SENDREC until its successor is there. */
void rs_init_done(struct rs_slot *s, err_t result)
{
	if (result == 0) {
		rs_init_accepted(s);
		return;
	}
	sys_privctl(s->pub->endpoint, PRIVCTL_DISALLOW, 0, 0, 0);
	if (result == -ERESTARTSYS && s->init_type == SEF_INIT_RESTART && rs_start_fresh(s))
		return;
	rs_failure_note(s, RS_FAULT_INIT_REFUSED);
	rs_event(s, RS_EVENT_FAULT, "could not initialise: %s", err_text(result));
	if (!s->ever_ran)
		rs_answer_waiter(s, -(int64_t)result);	/* its own error, not ours */
	rs_init_failed(s, result);
}

/* ---- death ---- */

static void rs_died_stopping(struct rs_slot *s)
{
	if (s->op == RS_OP_REFRESH && s->script[0] && rs_watched()) {
		rs_event(s, RS_EVENT_NOTE, "has ended as it was asked; its script decides what comes");
		rs_answer_waiter(s, 0);
		rs_script_decides(s);
		return;
	}
	if (s->op != RS_OP_DOWN) {
		rs_revive(s);
		return;
	}
	rs_event(s, RS_EVENT_DOWN, "is down");
	rs_answer_waiter(s, 0);
	rs_retire(s);
}

void rs_died(struct rs_slot *s, enum rs_fault fault, const char *words)
{
	switch ((enum rs_state)s->pub->state) {
	case RS_STARTING:
		rs_failure_note(s, fault);
		rs_event(s, RS_EVENT_FAULT, "died while initialising: %s", words);
		rs_init_failed(s, fault == RS_FAULT_INIT_SLOW ? -ETIMEDOUT : -ECHILD);
		break;
	case RS_RUNNING:
		s->died = sys_uptime();
		rs_failure_note(s, fault);
		rs_event(s, RS_EVENT_FAULT, "died: %s", words);
		rs_recover(s);
		break;
	case RS_STOPPING:
		s->died = sys_uptime();
		rs_died_stopping(s);
		break;
	case RS_FREE: case RS_DEAD: case RS_BACKOFF: case RS_FAILED: case RS_UPDATING: case RS_TEMPLATE:
		break;
	}
}

/* ---- taking down ---- */

static bool rs_has_living_instance(const struct rs_slot *s)
{
	return s->pub->endpoint != EP_NONE && s->pub->state == RS_RUNNING;
}

void rs_stop(struct rs_slot *s, enum rs_op op, bool gently)
{
	bool lives = rs_has_living_instance(s), recovering = s->pub->state == RS_BACKOFF;

	s->op = recovering && op == RS_OP_REFRESH ? RS_OP_RESTART : op;	/* there is nobody who could be asked to end */
	s->script_seq = 0;
	if (!recovering)
		s->quick_deaths = 0;
	rs_state_set(s, RS_STOPPING);
	if (!lives) {
		s->died = recovering && s->died ? s->died : sys_uptime();
		rs_died_stopping(s);
		return;
	}
	s->deadline = sys_uptime() + RS_STOP_SECONDS * RS_SECOND;
	if (gently)
		rs_signal_pass_on(s->pub->endpoint, SIGTERM);
	else
		sys_kill(s->pub->endpoint, SIGKILL, 0, 0);
}

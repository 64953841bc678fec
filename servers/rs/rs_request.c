/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of root's `service` tool: operations and arguments stand in proto/rs.h. `service up` is in rs_up.c.
 * Order: who asks, then what, then the arguments, then resources; nothing has happened before all of it is good. An operation
 * that takes time is answered when it is through.
 */
#include "rs.h"
#include <abi/route.h>
#include <signal.h>
#include <stdio.h>

/* ---- arguments ---- */

static bool rs_is_root(endpoint_t ep)
{
	uint64_t answers[NR_ANSWERS];

	if (sys_getinfo(GETINFO_ANSWERS, answers, sizeof(answers), (uint64_t)ep, 0) != 0)
		return false;
	return answers[ANSWER_EUID] == 0;
}

static err_t rs_fetch_slot(const struct rs_args *a, uint64_t address, struct rs_slot **out)
{
	char label[LABEL_LEN];
	err_t r = sys_datacopy_from(a->from, address, label, sizeof(label));

	if (r != 0)
		return r;
	if (!rs_label_is_valid(label))
		return -EINVAL;
	*out = rs_slot_of_label(label);
	return *out ? 0 : -ESRCH;
}

/* ---- DOWN, RESTART, REFRESH ---- */

int64_t rs_wait_for(struct rs_slot *s, const struct rs_args *a)
{
	s->waiter = a->from;
	s->waiter_type = a->type;
	return RS_LATER;
}

static err_t rs_may_stop(const struct rs_slot *s, bool restart)
{
	if (s->pub->flags & RS_PUB_CORE)
		return -EPERM;
	if (restart && (!s->image || s->pub->state == RS_TEMPLATE))
		return -EOPNOTSUPP;
	if (s->waiter != EP_NONE || s->fs_request || s->pub->state == RS_STARTING || s->pub->state == RS_STOPPING)
		return -EBUSY;
	return 0;
}

err_t rs_operation_begin(struct rs_slot *s, enum rs_op op, const char *who)
{
	err_t r = rs_may_stop(s, op != RS_OP_DOWN);

	if (r != 0)
		return r;
	rs_event(s, RS_EVENT_REQUEST, "is %s on request of %s", op == RS_OP_DOWN ? "taken down" : "restarted", who);
	return 0;
}

static int64_t rs_rq_stop(const struct rs_args *a, enum rs_op op)
{
	struct rs_slot *s;
	int64_t later;
	err_t r = a->a[2] == LABEL_LEN ? rs_fetch_slot(a, a->a[1], &s) : -EINVAL;

	if (r == 0)
		r = rs_operation_begin(s, op, s->script_waits ? "its script" : "an administrator");
	if (r != 0)
		return r;
	later = rs_wait_for(s, a);
	rs_stop(s, op, op == RS_OP_REFRESH);
	return later;
}

static int64_t rq_down(const struct rs_args *a)
{
	return rs_rq_stop(a, RS_OP_DOWN);
}

static int64_t rq_restart(const struct rs_args *a)
{
	return rs_rq_stop(a, RS_OP_RESTART);
}

static int64_t rq_refresh(const struct rs_args *a)
{
	return rs_rq_stop(a, RS_OP_REFRESH);
}

/* ---- questions ---- */

static int64_t rq_list(const struct rs_args *a)
{
	uint64_t room = a->a[2] / sizeof(struct rs_pub), n = 0;

	for RS_EACH_SLOT(s) {
		if (!s->pub->in_use)
			continue;
		if (n < room) {
			err_t r = sys_datacopy_to(a->from, a->a[1] + n * sizeof(*s->pub), s->pub, sizeof(*s->pub));

			if (r != 0)
				return r;
		}
		n++;
	}
	return (int64_t)n;
}

static int64_t rq_status(const struct rs_args *a)
{
	struct rs_pub pub;
	struct rs_slot *s;
	err_t r = a->a[2] == sizeof(pub) ? sys_datacopy_from(a->from, a->a[1], &pub, sizeof(pub)) : -EINVAL;

	if (r == 0 && !rs_label_is_valid(pub.label))
		r = -EINVAL;
	if (r != 0)
		return r;
	s = rs_slot_of_label(pub.label);
	return s ? sys_datacopy_to(a->from, a->a[1], s->pub, sizeof(*s->pub)) : -ESRCH;
}

static int64_t rq_why(const struct rs_args *a)
{
	static char text[32 << 10];
	struct rs_slot *s;
	size_t n;
	err_t r = rs_fetch_slot(a, a->a[1], &s);

	if (r != 0)
		return r;
	n = rs_why(s, text, sizeof(text));
	if (n > a->a[3])
		n = a->a[3];
	r = n ? sys_datacopy_to(a->from, a->a[2], text, n) : 0;
	return r ? r : (int64_t)n;
}

static int64_t rq_history(const struct rs_args *a)
{
	static struct rs_event events[256];
	char label[LABEL_LEN];
	struct rs_slot *s = 0;
	uint64_t room = a->a[3] / sizeof(events[0]), n;
	err_t r = sys_datacopy_from(a->from, a->a[1], label, sizeof(label));

	if (r == 0 && label[0])
		r = rs_fetch_slot(a, a->a[1], &s);
	if (r != 0)
		return r;
	room = room < sizeof(events) / sizeof(events[0]) ? room : sizeof(events) / sizeof(events[0]);
	n = rs_history_fetch(s, events, (uint32_t)room);
	r = room && n ? sys_datacopy_to(a->from, a->a[2], events, (n < room ? n : room) * sizeof(events[0])) : 0;
	return r ? r : (int64_t)n;
}

static int64_t rq_wait(const struct rs_args *a)
{
	struct rs_slot *s;
	err_t r = a->a[2] == LABEL_LEN ? rs_fetch_slot(a, a->a[1], &s) : -EINVAL;

	if (r == 0)
		r = rs_wait_add(a->from, a->type, s->pub->label, (uint32_t)a->a[3]);
	return r ? r : RS_LATER;
}

static int64_t rq_watch(const struct rs_args *a)
{
	err_t r = a->a[2] == sizeof(struct rs_watch) ? rs_watch_add(a->from, a->type, a->a[1], a->a[3], a->a[4]) : -EINVAL;

	return r ? r : RS_LATER;
}

static int64_t rq_core(const struct rs_args *a)
{
	struct rs_slot *s;
	err_t r = rs_fetch_slot(a, a->a[1], &s);

	return r ? r : rs_core_read(s, a->from, a->a[2], a->a[3], a->a[4]);
}

/* The service fails by itself, in its main loop: what follows is recovery as of any failure. */
static int64_t rq_fi(const struct rs_args *a)
{
	struct message m;
	struct rs_slot *s;
	err_t r = a->a[2] == LABEL_LEN && a->a[3] < SEF_NR_FAULT_KINDS ? rs_fetch_slot(a, a->a[1], &s) : -EINVAL;

	if (r != 0)
		return r;
	if (s->pub->state != RS_RUNNING || s->pub->endpoint == EP_RS)
		return s->pub->endpoint == EP_RS ? -EPERM : -EBUSY;
	rs_event(s, RS_EVENT_REQUEST, "is made to fail on request");
	memset(&m, 0, sizeof(m));
	m.type = SEF_FAULT_INJECT;
	*MSG_BODY(struct sef_fault_req, &m) = (struct sef_fault_req){ (uint32_t)a->a[3], (uint32_t)a->a[4] };
	sef_send(s->pub->endpoint, &m, IPC_NOREPLY);
	return 0;
}

static int64_t rq_shutdown(const struct rs_args *a)
{
	(void)a;
	rs.shutdown = true;
	return 0;
}

/* The process that waits for the end of an operation has a signal, or (answer false) is dead: it waits no longer, the operation goes on. */
void rs_cancel(endpoint_t ep, bool answer)
{
	rs_wait_cancel(ep, answer);
	for RS_EACH_SLOT(s) {
		if (!s->pub->in_use || s->waiter != ep)
			continue;
		if (answer)
			rs_answer_waiter(s, -EINTR);
		s->waiter = EP_NONE;
	}
}

/* ---- dispatch ---- */

static int64_t (*const rs_operations[])(const struct rs_args *a) = {
	[RS_OP_UP] = rq_up, [RS_OP_DOWN] = rq_down, [RS_OP_RESTART] = rq_restart, [RS_OP_REFRESH] = rq_refresh,
	[RS_OP_LIST] = rq_list, [RS_OP_STATUS] = rq_status, [RS_OP_WHY] = rq_why, [RS_OP_SHUTDOWN] = rq_shutdown,
	[RS_OP_HISTORY] = rq_history, [RS_OP_WAIT] = rq_wait, [RS_OP_WATCH] = rq_watch, [RS_OP_CORE] = rq_core,
	[RS_OP_FI] = rq_fi,
};

static int64_t rs_operate(const struct rs_args *a, uint32_t status)
{
	if (!(status & IPC_STATUS_USER) || !rs_is_root(a->from))
		return -EPERM;
	if (a->a[0] >= sizeof(rs_operations) / sizeof(rs_operations[0]) || !rs_operations[a->a[0]])
		return -ENOSYS;
	return rs_operations[a->a[0]](a);
}

void rs_request(const struct message *m, uint32_t status)
{
	struct rs_args a = { .from = m->source, .type = m->type };
	int64_t result;

	memcpy(a.a, m->w, sizeof(a.a));
	result = rs_operate(&a, status);
	if (result != RS_LATER && (status & IPC_STATUS_CALL))
		sef_reply_result(a.from, a.type, result);
}

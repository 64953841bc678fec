/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of root's `service` tool (and, later, of services with a control list): operations and arguments stand in proto/rs.h.
 * Order: who asks, then what, then the arguments, then resources; nothing has happened before all of it is good. An operation
 * that takes time is answered when it is through.
 */
#include "rs.h"
#include <abi/route.h>
#include <signal.h>
#include <stdio.h>

struct rs_args { endpoint_t from; uint32_t type; uint64_t a[6]; };

enum { RS_LATER = 1 << 30 };	/* result of a handler: answered by rs_answer_waiter() */

/* ---- arguments ---- */

static bool rs_is_root(endpoint_t ep)
{
	uint64_t answers[NR_ANSWERS];

	if (sys_getinfo(GETINFO_ANSWERS, answers, sizeof(answers), (uint64_t)ep, 0) != 0)
		return false;
	return answers[ANSWER_EUID] == 0;
}

static bool rs_label_is_valid(const char label[LABEL_LEN])
{
	size_t n = strnlen(label, LABEL_LEN);

	return n >= 1 && n < LABEL_LEN && strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
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

/* A copy of [address, +len) of the caller, with a NUL behind it. */
static err_t rs_fetch(endpoint_t from, uint64_t address, uint64_t len, uint64_t max, void **out)
{
	char *p;
	err_t r;

	if (len > max)
		return -E2BIG;
	p = malloc(len + 1);
	if (!p)
		return -ENOMEM;
	r = len ? sys_datacopy_from(from, address, p, len) : 0;
	p[len] = 0;
	if (r != 0)
		free(p);
	else
		*out = p;
	return r;
}

/* ---- UP ---- */

static err_t rs_fetch_image(endpoint_t from, const struct rs_call *call, struct rs_image *image)
{
	err_t r = rs_fetch(from, call->image, call->image_len, RS_IMAGE_MAX, (void **)&image->bytes);

	if (r == 0)
		r = rs_fetch(from, call->args, call->args_len, RS_ARGS_MAX, (void **)&image->args);
	if (r == 0)
		r = rs_fetch(from, call->send_names, call->send_names_len, RS_NAMES_MAX, (void **)&image->send_names);
	if (r != 0)
		return r;
	image->len = call->image_len;
	image->args_len = call->args_len;
	image->send_names_len = call->send_names_len;
	r = elf_parse(image->bytes, image->len, image->len, &image->elf);
	return r == 0 && (image->elf.relocatable || image->elf.interp_bytes) ? -ENOEXEC : r;
}

static err_t rs_up_check(const struct rs_call *call)
{
	if (!rs_label_is_valid(call->label) || strnlen(call->name, PROC_NAME_LEN) == PROC_NAME_LEN || !call->name[0])
		return -EINVAL;
	if (call->priv.nr_io > NR_IO_RANGES || call->priv.nr_mem > NR_MEM_RANGES || call->priv.nr_irq > NR_IRQS_PER_SERVICE)
		return -EINVAL;
	if (call->period_ns && call->period_ns < RS_MS)
		return -EINVAL;
	if (rs_slot_of_label(call->label))
		return -EEXIST;
	for (int i = 0; i < RS_NR_MAJORS; i++)
		if (call->majors[i] >= 0 && rs_slot_of_major(call->majors[i]))
			return -EBUSY;
	return 0;
}

/* What every service gets, whatever its description says. */
static void rs_priv_complete(struct priv_spec *priv)
{
	priv->flags &= PRIV_CHECK_IO | PRIV_CHECK_MEM | PRIV_CHECK_IRQ | PRIV_MAGIC_GRANTS;
	priv->flags |= PRIV_SYS_PROC | PRIV_PREEMPTIBLE | PRIV_CHECK_IO | PRIV_CHECK_MEM | PRIV_CHECK_IRQ;
	priv->call_mask[0] |= rs_basic_calls();
	if (priv->trap_mask == 0)
		priv->trap_mask = IPC_TRAP_ALL;
	if (priv->sig_mgr == 0)
		priv->sig_mgr = EP_RS;
	priv->bak_sig_mgr = EP_RS;
	if (priv->priority == 0)
		priv->priority = 4;
}

static struct rs_slot *rs_up_slot(const struct rs_call *call, struct rs_image *image)
{
	struct rs_slot *s = rs_slot_alloc(call->label, call->name);

	if (!s)
		return 0;
	s->image = image;
	s->priv = call->priv;
	rs_priv_complete(&s->priv);
	s->up_flags = call->flags;
	s->init_flags = call->init_flags;
	s->pub->flags = RS_PUB_COPY;
	s->pub->vm_call_mask = call->vm_call_mask;
	s->pub->period_ns = call->period_ns ? call->period_ns : RS_SECOND;
	memcpy(s->pub->majors, call->majors, sizeof(s->pub->majors));
	return s;
}

static int64_t rs_wait_for(struct rs_slot *s, const struct rs_args *a)
{
	s->waiter = a->from;
	s->waiter_type = a->type;
	return RS_LATER;
}

static int64_t rq_up(const struct rs_args *a)
{
	struct rs_call call;
	struct rs_image *image;
	struct rs_slot *s;
	err_t r = a->a[2] == sizeof(call) ? sys_datacopy_from(a->from, a->a[1], &call, sizeof(call)) : -EINVAL;

	if (r == 0)
		r = rs_up_check(&call);
	if (r != 0)
		return r;
	image = calloc(1, sizeof(*image));
	if (!image)
		return -ENOMEM;
	r = rs_fetch_image(a->from, &call, image);
	s = r == 0 ? rs_up_slot(&call, image) : 0;
	if (!s) {
		rs_image_free(image);
		return r ? r : -ENOMEM;
	}
	r = rs_start(s, SEF_INIT_FRESH);
	if (r != 0) {
		rs_event(s, "could not be started: %s", err_text(r));
		rs_retire(s);
		return r;
	}
	return call.flags & RS_UP_NOWAIT ? 0 : rs_wait_for(s, a);
}

/* ---- DOWN, RESTART, REFRESH ---- */

static err_t rs_may_stop(const struct rs_slot *s, bool restart)
{
	if (s->pub->flags & RS_PUB_CORE)
		return -EPERM;
	if (restart && !s->image)
		return -EOPNOTSUPP;
	if (s->waiter != EP_NONE || s->pub->state == RS_STARTING || s->pub->state == RS_STOPPING)
		return -EBUSY;
	return 0;
}

static int64_t rs_rq_stop(const struct rs_args *a, enum rs_op op)
{
	struct rs_slot *s;
	int64_t later;
	err_t r = a->a[2] == LABEL_LEN ? rs_fetch_slot(a, a->a[1], &s) : -EINVAL;

	if (r == 0)
		r = rs_may_stop(s, op != RS_OP_DOWN);
	if (r != 0)
		return r;
	later = rs_wait_for(s, a);
	rs_event(s, op == RS_OP_DOWN ? "is taken down on request" : "is restarted on request");
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

/* The events that are still remembered, oldest first, a line each. */
static int64_t rq_why(const struct rs_args *a)
{
	char text[RS_HISTORY * (RS_EVENT_BYTES + 32)];
	struct rs_slot *s;
	size_t n = 0;
	err_t r = rs_fetch_slot(a, a->a[1], &s);

	if (r != 0)
		return r;
	for (uint32_t i = s->events > RS_HISTORY ? s->events - RS_HISTORY : 0; i < s->events; i++) {
		const struct rs_note *e = &s->history[i % RS_HISTORY];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%llu.%03llu %s %s\n", (unsigned long long)(e->when / RS_SECOND),
			(unsigned long long)(e->when / RS_MS % 1000), s->pub->label, e->text);
	}
	if (n > a->a[3])
		n = a->a[3];
	r = n ? sys_datacopy_to(a->from, a->a[2], text, n) : 0;
	return r ? r : (int64_t)n;
}

static int64_t rq_shutdown(const struct rs_args *a)
{
	(void)a;
	rs.shutdown = true;
	return 0;
}

/* The process that waits for the end of an operation has a signal: it waits no longer, the operation goes on. */
void rs_cancel(endpoint_t ep)
{
	for RS_EACH_SLOT(s)
		if (s->pub->in_use && s->waiter == ep)
			rs_answer_waiter(s, -EINTR);
}

/* ---- dispatch ---- */

static int64_t (*const rs_operations[])(const struct rs_args *a) = {
	[RS_OP_UP] = rq_up, [RS_OP_DOWN] = rq_down, [RS_OP_RESTART] = rq_restart, [RS_OP_REFRESH] = rq_refresh,
	[RS_OP_LIST] = rq_list, [RS_OP_STATUS] = rq_status, [RS_OP_WHY] = rq_why, [RS_OP_SHUTDOWN] = rq_shutdown,
	[RS_OP_WAIT] = 0,
};

static int64_t rs_operate(const struct rs_args *a, uint32_t status)
{
	bool user = status & IPC_STATUS_USER;

	/* PM says itself when the system goes down. No other service has anything to order yet. */
	if (user ? !rs_is_root(a->from) : !(a->from == EP_PM && a->a[0] == RS_OP_SHUTDOWN))
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

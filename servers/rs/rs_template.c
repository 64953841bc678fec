/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services on demand. A template (`service up --template`) is an image and a description that RS keeps; VFS, which has to mount a file
 * system of some type and may not wait for anybody, asks for an instance of the template of that name. The instance is a service like
 * any other, labelled TYPE.N; VFS hears of it when it has initialised, or why it could not, and tells when it is needed no more.
 *
 * If VFS asks twice it gets two; what it does not give back stays, and can be taken down by root.
 */
#include "rs.h"
#include <stdio.h>

static void rs_fs_answer(uint32_t id, err_t result, const struct rs_slot *s)
{
	struct message m;
	struct rs_fs_started *body = MSG_BODY(struct rs_fs_started, &m);

	memset(&m, 0, sizeof(m));
	m.type = RS_FS_STARTED;
	body->id = id;
	body->result = result;
	body->ep = s && result == 0 ? s->pub->endpoint : EP_NONE;
	if (s)
		memcpy(body->label, s->pub->label, sizeof(body->label));
	sef_send(EP_VFS, &m, IPC_NOREPLY);
}

/* Ids of VFS may be 0; ours are one more, for 0 means that nobody waits. */
void rs_template_answer(struct rs_slot *s, err_t result)
{
	if (s->fs_request)
		rs_fs_answer(s->fs_request - 1, result, s);
	s->fs_request = 0;
}

static bool instance_label(const struct rs_slot *t, char label[LABEL_LEN])
{
	for (int n = 1; n < RS_SLOTS; n++)
		if (snprintf(label, LABEL_LEN, "%s.%d", t->pub->label, n) < LABEL_LEN && !rs_slot_of_label(label))
			return true;
	return false;
}

static struct rs_slot *instance_make(const struct rs_slot *t)
{
	char label[LABEL_LEN];
	struct rs_slot *s = instance_label(t, label) ? rs_slot_alloc(label, t->pub->name) : 0;

	if (!s)
		return 0;
	s->image = rs_image_get(t->image);
	s->priv = t->priv;
	s->pci = t->pci;
	s->up_flags = t->up_flags & ~(uint32_t)RS_UP_TEMPLATE;
	s->init_flags = t->init_flags;
	s->backoff_max_ms = t->backoff_max_ms;
	s->budget_failures = t->budget_failures;
	s->budget_ns = t->budget_ns;
	s->quantum_us = t->quantum_us;
	s->contig_max = t->contig_max;
	s->cpu_mask = t->cpu_mask;
	s->pub->uid = t->pub->uid;
	s->pub->policy = t->pub->policy;
	memcpy(s->script, t->script, sizeof(s->script));
	memcpy(s->config_where, t->config_where, sizeof(s->config_where));
	s->pub->flags = RS_PUB_COPY | RS_PUB_INSTANCE;
	s->pub->vm_call_mask = t->pub->vm_call_mask;
	s->pub->period_ns = t->pub->period_ns;
	return s;
}

void rs_template_start(const struct message *m)
{
	const struct rs_fs_start_req *req = MSG_BODY(const struct rs_fs_start_req, m);
	struct rs_slot *t = rs_label_is_valid(req->type) ? rs_slot_of_label(req->type) : 0, *s;
	err_t r;

	if (!t || t->pub->state != RS_TEMPLATE) {
		rs_fs_answer(req->id, -ENODEV, 0);
		return;
	}
	s = instance_make(t);
	if (!s) {
		rs_fs_answer(req->id, -ENOMEM, 0);
		return;
	}
	s->fs_request = req->id + 1;
	r = rs_start(s);
	if (r == 0)
		return;
	rs_template_answer(s, r);
	rs_retire(s);
}

void rs_template_stop(const struct message *m)
{
	const struct rs_fs_stop_req *req = MSG_BODY(const struct rs_fs_stop_req, m);
	struct rs_slot *s = rs_label_is_valid(req->label) ? rs_slot_of_label(req->label) : 0;

	if (!s || !(s->pub->flags & RS_PUB_INSTANCE) || s->pub->state == RS_STOPPING)
		return;
	rs_event(s, RS_EVENT_REQUEST, "is not needed any more");
	rs_stop(s, RS_OP_DOWN, true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of services. */
#include "rs.h"
#include <stdio.h>

static struct rs_slot *rs_slot_find_free(void)
{
	for RS_EACH_SLOT(s)
		if (!s->pub->in_use)
			return s;
	return rs.nr_slots < RS_SLOTS ? &rs.slots[rs.nr_slots++] : 0;
}

struct rs_slot *rs_slot_alloc(const char *label, const char *name)
{
	struct rs_slot *s = rs_slot_find_free();

	if (!s)
		return 0;
	memset(s, 0, sizeof(*s));
	s->pub = &rs.table[s - rs.slots];
	memset(s->pub, 0, sizeof(*s->pub));
	s->pub->in_use = 1;
	s->pub->endpoint = s->boot = s->old = s->core = s->waiter = EP_NONE;
	s->old_grant = GRANT_INVALID;
	for (int i = 0; i < RS_NR_MAJORS; i++)
		s->pub->majors[i] = -1;
	snprintf(s->pub->label, sizeof(s->pub->label), "%s", label);
	snprintf(s->pub->name, sizeof(s->pub->name), "%s", name);
	return s;
}

void rs_slot_free(struct rs_slot *s)
{
	rs_image_put(s->image);
	s->image = 0;
	s->pub->in_use = 0;
	s->pub->endpoint = EP_NONE;
	s->pub->state = RS_FREE;
}

struct rs_slot *rs_slot_of_label(const char *label)
{
	for RS_EACH_SLOT(s)
		if (s->pub->in_use && strcmp(s->pub->label, label) == 0)
			return s;
	return 0;
}

struct rs_slot *rs_slot_of_endpoint(endpoint_t ep)
{
	for RS_EACH_SLOT(s)
		if (s->pub->in_use && s->pub->endpoint == ep)
			return s;
	return 0;
}

bool rs_label_is_valid(const char label[LABEL_LEN])
{
	size_t n = strnlen(label, LABEL_LEN);

	return n >= 1 && n < LABEL_LEN && strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

static bool rs_serves_major(const struct rs_pub *pub, int32_t major)
{
	for (int i = 0; i < RS_NR_MAJORS; i++)
		if (pub->majors[i] == major)
			return true;
	return false;
}

struct rs_slot *rs_slot_of_major(int32_t major)
{
	for RS_EACH_SLOT(s)
		if (s->pub->in_use && rs_serves_major(s->pub, major))
			return s;
	return 0;
}

static const char *const rs_state_names[] = {
	[RS_FREE] = "free", [RS_STARTING] = "starting", [RS_RUNNING] = "running", [RS_STOPPING] = "stopping", [RS_DEAD] = "dead",
	[RS_BACKOFF] = "waiting to restart", [RS_FAILED] = "failed", [RS_UPDATING] = "updating", [RS_TEMPLATE] = "template",
};

const char *rs_state_name(uint32_t state)
{
	return state < sizeof(rs_state_names) / sizeof(rs_state_names[0]) ? rs_state_names[state] : "?";
}

void rs_state_set(struct rs_slot *s, enum rs_state state)
{
	log_debug("%s: %s -> %s", s->pub->label, rs_state_name(s->pub->state), rs_state_name(state));
	s->pub->state = state;
	s->deadline = 0;
	s->script_waits = false;
	s->ping_sent = 0;
	s->verdict = RS_VERDICT_NONE;
}

void rs_answer_waiter(struct rs_slot *s, int64_t result)
{
	if (s->waiter != EP_NONE)
		sef_reply_result(s->waiter, s->waiter_type, result);
	s->waiter = EP_NONE;
}

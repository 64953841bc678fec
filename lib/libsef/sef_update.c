/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live update, the old version's side: RS asks for a state; before each receive we see whether the service is in it; when it is,
 * its data is saved and RS told by a SENDREC in which the old version stays for ever if the update succeeds. A reply means that it
 * did not happen, and life goes on.
 */
#include "sef_private.h"
#include <errno.h>
#include <string.h>

static struct { uint32_t state, flags; } update = { .state = SEF_LU_NULL };

static void update_state_set(uint32_t state)
{
	uint32_t old = update.state;

	update.state = state;
	if (old != state && sef_cb.lu_state_changed)
		sef_cb.lu_state_changed(old, state);
}

/* Ready (0) or refused. Returns only if there is no update. */
static void update_tell(uint32_t state, err_t result)
{
	struct message m;
	struct rs_lu_ready_req *body = MSG_BODY(struct rs_lu_ready_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = RS_LU_READY;
	body->state = state;
	body->result = result;
	sef_call(EP_RS, &m);
}

static err_t update_check(uint32_t state, uint32_t flags)
{
	if (update.state != SEF_LU_NULL)
		return -EBUSY;
	if (!sef_cb.lu_state_isvalid)
		return -ENOSYS;
	return sef_cb.lu_state_isvalid(state, flags) ? 0 : -EINVAL;
}

void sef_update_requested(const struct message *m)
{
	const struct rs_lu_prepare_req *body = MSG_BODY(const struct rs_lu_prepare_req, m);
	err_t r;

	if (body->state == SEF_LU_NULL) {
		update_state_set(SEF_LU_NULL);
		return;
	}
	r = update_check(body->state, body->flags);
	if (r != 0) {
		update_tell(body->state, r);
		return;
	}
	update.flags = body->flags;
	update_state_set(body->state);
}

/* The states that have their meaning from libsef alone come first. */
static err_t update_prepare(uint32_t state)
{
	err_t r;

	if (state == SEF_LU_UNREACHABLE)
		return sef_lu_never_ready(state);
	if (state == SEF_LU_PREPARE_CRASH)
		return sef_lu_crash(state);
	r = sef_cb.lu_prepare(state);
	if (r == 0 && sef_cb.lu_state_save)
		r = sef_cb.lu_state_save(state, update.flags);
	return r;
}

void sef_update_step(void)
{
	uint32_t state = update.state;
	err_t r;

	if (state == SEF_LU_NULL)
		return;
	r = update_prepare(state);
	if (r == -ENOTREADY)
		return;
	update_tell(state, r);
	update_state_set(SEF_LU_NULL);
}

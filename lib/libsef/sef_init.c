/* SPDX-License-Identifier: BSD-2-Clause */
/* Initialisation: the callbacks' defaults, the predefined ones, and the test hooks that RS may ask for. */
#include "sef_private.h"
#include <errno.h>

struct sef_callbacks sef_cb;

static bool sef_init_type_known(enum sef_init_type type)
{
	return type == SEF_INIT_FRESH || type == SEF_INIT_LU || type == SEF_INIT_RESTART;
}

static err_t sef_init_registered(const struct sef_init_info *info, const struct sef_callbacks *cb)
{
	switch (info->type) {
	case SEF_INIT_FRESH: return cb->init_fresh(info);
	case SEF_INIT_LU: return cb->init_lu(info);
	case SEF_INIT_RESTART: return cb->init_restart(info);
	}
	return -EINVAL;
}

static const struct sef_callbacks sef_defaults = {
	.init_fresh = sef_init_null, .init_restart = sef_init_reset, .init_lu = sef_init_null,
};

err_t sef_init_run(const struct sef_init_info *info)
{
	if (!sef_init_type_known(info->type))
		return -EINVAL;
	if (info->flags & SEF_INIT_CRASH)
		return sef_init_crash(info);
	if (info->flags & SEF_INIT_FAIL)
		return sef_init_fail(info);
	if (info->flags & SEF_INIT_TIMEOUT)
		return sef_init_timeout(info);
	return sef_init_registered(info, info->flags & SEF_INIT_DEFCB ? &sef_defaults : &sef_cb);
}

static bool sef_lu_state_is_standard(uint32_t state)
{
	return state != SEF_LU_NULL && state < SEF_LU_CUSTOM_BASE;
}

/* GNU C's `?:` keeps what the service gave and else takes the default. */
void sef_callbacks_complete(const struct sef_callbacks *given)
{
	sef_cb = *given;
	sef_cb.init_fresh = given->init_fresh ?: sef_init_null;
	sef_cb.init_restart = given->init_restart ?: sef_init_reset;
	sef_cb.init_lu = given->init_lu ?: sef_init_null;
	sef_cb.ping = given->ping ?: sef_ping_pong;
	sef_cb.signal_handler = given->signal_handler ?: sef_signal_null;
	sef_cb.signal_manager = given->signal_manager ?: sef_manager_null;
	sef_cb.lu_prepare = given->lu_prepare ?: sef_lu_always_ready;
}

err_t sef_init_null(const struct sef_init_info *info)
{
	(void)info;
	return 0;
}

err_t sef_init_fail(const struct sef_init_info *info)
{
	(void)info;
	return -ENOSYS;
}

err_t sef_init_crash(const struct sef_init_info *info)
{
	(void)info;
	fail_stop("crash on request during initialisation");
}

/* Takes RS's pings without answering, for ever. */
err_t sef_init_timeout(const struct sef_init_info *info)
{
	struct message m;
	uint32_t status;

	(void)info;
	for (;;)
		ipc_receive(EP_RS, &m, &status);
}

err_t sef_init_reset(const struct sef_init_info *info)
{
	(void)info;
	return -ERESTARTSYS;
}

bool sef_lu_valid_none(uint32_t state, uint32_t flags)
{
	(void)state, (void)flags;
	return false;
}

bool sef_lu_valid_standard(uint32_t state, uint32_t flags)
{
	(void)flags;
	return sef_lu_state_is_standard(state);
}

bool sef_lu_valid_workfree(uint32_t state, uint32_t flags)
{
	(void)flags;
	return state == SEF_LU_WORK_FREE;
}

err_t sef_lu_always_ready(uint32_t state)
{
	(void)state;
	return 0;
}

err_t sef_lu_never_ready(uint32_t state)
{
	(void)state;
	return -ENOTREADY;
}

err_t sef_lu_crash(uint32_t state)
{
	fail_stop("crash on request while preparing for state %u", state);
}

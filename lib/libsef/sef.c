/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start-up and main loop of every service. What is kept here (own endpoint, name) is learnt again at each start. If the service
 * dies before its init is accepted, RS sees the signal and treats it as a refused initialisation, not as a crash to repeat.
 */
#include "sef_private.h"
#include <errno.h>
#include <libsys/grant.h>
#include <stdio.h>
#include <string.h>

static struct {
	endpoint_t self;
	bool cancelled;
	char name[PROC_NAME_LEN];
} sef;

endpoint_t sef_self(void)
{
	return sef.self;
}

const char *sef_name(void)
{
	return sef.name;
}

void sef_exit(int status)
{
	sef_flush();
	sys_exit(status);
}

void sef_cancel(void)
{
	sef.cancelled = true;
}

void sef_ping_pong(endpoint_t source)
{
	sef_notify(source);
}

void sef_ping_none(endpoint_t source)
{
	(void)source;
}

static void sef_identify(void)
{
	struct info_whoami who;

	memset(&who, 0, sizeof(who));
	sys_getinfo(GETINFO_WHOAMI, &who, sizeof(who), 0, 0);
	sef.self = who.endpoint;
	memcpy(sef.name, who.name, sizeof(sef.name));
	sef.name[sizeof(sef.name) - 1] = 0;
	log_name_set(sef.name);
	/* The log is no terminal, so musl would keep lines back in its buffer. */
	setvbuf(stdout, 0, _IOLBF, BUFSIZ);
}

err_t sef_proctab_read(const struct sef_init_info *info, uint32_t first, struct rs_pub *out, uint32_t n)
{
	if (info->proctab_grant == GRANT_INVALID || first > info->proctab_count || n > info->proctab_count - first)
		return -EINVAL;
	return sys_safecopyfrom(EP_RS, info->proctab_grant, (uint64_t)first * sizeof(*out), out, n * sizeof(*out));
}

err_t sef_old_read(const struct sef_init_info *info, vaddr_t addr, void *p, size_t len)
{
	if (info->old_grant == GRANT_INVALID || info->old_grant == 0)
		return -EINVAL;
	return sys_safecopyfrom(EP_RS, info->old_grant, addr, p, len);
}

/* Stale messages for a dead predecessor may come first: only RS's order to initialise counts. */
static void sef_init_wait(struct message *m)
{
	uint32_t status;

	do {
		if (ipc_receive(EP_RS, m, &status) != 0)
			sys_exit(1);
	} while (m->type != RS_INIT || ipc_is_notify(status));
}

static struct sef_init_info sef_init_decode(const struct message *m)
{
	const struct rs_init_req *body = MSG_BODY(const struct rs_init_req, m);
	struct sef_init_info info = {
		.type = (enum sef_init_type)body->type, .flags = body->flags, .restarts = body->restarts,
		.endpoint = sef.self, .old_endpoint = body->old_endpoint, .old_grant = body->old_grant,
		.proctab_grant = body->proctab_grant, .proctab_count = body->proctab_count,
	};

	memcpy(info.label, body->label, sizeof(body->label));
	return info;
}

/* RS takes the result and answers when the service may run; after a failure it does not answer but ends us. */
static void sef_init_report(err_t result)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.type = RS_INIT_DONE;
	MSG_BODY(struct rs_init_done_req, &m)->result = result;
	if (sef_call(EP_RS, &m) != 0 || result != 0)
		sys_exit(1);
}

static void sef_startup_of_rs(void)
{
	struct sef_init_info info = {
		.type = SEF_INIT_FRESH, .endpoint = sef.self, .old_endpoint = EP_NONE,
		.proctab_grant = GRANT_INVALID, .label = "rs",
	};

	if (sef_cb.init_fresh(&info) != 0)
		fail_stop("initialisation failed");
}

/* RS itself needs memory, so VM must serve before RS can tell it to initialise, and may not wait for RS. It initialises at once and
 * takes RS's order, when it comes, as a formality (sef_intercept_rs). */
static void sef_startup_of_vm(void)
{
	struct sef_init_info info = {
		.type = SEF_INIT_FRESH, .endpoint = sef.self, .old_endpoint = EP_NONE,
		.proctab_grant = GRANT_INVALID, .label = "vm",
	};

	if (sef_cb.init_fresh(&info) != 0)
		fail_stop("initialisation failed");
}

static void sef_init_acknowledge(void)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.type = RS_INIT_DONE;
	sef_send(EP_RS, &m, 0);
}

void sef_startup(const struct sef_callbacks *cb)
{
	struct sef_init_info info;
	struct message m;
	err_t r;

	sef_callbacks_complete(cb);
	sef_identify();
	if (sef.self == EP_RS) {
		sef_startup_of_rs();
		return;
	}
	if (sef.self == EP_VM) {
		sef_startup_of_vm();
		return;
	}
	sef_init_wait(&m);
	info = sef_init_decode(&m);
	r = sef_init_run(&info);
	if (r != 0 && r != -ERESTARTSYS)
		log_warn("initialisation failed: %s", err_text(r));
	sef_init_report(r);
	if (grant_count())
		grant_register();
}

/* Messages from RS that belong to the life cycle. True if it was one. */
static bool sef_intercept_rs(const struct message *m)
{
	switch (m->type) {
	case RS_INIT:
		if (sef.self == EP_VM)
			sef_init_acknowledge();
		return true;	/* we are past that: spurious for all others */
	case RS_INIT_DONE + 1:
		return true;	/* RS's answer to VM, which did not wait for it */
	case RS_LU_PREPARE:
		sef_update_requested(m);
		return true;
	case SEF_FAULT_INJECT:
		sef_fault_inject(MSG_BODY(const struct sef_fault_req, m));
		return true;
	default:
		return false;
	}
}

static bool sef_intercept_notify(const struct message *m)
{
	if (m->source == EP_RS && sef.self != EP_RS) {
		sef_cb.ping(m->source);
		return true;
	}
	if (m->source == EP_SYSTEM) {
		sef_kernel_notified(MSG_BODY(const struct notify_body, m));
		return true;
	}
	return false;
}

static bool sef_intercept(const struct message *m, uint32_t status)
{
	if (ipc_is_notify(status))
		return sef_intercept_notify(m);
	if (m->type == SEF_SIGNAL && (m->source == EP_RS || m->source == EP_PM)) {
		sef_cb.signal_handler((int)MSG_BODY(const struct sef_signal_req, m)->signo);
		return true;
	}
	return m->source == EP_RS && sef_intercept_rs(m);
}

err_t sef_receive(endpoint_t src, struct message *m, uint32_t *status)
{
	uint32_t own_status = 0;
	err_t r;

	if (!status)
		status = &own_status;
	do {
		sef_update_step();
		if (sef.cancelled) {
			sef.cancelled = false;
			return -EINTR;
		}
		r = sef_output_receive(src, m, status);
		if (r != 0)
			return r;
	} while (sef_intercept(m, *status));
	return 0;
}

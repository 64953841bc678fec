/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a service (System Event Framework). A service's main() is
 *
 *	sef_startup(&callbacks);
 *	for (;;)
 *		if (sef_receive(EP_ANY, &m, &status) == 0)
 *			dispatch(&m, status);
 *
 * sef_startup() waits for RS to say which kind of initialisation is due, runs that callback, reports the result and returns only
 * when RS has let the service go on. Nothing but RS's message is taken before. (RS, the first of all, is not told by anybody:
 * its fresh initialisation runs at once. So does VM's, because RS itself needs memory: VM answers RS's order later, by SENDA,
 * and never waits for RS.)
 *
 * sef_receive() sends the output that the previous handler queued, receives, and deals with what belongs to the life cycle: pings,
 * signals, updates. Only the rest is returned.
 *
 * Deferred output: a handler answers with sef_reply() and sends with sef_send() and sef_notify(); all of it leaves, in order, when
 * the handler is done, that is in the next sef_receive() (the last message together with the receive, in one trap) or
 * sef_call(). A crash in the middle of a handler has therefore told nobody anything. A message whose target is dead is dropped; one
 * for which the kernel has no room is tried again later, in order.
 */
#pragma once
#include <abi/info.h>
#include <abi/ksig.h>
#include <abi/message.h>
#include <libsys/ipc.h>
#include <libsys/kcall.h>
#include <libsys/log.h>
#include <proto/rs.h>
#include <proto/sef.h>
#include <stdbool.h>

struct sef_init_info {
	enum sef_init_type type;
	uint32_t flags;			/* SEF_INIT_* test hooks */
	uint32_t restarts;		/* incarnation, 0 = first */
	endpoint_t endpoint;		/* own */
	endpoint_t old_endpoint;	/* predecessor, whose memory is readable (restart, update), or EP_NONE */
	grant_t old_grant;		/* see sef_old_read() */
	uint32_t lu_state;		/* update: the state in which the predecessor stopped */
	grant_t proctab_grant;		/* of RS: struct rs_pub[proctab_count]; see sef_proctab_read() */
	uint32_t proctab_count;
	char label[LABEL_LEN];		/* own label, as much of it as RS sent */
};

/* A callback that is 0 has the default named in brackets. */
struct sef_callbacks {
	err_t (*init_fresh)(const struct sef_init_info *info);		/* [sef_init_null] */
	err_t (*init_restart)(const struct sef_init_info *info);	/* [sef_init_reset] */
	err_t (*init_lu)(const struct sef_init_info *info);		/* [sef_init_null] */

	void (*ping)(endpoint_t source);				/* [sef_ping_pong] */

	/* A Linux signal for this service itself (not one that ends it: RS does that). [sef_signal_null] */
	void (*signal_handler)(int signo);
	/* Kernel signals: set of KSIG_PAGEFAULT, KSIG_MEMREQ, KSIG_LOG. [ignored] */
	void (*kernel_signals)(uint64_t signals);
	/* We are the signal manager of `target`: one signal of it, with details when it is a fault (info->fault_signo == signo).
	 * signo 0: no signal but info->flags says KSIG_F_RECHECK. 0: handled, it runs on. -EDEADEPT: we ended it; it stays
	 * frozen, its further signals are dropped. [sef_manager_null] */
	err_t (*signal_manager)(endpoint_t target, int signo, const struct ksig_info *info);

	/* Live update. prepare: 0 ready, -ENOTREADY ask again before the next receive, other errors refuse. */
	bool (*lu_state_isvalid)(uint32_t state, uint32_t flags);	/* [none is: updates are answered -ENOSYS] */
	err_t (*lu_prepare)(uint32_t state);				/* [sef_lu_always_ready] */
	err_t (*lu_state_save)(uint32_t state, uint32_t flags);		/* [nothing to save] */
	void (*lu_state_changed)(uint32_t old_state, uint32_t state);

	/* Fail in a way of which libsef knows nothing (proto/sef.h), on request of a test. [says that it cannot] */
	void (*fault)(enum sef_fault_kind kind);

	/* A deferred message could not be delivered (error) and is dropped. [ignored] */
	void (*send_failed)(endpoint_t dst, const struct message *m, err_t error);
};

void sef_startup(const struct sef_callbacks *cb);

/* src: EP_ANY or one endpoint. 0, or the error of the receive (-EDEADSRCDST), or -EINTR after sef_cancel(). status may be 0. */
err_t sef_receive(endpoint_t src, struct message *m, uint32_t *status);
void sef_cancel(void);	/* from a callback: the sef_receive() that called it returns -EINTR */

void sef_reply(endpoint_t dst, const struct message *m);
void sef_reply_result(endpoint_t dst, uint32_t request_type, int64_t result);	/* type request_type + 1, w[0] = result */
void sef_send(endpoint_t dst, const struct message *m, uint32_t senda_flags);
void sef_notify(endpoint_t dst);
void sef_flush(void);	/* output leaves now; for use between the steps of a long piece of work */

/* Flush, then SENDREC: the handler's present step ends here and the next begins. The reply is in *m. */
err_t sef_call(endpoint_t dst, struct message *m);

endpoint_t sef_self(void);
const char *sef_name(void);	/* program name given by RS */
void sef_exit(int status) __attribute__((noreturn));

/* RS's table of services, as it was when we were initialised: entries [first, first + n) to out. Valid inside init callbacks. */
err_t sef_proctab_read(const struct sef_init_info *info, uint32_t first, struct rs_pub *out, uint32_t n);

/* Memory of the predecessor, as it was when that one ended. Valid inside init callbacks. -EFAULT: nothing is there. */
err_t sef_old_read(const struct sef_init_info *info, vaddr_t addr, void *p, size_t len);

/* ---- predefined callbacks ---- */

err_t sef_init_null(const struct sef_init_info *info);		/* 0 */
err_t sef_init_fail(const struct sef_init_info *info);		/* -ENOSYS */
err_t sef_init_crash(const struct sef_init_info *info);		/* ends as by a failed assertion */
err_t sef_init_timeout(const struct sef_init_info *info);	/* never returns */
err_t sef_init_reset(const struct sef_init_info *info);		/* -ERESTARTSYS: "start me fresh, with a new endpoint" */

void sef_ping_pong(endpoint_t source);
void sef_ping_none(endpoint_t source);				/* never answers: looks hung */

void sef_signal_null(int signo);
void sef_signal_term(int signo);				/* SIGTERM: sef_exit(0) */
void sef_signal_posix_default(int signo);			/* as a program without handlers would do */
err_t sef_manager_null(endpoint_t target, int signo, const struct ksig_info *info);

bool sef_lu_valid_none(uint32_t state, uint32_t flags);
bool sef_lu_valid_standard(uint32_t state, uint32_t flags);	/* all states but NULL */
bool sef_lu_valid_workfree(uint32_t state, uint32_t flags);
err_t sef_lu_always_ready(uint32_t state);
err_t sef_lu_never_ready(uint32_t state);
err_t sef_lu_crash(uint32_t state);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life-cycle protocol between RS and every service, spoken by libsef. A ping is a bare notification from RS, its answer a
 * notification to RS.
 *
 *  RS_INIT (RS -> service, SEND)       do your initialisation of the given kind
 *  RS_INIT_DONE (service -> RS, SENDREC) result; RS's reply lets the service run on. Nothing else reaches the service before it
 *  RS_LU_PREPARE (RS -> service, SENDA)  get ready for a live update in the given state; state 0 cancels
 *  RS_LU_READY (service -> RS, SENDREC)  ready or refused; a reply means the update did not happen
 *  SEF_FAULT_INJECT (RS -> service, SENDA) fail now, in the given way: so that recovery can be tried on a healthy service
 *  SEF_SIGNAL (manager -> service, SENDA) a non-termination signal for you
 */
#pragma once
#include <abi/message.h>

enum { RS_INIT = MSG_SEF, RS_INIT_DONE = MSG_SEF + 2, RS_LU_PREPARE = MSG_SEF + 4, RS_LU_READY = MSG_SEF + 6,
	SEF_SIGNAL = MSG_SEF + 8, SEF_FAULT_INJECT = MSG_SEF + 10 };

enum sef_init_type { SEF_INIT_FRESH = 0, SEF_INIT_LU = 1, SEF_INIT_RESTART = 2 };
enum { SEF_INIT_CRASH = 1, SEF_INIT_FAIL = 2, SEF_INIT_TIMEOUT = 4, SEF_INIT_DEFCB = 8, SEF_INIT_ST = 0x10 };	/* test hooks */

struct rs_init_req {
	uint32_t type, flags;		/* enum sef_init_type, SEF_INIT_* */
	grant_t proctab_grant;		/* struct rs_pub[] of all services, readable; GRANT_INVALID if none */
	uint32_t proctab_count;
	uint32_t restarts;		/* incarnation, 0 = first */
	endpoint_t old_endpoint;	/* where the predecessor's memory is (restart, update), or EP_NONE */
	grant_t old_grant;		/* of RS: that memory, readable while initialising; offset = address */
	char label[16];			/* start of the own label; the whole in the table */
};
MSG_BODY_FITS(struct rs_init_req);
struct rs_init_done_req { int32_t result; };
struct rs_lu_prepare_req { uint32_t state, flags; grant_t data; uint32_t data_len; };
struct rs_lu_ready_req { uint32_t state; int32_t result; };
struct sef_signal_req { uint32_t signo; };

/* How to fail on request. The names are those of `service fi`. */
enum sef_fault_kind {
	SEF_FI_CRASH,		/* write to address 0 */
	SEF_FI_CHECK,		/* a failed check: fail_stop() */
	SEF_FI_EXIT,		/* end without being asked to */
	SEF_FI_HANG,		/* loop for ever: only the heartbeat finds it */
	SEF_FI_SLEEP,		/* wait for ever for a message that nobody sends: the same without using the processor */
	SEF_FI_WRONG_REPLY,	/* block drivers, file systems: the next answer carries a wrong id, so its request is never answered */
	SEF_FI_TEXT,		/* go on with damaged code: bits of it are flipped, chosen by `seed`. Nobody knows what it does then */
	SEF_FI_SCRIBBLE,	/* file systems: write over the tables of the cache, then crash: nothing can be rescued */
	SEF_NR_FAULT_KINDS,
};
#define SEF_FAULT_NAMES { "crash", "check", "exit", "hang", "sleep", "wrong-reply", "text", "scribble" }
struct sef_fault_req { uint32_t kind, seed; };

/* States of live update. */
enum { SEF_LU_NULL, SEF_LU_WORK_FREE, SEF_LU_REQUEST_FREE, SEF_LU_PROTOCOL_FREE, SEF_LU_EVAL, SEF_LU_UNREACHABLE, SEF_LU_PREPARE_CRASH,
	SEF_LU_CUSTOM_BASE };

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to the reincarnation server. Users (root's `service` tool) reach it through our own system calls RS_CALL (number
 * ROUTE_OWN_BASE + 0, routed by PM's table): a0 = operation RS_OP_*, a1 = ptr to struct rs_call in the caller's memory, a2 = its
 * size, a3.. by operation. Services send the same operation as message RS_REQUEST. Errors: EPERM (not root, not in the control list),
 * ESRCH (label), EEXIST/EBUSY (label or major taken, operation in progress), E2BIG, EINVAL, ENOMEM, ENOEXEC.
 */
#pragma once
#include <abi/limits.h>
#include <abi/message.h>
#include <abi/priv.h>

enum { RS_CALL_NR = 0x1000, DS_CALL_NR = 0x1001, TRACE_CALL_NR = 0x1002 };

enum { RS_REQUEST = MSG_RS, RS_LOOKUP = MSG_RS + 2 /* {label ptr...}: see DS; RS itself answers for RS */ };

enum rs_op { RS_OP_UP, RS_OP_DOWN, RS_OP_RESTART, RS_OP_REFRESH, RS_OP_LIST, RS_OP_STATUS, RS_OP_SHUTDOWN, RS_OP_UPDATE, RS_OP_FI,
	RS_OP_WHY, RS_OP_HISTORY, RS_OP_WAIT };

/* One service as others may know it: RS_INIT's table, RS_OP_LIST. */
enum { RS_PUB_CORE = 1, RS_PUB_BOOT = 2, RS_PUB_COPY = 4 };
enum rs_state {
	RS_FREE,
	RS_STARTING,	/* told to initialise, has not answered yet */
	RS_RUNNING,
	RS_STOPPING,	/* being taken down on request */
	RS_DEAD,	/* crashed and cannot be started again: no image of it is kept */
	RS_BACKOFF,	/* crashed, waits for its next start */
	RS_FAILED,	/* crashed too often: only an administrator starts it again */
	RS_UPDATING,
};
enum { RS_NR_MAJORS = 4 };
struct rs_pub {
	uint32_t in_use, flags;		/* RS_PUB_* */
	endpoint_t endpoint; int32_t pid;
	uint32_t state, restarts;	/* enum rs_state */
	uint64_t vm_call_mask;		/* bit = VM_x - MSG_VM, halved */
	int32_t majors[RS_NR_MAJORS];	/* device majors it serves, -1 = none */
	uint64_t period_ns, started_ns;
	int32_t last_signal, last_exit;
	char label[LABEL_LEN], name[PROC_NAME_LEN];
};

/* Argument of RS_OP_UP, in the caller's memory. The tool has read binary and configuration; RS needs no file system. */
struct rs_call {
	char label[LABEL_LEN], name[PROC_NAME_LEN];
	uint64_t image, image_len;	/* the ELF file, in the caller's memory */
	uint64_t args, args_len;	/* NUL-separated arguments */
	uint64_t send_names, send_names_len;	/* NUL-separated labels for the send mask; "ALL", "ALL_SYS", "USER", "SYSTEM" too */
	uint64_t period_ns;		/* heartbeat; 0 = default 1 s */
	uint64_t vm_call_mask;
	int32_t majors[RS_NR_MAJORS];
	uint32_t flags, init_flags;	/* RS_UP_*, SEF_INIT_* */
	uint32_t uid, backoff_max;
	struct priv_spec priv;
	char config_where[64];		/* "file:line" of the stanza, for messages */
};
enum { RS_UP_NOWAIT = 1, RS_UP_NO_RESTART = 2, RS_UP_NO_BACKOFF = 4 };

/*
 * Operations and their arguments behind a0. "label" is a buffer of LABEL_LEN bytes. Results are >= 0 or a negative error.
 *
 *   UP        a1 rs_call, a2 its size             0 when the service has initialised (NOWAIT: has been started), else why it could not:
 *                                                 the service's own error, ECHILD it died, ETIMEDOUT it did not finish
 *   DOWN      a1 label, a2 LABEL_LEN, a3 flags    0 when it is gone. EPERM for core services
 *   RESTART   the same                            0 when its successor has initialised. Also revives a failed one
 *   REFRESH   the same                            as RESTART, but the service is asked to end (SIGTERM) before it is killed
 *   LIST      a1 rs_pub[], a2 bytes of room       number of services; as many as fit are stored
 *   STATUS    a1 rs_pub with its label set, a2 its size
 *   WHY       a1 label, a2 text, a3 room          bytes of text about its last failures, in words
 *   SHUTDOWN  -                                   from now on dying services are no news
 * The others answer ENOSYS. A second operation on a service in the middle of one: EBUSY.
 */
#define RS_OP_NAMES(X) X(UP, "up") X(DOWN, "down") X(RESTART, "restart") X(REFRESH, "refresh") X(LIST, "list") \
	X(STATUS, "status") X(SHUTDOWN, "shutdown") X(WHY, "why")
enum { RS_IMAGE_MAX = 16 << 20, RS_ARGS_MAX = 4096, RS_NAMES_MAX = 4096 };

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to the reincarnation server. Users (root's `service` tool) reach it through our own system calls RS_CALL (number
 * ROUTE_OWN_BASE + 0, routed by PM's table): a0 = operation RS_OP_*, its arguments below. Services send messages:
 *
 * request            who                      answered      meaning and errors
 * RS_REQUEST         control list names label when done     RESTART, REFRESH, UP (of a failed one), DOWN. With RS_REQ_NOWAIT: when begun
 * RS_PCI_ACL         pci                      at once       which PCI devices the service may have, by grant. ESRCH, EPERM
 * RS_ADD_RESOURCES   pci                      at once       a range more for a driver; kept over restarts. ESRCH, EPERM, EINVAL, ENOMEM
 * RS_FS_START        VFS, by SENDA            when done     an instance of a template; the answer is RS_FS_STARTED, by SENDA
 * RS_FS_STOP         VFS, by SENDA            never         the instance is not needed any more (it was unmounted)
 * RS_REPORT          control list names label never         what its failures cost the client: for `service why`. VFS may report about
 *                                                           everybody, also answers that no service may give: who goes on so is restarted
 *
 * `pci` is the service whose stanza says `bus pci` (RS_UP_BUS). Errors otherwise: EPERM (not root, not in the control list), ESRCH (label),
 * EEXIST/EBUSY (label or major taken, operation in progress), E2BIG, EINVAL, ENOMEM, ENOEXEC.
 *
 * A service that is given up (RS_FAILED): RS publishes drv.failed.LABEL = 1 in DS (number), and deletes it when the service is started
 * again. On that word a client gives up waiting.
 */
#pragma once
#include <abi/limits.h>
#include <abi/message.h>
#include <abi/priv.h>

enum { RS_CALL_NR = 0x1000, DS_CALL_NR = 0x1001, TRACE_CALL_NR = 0x1002 };

enum { RS_REQUEST = MSG_RS, RS_PCI_ACL = MSG_RS + 4, RS_ADD_RESOURCES = MSG_RS + 6, RS_FS_START = MSG_RS + 8, RS_FS_STOP = MSG_RS + 10,
	RS_FS_STARTED = MSG_RS + 12, RS_REPORT = MSG_RS + 14 };

enum rs_op { RS_OP_UP, RS_OP_DOWN, RS_OP_RESTART, RS_OP_REFRESH, RS_OP_LIST, RS_OP_STATUS, RS_OP_SHUTDOWN, RS_OP_UPDATE, RS_OP_FI,
	RS_OP_WHY, RS_OP_HISTORY, RS_OP_WAIT, RS_OP_WATCH, RS_OP_CORE };

/* Flags of a service. */
enum {
	RS_PUB_CORE = 1,	/* the system stops when it cannot be had again */
	RS_PUB_BOOT = 2,	/* came with the boot image */
	RS_PUB_COPY = 4,	/* RS keeps its program in memory */
	RS_PUB_TEMPLATE = 8,	/* no service, but what instances are made from */
	RS_PUB_HAS_CORE = 16,	/* the memory of its last dead instance is kept (RS_OP_CORE) */
	RS_PUB_INSTANCE = 32,	/* made from a template by RS_FS_START */
};
enum rs_state {
	RS_FREE,
	RS_STARTING,	/* told to initialise, has not answered yet */
	RS_RUNNING,
	RS_STOPPING,	/* being taken down on request */
	RS_DEAD,	/* crashed and cannot be started again: no image of it is kept */
	RS_BACKOFF,	/* crashed, waits for its next start */
	RS_FAILED,	/* crashed too often: only an administrator starts it again */
	RS_UPDATING,
	RS_TEMPLATE,	/* kept, never started itself */
};

/* What brought an instance to its end; each is counted by itself. */
enum rs_fault {
	RS_FAULT_NONE,
	RS_FAULT_CRASH,		/* processor exception: bad address, bad instruction, division */
	RS_FAULT_CHECK,		/* a check of its own failed: fail_stop(), stack protector, bounds */
	RS_FAULT_EXIT,		/* it ended itself */
	RS_FAULT_SIGNAL,	/* killed from outside */
	RS_FAULT_HANG,		/* did not answer heartbeats */
	RS_FAULT_INIT_REFUSED,	/* answered the order to initialise with an error */
	RS_FAULT_INIT_SLOW,	/* did not answer it in time */
	RS_FAULT_START,		/* could not be made: no memory, no process slot */
	RS_FAULT_PROTOCOL,	/* answered requests with what no service may answer, again and again */
	RS_NR_FAULTS,
};
#define RS_FAULT_NAMES { "none", "crash", "failed check", "exit", "signal", "hang", "refused initialisation", "slow initialisation", \
	"could not be started", "broken protocol" }

/* What is done when it dies. */
enum rs_policy {
	RS_POLICY_RESTART,	/* a successor under the same endpoint, told where its predecessor's memory is */
	RS_POLICY_RESET,	/* a fresh one under a new endpoint: it has said that it cannot continue another's work */
	RS_POLICY_SCRIPT,	/* its script decides */
	RS_POLICY_NONE,		/* it is not started again */
};

/* Block majors and character majors are numbered apart. */
enum { RS_NR_MAJORS = 4, RS_MAJOR_BLOCK = 0x10000 };

/* One service as others may know it: RS_INIT's table, RS_OP_LIST. */
struct rs_pub {
	uint32_t in_use, flags;		/* RS_PUB_* */
	endpoint_t endpoint; int32_t pid;
	uint32_t state, restarts;	/* enum rs_state; restarts of every kind since it is up */
	uint64_t vm_call_mask;		/* bit = VM_x - MSG_VM, halved */
	int32_t majors[RS_NR_MAJORS];	/* device majors it serves, RS_MAJOR_BLOCK | n for block devices, -1 = none */
	uint64_t period_ns, started_ns;	/* started: this instance has initialised */
	int32_t last_signal, last_exit;	/* of the last dead instance */
	char label[LABEL_LEN], name[PROC_NAME_LEN];
	uint32_t last_fault;		/* enum rs_fault */
	uint32_t faults[RS_NR_FAULTS];	/* how often each */
	uint64_t first_started_ns, last_fault_ns, failed_ns;	/* failed: since then it is RS_FAILED or RS_DEAD, else 0 */
	uint64_t recovery_ns, recovery_max_ns;	/* from the death to the successor's accepted initialisation: last, longest */
	uint64_t requests_repeated, requests_failed;	/* as clients report */
	uint32_t uid, policy;		/* user it counts as in lists of processes; enum rs_policy */
	uint64_t answers_refused;	/* that no service may give, as VFS reports */
};

/* PCI devices a service may have. */
enum { RS_PCI_MAX = 8, RS_PCI_ANY = 0xffff };
struct rs_pci_id { uint16_t vendor, device, sub_vendor, sub_device; };	/* RS_PCI_ANY: whatever it is */
struct rs_pci_class { uint32_t class_code, mask; };	/* base << 16 | sub << 8 | interface; matches if (class & mask) == class_code */
struct rs_pci_acl {
	uint32_t nr_ids, nr_classes;
	struct rs_pci_id ids[RS_PCI_MAX];
	struct rs_pci_class classes[RS_PCI_MAX];
};

/* Argument of RS_OP_UP, in the caller's memory. The tool has read binary and configuration; RS needs no file system. */
struct rs_call {
	char label[LABEL_LEN], name[PROC_NAME_LEN];
	uint64_t image, image_len;	/* the ELF file, in the caller's memory */
	uint64_t args, args_len;	/* NUL-separated arguments */
	uint64_t send_names, send_names_len;	/* NUL-separated labels and classes to send to; "ALL", "ALL_SYS", "USER", "SYSTEM" too */
	uint64_t control, control_len;	/* NUL-separated labels, classes or names of templates it may give RS_REQUESTs about */
	uint64_t classes, classes_len;	/* NUL-separated: under which names, besides its label, the lists of others mean it, too */
	uint64_t period_ns;		/* heartbeat; 0 = default 1 s; at least RS_PERIOD_MIN_NS */
	uint64_t vm_call_mask;
	int32_t majors[RS_NR_MAJORS];
	uint32_t flags, init_flags;	/* RS_UP_*, SEF_INIT_* */
	uint32_t uid, backoff_max_ms;	/* longest wait before a restart; 0 = default 5 s */
	uint32_t budget_failures;	/* more failures than this (at most RS_BUDGET_MAX - 1) ... */
	uint32_t quantum_us;		/* 0 = the default */
	uint64_t budget_ns;		/* ... in this time: RS_FAILED. 0, 0 = the default of RS: ten quick deaths in a row */
	uint64_t cpu_mask;		/* processors it may run on, 0 = all */
	uint64_t contig_max;		/* bytes of contiguous memory it may have from VM (VM_ALLOC_CONTIG) */
	struct priv_spec priv;
	struct rs_pci_acl pci;
	char script[64];		/* run by `service watch` when it has failed, instead of a restart by RS; empty: none */
	char config_where[64];		/* "file:line" of the stanza, for messages */
};
#define RS_PERIOD_MIN_NS 100000000ull
enum { RS_BUDGET_MAX = 64 };
enum {
	RS_UP_NOWAIT = 1, RS_UP_NO_RESTART = 2, RS_UP_NO_BACKOFF = 4,
	RS_UP_TEMPLATE = 8,	/* keep image and description, start nothing */
	RS_UP_KEEP_CORE = 16,	/* keep the memory of the last dead instance */
	RS_UP_NO_BUDGET = 64,	/* never give it up, however often it dies */
	RS_UP_BUS = 32,		/* may ask RS_PCI_ACL and RS_ADD_RESOURCES: the PCI server */
};

/* One thing that happened to a service. */
enum { RS_EVENT_TEXT = 128 };
enum rs_event_kind { RS_EVENT_STARTED, RS_EVENT_FAULT, RS_EVENT_RECOVERED, RS_EVENT_FAILED, RS_EVENT_REQUEST, RS_EVENT_DOWN,
	RS_EVENT_NOTE };
struct rs_event {
	uint64_t seq, when_ns;		/* seq: counts all events of all services from 1 on */
	uint32_t kind, fault;		/* enum rs_event_kind; of FAULT: enum rs_fault */
	uint32_t restarts, pad;
	char label[LABEL_LEN];
	char text[RS_EVENT_TEXT];
};
/* RS_OP_WATCH: the next event of any service, and the script that should be run for it (empty: none). */
struct rs_watch { struct rs_event event; char script[64]; };

/*
 * Operations and their arguments behind a0. "label" is a buffer of LABEL_LEN bytes. Results are >= 0 or a negative error.
 *
 *   UP        a1 rs_call, a2 its size             0 when the service has initialised (NOWAIT: has been started), ECHILD it died, ETIMEDOUT
 *                                                 it did not finish; n > 0: it refused, with error n of its own
 *   DOWN      a1 label, a2 LABEL_LEN, a3 flags    0 when it is gone. EPERM for core services
 *   RESTART   the same                            0 when its successor has initialised. Also revives a failed one
 *   REFRESH   the same                            as RESTART, but the service is asked to end (SIGTERM) before it is killed
 *   LIST      a1 rs_pub[], a2 bytes of room       number of services; as many as fit are stored
 *   STATUS    a1 rs_pub with its label set, a2 its size
 *   WHY       a1 label, a2 text, a3 room          bytes of text: what happened, what was done, what clients saw
 *   HISTORY   a1 label ("" = all), a2 rs_event[], a3 bytes of room   number of events still remembered; the newest that
 *                                                 fit are stored, oldest first
 *   WAIT      a1 label, a2 LABEL_LEN, a3 n        0 when it runs and was restarted at least n times; EIO when it has failed, ESRCH
 *   WATCH     a1 rs_watch, a2 its size, a3 seq    0 and the first event after seq, as soon as there is one. a4 1: the caller runs scripts,
 *                                                 and gets the name of each that is to be run, once
 *   CORE      a1 label, a2 buffer, a3 room, a4 at  bytes of an ELF core of the last dead instance; 0: end. ENODATA
 *   FI        a1 label, a2 LABEL_LEN, a3 SEF_FI_*, a4 seed (SEF_FI_TEXT)  0: it has been told to fail. EBUSY not running, EPERM RS itself
 *   SHUTDOWN  -                                   from now on dying services are no news
 * The others answer ENOSYS. A second operation on a service in the middle of one: EBUSY.
 */
#define RS_OP_NAMES(X) X(UP, "up") X(DOWN, "down") X(RESTART, "restart") X(REFRESH, "refresh") X(LIST, "list") \
	X(STATUS, "status") X(SHUTDOWN, "shutdown") X(WHY, "why") X(HISTORY, "history") X(WAIT, "wait") X(WATCH, "watch") X(CORE, "core")
enum { RS_IMAGE_MAX = 16 << 20, RS_ARGS_MAX = 4096, RS_NAMES_MAX = 4096 };

/* ---- messages of services ---- */

enum { RS_REQ_NOWAIT = 1 };
struct rs_request_req { uint32_t op, flags; char label[LABEL_LEN]; };	/* op: RS_OP_RESTART, REFRESH, DOWN; answer: w[0] = result */
MSG_BODY_FITS(struct rs_request_req);

struct rs_pci_acl_req { endpoint_t ep; grant_t grant; };	/* grant: sizeof(struct rs_pci_acl), WRITE */
enum rs_resource { RS_RESOURCE_IO, RS_RESOURCE_MEM, RS_RESOURCE_IRQ };
struct rs_add_resources_req { endpoint_t ep; uint32_t kind; uint64_t first, last; };	/* inclusive; IRQ: first */

struct rs_fs_start_req { uint32_t id, pad; char type[LABEL_LEN]; };	/* type: label of the template, as mount -t says */
/* result ENODEV: no such template */
struct rs_fs_started { uint32_t id; int32_t result; endpoint_t ep; uint32_t pad; char label[LABEL_LEN]; };
MSG_BODY_FITS(struct rs_fs_started);
struct rs_fs_stop_req { char label[LABEL_LEN]; };
/* All numbers: since the last report. VFS may leave the label empty and name the endpoint. */
enum rs_broken { RS_BROKEN_TYPE, RS_BROKEN_ID, RS_BROKEN_LENGTH, RS_BROKEN_NODE, RS_BROKEN_RECORDS,
	RS_BROKEN_LOST /* at once reason enough to replace it */ };
#define RS_BROKEN_NAMES { "a message that is no answer", "an answer to what it was not asked", "more data than asked for", \
	"attributes of another file", "a directory that cannot be read", "nothing, to a request that it has forgotten" }
struct rs_report_req { uint32_t repeated, failed; char label[LABEL_LEN]; endpoint_t ep; uint32_t broken, how /* the last */; };
MSG_BODY_FITS(struct rs_report_req);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of RS. Theory of operation: rs.c. */
#pragma once
#include <abi/limits.h>
#include <errno.h>
#include <libelf/elf_load.h>
#include <libsef/sef.h>
#include <proto/pm.h>
#include <proto/rs.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RS_SLOTS = NR_SYS_PROCS };

#define RS_MS 1000000ull
#define RS_SECOND (1000 * RS_MS)

enum {
	RS_INIT_SECONDS = 10,		/* to initialise */
	RS_BOOT_SECONDS = 60,		/* for all of the boot image together: nothing is slower than a first start */
	RS_STOP_SECONDS = 5,		/* to end after SIGTERM */
	RS_SCRIPT_SECONDS = 10,		/* for a policy script to say what is to be done */
	RS_BACKOFF_FIRST_MS = 10, RS_BACKOFF_MAX_MS = 5000,
	RS_HEALTHY_MS = 500,		/* each such time lived halves the record of quick deaths */
	RS_QUICK_DEATHS_MAX = 10,	/* in a row: then it has failed */
	RS_BROKEN_MAX = 3,		/* answers that no service may give ... */
	RS_BROKEN_SECONDS = 10,		/* ... in this time: then it is killed */
};

/* What a service is started from, kept in memory for its restarts. Instances share their template's. */
struct rs_image {
	uint32_t refs;
	uint8_t *bytes;		/* page-aligned */
	uint64_t len, room;
	struct elf_image elf;
	char *args;		/* NUL-separated, argv[0] first */
	uint64_t args_len;
	char *send_names;	/* NUL-separated labels and classes; 0: the mask in the privileges is fixed */
	uint64_t send_names_len;
	char *control;		/* NUL-separated labels and classes */
	uint64_t control_len;
	char *classes;		/* NUL-separated: to which it belongs, so that the lists of others mean it */
	uint64_t classes_len;
};

/* Why RS itself has killed an instance. */
enum rs_verdict { RS_VERDICT_NONE, RS_VERDICT_HUNG, RS_VERDICT_INIT_SLOW, RS_VERDICT_BROKEN };

/* One logical service; the public half is rs.table[] at the same index. */
struct rs_slot {
	struct rs_pub *pub;
	struct rs_image *image;		/* 0: core boot service, of which no image is kept */
	struct priv_spec priv;
	struct rs_pci_acl pci;
	uint32_t priv_id;		/* of pub->endpoint */
	endpoint_t boot;		/* of a boot service: others know it by this alone. Else EP_NONE */
	uint32_t up_flags, init_flags;
	enum sef_init_type init_type;	/* of the initialisation in progress */
	bool published;			/* DS and VFS know it */
	bool failure_told;		/* DS has drv.failed.LABEL */
	bool ever_ran;			/* has initialised once: its failures are recovered, not reported to who started it */
	bool fresh_only;		/* it said that it cannot continue a predecessor's work: successors get new endpoints */
	endpoint_t old;			/* dead predecessor, frozen until its successor is accepted, or EP_NONE */
	grant_t old_grant;		/* its memory, for the successor to read until then, or GRANT_INVALID */
	endpoint_t core;		/* a dead instance kept for RS_OP_CORE, or EP_NONE */

	enum rs_op op;			/* STOPPING: what comes then */
	endpoint_t waiter;		/* who waits for the end of an operation, or EP_NONE */
	uint32_t waiter_type;
	uint32_t fs_request;		/* id of VFS's RS_FS_START that waits for its first initialisation, or 0 */

	nstime_t deadline;		/* of the state: STARTING, STOPPING, BACKOFF; 0 = none */
	nstime_t ping_due, ping_sent;	/* ping_sent 0: no answer outstanding */
	bool suspected;			/* has not answered in time; the verdict comes next */
	enum rs_verdict verdict;
	uint32_t broken;		/* wrong answers since then, as VFS reports */
	nstime_t broken_since;

	nstime_t died;			/* when the recovery in progress began, 0 = none */
	uint32_t quick_deaths, backoff_max_ms;
	uint32_t budget_failures;	/* 0: none */
	uint64_t budget_ns, cpu_mask;
	uint32_t quantum_us;
	uint64_t contig_max;		/* bytes of contiguous memory it may have */
	uint32_t nr_failures;		/* ever; the times of the last RS_BUDGET_MAX follow */
	nstime_t failures[RS_BUDGET_MAX];
	char script[64], config_where[64];
	bool script_waits;		/* BACKOFF: for its script */
	uint64_t script_seq;		/* number of the event for which the script is to be run, until somebody takes it; 0: none */
	char why_failed[RS_EVENT_TEXT];	/* the reason, when it is FAILED */
};

struct rs {
	struct rs_pub table[RS_SLOTS];	/* read by services through proctab_grant */
	struct rs_slot slots[RS_SLOTS];
	uint32_t nr_slots;		/* slots below this were used at least once */
	grant_t proctab_grant;
	uint32_t boot_left;		/* boot services that have not initialised yet */
	uint32_t instances;		/* made from templates so far */
	nstime_t alarm;			/* that is set, 0 = none */
	bool shutdown;
};
extern struct rs rs;	/* the one state of RS, in rs.c */

#define RS_EACH_SLOT(s) (struct rs_slot *s = rs.slots; s < rs.slots + rs.nr_slots; s++)

/* rs_slot.c */
struct rs_slot *rs_slot_alloc(const char *label, const char *name);	/* 0: table full */
void rs_slot_free(struct rs_slot *s);
struct rs_slot *rs_slot_of_label(const char *label);
struct rs_slot *rs_slot_of_endpoint(endpoint_t ep);	/* running or starting instance */
struct rs_slot *rs_slot_of_major(int32_t major);
void rs_state_set(struct rs_slot *s, enum rs_state state);
const char *rs_state_name(uint32_t state);
bool rs_label_is_valid(const char label[LABEL_LEN]);
void rs_answer_waiter(struct rs_slot *s, int64_t result);

/* rs_image.c, rs_boot_image.c */
struct rs_image *rs_image_get(struct rs_image *image);
void rs_image_put(struct rs_image *image);
uint8_t *rs_image_alloc(struct rs_image *image, uint64_t len);	/* sets bytes and len; 0: no memory */
err_t rs_image_parse(struct rs_image *image);
bool rs_image_belongs(const struct rs_image *image, const char *class);	/* image may be 0 */
void rs_boot_images_load(void);

/* rs_boot.c, rs_boot_table.c */
enum { RS_BOOT_IO = 4, RS_BOOT_IRQS = 2 };
struct rs_boot_entry {
	endpoint_t ep;
	const char *name;
	uint32_t flags;			/* RS_PUB_* */
	uint32_t priv_flags, priority;
	uint64_t period_ns;
	uint64_t calls;			/* besides the basic ones */
	uint64_t vm_calls;
	uint64_t sends;			/* bit = privilege id = slot of the target; bit 0 = users */
	uint32_t nr_io, nr_irq;
	struct priv_io_range io[RS_BOOT_IO];
	uint8_t irq[RS_BOOT_IRQS];
	int32_t majors[RS_NR_MAJORS];
};
extern const struct rs_boot_entry rs_boot_table[];
extern const uint32_t rs_boot_count;
err_t rs_boot_start(void);
void rs_boot_run(struct rs_slot *s);	/* let it go */
void rs_boot_initialised(struct rs_slot *s);

/* rs_priv.c */
uint64_t rs_basic_calls(void);
void rs_priv_complete(struct priv_spec *priv);		/* what every service gets, whatever its description says */
void rs_priv_prepare(struct rs_slot *s);		/* send mask from the names */
void rs_priv_refresh_others(const struct rs_slot *s);	/* masks that name s */
err_t rs_priv_set(endpoint_t ep, const struct priv_spec *spec, enum privctl_op op, uint32_t *id);
void rs_vm_priv_set(endpoint_t ep, const struct rs_slot *s);	/* of s, to VM */

/* rs_place.c: when and where it runs */
err_t rs_place_check(const struct rs_call *call);	/* -EBADCPU, -EINVAL: impossible here, said in the log */

/* rs_process.c, rs_stack.c */
/* wanted: EP_NONE, or that of a boot service that is gone. */
err_t rs_process_create(struct rs_slot *s, endpoint_t wanted, endpoint_t *out, uint32_t *priv_id);
err_t rs_process_run(const struct rs_slot *s);
err_t rs_process_exchange(endpoint_t dead, endpoint_t successor);	/* they exchange identities */
void rs_process_destroy(endpoint_t ep);
err_t rs_vm_ask(struct message *m);	/* a request to VM that is answered by a plain result */
/* The initial stack (abi/image.h) as it lies below `top`, in buf, of which *used bytes at the end are filled. -E2BIG. */
err_t rs_stack_build(const struct rs_image *image, vaddr_t top, uint8_t *buf, size_t size, size_t *used);

/* rs_life.c: the state machine */
err_t rs_start(struct rs_slot *s);	/* a first instance, or a fresh one with a new endpoint */
void rs_init_send(struct rs_slot *s, enum sef_init_type type);
void rs_old_revoke(struct rs_slot *s);
void rs_init_done(struct rs_slot *s, err_t result);
void rs_stop(struct rs_slot *s, enum rs_op op, bool gently);
void rs_retire(struct rs_slot *s);	/* gone for good: names, processes, slot */
void rs_died(struct rs_slot *s, enum rs_fault fault, const char *words);
void rs_instances_remove(struct rs_slot *s);
void rs_instance_remove(endpoint_t *ep);

/* rs_signal.c: what happened to an instance */
err_t rs_signalled(endpoint_t target, int signo, const struct ksig_info *info);
void rs_signal_pass_on(endpoint_t target, int signo);

/* rs_recover.c */
bool rs_script_decides(struct rs_slot *s);	/* true: about what its newest event tells; it waits for that */
void rs_recover(struct rs_slot *s);	/* it has no working instance: start one now, later, or not at all */
void rs_revive(struct rs_slot *s);	/* start one now */
void rs_failure_note(struct rs_slot *s, enum rs_fault fault);
void rs_recovered(struct rs_slot *s);

/* rs_history.c */
void rs_event(struct rs_slot *s, enum rs_event_kind kind, const char *format, ...) LOG_FORMAT(3);	/* remember and log */
uint32_t rs_history_fetch(const struct rs_slot *s, struct rs_event *out, uint32_t room);	/* s 0: all; number there are */
const struct rs_event *rs_history_after(uint64_t seq);
uint64_t rs_history_newest(void);	/* its number */
size_t rs_why(const struct rs_slot *s, char *text, size_t room);

/* rs_wait.c: who waits for something other than the end of its own operation */
err_t rs_wait_add(endpoint_t ep, uint32_t type, const char *label, uint32_t restarts);
err_t rs_watch_add(endpoint_t ep, uint32_t type, uint64_t address, uint64_t seq, bool runs_scripts);
bool rs_watched(void);			/* somebody runs policy scripts */
void rs_wait_check(void);		/* before each receive */
void rs_wait_cancel(endpoint_t ep, bool answer);

/* rs_core.c */
int64_t rs_core_read(struct rs_slot *s, endpoint_t to, vaddr_t buffer, uint64_t room, uint64_t offset);

/* rs_time.c */
void rs_time_check(nstime_t due);
void rs_time_arm(void);
void rs_pong(endpoint_t source);
void rs_ping_reset(struct rs_slot *s);

/* rs_tell.c: asynchronous news for other servers */
void rs_tell_up(struct rs_slot *s);
void rs_tell_down(struct rs_slot *s, bool majors);	/* majors: nobody will serve them any more */
void rs_tell_failed(struct rs_slot *s, bool failed);
void rs_tell_process(const struct rs_pub *pub, endpoint_t ep, bool started);
void rs_ds_answered(const struct message *m);

/* rs_request.c, rs_up.c: root; rs_service.c: services; rs_template.c */
struct rs_args { endpoint_t from; uint32_t type; uint64_t a[6]; };
enum { RS_LATER = 1 << 30 };	/* result of a handler: answered by rs_answer_waiter() */
void rs_request(const struct message *m, uint32_t status);
int64_t rq_up(const struct rs_args *a);
err_t rs_operation_begin(struct rs_slot *s, enum rs_op op, const char *who);	/* who: in words */
void rs_cancel(endpoint_t ep, bool answer);
int64_t rs_wait_for(struct rs_slot *s, const struct rs_args *a);
bool rs_on_service_message(const struct message *m, uint32_t status);
void rs_template_start(const struct message *m);
void rs_template_stop(const struct message *m);
void rs_template_answer(struct rs_slot *s, err_t result);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block driver that lies on purpose. It serves one disk, which lies on a minor of another driver, and hands all requests on, except for
 * those that a rule picks: rules.h says which faults there are.
 *
 *   client --libdriver--> rules --libbdev--> target
 *
 * Data stands in memory of its own between the two, so that it can be changed, whoever has access to the client's.
 *
 * If this process dies here (rules may want it): the target keeps the data, counters of rules start anew.
 */
#include "rules.h"
#include <errno.h>
#include <libbdev/bdev.h>
#include <libdriver/bdev.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN = 0xa5, SPOILT_BYTES = 16 };
#define NS_PER_MS 1000000ull

/* A request on its way. */
struct passage {
	struct passage *next;
	struct bdev_request *r;
	const struct rule *rule;	/* 0: nothing happens to it */
	struct bdev_io io;
	uint8_t *data;
	int64_t result;
	nstime_t due;			/* delayed: answer not before */
};

static struct faulty {
	struct rules rules;
	const char *target;
	uint32_t minor;
	bool quiet;
	struct bdev *dev;
	err_t opened;			/* 1: not yet */
	struct passage *delayed, *openers;	/* openers wait for the target */
	struct passage *active;		/* at the target */
	struct passage *held;		/* they touch bytes that a misdirected request in progress touches */
	nstime_t bdev_deadline;		/* libbdev's */
} faulty = { .opened = 1, .rules = { .random = 1 } };

/* ---- time: one alarm for libbdev and for delayed answers ---- */

static void alarm_update(void)
{
	nstime_t first = faulty.bdev_deadline;

	for (const struct passage *p = faulty.delayed; p; p = p->next)
		if (!first || p->due < first)
			first = p->due;
	if (first)
		sys_setalarm(first, 0);
}

static void bdev_wants_alarm(nstime_t deadline)
{
	faulty.bdev_deadline = deadline;
	alarm_update();
}

/* ---- answers ---- */

static void passage_free(struct passage *p)
{
	free(p->data);
	free(p->r);
	free(p);
}

/* Under an id that nobody asked for: a bit of the serial number is turned. */
static void answer_wrong_id(struct bdev_request *r, int64_t result)
{
	r->id ^= 1ull << 20;
	bdev_reply(r, result);
}

static void passage_answer(struct passage *p)
{
	enum rule_action action = p->rule ? p->rule->action : RULE_NONE;

	if (action == RULE_WRONGID)
		answer_wrong_id(p->r, p->result);
	else if (action == RULE_TOOLONG && p->result >= 0)
		bdev_reply(p->r, p->result + 512);
	else if (action != RULE_NOANSWER)
		bdev_reply(p->r, p->result);
	passage_free(p);
}

static void passage_delay(struct passage *p)
{
	p->due = sys_uptime() + p->rule->delay_ms * NS_PER_MS;
	p->next = faulty.delayed;
	faulty.delayed = p;
	alarm_update();
}

static void delayed_answer(nstime_t now)
{
	struct passage **at = &faulty.delayed;

	while (*at) {
		struct passage *p = *at;
		if (p->due > now) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		passage_answer(p);
	}
}

static void spoil(struct passage *p, uint64_t len)
{
	uint64_t at = rules_random(&faulty.rules) % (len - SPOILT_BYTES + 1);

	if (p->rule->action == RULE_ZERODATA)
		memset(p->data, 0, len);
	else
		for (int i = 0; i < SPOILT_BYTES; i++)
			p->data[at + (uint64_t)i] ^= PATTERN;
}

static bool rule_spoils(const struct rule *r) { return r && (r->action == RULE_WRONGDATA || r->action == RULE_ZERODATA); }

/* ---- to the target ---- */

/* Clients keep apart what touches the same bytes; a request that goes elsewhere needs us to do so. */
static bool passage_must_wait(const struct passage *p)
{
	for (const struct passage *a = faulty.active; a; a = a->next)
		if (a->io.pos < p->io.pos + p->io.len && p->io.pos < a->io.pos + a->io.len &&
			(a->io.op != BDEV_READ || p->io.op != BDEV_READ))
			return true;
	return false;
}

static void passage_submit(struct passage *p)
{
	struct passage **to = passage_must_wait(p) ? &faulty.held : &faulty.active;

	p->next = *to;
	*to = p;
	if (to == &faulty.active)
		bdev_submit(&p->io);
}

static void passage_leave(struct passage *p)
{
	struct passage **at = &faulty.active, *held = faulty.held;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	faulty.held = 0;
	while (held) {
		struct passage *next = held->next;
		passage_submit(held);
		held = next;
	}
}

/* The target has answered. */
static void passage_done(struct bdev_io *io, int64_t result)
{
	struct passage *p = io->owner;
	uint64_t n = result > 0 ? (uint64_t)result : 0;

	passage_leave(p);
	p->result = result;
	if (io->op == BDEV_READ && n) {
		if (rule_spoils(p->rule))
			spoil(p, n);
		err_t e = bdev_copyout(p->r, 0, p->data, n);
		if (e)
			p->result = e;
	}
	if (p->rule && p->rule->action == RULE_DELAY)
		passage_delay(p);
	else
		passage_answer(p);
}

/* ---- requests ---- */

static void die(const struct rule *rule)
{
	volatile uintptr_t nowhere = 8;

	if (rule->action == RULE_CRASH)
		*(volatile int *)nowhere = 0;
	else if (rule->action == RULE_EXIT)
		sef_exit(3);
	else
		for (;;)
			__asm__ volatile ("pause");
}

static bool rule_kills(const struct rule *r)
{
	return r && (r->action == RULE_CRASH || r->action == RULE_EXIT || r->action == RULE_HANG);
}

static const struct rule *pick(enum rule_op op, const struct bdev_request *r)
{
	const struct rule *rule = rules_pick(&faulty.rules, op, r->pos, r->len);

	if (rule && !faulty.quiet)
		log_info("%s: request %#x at %lu, %lu bytes", rule_action_name(rule->action), r->type, r->pos, r->len);
	if (rule_kills(rule)) {
		sef_flush();
		die(rule);
	}
	return rule;
}

static struct passage *passage_make(const struct bdev_request *r, const struct rule *rule)
{
	struct passage *p = calloc(1, sizeof(*p));

	if (!p)
		return 0;
	p->rule = rule;
	p->r = bdev_request_keep(r);
	p->data = r->len && r->type != BDEV_DISCARD ? malloc(r->len) : 0;
	if (p->r && (p->data || !r->len || r->type == BDEV_DISCARD))
		return p;
	passage_free(p);
	return 0;
}

/* Another place of the same length, a multiple of the length away. */
static uint64_t misdirected(uint64_t pos, uint64_t len)
{
	uint64_t places = bdev_size(faulty.dev) / len;

	return places < 2 ? pos : (pos / len + 1 + rules_random(&faulty.rules) % (places - 1)) % places * len;
}

static int64_t passage_start(struct passage *p)
{
	enum rule_action action = p->rule ? p->rule->action : RULE_NONE;
	struct bdev_request *r = p->r;

	p->io = (struct bdev_io){ .dev = faulty.dev, .op = r->type, .pos = r->pos, .len = r->len, .data = p->data, .done = passage_done,
		.owner = p };
	if (r->type == BDEV_WRITE)
		p->io.flags = r->flags & BDEV_FUA;
	if (action == RULE_SHORT && r->len > 512)
		p->io.len = r->len / 2 / 512 * 512;
	if (action == RULE_MISDIRECT && r->len)
		p->io.pos = misdirected(r->pos, r->len);
	passage_submit(p);
	return BDEV_LATER;
}

static int64_t pass(const struct bdev_request *r, enum rule_op op)
{
	const struct rule *rule = pick(op, r);
	struct passage *p;
	err_t e = 0;

	if (rule && rule->action == RULE_STATUS)
		return rule->status;
	if (rule && rule->action == RULE_LOST && op == RULE_WRITE)
		return (int64_t)r->len;
	p = passage_make(r, rule);
	if (!p)
		return -ENOMEM;
	if (op == RULE_WRITE)
		e = bdev_copyin(r, 0, p->data, r->len);
	if (!e && op == RULE_WRITE && rule_spoils(rule))
		spoil(p, r->len);
	if (!e)
		return passage_start(p);
	passage_free(p);
	return e;
}

static int64_t faulty_read(const struct bdev_request *r) { return pass(r, RULE_READ); }
static int64_t faulty_write(const struct bdev_request *r) { return pass(r, RULE_WRITE); }
static int64_t faulty_flush(const struct bdev_request *r) { return pass(r, RULE_FLUSH); }
static int64_t faulty_discard(const struct bdev_request *r) { return pass(r, RULE_DISCARD); }

/* ---- the target ---- */

static int64_t faulty_open(const struct bdev_request *r)
{
	const struct rule *rule = pick(RULE_OPEN, r);
	struct passage *p;

	if (rule && rule->action == RULE_STATUS)
		return rule->status;
	if (faulty.opened <= 0)
		return faulty.opened;
	p = passage_make(r, 0);
	if (!p)
		return -ENOMEM;
	p->next = faulty.openers;
	faulty.openers = p;
	return BDEV_LATER;
}

static void target_opened(struct bdev *dev, err_t result)
{
	struct passage *p;

	faulty.opened = result;
	if (result)
		log_warn("%s minor %u cannot be opened: %s", bdev_label(dev), bdev_minor(dev), err_text(result));
	while ((p = faulty.openers)) {
		faulty.openers = p->next;
		p->result = result;
		passage_answer(p);
	}
}

static err_t faulty_disk(uint32_t disk, struct bdev_disk *out)
{
	*out = (struct bdev_disk){ .size = bdev_size(faulty.dev), .block_size = (uint32_t)bdev_block_size(faulty.dev) };
	if (!out->block_size)
		out->block_size = 512;
	return disk == 0 && faulty.opened <= 0 ? faulty.opened : -ENXIO;
}

static err_t faulty_init(const struct sef_init_info *info)
{
	static const struct bdev_hooks hooks = { .set_alarm = bdev_wants_alarm };
	static const struct bdev_options options = { .opened = target_opened };
	err_t e = bdev_startup(&hooks);

	(void)info;
	return e ? e : bdev_open(faulty.target, faulty.minor, BDEV_ACCESS_READ | BDEV_ACCESS_WRITE, &options, &faulty.dev);
}

/* ---- events ---- */

static void faulty_alarm(nstime_t now)
{
	faulty.bdev_deadline = 0;
	bdev_alarm(now);
	delayed_answer(now);
	alarm_update();
}

static void faulty_notify(endpoint_t source) { bdev_notify(source); }

static void faulty_message(const struct message *m, uint32_t status)
{
	if (!bdev_message(m, status) && (status & IPC_STATUS_CALL))
		sef_reply_result(m->source, m->type, -EBADREQUEST);
}

/* ---- start ---- */

static bool argument_target(char *text)
{
	char *minor = strchr(text, ':');
	uint64_t n = 0;

	if (minor)
		*minor++ = 0;
	if (minor && rules_number(minor, &n))
		return false;
	faulty.target = text;
	faulty.minor = (uint32_t)n;
	return *text != 0;
}

static bool argument(char *a)
{
	char error[RULE_ERROR_LEN];
	uint64_t n;

	if (strncmp(a, "target=", 7) == 0)
		return argument_target(a + 7);
	if (strcmp(a, "quiet") == 0)
		return faulty.quiet = true;
	if (strncmp(a, "seed=", 5) == 0 && rules_number(a + 5, &n) == 0) {
		faulty.rules.random = n;
		return true;
	}
	if (strncmp(a, "rule=", 5) != 0)
		return false;
	if (rules_add(&faulty.rules, a + 5, error) == 0)
		return true;
	log_warn("%s: %s", a, error);
	return false;
}

static const struct bdev_driver faulty_driver = {
	.sef = { .init_fresh = faulty_init, .signal_handler = sef_signal_term, .send_failed = bdev_send_failed },
	.disk = faulty_disk, .open = faulty_open, .read = faulty_read, .write = faulty_write, .flush = faulty_flush,
	.discard = faulty_discard, .on_alarm = faulty_alarm, .on_notify = faulty_notify, .on_message = faulty_message,
};

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!argument(argv[i]))
			fail_stop("argument '%s' is none of target=LABEL[:MINOR], rule=..., seed=N, quiet", argv[i]);
	if (!faulty.target)
		fail_stop("no target=LABEL[:MINOR]");
	bdev_task(&faulty_driver);
}

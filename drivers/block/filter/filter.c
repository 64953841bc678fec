/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter's messages: between clients (libdriver) and disks (libbdev), with the engine (engine.h) in the middle. See README.md.
 *
 *   client --BDEV--> libdriver --fiber--> engine --operations--> libbdev --BDEV--> drivers of the disks
 *
 * Every request runs on the fiber that received it; when it has to wait, another fiber goes on with the main loop. So a disk that
 * hangs holds up nothing but the requests that need it.
 *
 * If this process dies here: requests that were not answered are repeated by the clients' libbdev; the disks say `dirty` and are
 * compared by the successor.
 */
#include "engine.h"
#include <errno.h>
#include <libbdev/bdev.h>
#include <libdriver/bdev.h>
#include <libfiber/fiber.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
enum { OPEN_SLACK_MS = 1000, STACK_BYTES = 64 * 1024, BLOCK_BYTES = 512, MINOR_DIGITS_MAX = 10 };

struct disk { char *label; uint32_t minor; struct bdev *dev; };

/* An operation on its way through libbdev. */
struct passage { struct bdev_io io; struct leg_op *op; };

static struct filter {
	struct engine_config config;
	uint32_t timeout_ms;
	struct disk disks[LEGS];
	struct opener { struct opener *next; struct bdev_request *r; nstime_t deadline; } *openers;	/* wait until the engine is ready */
	nstime_t alarm;		/* armed; 0 = off */
	bool stopping;
} filter = {
	.config = { .n = 8, .kind = SUM_CRC, .ordered = true, .fresh = true, .retries = 3, .restarts = 3, .patience_ms = 500,
		.start_ms = 2000 },
	.timeout_ms = 1500,	/* a disk is dropped before clients lose patience with us, which is after 5 s */
};

/* ---- time: one alarm for libbdev and the engine ---- */

static void alarm_want(nstime_t deadline)
{
	if (filter.alarm && filter.alarm <= deadline)
		return;
	filter.alarm = deadline;
	sys_setalarm(deadline, 0);
}

static void openers_check(nstime_t now);

static void filter_alarm(nstime_t now)
{
	filter.alarm = 0;
	bdev_alarm(now);
	engine_alarm(now);
	openers_check(now);
}

/* ---- disks ---- */

static void passage_done(struct bdev_io *io, int64_t result)
{
	struct passage *p = (struct passage *)io;
	struct leg_op *op = p->op;

	free(p);
	engine_op_done(op, result);
}

static void disk_submit(struct leg_op *op)
{
	static const uint32_t kinds[] = { [LEG_READ] = BDEV_READ, [LEG_WRITE] = BDEV_WRITE, [LEG_FLUSH] = BDEV_FLUSH };
	struct passage *p = calloc(1, sizeof(*p));

	if (!p)
		fail_stop("no memory for an operation");
	p->op = op;
	p->io = (struct bdev_io){ .dev = filter.disks[op->leg].dev, .op = kinds[op->kind], .flags = op->fua ? BDEV_FUA : 0, .pos = op->pos,
		.len = op->len, .data = op->buf ? op->buf->bytes : 0, .done = passage_done };
	bdev_submit(&p->io);
}

static void disk_accuse(int leg, const char *why) { bdev_accuse(filter.disks[leg].dev, why); }

static int disk_leg(const struct bdev *dev) { return (int)(intptr_t)bdev_owner(dev); }

static void disk_opened(struct bdev *dev, err_t result)
{
	if (result == 0)
		engine_leg_up(disk_leg(dev), bdev_size(dev));
	else
		log_warn("disk %d, %s minor %u: %s", disk_leg(dev), bdev_label(dev), bdev_minor(dev), err_text(result));
}

static void disk_event(struct bdev *dev, int event)
{
	switch ((enum bdev_event)event) {
	case BDEV_EVENT_DOWN: engine_leg_down(disk_leg(dev)); break;
	case BDEV_EVENT_UP: engine_leg_up(disk_leg(dev), bdev_size(dev)); break;
	case BDEV_EVENT_RESIZED: break;	/* what lay beyond a new end is found missing when it is asked for */
	case BDEV_EVENT_GONE: engine_leg_failed(disk_leg(dev), "its driver was taken down"); break;
	case BDEV_EVENT_FAILED:
	case BDEV_EVENT_CHANGED: engine_leg_failed(disk_leg(dev), "its driver has failed"); break;
	}
}

static err_t disk_open(int leg)
{
	struct disk *d = &filter.disks[leg];
	struct bdev_options options = { .timeout_ms = filter.timeout_ms, .strikes = filter.config.restarts + 1, .opened = disk_opened,
		.event = disk_event, .owner = (void *)(intptr_t)leg };

	return bdev_open(d->label, d->minor, BDEV_ACCESS_READ | BDEV_ACCESS_WRITE, &options, &d->dev);
}

/* ---- clients ---- */

static err_t filter_disk(uint32_t disk, struct bdev_disk *out)
{
	*out = (struct bdev_disk){ .size = engine_size(), .block_size = BLOCK_BYTES };
	return disk == 0 && engine_is_ready() ? 0 : -ENXIO;
}

static int64_t filter_open(const struct bdev_request *r)
{
	struct opener *o;

	if (r->disk != 0)
		return -ENXIO;
	if (engine_is_ready() || engine_error())
		return engine_error();
	o = calloc(1, sizeof(*o));
	if (o)
		o->r = bdev_request_keep(r);
	if (!o || !o->r) {
		free(o);
		return -ENOMEM;
	}
	o->deadline = sys_uptime() + (filter.config.start_ms + OPEN_SLACK_MS) * MS;
	alarm_want(o->deadline);
	o->next = filter.openers;
	filter.openers = o;
	return BDEV_LATER;
}

static void opener_end(struct opener *o, int64_t result)
{
	bdev_reply(o->r, result);
	free(o->r);
	free(o);
}

static void engine_says_ready(void)
{
	struct opener *o;

	while ((o = filter.openers)) {
		filter.openers = o->next;
		opener_end(o, engine_error());
	}
}

/* Disks are missing, or formatting takes its time: better an error than a client that thinks we hang. */
static void openers_check(nstime_t now)
{
	struct opener **at = &filter.openers;

	while (*at) {
		struct opener *o = *at;
		if (o->deadline > now) {
			alarm_want(o->deadline);
			at = &o->next;
			continue;
		}
		*at = o->next;
		opener_end(o, -ENXIO);
	}
}

static int64_t transfer(const struct bdev_request *r)
{
	uint8_t *data = malloc(r->len);
	err_t e = data ? 0 : -ENOMEM;

	if (e == 0 && r->type == BDEV_WRITE)
		e = bdev_copyin(r, 0, data, r->len);
	if (e == 0)
		e = r->type == BDEV_WRITE ? engine_write(r->pos, data, r->len, r->flags & BDEV_FUA) : engine_read(r->pos, data, r->len);
	if (e == 0 && r->type == BDEV_READ)
		e = bdev_copyout(r, 0, data, r->len);
	free(data);
	return e ? e : (int64_t)r->len;
}

/* The library's request does not outlive a wait. */
static int64_t run(const struct bdev_request *request, int64_t (*what)(const struct bdev_request *))
{
	struct bdev_request *r = fiber_reserve() ? bdev_request_keep(request) : 0;

	if (!r)
		return -ENOMEM;
	bdev_reply(r, what(r));
	free(r);
	return BDEV_LATER;
}

static int64_t flush(const struct bdev_request *r) { (void)r; return engine_flush(); }
static int64_t filter_transfer(const struct bdev_request *r) { return run(r, transfer); }
static int64_t filter_flush(const struct bdev_request *r) { return run(r, flush); }

/* ---- life ---- */

static const struct engine_world world = { .now = sys_uptime, .submit = disk_submit, .accuse = disk_accuse, .set_alarm = alarm_want,
	.ready = engine_says_ready };

static err_t filter_start(bool again)
{
	static const struct bdev_hooks hooks = { .set_alarm = alarm_want };
	err_t e = bdev_startup(&hooks);

	filter.config.new_id = sys_uptime() * 0x9e3779b97f4a7c15ull + (uint64_t)(uint32_t)sef_self();
	filter.config.drop_ms = filter.timeout_ms * 2 + 1000;
	if (again)
		filter.config.format = filter.config.fresh = false;	/* there are contents */
	engine_init(&filter.config, &world);
	for (uint32_t i = 0; i < filter.config.legs && e == 0; i++)
		e = disk_open((int)i);
	return e;
}

static err_t filter_init(const struct sef_init_info *info) { return filter_start(info->restarts != 0); }
static err_t filter_init_restart(const struct sef_init_info *info) { (void)info; return filter_start(true); }

static void filter_signal(int signo)
{
	if (signo == SIGTERM)
		filter.stopping = true;
}

static void filter_notify(endpoint_t source) { bdev_notify(source); }

static void filter_message(const struct message *m, uint32_t status)
{
	if (!bdev_message(m, status) && (status & IPC_STATUS_CALL))
		sef_reply_result(m->source, m->type, -EBADREQUEST);
}

static const struct bdev_driver filter_driver = {
	.sef = { .init_fresh = filter_init, .init_restart = filter_init_restart, .signal_handler = filter_signal,
		.send_failed = bdev_send_failed },
	.disk = filter_disk, .open = filter_open, .read = filter_transfer, .write = filter_transfer, .flush = filter_flush,
	.on_alarm = filter_alarm, .on_notify = filter_notify, .on_message = filter_message,
};

/* Each fiber runs this. Background work begins between messages, and goes on beside them. */
static void filter_loop(void)
{
	struct message m;
	uint32_t status;

	for (;;) {
		fiber_run_ready();
		if (filter.stopping && fiber_reserve()) {
			filter.stopping = false;
			engine_stop();
			sef_exit(0);
		}
		if (engine_has_work() && fiber_reserve()) {
			engine_work();
			continue;
		}
		if (driver_receive_mq(&m, &status) == 0)
			driver_dispatch(&m, status);
	}
}

/* ---- arguments ---- */

static const char usage[] = "disk=LABEL[:MINOR] (once or twice), sum=none|nil|xor|crc|md5, group=N, retries=N, restarts=N, timeout=MS, "
	"patience=MS, start=MS, unordered, format, adopt, degraded";

static bool argument_disk(char *text)
{
	struct disk *d = &filter.disks[filter.config.legs];
	char *colon = strchr(text, ':');

	if (filter.config.legs == LEGS || !*text)
		return false;
	if (colon)
		*colon++ = 0;
	if (colon && (strspn(colon, "0123456789") != strlen(colon) || !*colon || strlen(colon) >= MINOR_DIGITS_MAX))
		return false;
	d->label = text;
	d->minor = colon ? (uint32_t)atoi(colon) : 0;
	filter.config.legs++;
	return true;
}

static bool argument_number(const char *a)
{
	const struct { const char *name; uint32_t *value, least, most; } numbers[] = {
		{ "group=", &filter.config.n, 1, GROUP_SECTORS_MAX }, { "retries=", &filter.config.retries, 0, 100 },
		{ "restarts=", &filter.config.restarts, 0, 100 }, { "timeout=", &filter.timeout_ms, 10, 1000000 },
		{ "patience=", &filter.config.patience_ms, 1, 1000000 }, { "start=", &filter.config.start_ms, 1, 1000000 },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t n = strlen(numbers[i].name);
		char *end;
		if (strncmp(a, numbers[i].name, n) != 0)
			continue;
		unsigned long v = strtoul(a + n, &end, 10);
		*numbers[i].value = (uint32_t)v;
		return *end == 0 && end != a + n && v >= numbers[i].least && v <= numbers[i].most;
	}
	return false;
}

static bool argument(char *a)
{
	int kind;

	if (strncmp(a, "disk=", 5) == 0)
		return argument_disk(a + 5);
	if (strncmp(a, "sum=", 4) == 0) {
		kind = sum_kind_parse(a + 4);
		filter.config.kind = kind < 0 ? SUM_CRC : (enum sum_kind)kind;
		return kind >= 0;
	}
	if (strcmp(a, "unordered") == 0)
		return !(filter.config.ordered = false);
	if (strcmp(a, "format") == 0)
		return filter.config.format = true;
	if (strcmp(a, "adopt") == 0)
		return filter.config.adopt = true;
	if (strcmp(a, "degraded") == 0)
		return filter.config.degraded = true;
	return argument_number(a);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!argument(argv[i]))
			fail_stop("argument '%s' is wrong; there are %s", argv[i], usage);
	if (!filter.config.legs)
		fail_stop("no disk=LABEL[:MINOR]");
	driver_startup(bdev_setup(&filter_driver));
	fibers_run(STACK_BYTES, filter_loop);
	fail_stop("no memory for a stack");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"
#include <abi/endpoint.h>
#include <errno.h>
#include <libsys/grant.h>
#include <libsys/log.h>
#include <proto/ds.h>
#include <proto/rs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world world;

enum { GRANTS = 1024 };
static struct { endpoint_t to; uint8_t *p; size_t len; int flags; bool used; } grants[GRANTS];

static void impossible(const char *what)
{
	printf("FAIL world: %s\n", what);
	abort();
}

/* ---- what libbdev links against ---- */

void log_info(const char *format, ...) { (void)format; }
void log_warn(const char *format, ...) { (void)format; world.warnings++; }
void fail_stop(const char *format, ...) { impossible(format); abort(); }
const char *err_text(int error) { return strerror(-error); }

/* ---- grants ---- */

static grant_t world_grant(endpoint_t to, const void *p, size_t len, int flags)
{
	for (int i = 0; i < GRANTS; i++) {
		if (grants[i].used)
			continue;
		grants[i].to = to;
		grants[i].p = (uint8_t *)(uintptr_t)p;
		grants[i].len = len;
		grants[i].flags = flags;
		grants[i].used = true;
		world.nr_grants++;
		return i;
	}
	return GRANT_INVALID;
}

static err_t world_regrant(grant_t g, endpoint_t to, const void *p, size_t len, int flags)
{
	if (!grants[g].used || grants[g].p != p || grants[g].len != len || grants[g].flags != flags)
		impossible("a grant is given anew that is another");
	grants[g].to = to;
	return 0;
}

static void world_revoke(grant_t g)
{
	if (!grants[g].used)
		impossible("a grant is revoked twice");
	grants[g].used = false;
	world.nr_grants--;
}

static uint8_t *granted(grant_t g, uint64_t offset, uint64_t len, int flags)
{
	if (g < 0 || g >= GRANTS || !grants[g].used || grants[g].to != world.ep || (grants[g].flags & flags) != flags)
		return 0;
	return offset <= grants[g].len && len <= grants[g].len - offset ? grants[g].p + offset : 0;
}

/* ---- the driver ---- */

static int64_t move(const struct message *m, const struct bdev_req *req, uint64_t len, uint64_t pos, grant_t g, uint64_t offset)
{
	uint8_t *p = granted(g, offset, len, m->type == BDEV_WRITE ? GRANT_READ : GRANT_WRITE);

	(void)req;
	if (!p)
		return -EPERM;
	if (m->type == BDEV_WRITE)
		memcpy(world.disk + pos, p, len);
	else
		memcpy(p, world.disk + pos, len);
	return 0;
}

static int64_t transfer(const struct message *m, const struct bdev_req *req)
{
	uint64_t pos = req->pos;

	if (req->pos + req->len > world.disk_size)
		return req->pos >= world.disk_size ? 0 : -EINVAL;
	if (req->nsegs == 0)
		return move(m, req, req->len, pos, req->grant, req->offset) ?: (int64_t)req->len;
	const struct bdev_seg *s = (void *)granted(req->grant, req->offset, req->nsegs * sizeof(*s), GRANT_READ);
	for (uint32_t i = 0; s && i < req->nsegs; pos += s[i++].len) {
		int64_t r = move(m, req, s[i].len, pos, s[i].grant, s[i].offset);
		if (r)
			return r;
	}
	return s ? (int64_t)req->len : -EPERM;
}

int64_t world_execute(const struct message *m)
{
	const struct bdev_req *req = MSG_BODY(const struct bdev_req, m);

	if (req->minor >= WORLD_MINORS)
		return -ENXIO;
	if (m->type != BDEV_OPEN && !world.opens[req->minor])
		return -ERESTARTSYS;
	switch (m->type) {
	case BDEV_OPEN: world.opens[req->minor]++; return 0;
	case BDEV_CLOSE: world.opens[req->minor]--; return 0;
	case BDEV_READ: case BDEV_WRITE: return transfer(m, req);
	}
	return 0;
}

void world_answer_raw(endpoint_t from, uint64_t id, int64_t result, uint64_t value, uint64_t value2)
{
	struct message *a = &world.answers[world.nr_answers++];

	if (world.nr_answers == WORLD_QUEUE)
		impossible("queue full");
	*a = (struct message){ .source = from, .type = BDEV_REPLY };
	*MSG_BODY(struct bdev_rep, a) = (struct bdev_rep){ .id = id, .result = result, .value = value, .value2 = value2 };
}

void world_answer(const struct message *m, int64_t result)
{
	world_answer_raw(world.ep, MSG_BODY(const struct bdev_req, m)->id, result, m->type == BDEV_OPEN ? world.disk_size : 0, 512);
}

struct message world_take(uint32_t i)
{
	struct message m = world.inbox[i];

	memmove(&world.inbox[i], &world.inbox[i + 1], (--world.nr_inbox - i) * sizeof(m));
	return m;
}

void world_serve(void)
{
	while (world.alive && world.nr_inbox) {
		struct message m = world_take(0);
		world_answer(&m, world_execute(&m));
	}
}

void world_start(endpoint_t ep)
{
	if (ep != world.ep)
		world.nr_inbox = 0;
	world.ep = ep;
	world.instance++;
	memset(world.opens, 0, sizeof(world.opens));
	world.alive = true;
	world.failed = world.gone = false;
	world.key_up = true;
}

void world_die(bool lose_inbox)
{
	world.alive = false;
	if (lose_inbox)
		world.nr_inbox = 0;
}

void world_take_down(void)
{
	world_die(true);
	world.gone = world.gone_news = true;
}

void world_give_up(void)
{
	world_die(true);
	world.failed = world.key_failed = true;
}

/* ---- the client's side of the world ---- */

static nstime_t world_now(void) { return world.now; }
static void world_set_alarm(nstime_t deadline) { world.alarm = deadline; }
static bool world_is_gone(const char *label) { return strcmp(label, "disk") == 0 && (world.gone || world.failed); }
static bool world_has_failed(const char *label) { return strcmp(label, "disk") == 0 && world.failed; }

static bool overlap(const struct message *a, const struct message *b)
{
	const struct bdev_req *x = MSG_BODY(const struct bdev_req, a), *y = MSG_BODY(const struct bdev_req, b);

	if ((a->type != BDEV_WRITE && b->type != BDEV_WRITE) || (a->type != BDEV_READ && a->type != BDEV_WRITE) ||
		(b->type != BDEV_READ && b->type != BDEV_WRITE))
		return false;
	return x->id >> 32 == y->id >> 32 && x->pos < y->pos + y->len && y->pos < x->pos + x->len;
}

static void world_send(endpoint_t dst, const struct message *m)
{
	if (dst == EP_RS && m->type == RS_REPORT)
		return;
	if (dst == EP_RS) {
		world.rs_requests++;
		world.rs_open++;
		if (m->type != RS_REQUEST || strcmp(MSG_BODY(const struct rs_request_req, m)->label, "disk") != 0)
			impossible("RS is asked for something else");
		return;
	}
	if (dst != world.ep)
		return;		/* to a dead endpoint: lost */
	for (uint32_t i = 0; i < world.nr_inbox; i++)
		if (overlap(m, &world.inbox[i]))
			impossible("two requests on the same bytes");
	world.inbox[world.nr_inbox++] = *m;
	if (world.nr_inbox == WORLD_QUEUE)
		impossible("queue full");
}

static bool world_next_key(char *key, endpoint_t *owner)
{
	bool up = world.key_up;

	if (!up && !world.key_failed)
		return false;
	*(up ? &world.key_up : &world.key_failed) = false;
	strcpy(key, up ? "drv.blk.disk" : "drv.failed.disk");
	*owner = up ? world.ep : EP_RS;
	return true;
}

static const struct bdev_env env = { .now = world_now, .send = world_send, .set_alarm = world_set_alarm, .next_key = world_next_key,
	.has_failed = world_has_failed, .is_gone = world_is_gone, .grant = world_grant, .regrant = world_regrant, .revoke = world_revoke };

void world_init(void)
{
	memset(&world, 0, sizeof(world));
	memset(grants, 0, sizeof(grants));
	world.now = 1000000000;
	world.ep = 100;
	world.disk_size = WORLD_DISK;
	bdev_core_init(&env);
}

bool world_deliver_news(void)
{
	if (!world.key_up && !world.key_failed && !world.gone_news)
		return false;
	world.gone_news = false;
	bdev_core_keys();
	return true;
}

bool world_deliver_answer(void)
{
	struct message m = world.answers[0];

	if (!world.nr_answers)
		return false;
	memmove(&world.answers[0], &world.answers[1], --world.nr_answers * sizeof(m));
	if (!bdev_core_message(&m))
		impossible("an answer is nobody's");
	return true;
}

void world_deliver(void)
{
	while (world_deliver_news() || world_deliver_answer())
		;
}

void world_rs_answers(int64_t result)
{
	struct message m = { .source = EP_RS, .type = RS_REQUEST + 1, .w = { (uint64_t)result } };

	world.rs_open--;
	bdev_core_message(&m);
}

void world_pass(nstime_t ns)
{
	nstime_t until = world.now + ns;

	while (world.alarm && world.alarm <= until) {
		if (world.alarm > world.now)
			world.now = world.alarm;
		world.alarm = 0;
		bdev_alarm(world.now);
	}
	world.now = until;
}

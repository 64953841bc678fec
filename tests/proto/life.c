/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service that ends in a way its arguments say, for tests of RS: `life HOW MS TIMES` lives MS milliseconds, then crashes, exits,
 * hangs, overruns an array or fails a check; TIMES instances do so, the next one lives on. DS counts the instances, because that
 * outlives them. It also answers the requests of `asker`. HOW `sigterm` ends only on SIGTERM; `stay` never; `again` also refuses to
 * take over from a dead predecessor. `initcrash` and `refuse` crash once; their next TIMES instances crash, or refuse, in taking over.
 * `order LABEL` asks RS to restart another service, and to do what it may not. `flood LINES` writes so many lines to the log, then stays.
 *
 * A successor gives up those who wait for what its predecessor took, as a driver does that has no state.
 */
#include "instance.h"
#include <errno.h>
#include <libsef/ds.h>
#include <libsef/sef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct { const char *how; uint64_t ms, times, instance; } life;

static bool life_takes_over_badly(void)
{
	return strcmp(life.how, "initcrash") == 0 || strcmp(life.how, "refuse") == 0;
}

static bool life_fails_to_take_over(void)
{
	return life_takes_over_badly() && life.instance >= 2 && life.instance <= life.times + 1;
}

static err_t life_take_over(const struct sef_init_info *info)
{
	volatile int *volatile nowhere = 0;

	sys_statectl(STATECTL_CLEAR_IPC_REFS);
	if (info->old_endpoint == EP_NONE || sys_times(info->old_endpoint, 0, 0, 0) != 0)
		fail_stop("the predecessor is not there");
	if (strcmp(life.how, "initcrash") == 0 && life_fails_to_take_over())
		*nowhere = 1;
	return life_fails_to_take_over() ? -EIO : 0;
}

static err_t life_init(const struct sef_init_info *info)
{
	err_t r = instance_count("life", info->label, &life.instance);

	if (r != 0)
		return r;
	log_info("instance %llu, type %d, restarts %u", (unsigned long long)life.instance, info->type, info->restarts);
	if (life.instance <= life.times && (life.instance == 1 || !life_takes_over_badly()))
		sys_setalarm(sys_uptime() + life.ms * 1000000, 0);
	return info->type == SEF_INIT_RESTART ? life_take_over(info) : 0;
}

static void life_end(void)
{
	volatile int array[2] = { 0, 0 }, index = 5, *volatile nowhere = 0;

	log_info("ends: %s", life.how);
	if (strcmp(life.how, "crash") == 0 || life_takes_over_badly())
		*nowhere = 1;
	else if (strcmp(life.how, "exit") == 0)
		exit(3);
	else if (strcmp(life.how, "hang") == 0)
		for (;;)
			index = array[0];
	else if (strcmp(life.how, "overrun") == 0)
		array[index] = 1;
	else
		fail_stop("life: own invariant is broken");
}

/* MSG_TEST is answered with its number plus one; MSG_TEST + 2 is answered too, but the service crashes before the answer can leave. */
static void life_request(const struct message *m)
{
	struct message reply = { .type = m->type + 1, .w = { m->w[0] + 1 } };

	sef_reply(m->source, &reply);
	if (m->type == MSG_TEST + 2)
		life_end();
}

static int64_t life_order_of(uint32_t op, const char *label)
{
	struct message m = { .type = RS_REQUEST };
	struct rs_request_req *req = MSG_BODY(struct rs_request_req, &m);
	err_t r;

	req->op = op;
	snprintf(req->label, sizeof(req->label), "%s", label);
	r = sef_call(EP_RS, &m);
	return r ? r : (int64_t)m.w[0];
}

static void life_order(const char *label)
{
	log_info("restart %s: %d", label, (int)life_order_of(RS_OP_RESTART, label));
	log_info("restart pm: %d", (int)life_order_of(RS_OP_RESTART, "pm"));
	log_info("up %s: %d", label, (int)life_order_of(RS_OP_UP, label));
}

static void life_flood(unsigned long lines)
{
	for (unsigned long i = 1; i <= lines; i++)
		log_info("word %lu of many that nobody wants to read", i);
}

int main(int argc, char **argv)
{
	struct sef_callbacks callbacks = { .init_fresh = life_init, .init_restart = life_init, .signal_handler = sef_signal_term };
	struct message m;
	uint32_t status;

	life.how = argc > 1 ? argv[1] : "stay";
	life.ms = argc > 2 ? strtoul(argv[2], 0, 10) : 0;
	life.times = argc > 3 ? strtoul(argv[3], 0, 10) : 0;
	if (strcmp(life.how, "again") == 0)
		callbacks.init_restart = sef_init_reset;
	sef_startup(&callbacks);
	if (strcmp(life.how, "order") == 0)
		life_order(argv[2]);
	if (strcmp(life.how, "flood") == 0)
		life_flood(life.ms);
	for (;;) {
		if (sef_receive(EP_ANY, &m, &status) != 0)
			continue;
		if (m.source == EP_CLOCK)
			life_end();
		else if (m.type == MSG_TEST || m.type == MSG_TEST + 2)
			life_request(&m);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world of libbdev on the host: one driver with instances that share a disk, DS, RS, grants, a clock. A test is the order of events.
 * What must hold always is checked here: a driver uses only grants that are given to it, and never has two requests on the same bytes.
 */
#pragma once
#include "bdev_private.h"

enum { WORLD_DISK = 64 * 512, WORLD_MINORS = 4, WORLD_QUEUE = 4096 };

struct world {
	nstime_t now, alarm;
	uint8_t disk[WORLD_DISK];
	uint64_t disk_size;
	bool alive;
	endpoint_t ep;
	uint32_t instance, opens[WORLD_MINORS];		/* of this instance */
	struct message inbox[WORLD_QUEUE], answers[WORLD_QUEUE];
	uint32_t nr_inbox, nr_answers;
	bool key_up, key_failed, gone_news, failed, gone;	/* news for the client; what DS holds */
	uint32_t rs_requests, rs_open;		/* RS_REQUESTs in all; not answered yet */
	uint32_t nr_grants;			/* in force */
	uint32_t warnings;
};
extern struct world world;

void world_init(void);
void world_start(endpoint_t ep);	/* an instance comes up and is announced; what is in its inbox stays */
void world_die(bool lose_inbox);
void world_give_up(void);		/* RS does */
void world_take_down(void);		/* somebody does */

int64_t world_execute(const struct message *m);		/* what the driver does for a request: its result */
void world_answer(const struct message *m, int64_t result);
void world_answer_raw(endpoint_t from, uint64_t id, int64_t result, uint64_t value, uint64_t value2);
struct message world_take(uint32_t i);			/* out of the inbox */
void world_serve(void);					/* all of the inbox */

bool world_deliver_news(void);
bool world_deliver_answer(void);	/* the oldest */
void world_deliver(void);		/* everything there is */
void world_rs_answers(int64_t result);
void world_pass(nstime_t ns);		/* time passes, alarms fire */

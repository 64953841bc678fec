/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of faulty: which requests go wrong, and how. Pure: no messages, no clock, so the same requests always meet the same faults.
 *
 *	rule=OPS:ACTION[:CONDITION,CONDITION...]
 *
 * The README lists the words. Of several rules that fit a request the first one acts; the others count it all the same.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULES_MAX = 16, RULE_ERROR_LEN = 320 };

enum rule_op { RULE_READ = 1, RULE_WRITE = 2, RULE_FLUSH = 4, RULE_DISCARD = 8, RULE_OPEN = 16 };

#define RULE_ACTIONS(X) \
	X(WRONGDATA, "wrongdata")	/* some bytes are others; READ: in the answer, WRITE: on the disk */ \
	X(ZERODATA, "zerodata")		/* zeros instead of the data */ \
	X(STATUS, "status")		/* an error (status=EIO), nothing is done */ \
	X(LOST, "lost")			/* WRITE: answered well, but not done */ \
	X(SHORT, "short")		/* half of it is done, and so it is answered */ \
	X(NOANSWER, "noanswer")		/* done, never answered */ \
	X(MISDIRECT, "misdirect")	/* at another place of the disk */ \
	X(WRONGID, "wrongid")		/* done, answered under an id that nobody asked */ \
	X(TOOLONG, "toolong")		/* done, answered with more bytes than were asked for */ \
	X(DELAY, "delay")		/* done, answered late (delay=MS) */ \
	X(CRASH, "crash")		/* the driver dies of a bad address instead of answering */ \
	X(EXIT, "exit")			/* the driver ends itself */ \
	X(HANG, "hang")			/* the driver loops: it answers nobody, RS neither */
enum rule_action { RULE_NONE,
#define X(name, word) RULE_##name,
	RULE_ACTIONS(X)
#undef X
};

struct rule {
	uint32_t ops;
	enum rule_action action;
	int status;			/* of STATUS: negative errno */
	uint32_t delay_ms;
	uint64_t every, at, after, count;	/* 0 = not said */
	uint32_t permille;		/* by chance; 0 = not said */
	uint64_t first, last;		/* bytes of the disk, inclusive */
	uint64_t seen, done;		/* requests that fit; of these it acted on */
};

struct rules {
	struct rule rule[RULES_MAX];
	uint32_t n;
	uint64_t random;		/* seed, moves on */
};

/* text: what stands behind "rule=". 0, or -1 and in `error` what is wrong, what was expected. */
int rules_add(struct rules *r, const char *text, char error[RULE_ERROR_LEN]);

/* What is to happen with this request; 0: nothing. */
const struct rule *rules_pick(struct rules *r, enum rule_op op, uint64_t pos, uint64_t len);

uint64_t rules_random(struct rules *r);
const char *rule_action_name(enum rule_action a);

/* "16M", "512", "0x200": 0 or -1. */
int rules_number(const char *text, uint64_t *value);

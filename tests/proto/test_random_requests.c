/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service gone mad: random kernel calls with random arguments and random messages to everybody, far outside its rights. The kernel
 * refuses or serves each; nobody else notices. The seed is in the log, so that a failure can be run again.
 *
 * Left out: EXIT, which would end the test, and DIAGCTL, which would flush the log that the verdict is read from.
 */
/* conf: ipc ds vm; */
#include "service_check.h"
#include <libsef/ds.h>
#include <libsys/grant.h>

enum { KERNEL_CALLS = 60000, MESSAGES = 20000, BUFFER_BYTES = 1 << 20 };

static uint64_t state;
static char buffer[BUFFER_BYTES];

static uint64_t random_word(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

/* Small numbers, powers of two and their neighbours, pointers good and bad, endpoints alive and dead, and anything at all. */
static uint64_t random_argument(void)
{
	uint64_t r = random_word(), pick = random_word() % 8;

	switch (pick) {
	case 0: return r % 16;
	case 1: return (1ull << r % 64) - r / 64 % 3;
	case 2: return (uintptr_t)buffer + r % 4096;
	case 3: return bad_pointers[r % 4] + r / 4 % 4096;
	case 4: return (uint64_t)(int64_t)dead_endpoints[r % 7];
	case 5: return 1 + r % 40;
	case 6: return (uint64_t)(int64_t)EP_SELF;
	default: return r;
	}
}

static void kernel_calls(void)
{
	for (int i = 0; i < KERNEL_CALLS; i++) {
		uint32_t number = MSG_KCALL + random_word() % (KC_COUNT + 4);
		uint64_t w[MSG_WORDS];

		if (number == KC_EXIT || number == KC_DIAGCTL)
			continue;
		for (int k = 0; k < MSG_WORDS; k++)
			w[k] = random_argument();
		kcall(number, w);
	}
	CHECK_EQ(grant_register(), 0); /* a random SETGRANT may have moved the table */
	CHECK_EQ(sys_setalarm(0, 0), 0);
}

/* No primitive that waits: whom we may not send to is refused, whom we may gets nonsense without being asked to answer. */
static void messages(void)
{
	for (int i = 0; i < MESSAGES; i++) {
		endpoint_t to = (endpoint_t)random_argument();
		struct message m = { .type = (uint32_t)random_word() };

		for (int k = 0; k < MSG_WORDS; k++)
			m.w[k] = random_argument();
		if (to == EP_DS || to == EP_VM || to == EP_RS) /* those it may send to; RS is always one */
			continue;
		CHECK(ipc_sendnb(to, &m) != 0);
		CHECK(ipc_senda(to, &m, (uint32_t)random_word()) != 0);
		CHECK(ipc_notify(to) != 0);
		CHECK(ipc_sendrec(to, &m) != 0);
	}
}

static void others_still_work(void)
{
	uint64_t value = 0;

	CHECK_EQ(ds_publish_u64("t.random", 1, DSF_OVERWRITE), 0);
	CHECK_EQ(ds_retrieve_u64("t.random", &value), 0);
	CHECK_EQ(ds_delete_u64("t.random"), 0);
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	state = sys_uptime() | 1;
	log_info("seed %llu", (unsigned long long)state);
	RUN(kernel_calls);
	RUN(messages);
	RUN(others_still_work);
	return check_end();
}

int main(void)
{
	check_service(run);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures round trips between two services, this one and ipcecho, and the cheapest kernel call. It runs while it initialises
 * and writes `ipcbench NAME NANOSECONDS` to the log: with -icount shift=0 a nanosecond is an instruction.
 */
#include <libsef/ds.h>
#include <libsef/sef.h>

enum { WARM_UP = 200, ROUNDS = 4000 };

static nstime_t rounds_sendrec(endpoint_t peer, int rounds)
{
	nstime_t start = sys_uptime();

	for (int i = 0; i < rounds; i++) {
		struct message m = { .type = MSG_TEST };
		if (ipc_sendrec(peer, &m) != 0)
			fail_stop("ipcbench: no answer from %d", peer);
	}
	return sys_uptime() - start;
}

static nstime_t rounds_kcall(int rounds)
{
	nstime_t start = sys_uptime();

	for (int i = 0; i < rounds; i++)
		sys_times(EP_SELF, 0, 0, 0);
	return sys_uptime() - start;
}

static err_t init_fresh(const struct sef_init_info *info)
{
	endpoint_t echo;
	err_t r = ds_retrieve_label_endpt("ipcecho", &echo);

	(void)info;
	if (r != 0)
		return r;
	rounds_sendrec(echo, WARM_UP);
	log_info("sendrec_two_services %llu", (unsigned long long)(rounds_sendrec(echo, ROUNDS) / ROUNDS));
	log_info("kernel_call %llu", (unsigned long long)(rounds_kcall(ROUNDS) / ROUNDS));
	return 0;
}

int main(void)
{
	struct message m;

	sef_startup(&(struct sef_callbacks){ .init_fresh = init_fresh });
	for (;;)
		sef_receive(EP_ANY, &m, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures round trips between two services, this one and ipcecho, and the cheapest kernel call. It runs while it initialises
 * and writes `ipcbench NAME NANOSECONDS` to the log: with -icount shift=0 a nanosecond is an instruction.
 */
#include <libsef/ds.h>
#include <libsef/sef.h>

enum { WARM_UP = 200, ROUNDS = 4000 };

static void sendrec(endpoint_t peer, uint32_t type)
{
	struct message m = { .type = type };

	if (ipc_sendrec(peer, &m) != 0)
		fail_stop("ipcbench: no answer from %d", peer);
}

static nstime_t rounds_sendrec(endpoint_t peer, int rounds)
{
	nstime_t start = sys_uptime();

	for (int i = 0; i < rounds; i++)
		sendrec(peer, MSG_TEST);
	return sys_uptime() - start;
}

static void report(const char *name, endpoint_t peer)
{
	rounds_sendrec(peer, WARM_UP);
	log_info("%s %llu", name, (unsigned long long)(rounds_sendrec(peer, ROUNDS) / ROUNDS));
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
	report("sendrec_through_main_loop", echo);
	sendrec(echo, MSG_TEST + 2);
	report("sendrec_two_services", echo);
	sendrec(echo, MSG_TEST + 4);
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several CPUs at once: clients call servers while the script moves them between CPUs and priorities, stops and resumes them, lets
 * them fault and kills them in the middle of whatever they do. Afterwards everybody who lives must make progress.
 */
#include "ktest_rs.h"

enum { SERVERS = 2, CLIENTS = 5, ROUNDS = 400 };

static struct thread *servers[SERVERS], *clients[CLIENTS];
static uint32_t nr_cpus;
static uint64_t random_state = 0x9e3779b97f4a7c15ull;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33) % n;
}

static void serve(struct thread *t)
{
	struct message m = { 0 };
	uint32_t status;
	endpoint_t to = EP_NONE;

	for (;;) {
		if (ipc_replyrec(to, &m, 0, EP_ANY, &m, &status))
			t->r[1]++;
		to = status & IPC_STATUS_CALL ? m.source : EP_NONE;
		m.w[0]++;
		t->r[0]++;
	}
}

/* Calls, notifications, computing, pages never touched before. */
static void call(struct thread *t)
{
	volatile uint8_t *fresh = (volatile uint8_t *)linux_call(9, 0, 64 * PAGE_BYTES, 3, 0x22, ~0ull, 0);

	for (uint64_t i = 0;; i++) {
		t->m.type = MSG_TEST;
		t->m.w[0] = i;
		if (ipc_sendrec(servers[i % SERVERS]->ep, &t->m) == 0 && t->m.w[0] != i + 1)
			t->r[1]++;
		if (i % 16 == 0)
			ipc_notify(servers[0]->ep);
		if (i % 64 == 0 && i / 64 < 64)
			fresh[i / 64 * PAGE_BYTES] = 1;
		for (volatile int n = 0; n < 50; n++)
			;
		t->r[0]++;
	}
}

static void disturb(struct thread **t, void (*run)(struct thread *))
{
	uint64_t mask = random_below(1u << nr_cpus);

	switch (random_below(6)) {
	case 0: case 1:
		sys_schedule((*t)->ep, 4 + random_below(4), 1000, mask);
		break;
	case 2: case 3:
		sys_runctl((*t)->ep, RUNCTL_STOP, 0, 0);
		sys_runctl((*t)->ep, RUNCTL_RESUME, 0, 0);
		break;
	case 4:
		sys_kill((*t)->ep, 15, 0, 0);
		sys_endksig((*t)->ep);
		break;
	default:
		if (run == serve)
			break;
		reap(*t);
		*t = spawn(SERVICE, run, 0, 0);
	}
}

/* Signals that were raised: fetched and forgiven. */
static void forgive(void)
{
	struct ksig_info k;

	while (sys_getksig(&k) == 0 && k.endpoint != EP_NONE)
		sys_endksig(k.endpoint);
}

static void start_all(void)
{
	for (int i = 0; i < SERVERS; i++)
		servers[i] = spawn(SERVICE, serve, 0, 0);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = spawn(SERVICE, call, 0, 0);
}

static void all_make_progress(void)
{
	int64_t before[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		before[i] = clients[i]->r[0];
	for (int tries = 0; tries < 300; tries++) {
		bool all = true;

		sleep_ms(10);
		for (int i = 0; i < CLIENTS; i++)
			all &= clients[i]->r[0] > before[i];
		if (all)
			break;
	}
	for (int i = 0; i < CLIENTS; i++) {
		check(clients[i]->r[0] > before[i], "a client goes on after all that", clients[i]->r[0]);
		CHECK_EQ(clients[i]->r[1], 0, "and got its own answers");
	}
}

void check_stress(void)
{
	struct info_kernel k;

	sys_getinfo(GETINFO_KERNEL, &k, sizeof(k), 0, 0);
	nr_cpus = k.nr_cpus;
	start_all();
	for (int i = 0; i < ROUNDS; i++) {
		if (random_below(3))
			disturb(&clients[random_below(CLIENTS)], call);
		else
			disturb(&servers[random_below(SERVERS)], serve);
		forgive();
		if (i % 4 == 0)
			sleep_ms(1);
	}
	for (int i = 0; i < CLIENTS; i++)
		sys_schedule(clients[i]->ep, 5, 0, 0);
	forgive();
	all_make_progress();
	for (int i = 0; i < CLIENTS; i++)
		reap(clients[i]);
	for (int i = 0; i < SERVERS; i++)
		reap(servers[i]);
}

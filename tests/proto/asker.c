/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the service `life` with label `server`, for tests of recovery: `asker N` asks it N times, looks the label up again
 * when the server has died, and counts. Then it asks for an answer that the server queues just before it crashes: that must not come.
 * The counts go to the log while it initialises, so `service up` returns when all is done.
 */
#include <errno.h>
#include <libsef/ds.h>
#include <libsef/sef.h>
#include <stdlib.h>
#include <string.h>

static struct { uint64_t requests, answered, dead, wrong; } asker;

static endpoint_t server_endpoint(void)
{
	endpoint_t ep = EP_NONE;

	ds_retrieve_label_endpt("server", &ep);
	return ep;
}

static void ask(endpoint_t *server, uint64_t i)
{
	struct message m = { .type = MSG_TEST, .w = { i } };
	err_t r = sef_call(*server, &m);

	if (r == 0 && m.type == MSG_TEST + 1 && m.w[0] == i + 1)
		asker.answered++;
	else if (r == -EDEADSRCDST)
		asker.dead++;
	else
		asker.wrong++;
	if (r != 0)
		*server = server_endpoint();
}

static err_t asker_init(const struct sef_init_info *info)
{
	endpoint_t server = server_endpoint();
	struct message m = { .type = MSG_TEST + 2 };
	err_t r;

	(void)info;
	for (uint64_t i = 0; i < asker.requests; i++)
		ask(&server, i);
	log_info("asked %llu answered %llu dead %llu wrong %llu", (unsigned long long)asker.requests,
		(unsigned long long)asker.answered, (unsigned long long)asker.dead, (unsigned long long)asker.wrong);
	r = sef_call(server_endpoint(), &m);
	log_info("answer queued before a crash: %s", r == -EDEADSRCDST ? "not sent" : "SENT");
	return 0;
}

int main(int argc, char **argv)
{
	struct message m;

	asker.requests = argc > 1 ? strtoul(argv[1], 0, 10) : 100;
	sef_startup(&(struct sef_callbacks){ .init_fresh = asker_init, .signal_handler = sef_signal_term });
	for (;;)
		sef_receive(EP_ANY, &m, 0);
}

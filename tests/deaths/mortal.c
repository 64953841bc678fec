/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A character driver that dies: `mortal WHEN WAY TIMES`. Its device reads as the alphabet, again and again, and can be recovered.
 *
 *   WHEN  init      in its first initialisation
 *         takeover  its first instance lives until it is killed; the next TIMES die while they take over
 *         announced TIMES instances die at once after their initialisation was accepted
 *         asked     TIMES instances die of their first read, before it is answered
 *         served    the same, after it was answered
 *         lying     it does not die: its first TIMES reads are answered with what cannot be
 *   WAY   crash, check, exit, hang; in an initialisation refuse and linger, too; lying: long, type, id
 *
 * Instances are counted in DS, because that outlives them.
 */
#include "../proto/instance.h"
#include <errno.h>
#include <libdriver/cdev.h>
#include <libsef/ds.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *when, *way;
	uint64_t times, instance;
} mortal;

static bool is(const char *word, const char *other)
{
	return strcmp(word, other) == 0;
}

static void __attribute__((noreturn)) linger(void)
{
	struct message m;
	uint32_t status;

	for (;;)
		ipc_receive(EP_RS, &m, &status);
}

/* Returns only for an initialisation that refuses. */
static err_t die(void)
{
	volatile int *volatile nowhere = 0;
	volatile int turns = 0;

	if (is(mortal.way, "crash"))
		*nowhere = 1;
	if (is(mortal.way, "check"))
		fail_stop("mortal: as it was told");
	if (is(mortal.way, "exit"))
		exit(3);
	if (is(mortal.way, "hang"))
		log_info("hangs");
	if (is(mortal.way, "hang"))
		for (;;)
			turns = turns + 1;
	if (is(mortal.way, "linger"))
		linger();
	return -EIO;
}

static bool dies_now(const char *when, uint64_t first)
{
	return is(mortal.when, when) && mortal.instance >= first && mortal.instance < first + mortal.times;
}

static err_t mortal_init(const struct sef_init_info *info)
{
	err_t r = instance_count("mortal", info->label, &mortal.instance);

	if (r == 0 && (dies_now("init", 1) || dies_now("takeover", 2)))
		return die();
	if (r == 0 && dies_now("announced", 1))
		sys_setalarm(1, 0);
	return r;
}

static void mortal_alarm(nstime_t now)
{
	(void)now;
	die();
}

static int64_t mortal_open(const struct cdev_req *r, uint64_t *value)
{
	(void)r, (void)value;
	return CDEV_RECOVERABLE;
}

/* What no driver may answer; the library would send none of these. */
static int64_t lie(const struct cdev_req *r)
{
	struct message m = { .type = is(mortal.way, "type") ? CDEV_REPLY + 0x100 : CDEV_REPLY };
	struct cdev_rep *rep = MSG_BODY(struct cdev_rep, &m);

	rep->id = is(mortal.way, "id") ? r->id | 0x70000000 : r->id;
	rep->result = is(mortal.way, "long") ? (int64_t)r->len + 1 : 1;
	sef_send(EP_VFS, &m, 0);
	return is(mortal.way, "id") ? 0 : CDEV_LATER;
}

static int64_t mortal_read(const struct cdev_req *r)
{
	char text[26];
	uint64_t n = r->len < sizeof(text) ? r->len : sizeof(text);
	err_t e;

	if (dies_now("asked", 1))
		die();
	if (dies_now("served", 1))
		sys_setalarm(1, 0);
	if (is(mortal.when, "lying") && mortal.times && mortal.times--)
		return lie(r);
	for (uint64_t i = 0; i < n; i++)
		text[i] = (char)('a' + (r->pos + i) % 26);
	e = cdev_copyout(r, 0, text, n);
	return e ? e : (int64_t)n;
}

static const struct cdev_driver mortal_driver = {
	.name = "mortal",
	.sef = { .init_fresh = mortal_init, .init_restart = mortal_init, .signal_handler = sef_signal_term },
	.open = mortal_open, .read = mortal_read, .on_alarm = mortal_alarm,
};

int main(int argc, char **argv)
{
	if (argc != 4)
		fail_stop("usage: mortal WHEN WAY TIMES");
	mortal.when = argv[1];
	mortal.way = argv[2];
	mortal.times = strtoul(argv[3], 0, 10);
	cdev_task(&mortal_driver);
}

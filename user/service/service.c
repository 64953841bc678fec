/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `service`, root's one command for the life of services: verbs and their arguments. Everything is done by RS; this asks it and puts the
 * answers into words, or with --json into JSON.
 */
#include "service.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: service VERB [NAME] [options] [--json]\n"
	"  list                   all services\n"
	"  status NAME            all about one\n"
	"  up|start PROGRAM       start a service from a program: an absolute path, or a name in /sbin/services\n"
	"  down|stop NAME...      end it and do not start it again\n"
	"  restart NAME...        kill it and start it anew; revives a failed one\n"
	"  refresh NAME...        ask it to end (SIGTERM), then start it anew\n"
	"  why NAME               what happened to it, in words\n"
	"  history [NAME]         what happened, event by event\n"
	"  log NAME [-f]          its lines in the kernel's log; -f: go on\n"
	"  wait NAME [-restarts N] [-timeout SECONDS]   until it runs (and was restarted N times)\n"
	"  watch [--scripts] [-q] print events as they come; --scripts: run the policy scripts of services\n"
	"  core NAME FILE         the memory of its last dead instance, for gdb\n"
	"  fi NAME WAY            make it fail: crash, check, exit, hang, sleep, wrong-reply, text,\n"
	"                         scribble (ext2)\n"
	"  check [FILE...]        look for mistakes in descriptions, start nothing\n"
	"  shutdown               from now on dying services are no news\n"
	"options of up:\n"
	"  -label NAME      name of the service (default: name of the program)\n"
	"  -progname NAME   name of the program and of its entry in the description (default: name of the file)\n"
	"  -args TEXT       arguments, separated by blanks\n"
	"  -config FILE     description (default: /etc/system.conf.d/PROGRAM, then /etc/system.conf)\n"
	"  -major N | bN    device major number it serves, of character or block devices\n"
	"  -dev NODE        the same, of a device node\n"
	"  -period TIME     between heartbeats: milliseconds, or with a unit 500ms, 2s, 3HZ (seconds)\n"
	"  -script FILE     policy script, run instead of a restart when it dies\n"
	"  --template       keep program and description for instances that are made by need (file systems)\n"
	"  -n  do not wait until it has initialised          -b  restart at once, without a growing pause\n"
	"  -f  never restart it                              -c, -r  keep the program in memory (always done)\n"
	"  --core  keep the memory of a dead instance        -x, -y, -z, -d  for tests, see service(8)\n"
	"exit codes: 0 done, 1 refused, 2 wrong usage, 3 mistake in a description, 4 no such service, 5 not root,\n"
	"  6 the service could not initialise, 7 time is over, 8 it has failed\n";

static int usage(const char *complaint, const char *word)
{
	if (complaint)
		fprintf(stderr, "service: %s%s%s\n", complaint, word ? " " : "", word ? word : "");
	fprintf(stderr, "service: `service help` shows verbs and options\n");
	return EXIT_USAGE;
}

/* ---- verbs with names only ---- */

static int stop_all(enum rs_op op, const char *what, int argc, char **argv)
{
	int code = EXIT_DONE;

	if (argc == 0)
		return usage("the name of a service is missing", 0);
	for (int i = 0; i < argc; i++) {
		char label[LABEL_LEN];
		int r;

		if (argv[i][0] == '-')
			return usage("unexpected", argv[i]);
		label_fill(label, argv[i]);
		r = report(what, argv[i], rs_call(op, label, sizeof(label), 0, 0));
		if (code == EXIT_DONE)
			code = r;
	}
	return code;
}

static int verb_down(int argc, char **argv)
{
	return stop_all(RS_OP_DOWN, "cannot take down", argc, argv);
}

static int verb_restart(int argc, char **argv)
{
	return stop_all(RS_OP_RESTART, "cannot restart", argc, argv);
}

static int verb_refresh(int argc, char **argv)
{
	return stop_all(RS_OP_REFRESH, "cannot refresh", argc, argv);
}

static int one_name(int argc, char **argv, int (*show)(const char *name))
{
	if (argc == 0)
		return usage("the name of a service is missing", 0);
	if (argc > 1 || argv[0][0] == '-')
		return usage("unexpected", argv[argc > 1]);
	return show(argv[0]);
}

static int verb_list(int argc, char **argv)
{
	return argc ? usage("unexpected", argv[0]) : service_list();
}

static int verb_status(int argc, char **argv)
{
	return argc ? one_name(argc, argv, service_status) : service_list();
}

static int verb_why(int argc, char **argv)
{
	return one_name(argc, argv, service_why);
}

static int verb_history(int argc, char **argv)
{
	return argc ? one_name(argc, argv, service_history) : service_history(0);
}

static int verb_shutdown(int argc, char **argv)
{
	return argc ? usage("unexpected", argv[0]) : report("cannot begin", "shutdown", rs_call(RS_OP_SHUTDOWN, 0, 0, 0, 0));
}

/* ---- verbs with options ---- */

static int verb_log(int argc, char **argv)
{
	const char *name = 0;
	bool follow = false;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-f") == 0)
			follow = true;
		else if (name || argv[i][0] == '-')
			return usage("unexpected", argv[i]);
		else
			name = argv[i];
	}
	return name ? service_log(name, follow) : usage("the name of a service is missing", 0);
}

static bool take_count(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && *out <= max;
}

static void on_alarm(int signo)
{
	(void)signo;
}

/* The alarm interrupts the system call: RS then forgets that we wait. */
static long wait_for(const char *name, unsigned long restarts, unsigned long seconds)
{
	struct sigaction action = { .sa_handler = on_alarm };
	char label[LABEL_LEN];

	label_fill(label, name);
	sigaction(SIGALRM, &action, 0);
	alarm((unsigned)seconds);
	return rs_call(RS_OP_WAIT, label, sizeof(label), (const void *)restarts, 0);
}

static int verb_wait(int argc, char **argv)
{
	unsigned long restarts = 0, seconds = 0;
	const char *name = 0;

	for (int i = 0; i < argc; i++) {
		bool is_restarts = strcmp(argv[i], "-restarts") == 0, is_timeout = strcmp(argv[i], "-timeout") == 0;

		if (is_restarts || is_timeout) {
			if (i + 1 == argc || !take_count(argv[i + 1], 1000000, is_restarts ? &restarts : &seconds))
				return usage("a number from 0 to 1000000 is missing after", argv[i]);
			i++;
		} else if (name || argv[i][0] == '-') {
			return usage("unexpected", argv[i]);
		} else {
			name = argv[i];
		}
	}
	if (!name)
		return usage("the name of a service is missing", 0);
	return report("waiting for", name, wait_for(name, restarts, seconds));
}

static int verb_watch(int argc, char **argv)
{
	bool scripts = false, quiet = false;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--scripts") == 0)
			scripts = true;
		else if (strcmp(argv[i], "-q") == 0)
			quiet = true;
		else
			return usage("unexpected", argv[i]);
	}
	return service_watch(scripts, quiet);
}

static int verb_core(int argc, char **argv)
{
	return argc == 2 ? service_core(argv[0], argv[1]) : usage("core wants the name of a service and of a file", 0);
}

/* Inject a fault, to see it recovered from. */
static int verb_fi(int argc, char **argv)
{
	static const char *const ways[] = SEF_FAULT_NAMES;
	char label[LABEL_LEN];
	unsigned long seed = 0;

	if (argc != 2 && (argc != 3 || strcmp(argv[1], "text") != 0))
		return usage("fi wants the name of a service and a way to fail", 0);
	if (argc == 3 && !take_count(argv[2], UINT32_MAX, &seed))
		return usage("text wants a number below 2^32 as its seed, not", argv[2]);
	for (uint64_t kind = 0; kind < sizeof(ways) / sizeof(ways[0]); kind++) {
		if (strcmp(ways[kind], argv[1]) != 0)
			continue;
		label_fill(label, argv[0]);
		return report("cannot make fail", argv[0], rs_call(RS_OP_FI, label, sizeof(label), (const void *)kind, seed));
	}
	return usage("unknown way to fail:", argv[1]);
}

static int verb_help(int argc, char **argv)
{
	(void)argc, (void)argv;
	fputs(usage_text, stdout);
	return EXIT_DONE;
}

static const struct { const char *name; int (*run)(int argc, char **argv); } verbs[] = {
	{ "list", verb_list }, { "status", verb_status }, { "up", service_up }, { "start", service_up }, { "down", verb_down },
	{ "stop", verb_down }, { "restart", verb_restart }, { "refresh", verb_refresh }, { "why", verb_why }, { "history", verb_history },
	{ "log", verb_log }, { "wait", verb_wait }, { "watch", verb_watch }, { "core", verb_core }, { "check", service_check },
	{ "fi", verb_fi }, { "shutdown", verb_shutdown }, { "help", verb_help }, { "--help", verb_help }, { "-h", verb_help },
};

/* --json may stand anywhere; what remains is the verb's. */
static int take_json(int argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			output_json(true);
		else
			argv[n++] = argv[i];
	}
	argv[n] = 0;
	return n;
}

int main(int argc, char **argv)
{
	argc = take_json(argc, argv);
	if (argc < 2)
		return usage("a verb is missing", 0);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run(argc - 2, argv + 2);
	return usage("unknown verb", argv[1]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `service`, root's one tool for the life of services. Everything is done by RS; this asks it and puts the answers
 * into words. */
#include "service.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const char usage_text[] =
	"usage: service list [--json]\n"
	"       service status NAME [--json]\n"
	"       service up|start PATH [options]    start a service from a program file (absolute path)\n"
	"       service down|stop NAME             end it and do not start it again\n"
	"       service restart NAME               kill it and start it anew\n"
	"       service refresh NAME               ask it to end (SIGTERM), then start it anew\n"
	"       service why NAME                   what happened to it, in words\n"
	"options of up:\n"
	"  -label NAME    name of the service (default: name of the file)\n"
	"  -args TEXT     arguments, separated by blanks\n"
	"  -config FILE   description (default: /etc/system.conf.d/*, then /etc/system.conf)\n"
	"  -major N       device major number it serves      -dev NODE     the same, of a device node\n"
	"  -period MS     time between heartbeats in milliseconds\n"
	"  -n  do not wait until it has initialised          -b  restart at once, without a growing pause\n"
	"  -f  never restart it\n"
	"  -x, -y, -z     test: crash, fail, hang in its initialisation    -d  test: libsef's default callbacks\n"
	"exit codes: 0 done, 1 refused, 2 wrong usage, 3 mistake in a description, 4 no such service, 5 not root,\n"
	"  6 the service could not initialise\n";

static int usage(const char *complaint, const char *word)
{
	if (complaint)
		fprintf(stderr, "service: %s%s%s\n", complaint, word ? " " : "", word ? word : "");
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

static bool take_number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && *out <= max;
}

static bool take_device(const char *path, int32_t *major_number)
{
	struct stat st;

	if (stat(path, &st) != 0 || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return false;
	*major_number = (int32_t)major(st.st_rdev);
	return true;
}

/* An option with a value. NULL if it is fine, else what is wrong. */
static const char *take_option(struct up_options *o, const char *name, const char *value)
{
	uint64_t n;

	if (strcmp(name, "-label") == 0) {
		o->label = value;
	} else if (strcmp(name, "-args") == 0) {
		o->args = value;
	} else if (strcmp(name, "-config") == 0) {
		o->config = value;
	} else if (strcmp(name, "-major") == 0) {
		if (!take_number(value, 511, &n))
			return "-major wants a number from 0 to 511, not";
		o->major = (int32_t)n;
	} else if (strcmp(name, "-period") == 0) {
		if (!take_number(value, 3600000, &n) || n == 0)
			return "-period wants milliseconds from 1 to 3600000, not";
		o->period_ns = n * 1000000;
	} else if (!take_device(value, &o->major)) {
		return "-dev wants a device node, not";
	}
	return 0;
}

static bool take_flag(struct up_options *o, const char *name)
{
	static const struct { const char *name; uint32_t flags, init_flags; } flags[] = {
		{ "-n", RS_UP_NOWAIT, 0 }, { "-f", RS_UP_NO_RESTART, 0 }, { "-b", RS_UP_NO_BACKOFF, 0 },
		{ "-x", 0, SEF_INIT_CRASH }, { "-y", 0, SEF_INIT_FAIL }, { "-z", 0, SEF_INIT_TIMEOUT }, { "-d", 0, SEF_INIT_DEFCB },
		{ "-c", 0, 0 },		/* keep a copy in memory: always done */
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(flags[i].name, name) == 0) {
			o->flags |= flags[i].flags;
			o->init_flags |= flags[i].init_flags;
			return true;
		}
	return false;
}

static bool has_value(const char *name)
{
	static const char *const names[] = { "-label", "-args", "-config", "-major", "-period", "-dev" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int command_up(int argc, char **argv)
{
	struct up_options o = { .major = -1 };

	for (int i = 0; i < argc; i++) {
		const char *wrong;

		if (take_flag(&o, argv[i]))
			continue;
		if (!has_value(argv[i])) {
			if (argv[i][0] == '-' || o.path)
				return usage("up does not know", argv[i]);
			o.path = argv[i];
			continue;
		}
		if (i + 1 == argc)
			return usage("a value is missing after", argv[i]);
		wrong = take_option(&o, argv[i], argv[i + 1]);
		if (wrong)
			return usage(wrong, argv[i + 1]);
		i++;
	}
	return o.path ? service_up(&o) : usage("up wants the path of a program", 0);
}

/* One name, and perhaps --json. */
static int take_name(int argc, char **argv, const char **name, bool *json)
{
	*name = 0;
	for (int i = 0; i < argc; i++) {
		if (json && strcmp(argv[i], "--json") == 0)
			*json = true;
		else if (!*name && argv[i][0] != '-')
			*name = argv[i];
		else
			return usage("unexpected", argv[i]);
	}
	return EXIT_DONE;
}

static int command_stop(enum rs_op op, const char *what, int argc, char **argv)
{
	char label[LABEL_LEN] = "";
	const char *name;

	if (take_name(argc, argv, &name, 0) != EXIT_DONE)
		return EXIT_USAGE;
	if (!name)
		return usage("the name of a service is missing", 0);
	snprintf(label, sizeof(label), "%s", name);
	return report(what, name, rs_call(op, label, sizeof(label), 0, 0));
}

static int command_show(const char *verb, int argc, char **argv)
{
	bool json = false;
	const char *name;

	if (take_name(argc, argv, &name, &json) != EXIT_DONE)
		return EXIT_USAGE;
	if (strcmp(verb, "list") == 0)
		return name ? usage("unexpected", name) : service_list(json);
	if (!name)
		return usage("the name of a service is missing", 0);
	return strcmp(verb, "why") == 0 ? service_why(name) : service_status(name, json);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "up") == 0 || strcmp(verb, "start") == 0)
		return command_up(argc - 2, argv + 2);
	if (strcmp(verb, "down") == 0 || strcmp(verb, "stop") == 0)
		return command_stop(RS_OP_DOWN, "cannot take down", argc - 2, argv + 2);
	if (strcmp(verb, "restart") == 0)
		return command_stop(RS_OP_RESTART, "cannot restart", argc - 2, argv + 2);
	if (strcmp(verb, "refresh") == 0)
		return command_stop(RS_OP_REFRESH, "cannot refresh", argc - 2, argv + 2);
	if (strcmp(verb, "list") == 0 || strcmp(verb, "status") == 0 || strcmp(verb, "why") == 0)
		return command_show(verb, argc - 2, argv + 2);
	if (strcmp(verb, "help") == 0 || strcmp(verb, "--help") == 0) {
		fputs(usage_text, stdout);
		return EXIT_DONE;
	}
	return usage(argc > 1 ? "unknown verb" : 0, argc > 1 ? verb : 0);
}

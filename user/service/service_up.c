/* SPDX-License-Identifier: BSD-2-Clause */
/* `service up`: read the program and its description, and hand both to RS, which needs no file system. */
#include "conf.h"
#include "service.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PATH_BYTES = 512, MAJORS = 512 };

/* ---- options ---- */

static int usage(const char *complaint, const char *word)
{
	fprintf(stderr, "service: %s %s\nservice: `service help` shows verbs and options\n", complaint, word);
	return EXIT_USAGE;
}

static bool take_number(const char *text, uint64_t max, uint64_t *out, char **end)
{
	errno = 0;
	*out = strtoull(text, end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *out <= max;
}

static const char *take_major(struct up_options *o, const char *value)
{
	bool block = value[0] == 'b';
	uint64_t n;
	char *end;

	if (!take_number(value + block, MAJORS - 1, &n, &end) || *end)
		return "-major wants a number from 0 to 511, with a 'b' before it for block devices, not";
	o->major = (block ? RS_MAJOR_BLOCK : 0) | (int32_t)n;
	o->major_given = true;
	return 0;
}

static const char *take_device(struct up_options *o, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return "-dev wants a device node, not";
	o->major = (S_ISBLK(st.st_mode) ? RS_MAJOR_BLOCK : 0) | (int32_t)major(st.st_rdev);
	o->major_given = true;
	return 0;
}

static const char *take_period(struct up_options *o, const char *value)
{
	uint64_t n;
	char *end;

	if (!take_number(value, 3600000, &n, &end))
		return "-period wants a time, as 500, 500ms, 2s or 3HZ, not";
	if (strcmp(end, "s") == 0 || strcmp(end, "HZ") == 0)
		n *= 1000;
	else if (*end && strcmp(end, "ms") != 0)
		return "-period wants a time, as 500, 500ms, 2s or 3HZ, not";
	o->period_ns = n * 1000000;
	return o->period_ns < RS_PERIOD_MIN_NS ? "-period wants at least 100 milliseconds, not" : 0;
}

static const char *take_script(struct up_options *o, const char *path)
{
	o->script = path;
	if (access(path, X_OK) != 0)
		return "-script wants a program, not";
	return path[0] == '/' && strlen(path) < sizeof(((struct rs_call *)0)->script) ? 0 : "-script wants a short absolute path, not";
}

static const char *take_label(struct up_options *o, const char *value)
{
	o->label = value;
	return *value && strlen(value) < LABEL_LEN ? 0 : "-label wants a name of 1 to 31 characters, not";
}

static const char *take_progname(struct up_options *o, const char *value)
{
	o->progname = value;
	return *value && strlen(value) < PROC_NAME_LEN ? 0 : "-progname wants a name of 1 to 15 characters, not";
}

static const char *take_args(struct up_options *o, const char *value)
{
	o->args = value;
	return 0;
}

static const char *take_config(struct up_options *o, const char *value)
{
	o->config = value;
	return 0;
}

/* Options with a value: the function returns what is wrong, or 0. */
static const struct { const char *name; const char *(*take)(struct up_options *o, const char *value); } values[] = {
	{ "-label", take_label }, { "-progname", take_progname }, { "-args", take_args }, { "-config", take_config },
	{ "-major", take_major }, { "-dev", take_device }, { "-period", take_period }, { "-script", take_script },
};

static const struct { const char *name; uint32_t flags, init_flags; } flags[] = {
	{ "-n", RS_UP_NOWAIT, 0 }, { "-f", RS_UP_NO_RESTART, 0 }, { "-b", RS_UP_NO_BACKOFF, 0 },
	{ "--template", RS_UP_TEMPLATE, 0 }, { "--core", RS_UP_KEEP_CORE, 0 },
	{ "-c", 0, 0 }, { "-r", 0, 0 },
	{ "-x", 0, SEF_INIT_CRASH }, { "-y", 0, SEF_INIT_FAIL }, { "-z", 0, SEF_INIT_TIMEOUT }, { "-d", 0, SEF_INIT_DEFCB },
};

static bool take_flag(struct up_options *o, const char *name)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(flags[i].name, name) == 0) {
			o->flags |= flags[i].flags;
			o->init_flags |= flags[i].init_flags;
			return true;
		}
	return false;
}

static int value_index(const char *name)
{
	for (int i = 0; i < (int)(sizeof(values) / sizeof(values[0])); i++)
		if (strcmp(values[i].name, name) == 0)
			return i;
	return -1;
}

static int take_options(struct up_options *o, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		int index = value_index(argv[i]);
		const char *wrong;

		if (take_flag(o, argv[i]))
			continue;
		if (index < 0) {
			if (argv[i][0] == '-' || o->path)
				return usage("up does not know", argv[i]);
			o->path = argv[i];
			continue;
		}
		if (i + 1 == argc)
			return usage("a value is missing after", argv[i]);
		i++;
		wrong = values[index].take(o, argv[i]);
		if (wrong)
			return usage(wrong, argv[i]);
	}
	return o->path ? EXIT_DONE : usage("up wants a program: its path, or its name in", SERVICE_FOLDER);
}

/* ---- the program ---- */

static int bad_program(const char *path, const char *why)
{
	return complain(EXIT_USAGE, "", path, why);
}

static int open_program(const char *path, struct stat *st, int *out)
{
	int fd;

	if (path[0] != '/')
		return bad_program(path, "the path must be absolute");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st) != 0)
		return bad_program(path, strerror(errno));
	if (!S_ISREG(st->st_mode))
		return bad_program(path, "is not a regular file");
	if (st->st_size > RS_IMAGE_MAX)
		return bad_program(path, "is too large for a service");
	*out = fd;
	return EXIT_DONE;
}

static int read_program(const char *path, char **image, size_t *len)
{
	struct stat st;
	int fd = -1, r = open_program(path, &st, &fd);
	size_t n = 0;

	if (r != EXIT_DONE)
		return r;
	*len = (size_t)st.st_size;
	*image = malloc(*len + 1);
	while (*image && n < *len) {
		ssize_t got = read(fd, *image + n, *len - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	close(fd);
	return *image && n == *len ? EXIT_DONE : bad_program(path, "cannot be read");
}

/* argv[0] and the words of -args, each with its NUL. 0: they do not fit. */
static size_t build_args(const char *name, const char *words, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s", name) + 1;

	while (words && *words) {
		size_t len = strcspn(words, " ");

		if (n + len + 1 > size)
			return 0;
		if (len) {
			memcpy(out + n, words, len);
			out[n + len] = 0;
			n += len + 1;
		}
		words += len + (words[len] == ' ');
	}
	return n;
}

/* ---- the request ---- */

static void fill_call(struct rs_call *call, const struct up_options *o, const struct conf_service *conf, const char *program)
{
	memset(call, 0, sizeof(*call));
	snprintf(call->name, sizeof(call->name), "%s", program);
	snprintf(call->label, sizeof(call->label), "%s", o->label ? o->label : program);
	call->send_names = (uintptr_t)conf->sends.text;
	call->send_names_len = conf->sends.len;
	call->control = (uintptr_t)conf->control.text;
	call->control_len = conf->control.len;
	call->classes = (uintptr_t)conf->classes.text;
	call->classes_len = conf->classes.len;
	call->period_ns = o->period_ns ? o->period_ns : conf->period_ns;
	call->vm_call_mask = conf->vm_call_mask;
	memcpy(call->majors, conf->majors, sizeof(call->majors));
	if (o->major_given)
		call->majors[0] = o->major;
	call->flags = o->flags | conf->flags;
	call->init_flags = o->init_flags;
	call->uid = conf->uid;
	call->backoff_max_ms = conf->backoff_max_ms;
	call->budget_failures = conf->budget_failures;
	call->budget_ns = conf->budget_ns;
	call->quantum_us = conf->quantum_us;
	call->contig_max = conf->contig_max;
	call->cpu_mask = conf->cpu_mask;
	call->priv = conf->priv;
	call->pci = conf->pci;
	snprintf(call->script, sizeof(call->script), "%s", o->script ? o->script : conf->script);
	snprintf(call->config_where, sizeof(call->config_where), "%.63s", conf->where);
}

/* A positive result is the service's own error: nothing that RS would say. */
static int up_report(const struct rs_call *call, long result)
{
	char why[128];

	if (result <= 0)
		return report("cannot start", call->label, result);
	snprintf(why, sizeof(why), "the service refused to initialise: %s", strerror((int)result));
	return complain(EXIT_REFUSED, "cannot start", call->label, why);
}

static int up_with(const struct up_options *o, const char *program, const char *image, size_t len)
{
	static struct conf_service conf;
	static char args[RS_ARGS_MAX];
	struct rs_call call;

	if (!conf_describe(o->config, program, &conf))
		return complain(EXIT_CONFIG, "cannot start", program, "its description is missing or has mistakes");
	fill_call(&call, o, &conf, program);
	call.image = (uintptr_t)image;
	call.image_len = len;
	call.args = (uintptr_t)args;
	call.args_len = build_args(program, o->args, args, sizeof(args));
	if (call.args_len == 0)
		return complain(EXIT_USAGE, "cannot start", program, "its arguments are too long");
	return up_report(&call, rs_call(RS_OP_UP, &call, sizeof(call), 0, 0));
}

int service_up(int argc, char **argv)
{
	struct up_options o = { 0 };
	char path[PATH_BYTES], *image = 0;
	size_t len;
	int r = take_options(&o, argc, argv);

	if (r != EXIT_DONE)
		return r;
	snprintf(path, sizeof(path), "%s%s", strchr(o.path, '/') ? "" : SERVICE_FOLDER, o.path);
	r = read_program(path, &image, &len);
	if (r == EXIT_DONE)
		r = up_with(&o, o.progname ? o.progname : strrchr(path, '/') + 1, image, len);
	free(image);
	return r;
}

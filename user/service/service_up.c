/* SPDX-License-Identifier: BSD-2-Clause */
/* `service up`: read the program and its description, and hand both to RS, which needs no file system. */
#include "conf.h"
#include "service.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char conf_main[] = "/etc/system.conf", conf_folder[] = "/etc/system.conf.d";

/* ---- the description ---- */

static void read_conf(struct conf *conf, const char *path)
{
	FILE *in = fopen(path, "r");

	if (!in)
		return;
	conf_read(conf, in, path);
	fclose(in);
}

static int is_conf_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && d->d_name[n - 1] != '~';
}

static void read_conf_folder(struct conf *conf)
{
	struct dirent **names;
	int n = scandir(conf_folder, &names, is_conf_file, alphasort);

	for (int i = 0; i < n; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", conf_folder, names[i]->d_name);
		read_conf(conf, path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* A mistake elsewhere does not keep a service from starting whose own description is good: it was told, that is enough. */
static bool describe(const char *config, const char *name, struct conf_service *out)
{
	struct conf conf;
	const struct conf_entry *entry;
	bool good = false;

	conf_init(&conf, stderr);
	if (config) {
		if (access(config, R_OK) != 0)
			conf_mistake(&conf, config, 0, "cannot be read: %s", strerror(errno));
		read_conf(&conf, config);
	} else {
		read_conf_folder(&conf);
		read_conf(&conf, conf_main);
	}
	entry = conf_find(&conf, name);
	if (entry)
		good = conf_evaluate(&conf, entry, out);
	else
		fprintf(stderr, "service: '%s' is not described in %s%s\n", name, config ? config : conf_folder,
			config ? "" : " or /etc/system.conf");
	if (config && conf.nr_errors)
		good = false;
	conf_fini(&conf);
	return good;
}

/* ---- the program ---- */

static int complain(const char *path, const char *what)
{
	fprintf(stderr, "service: %s: %s\n", path, what);
	return EXIT_USAGE;
}

static int open_program(const char *path, struct stat *st, int *out)
{
	int fd;

	if (path[0] != '/')
		return complain(path, "the path must be absolute");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st) != 0)
		return complain(path, strerror(errno));
	if (!S_ISREG(st->st_mode))
		return complain(path, "is not a regular file");
	if (st->st_size > RS_IMAGE_MAX)
		return complain(path, "is too large for a service");
	*out = fd;
	return EXIT_DONE;
}

static int read_program(const char *path, char **image, size_t *len)
{
	struct stat st;
	int fd, r = open_program(path, &st, &fd);
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
	return *image && n == *len ? EXIT_DONE : complain(path, "cannot be read");
}

/* argv[0] and the words of -args, each with its NUL. */
static size_t build_args(const char *name, const char *words, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s", name) + 1;

	while (words && *words) {
		size_t len = strcspn(words, " ");

		if (len && n + len + 1 <= size) {
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
	snprintf(call->name, sizeof(call->name), "%s", program);
	snprintf(call->label, sizeof(call->label), "%s", o->label ? o->label : program);
	call->send_names = (uintptr_t)conf->send_names;
	call->send_names_len = conf->send_names_len;
	call->period_ns = o->period_ns ? o->period_ns : conf->period_ns;
	call->vm_call_mask = conf->vm_call_mask;
	memcpy(call->majors, conf->majors, sizeof(call->majors));
	if (o->major >= 0)
		call->majors[0] = o->major;
	call->flags = o->flags;
	call->init_flags = o->init_flags;
	call->uid = conf->uid;
	call->priv = conf->priv;
	snprintf(call->config_where, sizeof(call->config_where), "%.63s", conf->where);
}

int service_up(const struct up_options *o)
{
	const char *slash = strrchr(o->path, '/'), *program = slash ? slash + 1 : o->path;
	struct conf_service conf;
	struct rs_call call;
	char args[RS_ARGS_MAX], *image = 0;
	size_t len;
	int r = read_program(o->path, &image, &len);

	if (r != EXIT_DONE)
		return r;
	if (!describe(o->config, program, &conf))
		return EXIT_CONFIG;
	memset(&call, 0, sizeof(call));
	fill_call(&call, o, &conf, program);
	call.image = (uintptr_t)image;
	call.image_len = len;
	call.args = (uintptr_t)args;
	call.args_len = build_args(program, o->args, args, sizeof(args));
	r = report("cannot start", call.label, rs_call(RS_OP_UP, &call, sizeof(call), 0, 0));
	free(image);
	return r;
}

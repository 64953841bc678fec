/* SPDX-License-Identifier: BSD-2-Clause */
/* Where descriptions are: /etc/system.conf.d/PROGRAM for one service alone, /etc/system.conf for all and for the classes. */
#include "conf.h"
#include "service.h"
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char conf_main[] = "/etc/system.conf", conf_folder[] = "/etc/system.conf.d";

static bool user_find(const char *name, uint32_t *uid)
{
	const struct passwd *user = getpwnam(name);

	if (user)
		*uid = user->pw_uid;
	return user != 0;
}

static void conf_begin(struct conf *conf)
{
	conf_init(conf, stderr);
	conf->user_find = user_find;
	conf->nr_cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

static bool conf_read_path(struct conf *conf, const char *path)
{
	FILE *in = fopen(path, "r");

	if (!in)
		return false;
	conf_read(conf, in, path);
	fclose(in);
	return true;
}

static void conf_read_named(struct conf *conf, const char *path)
{
	if (!conf_read_path(conf, path))
		conf_mistake(conf, path, 0, "cannot be read: %s", strerror(errno));
}

/* What is read last counts only for what was not described before: the classes. */
static void conf_read_main(struct conf *conf, const char *config)
{
	struct stat all, named;

	if (config && stat(conf_main, &all) == 0 && stat(config, &named) == 0 && all.st_ino == named.st_ino && all.st_dev == named.st_dev)
		return;
	conf_read_path(conf, conf_main);
}

/* A file that was named for this one service describes it, and may have no mistakes at all. */
static const struct conf_entry *conf_entry_named(struct conf *conf, const char *config, const char *name)
{
	const struct conf_entry *entry;

	conf_read_named(conf, config);
	entry = conf_find(conf, name);
	if (!entry)
		fprintf(stderr, "service: '%s' is not described in %s\n", name, config);
	if (conf->nr_errors)
		entry = 0;
	conf_read_main(conf, config);
	return entry;
}

/* The service's own file, and after it the one for all. A mistake elsewhere does not keep a service from starting whose own description
 * is good: it was told, that is enough. */
static const struct conf_entry *conf_entry_installed(struct conf *conf, const char *name)
{
	char own[sizeof(conf_folder) + 256];
	const struct conf_entry *entry;

	snprintf(own, sizeof(own), "%s/%s", conf_folder, name);
	conf_read_path(conf, own);
	conf_read_main(conf, 0);
	entry = conf_find(conf, name);
	if (!entry)
		fprintf(stderr, "service: '%s' is not described in %s or %s\n", name, own, conf_main);
	return entry;
}

bool conf_describe(const char *config, const char *name, struct conf_service *out)
{
	struct conf conf;
	const struct conf_entry *entry;
	bool good;

	conf_begin(&conf);
	entry = config ? conf_entry_named(&conf, config, name) : conf_entry_installed(&conf, name);
	good = entry && conf_evaluate(&conf, entry, out);
	conf_fini(&conf);
	return good;
}

/* ---- check ---- */

static int is_conf_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && d->d_name[n - 1] != '~';
}

static void conf_read_all(struct conf *conf)
{
	struct dirent **names;
	int n = scandir(conf_folder, &names, is_conf_file, alphasort);

	for (int i = 0; i < n; i++) {
		char path[sizeof(conf_folder) + 1 + sizeof(names[i]->d_name)];

		snprintf(path, sizeof(path), "%s/%s", conf_folder, names[i]->d_name);
		conf_read_named(conf, path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	conf_read_path(conf, conf_main);
}

static int check_report(int entries, int mistakes)
{
	if (output_is_json()) {
		json_open(0, '{');
		json_number("entries", entries);
		json_number("mistakes", mistakes);
		json_number("exit", mistakes ? EXIT_CONFIG : EXIT_DONE);
		json_close('}');
	} else {
		printf("%d entries, %d mistakes\n", entries, mistakes);
	}
	return mistakes ? EXIT_CONFIG : EXIT_DONE;
}

int service_check(int argc, char **argv)
{
	struct conf_service meaning;
	struct conf conf;
	int entries = 0, mistakes;

	conf_begin(&conf);
	for (int i = 0; i < argc; i++)
		conf_read_named(&conf, argv[i]);
	if (argc == 0)
		conf_read_all(&conf);
	for (const struct conf_entry *e = conf.entries; e; e = e->next) {
		entries++;
		conf_evaluate(&conf, e, &meaning);
	}
	mistakes = conf.nr_errors;
	conf_fini(&conf);
	return check_report(entries, mistakes);
}

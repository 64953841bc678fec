/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MAKEDEV: creates device nodes by name, with the numbers Linux uses (its admin-guide/devices.txt) and the modes they have here, so that
 * nobody needs to remember either. A node that exists already as it should be is left alone.
 *
 *	MAKEDEV [-d FOLDER] [-n] NAME...
 *
 * A name is a device, a device with its number (ttyS2, ram0, vdb) or a group (std, block, ...; `MAKEDEV -l` lists all). A disk brings its
 * partitions. Exit status: 0 all done, 1 a node could not be made, 2 wrong usage or an unknown name (nothing is made then).
 */
#include <errno.h>
#include <proto/bdev.h>
#include <proto/cdev.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, PATH_BYTES = 256, PARTITIONS = BDEV_MINORS_PER_DISK - 1 };

enum naming {
	ONE,		/* NAME alone */
	NUMBERED,	/* NAME0, NAME1, ... */
	DISK_LETTER,	/* NAMEa, NAMEb, ... each with NAMEa1 ... NAMEa15 */
	DISK_NUMBER,	/* NAME0, NAME1, ... each with NAME0p1 ... NAME0p15 */
};

static const struct device {
	const char *name;
	enum naming naming;
	unsigned mode;
	int major_number, minor_number;	/* of the first */
	int count;			/* devices of that name */
} devices[] = {
	{ "null", ONE, S_IFCHR | 0666, MAJOR_MEM, 3, 1 },
	{ "zero", ONE, S_IFCHR | 0666, MAJOR_MEM, 5, 1 },
	{ "full", ONE, S_IFCHR | 0666, MAJOR_MEM, 7, 1 },
	{ "random", ONE, S_IFCHR | 0666, MAJOR_MEM, 8, 1 },
	{ "urandom", ONE, S_IFCHR | 0666, MAJOR_MEM, 9, 1 },
	{ "kmsg", ONE, S_IFCHR | 0644, MAJOR_MEM, 11, 1 },
	{ "tty", ONE, S_IFCHR | 0666, MAJOR_TTYAUX, 0, 1 },
	{ "console", ONE, S_IFCHR | 0600, MAJOR_TTYAUX, 1, 1 },
	{ "ptmx", ONE, S_IFCHR | 0666, MAJOR_TTYAUX, 2, 1 },
	{ "ttyS", NUMBERED, S_IFCHR | 0660, MAJOR_TTYS, 64, 4 },
	{ "hello", ONE, S_IFCHR | 0644, MAJOR_HELLO, 0, 1 },
	{ "ram", NUMBERED, S_IFBLK | 0660, BMAJOR_RAM, 0, 16 },
	{ "vd", DISK_LETTER, S_IFBLK | 0660, BMAJOR_VIRTIO, 0, 8 },
	{ "filter", DISK_NUMBER, S_IFBLK | 0660, BMAJOR_FILTER, 0, 4 },
	{ "faulty", DISK_NUMBER, S_IFBLK | 0660, BMAJOR_FAULTY, 0, 4 },
};
enum { NR_DEVICES = sizeof(devices) / sizeof(devices[0]) };

static const struct group { const char *name, *members; } groups[] = {
	{ "std", "null zero full random urandom kmsg tty console ptmx" },
	{ "serial", "ttyS0 ttyS1 ttyS2 ttyS3" },
	{ "block", "ram0 ram1 vda vdb vdc vdd" },
	{ "all", "std serial block hello" },
};
enum { NR_GROUPS = sizeof(groups) / sizeof(groups[0]) };

static struct { const char *folder; bool dry; int failures; } options = { .folder = "/dev" };

/* ---- one node ---- */

static bool node_is_there(const char *path, unsigned mode, dev_t dev)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == (mode & S_IFMT) && st.st_rdev == dev;
}

static void node_make(const char *name, unsigned mode, int major_number, int minor_number)
{
	char path[PATH_BYTES];
	dev_t dev = makedev((unsigned)major_number, (unsigned)minor_number);

	snprintf(path, sizeof(path), "%s/%s", options.folder, name);
	if (options.dry) {
		printf("%s %o %c %d %d\n", path, mode & 0777, S_ISCHR(mode) ? 'c' : 'b', major_number, minor_number);
		return;
	}
	/* chmod: the mode is what the table says, whatever the umask is. */
	if ((node_is_there(path, mode, dev) || mknod(path, mode, dev) == 0) && chmod(path, mode & 07777) == 0)
		return;
	fprintf(stderr, "MAKEDEV: %s: %s\n", path, strerror(errno));
	options.failures++;
}

static void disk_make(const char *name, const struct device *d, int index)
{
	char partition[PATH_BYTES];
	int first = d->minor_number + index * BDEV_MINORS_PER_DISK;

	node_make(name, d->mode, d->major_number, first);
	for (int i = 1; i <= PARTITIONS; i++) {
		snprintf(partition, sizeof(partition), "%s%s%d", name, d->naming == DISK_NUMBER ? "p" : "", i);
		node_make(partition, d->mode, d->major_number, first + i);
	}
}

/* ---- names ---- */

/* What stands behind the device's name: 0, 1, ... or a, b, ...; -1 if it is something else. */
static int index_of(const struct device *d, const char *suffix)
{
	char *end;
	long n;

	if (d->naming == ONE)
		return *suffix ? -1 : 0;
	if (d->naming == DISK_LETTER)
		return suffix[0] >= 'a' && suffix[0] < 'a' + d->count && !suffix[1] ? suffix[0] - 'a' : -1;
	if (suffix[0] < '0' || suffix[0] > '9' || (suffix[0] == '0' && suffix[1]))
		return -1;
	n = strtol(suffix, &end, 10);
	return *end == 0 && n < d->count ? (int)n : -1;
}

static const struct device *device_find(const char *name, int *index)
{
	for (int i = 0; i < NR_DEVICES; i++) {
		size_t len = strlen(devices[i].name);

		if (strncmp(name, devices[i].name, len) != 0)
			continue;
		*index = index_of(&devices[i], name + len);
		if (*index >= 0)
			return &devices[i];
	}
	return 0;
}

static const struct group *group_find(const char *name)
{
	for (int i = 0; i < NR_GROUPS; i++)
		if (strcmp(groups[i].name, name) == 0)
			return &groups[i];
	return 0;
}

static void name_make(const char *name)
{
	const struct group *g = group_find(name);
	char members[PATH_BYTES], *rest = members, *word;
	const struct device *d;
	int index;

	if (g) {
		snprintf(members, sizeof(members), "%s", g->members);
		while ((word = strsep(&rest, " ")))
			name_make(word);
		return;
	}
	d = device_find(name, &index);
	if (d->naming == DISK_LETTER || d->naming == DISK_NUMBER)
		disk_make(name, d, index);
	else
		node_make(name, d->mode, d->major_number, d->minor_number + index);
}

/* ---- command line ---- */

static int usage(FILE *out)
{
	fputs("usage: MAKEDEV [-d FOLDER] [-n] NAME...   -n: print, make nothing      MAKEDEV -l: list the names\n", out);
	return out == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

static int list(void)
{
	for (int i = 0; i < NR_DEVICES; i++) {
		const struct device *d = &devices[i];

		if (d->naming == ONE)
			puts(d->name);
		else if (d->naming == DISK_LETTER)
			printf("%sa to %s%c, with partitions\n", d->name, d->name, 'a' + d->count - 1);
		else
			printf("%s0 to %s%d%s\n", d->name, d->name, d->count - 1, d->naming == DISK_NUMBER ? ", with partitions" : "");
	}
	for (int i = 0; i < NR_GROUPS; i++)
		printf("%s: %s\n", groups[i].name, groups[i].members);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int option, index;

	while ((option = getopt(argc, argv, "d:nlh")) != -1) {
		switch (option) {
		case 'd': options.folder = optarg; break;
		case 'n': options.dry = true; break;
		case 'l': return list();
		case 'h': return usage(stdout);
		default: return usage(stderr);
		}
	}
	if (optind == argc)
		return usage(stderr);
	for (int i = optind; i < argc; i++)
		if (!group_find(argv[i]) && !device_find(argv[i], &index)) {
			fprintf(stderr, "MAKEDEV: '%s' is no device known here (MAKEDEV -l lists them)\n", argv[i]);
			return EXIT_USAGE;
		}
	for (int i = optind; i < argc; i++)
		name_make(argv[i]);
	return options.failures ? EXIT_FAILED : EXIT_SUCCESS;
}

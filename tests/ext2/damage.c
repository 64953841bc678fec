/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2_damage IMAGE DEVICE FIRST COUNT: for each seed the image goes to the device damaged, is mounted on /mnt, used in every way, and
 * unmounted. The file system's service may answer with errors, and may refuse to mount; it must not die, and each call must return.
 *
 * A child works and a parent watches: no call may take longer than PATIENCE_S. Says `ok ...` at the end, or `FAIL ...` with the seed, which
 * as FIRST with COUNT 1 does it again.
 */
#define _GNU_SOURCE
#include "damage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 20, NODEV = MS_NODEV | MS_NOSUID, ENOUGH_MOUNTED = 3 };
#define TOP "/mnt"

struct shared *shared;
static struct totals { unsigned mounted, refused, noticed; long slowest_ms; unsigned slowest; } totals;

static void fail(const char *what)
{
	printf("FAIL seed %u (%s): %s: %s (while: %s)\n", shared->seed, shared->kind, what, strerror(errno), shared->doing);
	fflush(stdout);
	_exit(1);
}

static long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint8_t *file_load(const char *path, uint32_t *size)
{
	struct stat s;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &s))
		fail(path);
	uint8_t *p = malloc((size_t)s.st_size);
	if (!p || read(fd, p, (size_t)s.st_size) != s.st_size)
		fail(path);
	close(fd);
	*size = (uint32_t)s.st_size;
	return p;
}

static void device_write(const char *device, const struct image *m)
{
	shared->doing = "writing the image";
	int fd = open(device, O_WRONLY);
	if (fd < 0 || write(fd, m->bytes, m->size) != (ssize_t)m->size || fsync(fd) || close(fd))
		fail(device);
}

/* The service of the mount, as RS knows it: it runs, and has never been anything else. */
static void service_check(void)
{
	char path[300], text[2000] = "";
	DIR *d = opendir("/proc/service");
	struct dirent *e;
	while (d && (e = readdir(d)) && strncmp(e->d_name, "ext2.", 5) != 0)
		;
	if (!d || !e)
		fail("the service of the mount is gone");
	snprintf(path, sizeof path, "/proc/service/%s", e->d_name);
	closedir(d);
	int fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		fail(path);
	close(fd);
	errno = 0;
	if (!strstr(text, "state: running\n") || !strstr(text, "restarts: 0\n"))
		printf("%s", text), fail("the service died");
}

static void unmount(void)
{
	shared->doing = "umount";
	for (int tries = 0; umount(TOP); tries++) {	/* errors of writing come after it is unmounted; EBUSY: VM forgets mappings */
		if (errno != EBUSY)
			break;
		if (tries == 100)
			fail("umount");
		usleep(20000);
	}
}

/* With few seeds, what takes how long. */
static void step_note(const char *step, long *since)
{
	long now = now_ms();
	if (shared->verbose)
		printf("%u %s: %s %ld ms\n", shared->seed, shared->kind, step, now - *since), fflush(stdout);
	*since = now;
}

static void seed_try(struct image *m, const char *device, unsigned seed)
{
	struct used u = { 0 };
	long begun = now_ms(), since = begun;
	shared->seed = seed;
	shared->kind = image_damage(m, seed);
	device_write(device, m);
	step_note("written", &since);
	shared->doing = "mount";
	if (mount(device, TOP, "ext2", NODEV | (seed % 7 == 3 ? MS_RDONLY : 0), NULL)) {
		totals.refused++;
		return;
	}
	totals.mounted++;
	step_note("mounted", &since);
	files_use(TOP, &u);
	step_note("used", &since);
	if (any(4) == 0) {
		shared->doing = "remount";
		mount(NULL, TOP, NULL, NODEV | MS_REMOUNT | MS_RDONLY, NULL);
		mount(NULL, TOP, NULL, NODEV | MS_REMOUNT, NULL);
		files_use(TOP, &u);
	}
	shared->doing = "service_check";
	service_check();
	unmount();
	step_note("unmounted", &since);
	totals.noticed += u.damage_seen > 0;
	if (now_ms() - begun > totals.slowest_ms)
		totals.slowest_ms = now_ms() - begun, totals.slowest = seed;
}

static int work(char **argv)
{
	static struct image m;
	uint32_t size;
	unsigned first = (unsigned)atoi(argv[3]), count = (unsigned)atoi(argv[4]);
	shared->verbose = count < 20;
	uint8_t *good = file_load(argv[1], &size);
	m.bytes = malloc(size);
	if (!m.bytes || !image_read(&m, good, size))
		fail("not an image with everything in it");
	long begun = now_ms();
	for (unsigned seed = first; seed < first + count; seed++) {
		seed_try(&m, argv[2], seed);
		shared->seeds++;
	}
	if (count > 50 && (totals.mounted < count / ENOUGH_MOUNTED || totals.noticed < count / 10))
		fail("this damages too much or too little");
	printf("ok %u seeds in %ld ms: %u mounted, %u refused, damage noticed in %u; ", count, now_ms() - begun, totals.mounted,
	       totals.refused, totals.noticed);
	printf("the slowest, %u, took %ld ms\n", totals.slowest, totals.slowest_ms);
	return 0;
}

int main(int argc, char **argv)
{
	int status;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc != 5 || shared == MAP_FAILED) {
		fprintf(stderr, "usage: ext2_damage IMAGE DEVICE FIRST COUNT\n");
		return 2;
	}
	shared->kind = shared->doing = "none";
	pid_t child = fork();
	if (child == 0)
		exit(work(argv));
	unsigned seen = 0;
	for (time_t moved = time(NULL); waitpid(child, &status, WNOHANG) == 0; usleep(50000)) {
		if (seen != shared->seeds)
			seen = shared->seeds, moved = time(NULL);
		if (time(NULL) - moved <= PATIENCE_S)
			continue;
		printf("FAIL seed %u (%s) does not end: %s\n", shared->seed, shared->kind, shared->doing);
		kill(child, SIGKILL);
		return 1;
	}
	if (WIFSIGNALED(status))
		printf("FAIL seed %u (%s): signal %d ends the worker (while: %s)\n", shared->seed, shared->kind, WTERMSIG(status),
		       shared->doing);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

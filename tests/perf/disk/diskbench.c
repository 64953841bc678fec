/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File-system throughput: one operation a run, so that the caller decides what is in the cache.
 *
 *   diskbench seqwrite|seqread|randwrite|randread FILE BLOCK_BYTES MIB     -> MB/s, writes with their fsync
 *   diskbench create|delete FOLDER COUNT                                   -> us for each file of 1 KiB, with a final sync
 *
 * Prints `VALUE UNIT`. What was written is known by position, and reads check it: a fast wrong answer is no answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "diskbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The first eight bytes of each 4 KiB (or smaller block) say where it lies. */
static void stamp(char *block, size_t bytes, uint64_t at)
{
	for (size_t i = 0; i < bytes; i += 4096) {
		uint64_t here = at + i;

		memcpy(block + i, &here, sizeof here);
	}
}

static void check(const char *block, size_t bytes, uint64_t at)
{
	for (size_t i = 0; i < bytes; i += 4096) {
		uint64_t here;

		memcpy(&here, block + i, sizeof here);
		if (here == at + i)
			continue;
		fprintf(stderr, "diskbench: byte %llu holds the data of %llu\n", (unsigned long long)(at + i), (unsigned long long)here);
		exit(1);
	}
}

static uint64_t random_step(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void transfer(const char *op, const char *path, size_t block, uint64_t mib)
{
	int writes = strstr(op, "write") != NULL, random = strncmp(op, "rand", 4) == 0;
	uint64_t blocks = (mib << 20) / block, seed = 1;
	char *data = malloc(block);
	int fd = open(path, writes ? O_RDWR | O_CREAT : O_RDONLY, 0644);
	double start = now(), seconds;

	need(data && fd >= 0, path);
	memset(data, 0x5a, block);
	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t at = (random ? random_step(&seed) % blocks : i) * block;

		if (writes)
			stamp(data, block, at);
		need((writes ? pwrite(fd, data, block, (off_t)at) : pread(fd, data, block, (off_t)at)) == (ssize_t)block, op);
		if (!writes)
			check(data, block, at);
	}
	need(!writes || fsync(fd) == 0, "fsync");
	seconds = now() - start;
	need(close(fd) == 0, "close");
	printf("%.2f MB/s\n", (double)(blocks * block) / 1e6 / seconds);
}

static void small_files(const char *op, const char *folder, unsigned count)
{
	static const char text[1024] = "a small file";
	char path[4096];
	double start = now();

	mkdir(folder, 0755);
	for (unsigned i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%u", folder, i);
		if (strcmp(op, "delete") == 0) {
			need(unlink(path) == 0, path);
			continue;
		}
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		need(fd >= 0 && write(fd, text, sizeof text) == (ssize_t)sizeof text && close(fd) == 0, path);
	}
	sync();
	printf("%.1f us\n", (now() - start) * 1e6 / count);
}

int main(int argc, char **argv)
{
	if (argc == 5 && atoi(argv[3]) >= 512 && atoi(argv[4]) > 0)
		transfer(argv[1], argv[2], (size_t)atoi(argv[3]), (uint64_t)atoi(argv[4]));
	else if (argc == 4 && atoi(argv[3]) > 0)
		small_files(argv[1], argv[2], (unsigned)atoi(argv[3]));
	else
		return fprintf(stderr, "usage: diskbench seqwrite|seqread|randwrite|randread FILE BLOCK_BYTES MIB\n"
				       "       diskbench create|delete FOLDER COUNT\n"), 2;
	return 0;
}

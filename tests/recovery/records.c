/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several processes read and write records at random places of a file each, and know what every record must hold.
 *
 *   records run FOLDER PROCESSES SECONDS    write, read back, fsync now and then; at the end leave FOLDER/N.model beside FOLDER/N
 *   records check FOLDER PROCESSES          compare all files with their models, after a remount say
 *
 * A record is 4 KiB: place, version, and bytes that follow from both. Any error of a call and any wrong byte ends with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 4096, RECORDS = 512, RUN_MAX = 16 };
static uint32_t model[RECORDS];		/* version of each record, 0: never written */
static unsigned char data[RECORD * RUN_MAX];
static int number;

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "records: process %d: %s: %s\n", number, what, strerror(errno));
	exit(1);
}

static void record_make(unsigned char *p, uint32_t place, uint32_t version)
{
	memset(p, (int)(place * 31 + version * 7 + (uint32_t)number), RECORD);
	if (version == 0)
		memset(p, 0, RECORD);
	else
		memcpy(p, (uint32_t[]){ place, version, (uint32_t)number }, 12);
}

static void record_check(const unsigned char *p, uint32_t place)
{
	unsigned char want[RECORD];
	uint32_t found[3];

	record_make(want, place, model[place]);
	if (memcmp(p, want, RECORD) == 0)
		return;
	memcpy(found, p, sizeof found);
	fprintf(stderr, "records: process %d: record %u is not version %u of it but %u of %u of process %u\n", number, place, model[place],
		found[1], found[0], found[2]);
	exit(1);
}

static void records_write(int fd, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		record_make(data + i * RECORD, first + i, ++model[first + i]);
	must(pwrite(fd, data, n * RECORD, (off_t)first * RECORD) == (ssize_t)(n * RECORD), "write");
}

static void records_read(int fd, uint32_t first, uint32_t n)
{
	must(pread(fd, data, n * RECORD, (off_t)first * RECORD) == (ssize_t)(n * RECORD), "read");
	for (uint32_t i = 0; i < n; i++)
		record_check(data + i * RECORD, first + i);
}

static int file_open(const char *folder, const char *suffix, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof path, "%s/%d%s", folder, number, suffix);
	fd = open(path, flags, 0644);
	must(fd >= 0, path);
	return fd;
}

static void run_one(const char *folder, int seconds)
{
	time_t end = time(NULL) + seconds;
	int fd = file_open(folder, "", O_RDWR | O_CREAT | O_TRUNC), model_fd;
	unsigned writes = 0, reads = 0, syncs = 0;

	srand((unsigned)number + 1);
	must(ftruncate(fd, RECORD * RECORDS) == 0, "ftruncate");
	while (time(NULL) < end) {
		uint32_t n = 1 + (uint32_t)rand() % RUN_MAX, first = (uint32_t)rand() % (RECORDS - n + 1);

		if (rand() % 2)
			records_write(fd, first, n), writes++;
		else
			records_read(fd, first, n), reads++;
		if (rand() % 10 == 0)
			must(fsync(fd) == 0, "fsync"), syncs++;
	}
	must(fsync(fd) == 0, "last fsync");
	model_fd = file_open(folder, ".model", O_WRONLY | O_CREAT | O_TRUNC);
	must(write(model_fd, model, sizeof model) == (ssize_t)sizeof model && fsync(model_fd) == 0, "model");
	printf("process %d: %u writes, %u reads, %u fsyncs\n", number, writes, reads, syncs);
	fflush(stdout);
}

static void check_one(const char *folder)
{
	int fd = file_open(folder, "", O_RDONLY), model_fd = file_open(folder, ".model", O_RDONLY);

	must(read(model_fd, model, sizeof model) == (ssize_t)sizeof model, "model");
	for (uint32_t place = 0; place < RECORDS; place++)
		records_read(fd, place, 1);
}

int main(int argc, char **argv)
{
	int processes = argc > 3 ? atoi(argv[3]) : 0, bad = 0;

	if (processes < 1 || (strcmp(argv[1], "check") != 0 && argc < 5))
		return fprintf(stderr, "usage: records run FOLDER PROCESSES SECONDS | check FOLDER PROCESSES\n"), 2;
	for (number = 0; number < processes; number++) {
		if (fork() != 0)
			continue;
		if (strcmp(argv[1], "check") == 0)
			check_one(argv[2]);
		else
			run_one(argv[2], atoi(argv[4]));
		return 0;
	}
	for (int status; wait(&status) > 0;)
		bad |= status != 0;
	return bad;
}

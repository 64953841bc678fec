/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes files into the current folder for ever and says `synced NUMBER BYTES` when fsync of a file has returned: from then on the file has
 * to survive a power cut. Between them it creates, rewrites and removes others without fsync, which may be lost. The contents follow
 * from the number, so that the host can check them: byte i of file n is (n * 7 + i * 13 + i / 4096) mod 256.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BYTES_MAX = 300000, CHURN = 5 };
static unsigned char data[BYTES_MAX];

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void fill(unsigned n, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		data[i] = (unsigned char)(n * 7 + i * 13 + i / 4096);
}

static int write_file(const char *name, unsigned n, size_t bytes)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	must(fd >= 0, name);
	fill(n, bytes);
	must(write(fd, data, bytes) == (ssize_t)bytes, "write");
	return fd;
}

static void churn(unsigned n)
{
	char name[40], other[40];

	for (unsigned i = 0; i < CHURN; i++) {
		snprintf(name, sizeof name, "loose.%u", (n + i) % 40);
		snprintf(other, sizeof other, "moved.%u", (n + 3 * i) % 40);
		close(write_file(name, n, (size_t)rand() % 20000));
		if (rand() % 2)
			must(rename(name, other) == 0, "rename");
		else if (rand() % 2)
			must(unlink(name) == 0, "unlink");
	}
}

int main(int argc, char **argv)
{
	srand(argc > 1 ? (unsigned)atoi(argv[1]) : 1);
	for (unsigned n = 0;; n++) {
		char name[40];
		size_t bytes = (size_t)rand() % BYTES_MAX + 1;
		int fd;

		snprintf(name, sizeof name, "kept.%u", n);
		fd = write_file(name, n, bytes);
		must(fsync(fd) == 0 && close(fd) == 0, "fsync");
		printf("synced %u %zu\n", n, bytes);
		fflush(stdout);
		churn(n);
	}
}

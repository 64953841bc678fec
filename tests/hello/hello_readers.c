/* SPDX-License-Identifier: BSD-2-Clause */
/* host: skip a driver of Axolotl */
/*
 * Readers of /dev/hello while somebody else kills its driver (tests/test_hello.py): each open and each read works or fails with an error
 * that is documented, and none waits for ever.
 *
 *	hello_readers READERS OPENS
 *
 * prints "opens N good N failed N wrong N hung N longest_ms N" and, for each error seen, "error NAME N". Without arguments it does
 * nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HANG_S = 30, ERRNO_MAX = 134 };
static const char want[] = "Hello, World!\n";

struct counts { unsigned opens, good, failed, wrong, hung; long longest_ns; unsigned errors[ERRNO_MAX]; };

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* All of the file, a few bytes at a time: so that drivers die between the reads of one open, too. */
static int read_all(int fd, char *buf, size_t size)
{
	size_t n = 0;
	ssize_t r;

	while ((r = read(fd, buf + n, n + 5 < size ? 5 : size - n)) > 0)
		n += (size_t)r;
	return r < 0 ? -errno : (int)n;
}

static int one_open(struct counts *c)
{
	char buf[64];
	int fd = open("/dev/hello", O_RDONLY), n;

	if (fd < 0)
		return -errno;
	n = read_all(fd, buf, sizeof(buf));
	close(fd);
	if (n >= 0 && ((size_t)n != sizeof(want) - 1 || memcmp(buf, want, (size_t)n) != 0))
		c->wrong++;
	return n;
}

static void reader(struct counts *c, int opens)
{
	for (int i = 0; i < opens; i++) {
		long begin = now_ns(), took;
		int r;

		alarm(HANG_S);
		r = one_open(c);
		took = now_ns() - begin;
		c->opens++;
		if (took > c->longest_ns)
			c->longest_ns = took;
		if (r >= 0)
			c->good++;
		else
			c->failed++, c->errors[-r]++;
	}
}

static void sum_up(const struct counts *all, int n)
{
	struct counts sum = { 0 };

	for (int i = 0; i < n; i++) {
		sum.opens += all[i].opens;
		sum.good += all[i].good;
		sum.failed += all[i].failed;
		sum.wrong += all[i].wrong;
		sum.hung += all[i].hung;
		if (all[i].longest_ns > sum.longest_ns)
			sum.longest_ns = all[i].longest_ns;
		for (int e = 0; e < ERRNO_MAX; e++)
			sum.errors[e] += all[i].errors[e];
	}
	printf("opens %u good %u failed %u wrong %u hung %u longest_ms %ld\n", sum.opens, sum.good, sum.failed, sum.wrong, sum.hung,
		sum.longest_ns / 1000000);
	for (int e = 0; e < ERRNO_MAX; e++)
		if (sum.errors[e])
			printf("error %d %u %s\n", e, sum.errors[e], strerror(e));
}

int main(int argc, char **argv)
{
	int readers = argc > 2 ? atoi(argv[1]) : 0, opens = argc > 2 ? atoi(argv[2]) : 0, status;
	struct counts *all;

	if (readers < 1) {
		puts("skip hello_readers: run by tests/test_hello.py");
		return 0;
	}
	all = mmap(0, (size_t)readers * sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < readers; i++)
		if (fork() == 0) {
			reader(&all[i], opens);
			_exit(0);
		}
	for (int i = 0; i < readers; i++)
		if (wait(&status) > 0 && WIFSIGNALED(status))
			all[0].hung += WTERMSIG(status) == SIGALRM;
	sum_up(all, readers);
	return 0;
}

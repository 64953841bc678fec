/* SPDX-License-Identifier: BSD-2-Clause */
/* Copy on write after fork: every process sees its own stores and nobody else's, whoever makes them, CPU or call. */
#include "segv.h"

#define RW (PROT_READ | PROT_WRITE)
enum { N = 64 };

static char *fill(void)
{
	char *p = mmap(NULL, N * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	for (int i = 0; i < N; i++)
		memset(p + i * PAGE, i, PAGE);
	return p;
}

static int intact(const char *p)
{
	for (int i = 0; i < N; i++)
		if (p[i * PAGE] != i || p[i * PAGE + PAGE - 1] != i)
			return 0;
	return 1;
}

static void child_writes(void)
{
	char *p = fill();
	IN_CHILD
	{
		CHECK(intact(p));
		memset(p, 99, N * PAGE);
	}
	CHECK(intact(p));
}

static void parent_writes(void)
{
	char *p = fill();
	int fds[2];
	char c;
	pid_t pid;
	NEED(pipe(fds) == 0);
	CHILD(pid)
	{
		NEED(read(fds[0], &c, 1) == 1);
		CHECK(intact(p));
	}
	memset(p, 98, N * PAGE);
	NEED(write(fds[1], "x", 1) == 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(p[N * PAGE - 1], 98);
}

static void system_call_writes(void)
{
	char *p = fill();
	int fd = file_make("f", "from the file");
	IN_CHILD
	{
		CHECK_EQ(pread(fd, p, 13, 0), 13); /* the copy into user memory must break the sharing too */
		CHECK_EQ(pread(fd, p + 4 * PAGE - 5, 13, 0), 13);
		struct stat *st = (void *)(p + 8 * PAGE);
		CHECK_EQ(fstat(fd, st), 0);
		CHECK_EQ(st->st_size, 13);
		CHECK(memcmp(p, "from the file", 13) == 0);
	}
	CHECK(intact(p));
	unlink("f");
}

static void generations(void)
{
	char *p = fill();
	pid_t pid = 0;
	for (int depth = 1; depth <= 8; depth++) {
		pid = fork();
		NEED(pid >= 0);
		if (pid > 0) {
			CHECK_EXIT(pid, 0);
			if (depth == 1)
				break;
			CHECK_EQ(p[0], depth - 1); /* what this generation wrote */
			CHECK_EQ(p[PAGE * 10], 10);
			_exit(0);
		}
		CHECK_EQ(p[0], depth - 1);
		p[0] = (char)depth;
	}
	if (pid == 0)
		_exit(0);
	CHECK(intact(p));
}

static void siblings_in_parallel(void)
{
	char *p = fill();
	pid_t pid[6];
	for (int k = 0; k < 6; k++) {
		CHILD(pid[k])
		{
			for (int round = 0; round < 3; round++)
				for (int i = 0; i < N; i++) {
					CHECK_EQ(p[i * PAGE + 8], round ? k + round - 1 : i);
					p[i * PAGE + 8] = (char)(k + round);
				}
		}
	}
	for (int k = 0; k < 6; k++)
		CHECK_EXIT(pid[k], 0);
	CHECK(intact(p));
}

static void protection_stays_after_fork(void)
{
	char *p = fill();
	segv_catch();
	NEED(mprotect(p, PAGE, PROT_READ) == 0);
	IN_CHILD
	{
		CHECK_EQ(fault_write(p, 1), SEGV_ACCERR);
		CHECK_EQ(mprotect(p, PAGE, RW), 0);
		CHECK_EQ(fault_write(p, 1), 0);
	}
	CHECK_EQ(fault_write(p, 1), SEGV_ACCERR);
	CHECK(intact(p));
}

static void unmapped_in_one_only(void)
{
	char *p = fill();
	segv_catch();
	IN_CHILD
	{
		CHECK_EQ(munmap(p, N / 2 * PAGE), 0);
		CHECK_EQ(fault_read(p), SEGV_MAPERR);
	}
	CHECK(intact(p));
	pid_t pid;
	int fds[2];
	char c;
	NEED(pipe(fds) == 0);
	CHILD(pid)
	{
		NEED(read(fds[0], &c, 1) == 1);
		CHECK(intact(p));
		memset(p, 1, N * PAGE);
	}
	NEED(munmap(p, N * PAGE) == 0);
	NEED(write(fds[1], "x", 1) == 1);
	CHECK_EXIT(pid, 0);
}

static void dontfork_and_stack(void)
{
	volatile char deep[50000];
	deep[100] = 1;
	IN_CHILD
	{
		CHECK_EQ(deep[100], 1);
		deep[100] = 2;
	}
	CHECK_EQ(deep[100], 1);
}

int main(void)
{
	RUN(child_writes);
	RUN(parent_writes);
	RUN(system_call_writes);
	RUN(generations);
	RUN(siblings_in_parallel);
	RUN(protection_stays_after_fork);
	RUN(unmapped_in_one_only);
	RUN(dontfork_and_stack);
	return check_end();
}

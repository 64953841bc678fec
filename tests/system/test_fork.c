/* SPDX-License-Identifier: BSD-2-Clause */
/* fork: two processes with equal memory that then differ, shared open files, and what a child does not inherit. */
#include "check.h"

static int global = 7;

static void child_is_a_copy(void)
{
	int local = 1;
	char *heap = malloc(100000);
	memset(heap, 'a', 100000);
	pid_t me = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		CHECK_EQ(getppid(), me);
		CHECK(getpid() != me);
		CHECK_EQ(syscall(SYS_gettid), getpid());
		CHECK(global == 7 && local == 1 && heap[99999] == 'a');
		global = 8;
		local = 2;
		memset(heap, 'b', 100000);
		_exit(42);
	}
	CHECK(pid > 0 && pid != me);
	CHECK_EXIT(pid, 42);
	CHECK(global == 7 && local == 1);
	for (int i = 0; i < 100000; i += 1000)
		NEED(heap[i] == 'a');
}

static void offset_is_shared(void)
{
	int fd = file_make("f", "0123456789");
	char c;
	IN_CHILD
	{
		CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
		CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
	}
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	CHECK(fcntl(fd, F_GETFL) & O_APPEND);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, '4');
	IN_CHILD
	{
		close(fd);
	}
	CHECK_EQ(read(fd, &c, 1), 1); /* a descriptor closed in the child stays open here */
	CHECK_EQ(c, '5');
	unlink("f");
}

static void descriptor_flags_are_copied(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	IN_CHILD
	{
		CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
		CHECK_EQ(fcntl(fd, F_SETFD, 0), 0);
	}
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void handler(int sig)
{
	(void)sig;
}

static void signal_state(void)
{
	sigset_t set, got;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	on_signal(SIGUSR2, handler, 0);
	raise(SIGUSR1);
	alarm(1000);
	IN_CHILD
	{
		struct sigaction sa;
		CHECK_EQ(sigpending(&got), 0);
		CHECK(!sigismember(&got, SIGUSR1)); /* pending signals stay with the parent */
		CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &got), 0);
		CHECK(sigismember(&got, SIGUSR1) && sigismember(&got, SIGUSR2)); /* the mask is inherited */
		CHECK_EQ(sigaction(SIGUSR2, NULL, &sa), 0);
		CHECK(sa.sa_handler == handler);
		CHECK_EQ(alarm(0), 0); /* alarms are not */
	}
	CHECK_EQ(sigpending(&got), 0);
	CHECK(sigismember(&got, SIGUSR1));
	unsigned left = alarm(0);
	CHECK(left > 900 && left <= 1000);
}

static void inherits_ids_and_directories(void)
{
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(chdir("d"), 0);
	umask(027);
	pid_t sid = getsid(0), pgrp = getpgrp();
	IN_CHILD
	{
		char buf[300];
		CHECK(getcwd(buf, sizeof buf) != NULL);
		CHECK_STR(strrchr(buf, '/'), "/d");
		CHECK_EQ(umask(0), 027);
		CHECK_EQ(getsid(0), sid);
		CHECK_EQ(getpgrp(), pgrp);
		CHECK_EQ(chdir("/"), 0);
	}
	char buf[300];
	CHECK(getcwd(buf, sizeof buf) != NULL);
	CHECK_STR(strrchr(buf, '/'), "/d"); /* the child's chdir and umask are its own */
	CHECK_EQ(umask(022), 027);
	CHECK_EQ(chdir(".."), 0);
	CHECK_EQ(rmdir("d"), 0);
}

static void many_children(void)
{
	enum { N = 30 };
	pid_t pid[N];
	int seen[N] = { 0 };
	for (int i = 0; i < N; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(i + 1);
		NEED(pid[i] > 0);
	}
	for (int i = 0; i < N; i++) {
		int st;
		pid_t got = wait(&st);
		int k = WEXITSTATUS(st) - 1;
		NEED(WIFEXITED(st) && k >= 0 && k < N);
		CHECK_EQ(pid[k], got);
		seen[k]++;
	}
	for (int i = 0; i < N; i++)
		CHECK_EQ(seen[i], 1);
	CHECK_ERR(wait(NULL), ECHILD);
}

static void generations(void)
{
	int fds[2];
	NEED(pipe(fds) == 0);
	for (int depth = 0; depth < 12; depth++) {
		pid_t pid = fork();
		NEED(pid >= 0);
		if (pid > 0) { /* each parent waits for the child that goes on */
			int st = wait_status(pid);
			if (depth > 0)
				_exit(WEXITSTATUS(st));
			CHECK_EQ(WEXITSTATUS(st), 99);
			break;
		}
		global++;
		if (depth == 11) {
			NEED(write(fds[1], &global, sizeof global) == sizeof global);
			_exit(99);
		}
	}
	int got = 0;
	CHECK_EQ(read(fds[0], &got, sizeof got), sizeof got);
	CHECK_EQ(got, 19);
	CHECK_EQ(global, 7);
}

static void locks_are_not_inherited(void)
{
	int fd = file_make("l", "x");
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_EQ(fcntl(fd, F_SETLK, &fl), 0);
	IN_CHILD
	{
		struct flock q = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		CHECK_ERR(fcntl(fd, F_SETLK, &q), EAGAIN);
		close(fd); /* closing here must not drop the parent's lock */
	}
	IN_CHILD
	{
		struct flock q = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		CHECK_EQ(fcntl(fd, F_GETLK, &q), 0);
		CHECK_EQ(q.l_type, F_WRLCK);
		CHECK_EQ(q.l_pid, getppid());
	}
	unlink("l");
}

int main(void)
{
	RUN(child_is_a_copy);
	RUN(offset_is_shared);
	RUN(descriptor_flags_are_copied);
	RUN(signal_state);
	RUN(inherits_ids_and_directories);
	RUN(many_children);
	RUN(generations);
	RUN(locks_are_not_inherited);
	return check_end();
}

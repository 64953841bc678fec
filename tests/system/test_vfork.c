/* SPDX-License-Identifier: BSD-2-Clause */
/* vfork: the child borrows the parent's memory, and the parent runs again only after the child's exec or exit. */
#include "check.h"

static volatile int shared;

static void parent_waits_for_exit(void)
{
	pid_t pid = vfork();
	if (pid == 0) {
		usleep(50000);
		shared = 5;
		_exit(3);
	}
	CHECK(pid > 0);
	CHECK_EQ(shared, 5); /* the write is seen: same memory, and it came first */
	CHECK_EXIT(pid, 3);
}

static void parent_waits_for_exec(void)
{
	int fds[2];
	char c;
	NEED(pipe2(fds, O_CLOEXEC) == 0);
	char *argv[] = { (char *)self_path(NULL), "--sleep", NULL };
	long long start = now_ms();
	pid_t pid = vfork();
	if (pid == 0) {
		usleep(50000);
		shared = 6;
		execv(argv[0], argv);
		shared = 7;
		_exit(1);
	}
	CHECK_EQ(shared, 6);
	CHECK(now_ms() - start >= 45);
	close(fds[1]);
	CHECK_EQ(read(fds[0], &c, 1), 0); /* end of file: exec closed the child's copy */
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0); /* the child still sleeps: exec was enough */
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_KILLED(pid, SIGKILL);
}

static void failed_exec_keeps_parent_waiting(void)
{
	pid_t pid = vfork();
	if (pid == 0) {
		execl("/nonexistent/file", "x", (char *)NULL);
		shared = errno;
		_exit(127);
	}
	CHECK_EQ(shared, ENOENT);
	CHECK_EXIT(pid, 127);
}

static void killed_child_releases_parent(void)
{
	pid_t pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	CHECK_KILLED(pid, SIGKILL);
}

static void descriptors_are_separate(void)
{
	int fd = open("/dev/null", O_RDONLY);
	pid_t pid = vfork();
	if (pid == 0) {
		close(fd);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
}

static void many_in_turn(void)
{
	for (int i = 0; i < 30; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			shared = i;
			_exit(i);
		}
		NEED(pid > 0);
		CHECK_EQ(shared, i);
		CHECK_EXIT(pid, i);
	}
}

int main(int argc, char **argv)
{
	self_path(argv[0]);
	if (argc > 1 && strcmp(argv[1], "--sleep") == 0) {
		pause();
		return 0;
	}
	RUN(parent_waits_for_exit);
	RUN(parent_waits_for_exec);
	RUN(failed_exec_keeps_parent_waiting);
	RUN(killed_child_releases_parent);
	RUN(descriptors_are_separate);
	RUN(many_in_turn);
	return check_end();
}

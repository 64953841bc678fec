/* SPDX-License-Identifier: BSD-2-Clause */
/* poll, ppoll, select, pselect: readiness per kind of file, time limits, signal masks for the time of the wait, errors. */
#include "check.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

static int p[2], q[2];
static volatile int caught;
static void on_usr1(int sig)
{
	caught = sig;
}

static void files_are_always_ready(void)
{
	int f = file_make("f", "x"), n = open("/dev/null", O_RDWR), d = open(".", O_RDONLY);
	struct pollfd fds[3] = { { f, POLLIN | POLLOUT, 0 }, { n, POLLIN | POLLOUT, 0 }, { d, POLLIN, 0 } };
	CHECK_EQ(poll(fds, 3, -1), 3);
	CHECK_EQ(fds[0].revents, POLLIN | POLLOUT);
	CHECK_EQ(fds[1].revents, POLLIN | POLLOUT);
	CHECK_EQ(fds[2].revents, POLLIN);
	unlink("f");
}

static void invalid_and_ignored(void)
{
	struct pollfd fds[3] = { { -1, POLLIN, 99 }, { 999, POLLIN, 0 }, { p[0], 0, 0 } };
	NEED(pipe(p) == 0);
	fds[2].fd = p[0];
	CHECK_EQ(poll(fds, 3, 0), 1);
	CHECK_EQ(fds[0].revents, 0);
	CHECK_EQ(fds[1].revents, POLLNVAL);
	close(p[1]);
	CHECK_EQ(poll(fds + 2, 1, 0), 1);
	CHECK_EQ(fds[2].revents, POLLHUP); /* reported without being asked for */
	struct rlimit rl = { 10, 100 };
	NEED(setrlimit(RLIMIT_NOFILE, &rl) == 0);
	CHECK_ERR(syscall(SYS_poll, fds, 11, 0), EINVAL);
	CHECK_ERR(syscall(SYS_poll, bad_unmapped(), 1, 0), EFAULT);
	CHECK_ERR(syscall(SYS_poll, bad_readonly(), 1, 0), EFAULT);
	CHECK_EQ(poll(NULL, 0, 0), 0);
}

static void time_limits(void)
{
	long long start = now_ms();
	NEED(pipe(p) == 0);
	struct pollfd f = { p[0], POLLIN, 0 };
	CHECK_EQ(poll(&f, 1, 60), 0);
	CHECK(now_ms() - start >= 59);
	start = now_ms();
	CHECK_EQ(poll(NULL, 0, 40), 0);
	CHECK(now_ms() - start >= 39);
	struct timespec t = { 0, 40000000 }, bad = { 0, 1000000000 }, neg = { -1, 0 };
	start = now_ms();
	CHECK_EQ(ppoll(&f, 1, &t, NULL), 0);
	CHECK(now_ms() - start >= 39);
	CHECK_ERR(syscall(SYS_ppoll, &f, 1, &bad, NULL, 8), EINVAL);
	CHECK_ERR(syscall(SYS_ppoll, &f, 1, &neg, NULL, 8), EINVAL);
	CHECK_ERR(syscall(SYS_ppoll, &f, 1, NULL, &bad, 5), EINVAL); /* size of a signal set */
	struct timeval v = { 0, 40000 };
	start = now_ms();
	CHECK_EQ(syscall(SYS_select, 0, NULL, NULL, NULL, &v), 0);
	CHECK(now_ms() - start >= 39);
	CHECK(v.tv_sec == 0 && v.tv_usec == 0); /* Linux writes the rest of the time back */
}

static void waits_for_a_writer(void)
{
	pid_t pid;
	NEED(pipe(p) == 0);
	struct pollfd f[2] = { { p[0], POLLIN, 0 }, { 0, 0, 0 } };
	NEED(pipe(q) == 0);
	f[1] = (struct pollfd){ q[0], POLLIN, 0 };
	CHILD(pid)
	{
		sleep_ms(30);
		NEED(write(q[1], "x", 1) == 1);
	}
	CHECK_EQ(poll(f, 2, -1), 1);
	CHECK(f[0].revents == 0 && f[1].revents == POLLIN);
	CHECK_EXIT(pid, 0);
	CHILD(pid)
	{
		close(p[0]);
		sleep_ms(30);
	}
	close(p[1]);
	CHECK_EQ(poll(f, 1, -1), 1); /* the writer's end wakes it as well */
	CHECK_EQ(f[0].revents, POLLHUP);
	CHECK_EXIT(pid, 0);
}

static void select_sets(void)
{
	fd_set r, w, e;
	NEED(pipe(p) == 0 && pipe(q) == 0);
	NEED(write(q[1], "x", 1) == 1);
	FD_ZERO(&r); FD_ZERO(&w); FD_ZERO(&e);
	FD_SET(p[0], &r); FD_SET(q[0], &r); FD_SET(p[1], &w); FD_SET(p[0], &e);
	struct timeval t = { 5, 0 };
	CHECK_EQ(select(q[1] + 1, &r, &w, &e, &t), 2);
	CHECK(!FD_ISSET(p[0], &r) && FD_ISSET(q[0], &r) && FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &e));
	CHECK(t.tv_sec == 4 || t.tv_sec == 5);
	FD_ZERO(&r); FD_SET(p[0], &r);
	t = (struct timeval){ 0, 0 };
	CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, &t), 0);
	CHECK(!FD_ISSET(p[0], &r)); /* cleared on a time-out */
	FD_ZERO(&r); FD_SET(q[0], &r);
	CHECK_EQ(select(q[0], &r, NULL, NULL, &t), 0); /* n is exclusive */
	close(p[1]);
	FD_ZERO(&r); FD_SET(p[0], &r);
	CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, NULL), 1); /* end of file counts as readable */
	FD_ZERO(&r); FD_SET(60, &r);
	CHECK_ERR(select(61, &r, NULL, NULL, &t), EBADF);
	CHECK(FD_ISSET(60, &r)); /* untouched by an error */
	CHECK_ERR(syscall(SYS_select, -1, &r, NULL, NULL, &t), EINVAL);
	t.tv_sec = -1;
	CHECK_ERR(syscall(SYS_select, 0, NULL, NULL, NULL, &t), EINVAL);
	CHECK_ERR(syscall(SYS_select, 10, bad_unmapped(), NULL, NULL, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_select, 10, NULL, NULL, NULL, bad_unmapped()), EFAULT);
}

static void high_descriptors(void)
{
	struct rlimit rl;
	NEED(getrlimit(RLIMIT_NOFILE, &rl) == 0);
	if (rl.rlim_cur < 1000)
		return (void)SKIP("few descriptors");
	NEED(pipe(p) == 0);
	CHECK_EQ(dup2(p[0], 900), 900);
	fd_set r;
	FD_ZERO(&r); FD_SET(900, &r);
	NEED(write(p[1], "x", 1) == 1);
	struct timeval t = { 0, 0 };
	CHECK_EQ(select(901, &r, NULL, NULL, &t), 1);
	CHECK(FD_ISSET(900, &r));
}

static void mask_during_the_wait(void)
{
	sigset_t block, open_set;
	pid_t pid, me = getpid();
	struct timespec t = { 5, 0 };
	NEED(pipe(p) == 0);
	on_signal(SIGUSR1, on_usr1, 0);
	sigemptyset(&block), sigemptyset(&open_set), sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	kill(me, SIGUSR1);
	struct pollfd f = { p[0], POLLIN, 0 };
	CHECK_EQ(poll(&f, 1, 20), 0);
	CHECK_EQ(caught, 0);
	CHECK_ERR(ppoll(&f, 1, &t, &open_set), EINTR); /* pending: arrives at once */
	CHECK_EQ(caught, SIGUSR1);
	caught = 0;
	CHILD(pid)
	{
		wait_asleep(me);
		kill(me, SIGUSR1);
	}
	fd_set r;
	FD_ZERO(&r); FD_SET(p[0], &r);
	CHECK_ERR(pselect(p[0] + 1, &r, NULL, NULL, &t, &open_set), EINTR);
	CHECK_EQ(caught, SIGUSR1);
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1)); /* the old mask is back */
	CHECK_EXIT(pid, 0);
}

static void interrupted_without_restart(void)
{
	NEED(pipe(p) == 0);
	on_signal(SIGALRM, on_usr1, SA_RESTART); /* poll and select are never restarted after a handler */
	struct itimerval it = { .it_value.tv_usec = 30000 };
	struct pollfd f = { p[0], POLLIN, 0 };
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(poll(&f, 1, -1), EINTR);
	fd_set r;
	FD_ZERO(&r); FD_SET(p[0], &r);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(select(p[0] + 1, &r, NULL, NULL, NULL), EINTR);
}

static void many_descriptors(void)
{
	enum { N = 100 };
	struct pollfd f[N];
	int pipes[N][2];
	for (int i = 0; i < N; i++) {
		NEED(pipe(pipes[i]) == 0);
		f[i] = (struct pollfd){ pipes[i][0], POLLIN, 0 };
	}
	for (int i = 0; i < N; i += 7)
		NEED(write(pipes[i][1], "x", 1) == 1);
	CHECK_EQ(poll(f, N, 0), 15);
	for (int i = 0; i < N; i++)
		CHECK_EQ(f[i].revents, i % 7 ? 0 : POLLIN);
}

static void sockets(void)
{
	int s[2];
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	struct pollfd f = { s[0], POLLIN | POLLOUT | POLLRDHUP, 0 };
	CHECK_EQ(poll(&f, 1, 0), 1);
	CHECK_EQ(f.revents, POLLOUT);
	NEED(shutdown(s[1], SHUT_WR) == 0);
	CHECK_EQ(poll(&f, 1, 0), 1);
	CHECK_EQ(f.revents, POLLIN | POLLOUT | POLLRDHUP);
	close(s[1]);
	CHECK_EQ(poll(&f, 1, 0), 1);
	CHECK_EQ(f.revents, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
}

int main(void)
{
	RUN(files_are_always_ready);
	RUN(invalid_and_ignored);
	RUN(time_limits);
	RUN(waits_for_a_writer);
	RUN(select_sets);
	RUN(high_descriptors);
	RUN(mask_during_the_wait);
	RUN(interrupted_without_restart);
	RUN(many_descriptors);
	RUN(sockets);
	return check_end();
}

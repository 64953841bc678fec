/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll: level, edge, one-shot, user data, changes while watching, closed descriptors, nesting, waiting and errors. */
#include "check.h"
#include <sys/epoll.h>

static int ep, p[2];
static struct epoll_event ev[10];

static int ctl(int op, int fd, unsigned events, uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };
	return epoll_ctl(ep, op, fd, &e);
}

static void start(void)
{
	ep = epoll_create1(0);
	NEED(ep >= 0 && pipe(p) == 0);
}

static void level(void)
{
	char c;
	start();
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 0x1122334455667788), 0);
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[1], EPOLLOUT, 9), 0);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1);
	CHECK(ev[0].events == EPOLLOUT && ev[0].data.u64 == 9);
	NEED(write(p[1], "ab", 2) == 2);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 2);
	CHECK_EQ(epoll_wait(ep, ev, 1, 0), 1); /* no more than asked for */
	CHECK_EQ(ctl(EPOLL_CTL_DEL, p[1], 0, 0), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1); /* as long as it is so */
		CHECK(ev[0].events == EPOLLIN && ev[0].data.u64 == 0x1122334455667788);
	}
	NEED(read(p[0], &c, 1) == 1);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1);
	NEED(read(p[0], &c, 1) == 1);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 0);
}

static void edge(void)
{
	char c;
	start();
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 1), 0);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 0);
	NEED(write(p[1], "ab", 2) == 2);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 0); /* told once */
	NEED(read(p[0], &c, 1) == 1);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 0);
	NEED(write(p[1], "c", 1) == 1);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1); /* news */
	CHECK_EQ(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 2), 0);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1); /* MOD arms again */
	CHECK_EQ(ev[0].data.u64, 2);
	close(p[1]);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1);
	CHECK(ev[0].events & EPOLLHUP);
}

static void one_shot(void)
{
	start();
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLONESHOT, 1), 0);
	NEED(write(p[1], "a", 1) == 1);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1);
	NEED(write(p[1], "b", 1) == 1);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 0); /* silent until rearmed */
	CHECK_EQ(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 1), 0);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1);
}

static void hang_up_needs_no_request(void)
{
	start();
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], 0, 1), 0);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 0);
	close(p[1]);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1);
	CHECK_EQ(ev[0].events, EPOLLHUP);
}

static void waiting(void)
{
	pid_t pid;
	start();
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1), 0);
	long long t = now_ms();
	CHECK_EQ(epoll_wait(ep, ev, 10, 50), 0);
	CHECK(now_ms() - t >= 49);
	CHILD(pid)
	{
		sleep_ms(30);
		NEED(write(p[1], "x", 1) == 1);
	}
	CHECK_EQ(epoll_wait(ep, ev, 10, -1), 1);
	CHECK_EXIT(pid, 0);
}

static void closing_removes(void)
{
	int copy;
	start();
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1), 0);
	NEED(write(p[1], "x", 1) == 1);
	copy = dup(p[0]);
	close(p[0]);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 1); /* the open file still exists */
	close(copy);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 0); /* now it does not */
}

static void nested_and_polled(void)
{
	int outer = epoll_create1(EPOLL_CLOEXEC);
	start();
	CHECK_EQ(fcntl(outer, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1), 0);
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 77 };
	CHECK_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &e), 0);
	CHECK_EQ(epoll_wait(outer, ev, 10, 0), 0);
	NEED(write(p[1], "x", 1) == 1);
	CHECK_EQ(epoll_wait(outer, ev, 10, 0), 1);
	CHECK_EQ(ev[0].data.u64, 77);
	CHECK_EQ(ctl(EPOLL_CTL_ADD, outer, EPOLLIN, 1), -1); /* a circle */
	CHECK_EQ(errno, ELOOP);
}

static void refused(void)
{
	int f;
	start();
	f = file_make("f", "");
	CHECK_ERR(epoll_create1(0x7), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_create, 0), EINVAL);
	CHECK_OK(syscall(SYS_epoll_create, 1));
	CHECK_ERR(ctl(EPOLL_CTL_ADD, f, EPOLLIN, 0), EPERM); /* plain files cannot be watched */
	CHECK_ERR(ctl(EPOLL_CTL_ADD, open(".", O_RDONLY), EPOLLIN, 0), EPERM);
	CHECK_ERR(ctl(EPOLL_CTL_ADD, 999, EPOLLIN, 0), EBADF);
	CHECK_ERR(ctl(EPOLL_CTL_ADD, ep, EPOLLIN, 0), EINVAL);
	CHECK_ERR(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN, 0), ENOENT);
	CHECK_ERR(ctl(EPOLL_CTL_DEL, p[0], 0, 0), ENOENT);
	CHECK_EQ(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 0), 0);
	CHECK_ERR(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 0), EEXIST);
	CHECK_EQ(ctl(EPOLL_CTL_ADD, dup(p[0]), EPOLLIN, 0), 0); /* another descriptor is another entry */
	CHECK_ERR(ctl(77, p[0], EPOLLIN, 0), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_wait, ep, ev, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_wait, ep, ev, -1, 0), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_wait, f, ev, 1, 0), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_wait, -1, ev, 1, 0), EBADF);
	struct epoll_event e = { 0 };
	CHECK_ERR(epoll_ctl(f, EPOLL_CTL_ADD, p[0], &e), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[1], bad_unmapped()), EFAULT);
	NEED(write(p[1], "x", 1) == 1);
	CHECK_ERR(syscall(SYS_epoll_wait, ep, bad_readonly(), 1, 0), EFAULT);
	CHECK_EQ(epoll_wait(ep, ev, 10, 0), 2); /* the event was not lost by it */
	unlink("f");
}

static void nothing(int sig)
{
	(void)sig;
}

static void signals(void)
{
	sigset_t all, none;
	start();
	on_signal(SIGALRM, nothing, SA_RESTART);
	struct itimerval it = { .it_value.tv_usec = 30000 };
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(epoll_wait(ep, ev, 10, -1), EINTR);
	sigfillset(&all), sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &all, NULL);
	raise(SIGALRM);
	CHECK_ERR(epoll_pwait(ep, ev, 10, 1000, &none), EINTR);
	CHECK_EQ(epoll_pwait(ep, ev, 10, 10, &all), 0);
}

static void many(void)
{
	enum { N = 60 };
	int pipes[N][2], seen = 0;
	start();
	for (int i = 0; i < N; i++) {
		NEED(pipe(pipes[i]) == 0);
		NEED(ctl(EPOLL_CTL_ADD, pipes[i][0], EPOLLIN, (uint64_t)i) == 0);
		NEED(write(pipes[i][1], "x", 1) == 1);
	}
	int got[N] = { 0 };
	for (int round = 0; round < 30; round++) { /* every ready one gets its turn although only ten fit */
		int n = epoll_wait(ep, ev, 10, 0);
		NEED(n == 10);
		for (int i = 0; i < n; i++)
			seen += got[ev[i].data.u64]++ == 0;
	}
	CHECK_EQ(seen, N);
}

int main(void)
{
	RUN(level);
	RUN(edge);
	RUN(one_shot);
	RUN(hang_up_needs_no_request);
	RUN(waiting);
	RUN(closing_removes);
	RUN(nested_and_polled);
	RUN(refused);
	RUN(signals);
	RUN(many);
	return check_end();
}

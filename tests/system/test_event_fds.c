/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd, timerfd and signalfd: what is read, when it blocks, how poll sees it, and errors. */
#include "check.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int ready(int fd)
{
	struct pollfd f = { fd, POLLIN | POLLOUT, 0 };
	return poll(&f, 1, 0) > 0 ? f.revents : 0;
}

static void eventfd_counts(void)
{
	uint64_t v;
	int fd = eventfd(3, EFD_NONBLOCK);
	NEED(fd >= 0);
	CHECK_EQ(ready(fd), POLLIN | POLLOUT);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 3);
	CHECK_EQ(ready(fd), POLLOUT);
	CHECK_ERR(read(fd, &v, 8), EAGAIN);
	v = 5;
	CHECK_EQ(write(fd, &v, 8), 8);
	CHECK_EQ(write(fd, &v, 8), 8);
	char big[20];
	CHECK_EQ(read(fd, big, 20), 8);
	memcpy(&v, big, 8);
	CHECK_EQ(v, 10); /* summed up, taken whole */
	CHECK_ERR(read(fd, &v, 7), EINVAL);
	CHECK_ERR(write(fd, &v, 7), EINVAL);
	v = UINT64_MAX;
	CHECK_ERR(write(fd, &v, 8), EINVAL);
	v = UINT64_MAX - 1;
	CHECK_EQ(write(fd, &v, 8), 8);
	CHECK_EQ(ready(fd), POLLIN);
	v = 1;
	CHECK_ERR(write(fd, &v, 8), EAGAIN);
	CHECK_ERR(eventfd(0, 0x10), EINVAL);
}

static void eventfd_semaphore_and_waiting(void)
{
	uint64_t v;
	pid_t pid;
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 1);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 1);
	CHILD(pid)
	{
		CHECK_EQ(read(fd, &v, 8), 8); /* waits */
		CHECK_EQ(v, 1);
	}
	wait_asleep(pid);
	v = 1;
	CHECK_EQ(write(fd, &v, 8), 8);
	CHECK_EXIT(pid, 0);
	fd = eventfd(0, 0);
	v = UINT64_MAX - 1;
	CHECK_EQ(write(fd, &v, 8), 8);
	CHILD(pid)
	{
		v = 4;
		CHECK_EQ(write(fd, &v, 8), 8); /* waits for room */
	}
	wait_asleep(pid);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 4);
}

static void timerfd_expirations(void)
{
	uint64_t n;
	struct itimerspec its = { { 0, 20000000 }, { 0, 30000000 } }, old;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	NEED(fd >= 0);
	CHECK_EQ(timerfd_settime(fd, 0, &its, NULL), 0);
	CHECK_EQ(ready(fd), 0);
	CHECK_EQ(timerfd_gettime(fd, &old), 0);
	CHECK(old.it_interval.tv_nsec == 20000000 && old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(n >= 1);
	sleep_ms(70);
	CHECK_EQ(ready(fd), POLLIN);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(n >= 3); /* missed ones are counted */
	its.it_value.tv_nsec = 0, its.it_interval.tv_nsec = 0;
	CHECK_EQ(timerfd_settime(fd, 0, &its, &old), 0); /* stopped */
	CHECK_EQ(old.it_interval.tv_nsec, 20000000);
	sleep_ms(30);
	CHECK_EQ(ready(fd), 0);
	CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(read(fd, &n, 8), EAGAIN);
	CHECK_ERR(read(fd, &n, 4), EINVAL);
}

static void timerfd_absolute(void)
{
	uint64_t n;
	struct itimerspec its = { { 0, 0 }, { 0, 0 } };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	clock_gettime(CLOCK_REALTIME, &its.it_value);
	its.it_value.tv_sec -= 5;
	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL), 0); /* in the past: at once */
	for (int i = 0; i < 50 && !ready(fd); i++)
		sleep_ms(2);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK_EQ(n, 1);
	clock_gettime(CLOCK_REALTIME, &its.it_value);
	its.it_value.tv_sec += 100;
	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL), 0);
	CHECK_EQ(timerfd_gettime(fd, &its), 0);
	CHECK(its.it_value.tv_sec >= 97 && its.it_value.tv_sec <= 100); /* told relative */
}

static void timerfd_errors(void)
{
	struct itimerspec its = { { 0, 0 }, { 0, 1000000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK_ERR(timerfd_create(77, 0), EINVAL);
	CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 0x7), EINVAL);
	CHECK_ERR(timerfd_settime(fd, 0, &its, NULL), EINVAL);
	its.it_value.tv_nsec = -1;
	CHECK_ERR(timerfd_settime(fd, 0, &its, NULL), EINVAL);
	its.it_value.tv_nsec = 5;
	CHECK_ERR(timerfd_settime(fd, 0x100, &its, NULL), EINVAL);
	CHECK_ERR(timerfd_settime(0, 0, &its, NULL), EINVAL); /* no timer */
	CHECK_ERR(timerfd_gettime(-1, &its), EBADF);
}

static void signalfd_reads_signals(void)
{
	struct signalfd_siginfo si[3];
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	NEED(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(read(fd, si, sizeof si), EAGAIN);
	CHECK_EQ(ready(fd), 0);
	kill(getpid(), SIGUSR1);
	union sigval v = { .sival_int = 1234 };
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, v), 0);
	CHECK_EQ(ready(fd), POLLIN);
	CHECK_EQ(read(fd, si, sizeof si), 2 * sizeof *si);
	CHECK_EQ(si[0].ssi_signo, SIGUSR1);
	CHECK_EQ(si[0].ssi_pid, getpid());
	CHECK_EQ(si[0].ssi_code, SI_USER);
	CHECK_EQ(si[1].ssi_signo, SIGRTMIN + 1);
	CHECK_EQ(si[1].ssi_int, 1234);
	CHECK_EQ(si[1].ssi_code, SI_QUEUE);
	sigset_t pend;
	sigpending(&pend);
	CHECK(!sigismember(&pend, SIGUSR1)); /* taken by reading */
	CHECK_ERR(read(fd, si, 10), EINVAL);
	sigaddset(&set, SIGUSR2);
	sigdelset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(signalfd(fd, &set, 0), fd); /* a new set for the same descriptor */
	raise(SIGUSR1), raise(SIGUSR2);
	CHECK_EQ(read(fd, si, sizeof si), sizeof *si);
	CHECK_EQ(si[0].ssi_signo, SIGUSR2);
	CHECK_ERR(syscall(SYS_signalfd4, -1, &set, 8, 0x7), EINVAL);
	CHECK_ERR(syscall(SYS_signalfd4, -1, &set, 5, 0), EINVAL);
	CHECK_ERR(syscall(SYS_signalfd4, 0, &set, 8, 0), EINVAL);
	CHECK_ERR(syscall(SYS_signalfd4, -1, bad_unmapped(), 8, 0), EFAULT);
}

static void signalfd_waits(void)
{
	struct signalfd_siginfo si;
	sigset_t set;
	pid_t pid, me = getpid();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, 0);
	CHILD(pid)
	{
		wait_asleep(me);
		_exit(7);
	}
	CHECK_EQ(read(fd, &si, sizeof si), sizeof si);
	CHECK_EQ(si.ssi_signo, SIGCHLD);
	CHECK_EQ(si.ssi_pid, pid);
	CHECK_EQ(si.ssi_status, 7);
	CHECK_EQ(si.ssi_code, CLD_EXITED);
	CHECK_EXIT(pid, 7);
}

int main(void)
{
	RUN(eventfd_counts);
	RUN(eventfd_semaphore_and_waiting);
	RUN(timerfd_expirations);
	RUN(timerfd_absolute);
	RUN(timerfd_errors);
	RUN(signalfd_reads_signals);
	RUN(signalfd_waits);
	return check_end();
}

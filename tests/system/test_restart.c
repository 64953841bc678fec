/* SPDX-License-Identifier: BSD-2-Clause */
/* A signal during a blocking call: which calls answer EINTR, which are restarted by SA_RESTART, what progress is kept. */
#include "check.h"
#include "futex.h"
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

static volatile int calls;
static void count(int sig)
{
	(void)sig;
	calls++;
}

static int p[2], s[2], lfd, efd;
static unsigned word;
static pid_t kid;

static long do_read_pipe(void)
{
	char c;
	return read(p[0], &c, 1);
}
static long do_write_pipe(void)
{
	static char big[70000];
	return write(p[1], big, sizeof big); /* the pipe is full */
}
static long do_recv(void)
{
	char c;
	return recv(s[0], &c, 1, 0);
}
static long do_accept(void)
{
	return accept(lfd, NULL, NULL);
}
static long do_wait(void)
{
	return waitpid(kid, NULL, 0);
}
static long do_futex(void)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long do_flock(void)
{
	return flock(open("f", O_RDONLY), LOCK_EX);
}
static long do_setlkw(void)
{
	struct flock fl = { .l_type = F_WRLCK };
	return fcntl(efd, F_SETLKW, &fl);
}
static long do_fifo(void)
{
	return open("q", O_RDONLY);
}
static long do_poll(void)
{
	struct pollfd f = { p[0], POLLIN, 0 };
	return poll(&f, 1, -1);
}
static long do_epoll(void)
{
	struct epoll_event e;
	return epoll_wait(epoll_create1(0), &e, 1, -1);
}
static long do_pause(void)
{
	return pause();
}
static long do_nanosleep(void)
{
	struct timespec t = { 20, 0 };
	return nanosleep(&t, NULL);
}
static long do_recv_timeout(void)
{
	struct timeval t = { 20, 0 };
	char c;
	setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	return recv(s[0], &c, 1, 0);
}

static const struct row {
	const char *name;
	long (*call)(void);
	int restarts;
} rows[] = {
	{ "read of a pipe", do_read_pipe, 1 },
	{ "write to a full pipe", do_write_pipe, 1 },
	{ "recv", do_recv, 1 },
	{ "accept", do_accept, 1 },
	{ "waitpid", do_wait, 1 },
	{ "futex wait", do_futex, 1 },
	{ "flock", do_flock, 1 },
	{ "fcntl F_SETLKW", do_setlkw, 1 },
	{ "open of a fifo", do_fifo, 1 },
	{ "poll", do_poll, 0 },
	{ "epoll_wait", do_epoll, 0 },
	{ "pause", do_pause, 0 },
	{ "nanosleep", do_nanosleep, 0 },
	{ "recv with a time limit", do_recv_timeout, 0 },
};

static void prepare(const struct row *r)
{
	static char full[65536];
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "sock" };
	NEED(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	if (r->call == do_write_pipe)
		NEED(write(p[1], full, sizeof full) == sizeof full);
	lfd = socket(AF_UNIX, SOCK_STREAM, 0);
	NEED(bind(lfd, (void *)&un, sizeof un) == 0 && listen(lfd, 1) == 0);
	unlink("sock");
	efd = open("f", O_RDWR);
	if (r->call == do_wait) {
		pid_t parent = getpid();
		kid = fork();
		if (kid == 0)
			while (getppid() == parent)
				sleep_ms(50);
	}
}

/*
 * The child makes the call and is signalled every now and then. Interrupted, it exits 1; restarted, it is still in
 * the call after several signals, and the parent ends it.
 */
static void try_row(const struct row *r, int flags, int want_restart)
{
	int ready[2], held = open("f", O_RDWR), st;
	char c, what[100], got[60];
	pid_t pid;
	struct flock fl = { .l_type = F_WRLCK };
	NEED(pipe(ready) == 0 && flock(held, LOCK_EX) == 0 && fcntl(held, F_SETLK, &fl) == 0);
	CHILD(pid)
	{
		prepare(r);
		on_signal(SIGUSR1, count, flags);
		NEED(write(ready[1], "x", 1) == 1);
		long ret = r->call();
		_exit(ret == -1 && errno == EINTR && calls > 0 ? 1 : 2);
	}
	NEED(read(ready[0], &c, 1) == 1);
	wait_asleep(pid);
	int ended = 0;
	for (int i = 0; i < (want_restart ? 4 : 400) && !ended; i++) {
		kill(pid, SIGUSR1);
		sleep_ms(5);
		ended = waitpid(pid, &st, WNOHANG) == pid;
	}
	snprintf(what, sizeof what, "%s, flags 0x%x", r->name, flags);
	if (ended)
		snprintf(got, sizeof got, "status 0x%x", st);
	if (want_restart && ended)
		check_fail(__FILE__, __LINE__, what, got, "still waiting");
	if (!want_restart && (!ended || !WIFEXITED(st) || WEXITSTATUS(st) != 1))
		check_fail(__FILE__, __LINE__, what, ended ? got : "still waiting", "EINTR");
	if (!ended) {
		kill(pid, SIGKILL);
		CHECK_KILLED(pid, SIGKILL);
	}
	close(held), close(ready[0]), close(ready[1]);
}

static void every_call(void)
{
	file_put("f", "");
	NEED(mkfifo("q", 0600) == 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		try_row(&rows[i], 0, 0);
		try_row(&rows[i], SA_RESTART, rows[i].restarts);
	}
	unlink("f"), unlink("q");
}

static void restarted_call_gets_its_data(void)
{
	char buf[10] = "";
	pid_t pid, me = getpid();
	NEED(pipe(p) == 0);
	on_signal(SIGUSR1, count, SA_RESTART);
	CHILD(pid)
	{
		wait_asleep(me);
		for (int i = 0; i < 5; i++) {
			kill(me, SIGUSR1);
			sleep_ms(3);
		}
		NEED(write(p[1], "data", 4) == 4);
	}
	CHECK_EQ(read(p[0], buf, 10), 4);
	CHECK_STR(buf, "data");
	CHECK(calls >= 1);
	CHECK_EXIT(pid, 0);
}

static void partial_progress_is_reported(void)
{
	static char big[200000];
	pid_t pid, me = getpid();
	NEED(pipe(p) == 0);
	on_signal(SIGUSR1, count, SA_RESTART);
	CHILD(pid)
	{
		wait_asleep(me);
		kill(me, SIGUSR1);
		pause();
	}
	CHECK_EQ(write(p[1], big, sizeof big), 65536); /* what went through, not EINTR and no restart */
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static void nanosleep_tells_the_rest(void)
{
	struct timespec t = { 10, 0 }, rest = { 0, 0 };
	struct itimerval it = { .it_value.tv_usec = 50000 };
	on_signal(SIGALRM, count, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(nanosleep(&t, &rest), EINTR);
	CHECK(rest.tv_sec == 9 && rest.tv_nsec > 0);
}

static void ignored_and_default_signals_do_not_interrupt(void)
{
	struct timespec t = { 0, 100000000 };
	pid_t pid, me = getpid();
	on_signal(SIGUSR1, SIG_IGN, 0);
	CHILD(pid)
	{
		sleep_ms(20);
		kill(me, SIGUSR1);
		kill(me, SIGWINCH);
		kill(me, SIGCONT);
	}
	long long start = now_ms();
	CHECK_EQ(nanosleep(&t, NULL), 0);
	CHECK(now_ms() - start >= 99);
	CHECK_EXIT(pid, 0);
}

static void stop_and_continue_are_not_seen(void)
{
	char c;
	pid_t pid;
	int st;
	NEED(pipe(p) == 0);
	CHILD(pid)
	{
		CHECK_EQ(read(p[0], &c, 1), 1); /* goes on waiting after SIGCONT */
		struct timespec t = { 0, 80000000 };
		long long start = now_ms();
		CHECK_EQ(nanosleep(&t, NULL), 0);
		CHECK(now_ms() - start >= 79);
	}
	wait_asleep(pid);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	kill(pid, SIGCONT);
	sleep_ms(10);
	NEED(write(p[1], "x", 1) == 1);
	sleep_ms(20);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	kill(pid, SIGCONT);
	CHECK_EXIT(pid, 0);
}

int main(void)
{
	RUN(every_call);
	RUN(restarted_call_gets_its_data);
	RUN(partial_progress_is_reported);
	RUN(nanosleep_tells_the_rest);
	RUN(ignored_and_default_signals_do_not_interrupt);
	RUN(stop_and_continue_are_not_seen);
	return check_end();
}

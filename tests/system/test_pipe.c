/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes and FIFOs: order, blocking, fill size, whole small writes, end of file, EPIPE with SIGPIPE, opening rules. */
#include "check.h"
#include <poll.h>

static int p[2];
static volatile int got_pipe;
static void on_pipe(int sig)
{
	(void)sig;
	got_pipe++;
}

static void bytes_in_order(void)
{
	char buf[20] = "";
	NEED(pipe(p) == 0);
	CHECK_EQ(p[1], p[0] + 1);
	CHECK_EQ(write(p[1], "abc", 3), 3);
	CHECK_EQ(write(p[1], "def", 3), 3);
	CHECK_EQ(read(p[0], buf, 2), 2);
	CHECK_EQ(read(p[0], buf + 2, 18), 4); /* what is there, joined */
	CHECK_STR(buf, "abcdef");
	CHECK_ERR(read(p[1], buf, 1), EBADF);
	CHECK_ERR(write(p[0], buf, 1), EBADF);
	close(p[1]);
	CHECK_EQ(read(p[0], buf, 1), 0);
}

static void ends(void)
{
	NEED(pipe(p) == 0);
	on_signal(SIGPIPE, on_pipe, 0);
	close(p[0]);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	CHECK_EQ(got_pipe, 1);
	on_signal(SIGPIPE, SIG_IGN, 0);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	pid_t pid;
	CHILD(pid)
	{
		on_signal(SIGPIPE, SIG_DFL, 0);
		_exit((int)write(p[1], "x", 1));
	}
	CHECK_KILLED(pid, SIGPIPE);
}

static void reader_waits_and_writer_waits(void)
{
	char buf[PAGE];
	pid_t pid;
	NEED(pipe(p) == 0);
	CHILD(pid)
	{
		sleep_ms(40);
		NEED(write(p[1], "late", 4) == 4);
	}
	CHECK_EQ(read(p[0], buf, 10), 4);
	CHECK_EXIT(pid, 0);
	CHILD(pid)
	{
		static char big[200000];
		memset(big, 'b', sizeof big);
		CHECK_EQ(write(p[1], big, sizeof big), sizeof big); /* waits until all is taken */
	}
	wait_asleep(pid);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	size_t sum = 0;
	while (sum < 200000) {
		ssize_t n = read(p[0], buf, sizeof buf);
		NEED(n > 0 && buf[0] == 'b');
		sum += (size_t)n;
	}
	CHECK_EXIT(pid, 0);
}

static void nonblocking_and_full(void)
{
	static char chunk[PAGE], rest[70000];
	int n = 0;
	NEED(syscall(SYS_pipe2, p, O_NONBLOCK) == 0);
	CHECK_ERR(read(p[0], chunk, 1), EAGAIN);
	while (write(p[1], chunk, PAGE) == PAGE)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 16); /* 64 KiB */
	CHECK_ERR(write(p[1], chunk, 1), EAGAIN);
	CHECK_EQ(read(p[0], chunk, PAGE), PAGE);
	CHECK_EQ(write(p[1], chunk, 10), 10);
	while (read(p[0], rest, sizeof rest) > 0)
		;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(write(p[1], rest, sizeof rest), 65536); /* more than fits: what fits */
	CHECK_ERR(write(p[1], rest, PAGE), EAGAIN); /* up to PIPE_BUF all or nothing */
	close(p[1]);
	CHECK_EQ(read(p[0], rest, sizeof rest), 65536);
	CHECK_EQ(read(p[0], rest, 1), 0); /* end, not EAGAIN */
}

static void pipe_buf_writes_stay_whole(void)
{
	enum { WRITERS = 4, EACH = 50 };
	char buf[PAGE];
	int count[WRITERS] = { 0 };
	pid_t pid[WRITERS];
	NEED(pipe(p) == 0);
	for (int i = 0; i < WRITERS; i++) {
		CHILD(pid[i])
		{
			memset(buf, 'A' + i, PAGE);
			for (int k = 0; k < EACH; k++)
				NEED(write(p[1], buf, PAGE) == PAGE);
		}
	}
	close(p[1]);
	for (;;) {
		size_t have = 0;
		ssize_t n = 0;
		while (have < PAGE && (n = read(p[0], buf + have, PAGE - have)) > 0)
			have += (size_t)n;
		if (have == 0)
			break;
		NEED(have == PAGE);
		for (int i = 1; i < PAGE; i++)
			NEED(buf[i] == buf[0]);
		count[buf[0] - 'A']++;
	}
	for (int i = 0; i < WRITERS; i++) {
		CHECK_EXIT(pid[i], 0);
		CHECK_EQ(count[i], EACH);
	}
}

static void closing_wakes(void)
{
	pid_t pid;
	char c;
	NEED(pipe(p) == 0);
	CHILD(pid)
	{
		close(p[1]);
		CHECK_EQ(read(p[0], &c, 1), 0);
		_exit(3);
	}
	close(p[0]);
	wait_asleep(pid);
	close(p[1]);
	CHECK_EXIT(pid, 3);
	NEED(pipe(p) == 0);
	CHILD(pid)
	{
		static char big[100000];
		close(p[0]);
		on_signal(SIGPIPE, on_pipe, SA_RESTART);
		CHECK_EQ(write(p[1], big, sizeof big), 65536); /* what went in before the reader left */
		CHECK_EQ(got_pipe, 1); /* and the signal comes all the same */
		CHECK_ERR(write(p[1], big, sizeof big), EPIPE);
	}
	close(p[1]);
	wait_asleep(pid);
	close(p[0]);
	CHECK_EXIT(pid, 0);
}

static void flags_and_errors(void)
{
	NEED(syscall(SYS_pipe2, p, O_CLOEXEC | O_NONBLOCK) == 0);
	CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(p[1], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(p[0], F_GETFL), O_RDONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY | O_NONBLOCK);
	CHECK_ERR(syscall(SYS_pipe2, p, O_APPEND), EINVAL);
	int before = open("/dev/null", O_RDONLY);
	CHECK_ERR(syscall(SYS_pipe2, bad_readonly(), 0), EFAULT);
	close(before);
	CHECK_EQ(open("/dev/null", O_RDONLY), before); /* nothing was left open */
	CHECK_EQ(open("/dev/null", O_RDONLY), before + 1);
	CHECK_ERR(read(p[0], bad_unmapped(), 1), EAGAIN); /* empty: not looked at */
	NEED(write(p[1], "abc", 3) == 3);
	CHECK_ERR(read(p[0], bad_unmapped(), 1), EFAULT);
	char buf[4] = "";
	CHECK_EQ(read(p[0], buf, 3), 3); /* and nothing is lost by it */
	CHECK_STR(buf, "abc");
	CHECK_ERR(write(p[1], bad_unmapped(), 1), EFAULT);
}

static void fifo(void)
{
	char buf[10] = "";
	pid_t pid;
	CHECK_EQ(mkfifo("q", 0600), 0);
	CHECK_ERR(mkfifo("q", 0600), EEXIST);
	CHECK_ERR(open("q", O_WRONLY | O_NONBLOCK), ENXIO); /* nobody reads */
	int r = open("q", O_RDONLY | O_NONBLOCK); /* does not wait */
	NEED(r >= 0);
	CHECK_EQ(read(r, buf, 1), 0); /* no writer yet: end of file */
	int w = open("q", O_WRONLY | O_NONBLOCK);
	NEED(w >= 0);
	CHECK_ERR(read(r, buf, 1), EAGAIN);
	CHECK_EQ(write(w, "hi", 2), 2);
	CHECK_EQ(read(r, buf, 10), 2);
	close(r), close(w);
	CHILD(pid)
	{
		int f = open("q", O_WRONLY); /* waits for the reader */
		NEED(write(f, "met", 3) == 3);
	}
	sleep_ms(30);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	r = open("q", O_RDONLY);
	CHECK_EQ(read(r, buf, 10), 3);
	CHECK_EQ(read(r, buf, 10), 0);
	CHECK_EXIT(pid, 0);
	int both = open("q", O_RDWR); /* never waits */
	CHECK_EQ(write(both, "x", 1), 1);
	CHECK_EQ(read(both, buf, 1), 1);
	CHECK_ERR(lseek(both, 0, SEEK_SET), ESPIPE);
	unlink("q");
}

static void poll_states(void)
{
	static char full[65536];
	NEED(pipe(p) == 0);
	struct pollfd f[2] = { { p[0], POLLIN, 0 }, { p[1], POLLOUT, 0 } };
	CHECK_EQ(poll(f, 2, 0), 1);
	CHECK(f[0].revents == 0 && f[1].revents == POLLOUT);
	NEED(write(p[1], full, sizeof full) == sizeof full);
	CHECK_EQ(poll(f, 2, 0), 1);
	CHECK(f[0].revents == POLLIN && f[1].revents == 0);
	close(p[1]);
	f[1].fd = -1;
	CHECK_EQ(poll(f, 2, 0), 1);
	CHECK_EQ(f[0].revents, POLLIN | POLLHUP);
	NEED(pipe(p) == 0);
	close(p[0]);
	f[1].fd = p[1], f[0].fd = -1;
	CHECK_EQ(poll(f, 2, 0), 1);
	CHECK_EQ(f[1].revents, POLLOUT | POLLERR);
}

int main(void)
{
	RUN(bytes_in_order);
	RUN(ends);
	RUN(reader_waits_and_writer_waits);
	RUN(nonblocking_and_full);
	RUN(pipe_buf_writes_stay_whole);
	RUN(closing_wakes);
	RUN(flags_and_errors);
	RUN(fifo);
	RUN(poll_states);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_UNIX stream and seqpacket sockets: naming, connecting, backlog, shutdown, end of peer, options, every refusal. */
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un name(const char *path)
{
	struct sockaddr_un un;
	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	strcpy(un.sun_path, path);
	return un;
}

#define ADDR(un) (struct sockaddr *)&(un), sizeof(un)

static int listener(const char *path, int type)
{
	struct sockaddr_un un = name(path);
	int fd = socket(AF_UNIX, type, 0);
	NEED(fd >= 0 && bind(fd, ADDR(un)) == 0 && listen(fd, 5) == 0);
	return fd;
}

static int dial(const char *path, int type)
{
	struct sockaddr_un un = name(path);
	int fd = socket(AF_UNIX, type, 0);
	NEED(fd >= 0 && connect(fd, ADDR(un)) == 0);
	return fd;
}

static void pair(void)
{
	char buf[20] = "";
	int s[2];
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s), 0);
	CHECK_EQ(fcntl(s[0], F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(s[1], F_GETFL) & O_NONBLOCK);
	CHECK_ERR(read(s[0], buf, 1), EAGAIN);
	CHECK_EQ(write(s[0], "abc", 3), 3);
	CHECK_EQ(write(s[0], "def", 3), 3);
	CHECK_EQ(recv(s[1], buf, 2, MSG_PEEK), 2);
	CHECK_EQ(recv(s[1], buf, 20, 0), 6); /* a stream has no borders */
	CHECK_STR(buf, "abcdef");
	CHECK_EQ(write(s[1], "back", 4), 4);
	int n = 0;
	CHECK_EQ(ioctl(s[0], FIONREAD, &n), 0);
	CHECK_EQ(n, 4);
	CHECK_ERR(lseek(s[0], 0, SEEK_SET), ESPIPE);
	struct stat st;
	CHECK_EQ(fstat(s[0], &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_ERR(socketpair(AF_UNIX, 9, 0, s), ESOCKTNOSUPPORT);
	CHECK_ERR(socketpair(AF_UNIX, SOCK_STREAM, 77, s), EPROTONOSUPPORT);
	CHECK_ERR(socketpair(9999, SOCK_STREAM, 0, s), EAFNOSUPPORT);
	CHECK_ERR(socket(9999, SOCK_STREAM, 0), EAFNOSUPPORT);
}

static void connect_and_accept(void)
{
	char buf[20] = "";
	struct sockaddr_un from = { 0 };
	struct stat st;
	socklen_t len = sizeof from;
	int l = listener("s", SOCK_STREAM), c = dial("s", SOCK_STREAM), a;
	CHECK_EQ(stat("s", &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_EQ(write(c, "early", 5), 5); /* before anybody accepted */
	a = accept(l, (void *)&from, &len);
	NEED(a >= 0);
	CHECK_EQ(len, 2); /* the peer has no name */
	CHECK_EQ(from.sun_family, AF_UNIX);
	CHECK_EQ(read(a, buf, 20), 5);
	len = sizeof from;
	CHECK_EQ(getsockname(a, (void *)&from, &len), 0);
	CHECK(len == 2 + 1 + 1 && strcmp(from.sun_path, "s") == 0);
	len = sizeof from;
	CHECK_EQ(getpeername(c, (void *)&from, &len), 0);
	CHECK_STR(from.sun_path, "s");
	len = 3; /* too short: cut, and the true length told */
	memset(&from, 'x', sizeof from);
	CHECK_EQ(getpeername(c, (void *)&from, &len), 0);
	CHECK(len == 4 && from.sun_path[0] == 's' && from.sun_path[1] == 'x');
	int b = -1, d = dial("s", SOCK_STREAM);
	CHECK_OK(b = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
	CHECK(fcntl(b, F_GETFD) == FD_CLOEXEC && fcntl(b, F_GETFL) & O_NONBLOCK);
	CHECK_ERR(syscall(SYS_accept4, l, NULL, NULL, 0x7), EINVAL);
	CHECK_EQ(unlink("s"), 0);
	CHECK_EQ(write(d, "x", 1), 1); /* what is connected stays so */
	struct sockaddr_un un = name("s");
	CHECK_ERR(connect(socket(AF_UNIX, SOCK_STREAM, 0), ADDR(un)), ENOENT);
}

static void refusals(void)
{
	struct sockaddr_un un = name("s"), other = name("file"), deep = name("missing/s");
	int l = listener("s", SOCK_STREAM), s = socket(AF_UNIX, SOCK_STREAM, 0), f = file_make("file", "");
	char c;
	CHECK_ERR(bind(s, ADDR(un)), EADDRINUSE);
	CHECK_ERR(bind(s, ADDR(other)), EADDRINUSE); /* any file is in the way */
	CHECK_ERR(bind(s, ADDR(deep)), ENOENT);
	struct sockaddr_un second = name("second");
	CHECK_ERR(bind(l, ADDR(second)), EINVAL); /* has a name already */
	CHECK_ERR(access("second", F_OK), ENOENT);
	CHECK_ERR(connect(s, ADDR(other)), ECONNREFUSED); /* no socket */
	CHECK_ERR(connect(s, ADDR(deep)), ENOENT);
	CHECK_ERR(accept(s, NULL, NULL), EINVAL); /* does not listen */
	CHECK_ERR(read(s, &c, 1), EINVAL);
	on_signal(SIGPIPE, SIG_IGN, 0);
	CHECK_ERR(write(s, "x", 1), ENOTCONN);
	CHECK_ERR(getpeername(s, (void *)&un, &(socklen_t){ sizeof un }), ENOTCONN);
	CHECK_EQ(shutdown(s, SHUT_RD), 0);
	CHECK_ERR(accept(f, NULL, NULL), ENOTSOCK);
	CHECK_ERR(connect(f, ADDR(un)), ENOTSOCK);
	CHECK_ERR(listen(f, 1), ENOTSOCK);
	CHECK_ERR(recv(f, &c, 1, 0), ENOTSOCK);
	CHECK_ERR(bind(s, (void *)&un, 1), EINVAL);
	CHECK_ERR(bind(s, (void *)&un, 200), EINVAL);
	un.sun_family = AF_INET;
	CHECK_ERR(connect(s, ADDR(un)), EINVAL);
	int c1 = dial("s", SOCK_STREAM);
	un = name("s");
	CHECK_ERR(connect(c1, ADDR(un)), EISCONN);
	close(l);
	CHECK_ERR(connect(s, ADDR(un)), ECONNREFUSED); /* the name is there, nobody listens */
	CHECK_ERR(read(c1, &c, 1), ECONNRESET); /* it was never accepted */
	CHECK_EQ(unlink("s"), 0);
	listener("t", SOCK_SEQPACKET);
	un = name("t");
	CHECK_ERR(connect(s, ADDR(un)), EPROTOTYPE);
	NEED(chmod(".", 0755) == 0 && chmod("t", 0600) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(connect(socket(AF_UNIX, SOCK_SEQPACKET, 0), ADDR(un)), EACCES); /* needs write permission */
		un = name("new");
		CHECK_ERR(bind(socket(AF_UNIX, SOCK_STREAM, 0), ADDR(un)), EACCES);
	}
	unlink("t"), unlink("file");
}

static void backlog(void)
{
	struct sockaddr_un un = name("s");
	int l = socket(AF_UNIX, SOCK_STREAM, 0), made = 0;
	NEED(bind(l, ADDR(un)) == 0 && listen(l, 2) == 0);
	for (; made < 10; made++)
		if (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), ADDR(un)) != 0)
			break;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(made, 3); /* one more than said */
	CHECK_OK(accept(l, NULL, NULL));
	CHECK_EQ(connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), ADDR(un)), 0);
	pid_t pid;
	CHILD(pid)
	{
		CHECK_EQ(connect(socket(AF_UNIX, SOCK_STREAM, 0), ADDR(un)), 0); /* waits for a place */
	}
	wait_asleep(pid);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	CHECK_OK(accept(l, NULL, NULL));
	CHECK_EXIT(pid, 0);
	CHECK_EQ(fcntl(l, F_SETFL, O_NONBLOCK), 0);
	while (accept(l, NULL, NULL) >= 0)
		;
	CHECK_EQ(errno, EAGAIN);
	unlink("s");
}

static void shutdown_and_close(void)
{
	char buf[10];
	int s[2];
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	on_signal(SIGPIPE, SIG_IGN, 0);
	CHECK_EQ(write(s[0], "last", 4), 4);
	CHECK_EQ(shutdown(s[0], SHUT_WR), 0);
	CHECK_ERR(write(s[0], "x", 1), EPIPE);
	CHECK_EQ(read(s[1], buf, 10), 4);
	CHECK_EQ(read(s[1], buf, 10), 0);
	CHECK_EQ(write(s[1], "still", 5), 5); /* the other way is open */
	CHECK_EQ(read(s[0], buf, 10), 5);
	CHECK_EQ(shutdown(s[0], SHUT_RD), 0);
	CHECK_EQ(read(s[0], buf, 10), 0);
	CHECK_ERR(write(s[1], "x", 1), EPIPE);
	CHECK_ERR(shutdown(s[0], 77), EINVAL);
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK_EQ(write(s[0], "abc", 3), 3);
	CHECK_EQ(write(s[1], "unread", 6), 6);
	close(s[0]); /* leaves something unread behind: a reset */
	CHECK_EQ(read(s[1], buf, 10), 3);
	CHECK_ERR(read(s[1], buf, 10), ECONNRESET);
	CHECK_EQ(read(s[1], buf, 10), 0);
	CHECK_ERR(write(s[1], "x", 1), EPIPE);
	CHECK_ERR(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	pid_t pid;
	CHILD(pid)
	{
		on_signal(SIGPIPE, SIG_DFL, 0);
		_exit((int)write(s[1], "x", 1));
	}
	CHECK_KILLED(pid, SIGPIPE);
}

static void full_buffers(void)
{
	static char chunk[8192];
	int s[2];
	long sum = 0, got = 0;
	ssize_t n;
	NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0);
	while ((n = write(s[0], chunk, sizeof chunk)) > 0)
		sum += n;
	CHECK_EQ(errno, EAGAIN);
	CHECK(sum >= 16384);
	struct pollfd f = { s[0], POLLOUT, 0 };
	CHECK_EQ(poll(&f, 1, 0), 0);
	while ((n = read(s[1], chunk, sizeof chunk)) > 0)
		got += n;
	CHECK_EQ(got, sum);
	CHECK_EQ(poll(&f, 1, 0), 1);
	pid_t pid;
	NEED(fcntl(s[0], F_SETFL, 0) == 0 && fcntl(s[1], F_SETFL, 0) == 0);
	CHILD(pid)
	{
		for (int i = 0; i < 100; i++) { /* far more than fits, blocking */
			memset(chunk, i, sizeof chunk);
			CHECK_EQ(write(s[0], chunk, sizeof chunk), sizeof chunk);
		}
	}
	close(s[0]);
	for (got = 0; (n = read(s[1], chunk, 1000)) > 0; got += n)
		NEED(chunk[0] == (char)(got / 8192) && chunk[n - 1] == (char)((got + n - 1) / 8192));
	CHECK_EQ(got, 100 * 8192);
	CHECK_EXIT(pid, 0);
}

static void options(void)
{
	int s[2], v = -1;
	socklen_t len = sizeof v;
	struct ucred {
		pid_t pid;
		uid_t uid;
		gid_t gid;
	} cred;
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &v, &len), 0);
	CHECK(v == SOCK_STREAM && len == 4);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &v, &len), 0);
	CHECK_EQ(v, 0);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_ACCEPTCONN, &v, &len), 0);
	CHECK_EQ(v, 0);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &v, &len), 0);
	CHECK_EQ(v, AF_UNIX);
	len = sizeof cred;
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len), 0);
	CHECK(cred.pid == getpid() && cred.uid == 0 && cred.gid == 0);
	struct timeval t = { 0, 40000 };
	CHECK_EQ(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
	long long start = now_ms();
	char c;
	CHECK_ERR(read(s[0], &c, 1), EAGAIN);
	CHECK(now_ms() - start >= 30); /* counted in ticks */
	CHECK_ERR(setsockopt(s[0], SOL_SOCKET, 9999, &v, 4), ENOPROTOOPT);
	CHECK_ERR(getsockopt(s[0], SOL_SOCKET, 9999, &v, &len), ENOPROTOOPT);
	CHECK_ERR(setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, &v, 1), EINVAL);
	CHECK_ERR(getsockopt(s[0], SOL_SOCKET, SO_TYPE, bad_unmapped(), &len), EFAULT);
}

static void seqpacket_keeps_borders(void)
{
	char buf[20];
	int l = listener("s", SOCK_SEQPACKET), c = dial("s", SOCK_SEQPACKET), a = accept(l, NULL, NULL);
	NEED(a >= 0);
	CHECK_EQ(send(c, "one", 3, 0), 3);
	CHECK_EQ(send(c, "twotwo", 6, 0), 6);
	CHECK_EQ(send(c, "", 0, 0), 0);
	CHECK_EQ(recv(a, buf, 20, 0), 3);
	struct iovec v = { buf, 2 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	CHECK_EQ(recvmsg(a, &m, 0), 2);
	CHECK(m.msg_flags & MSG_TRUNC); /* the rest of the packet is gone */
	CHECK_EQ(recv(a, buf, 20, 0), 0);
	CHECK_ERR(recv(a, buf, 20, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(a, "back", 4, 0), 4);
	CHECK_EQ(recv(c, buf, 2, MSG_TRUNC), 4); /* the true length on request */
	close(c);
	CHECK_EQ(recv(a, buf, 20, 0), 0);
	unlink("s");
}

static void abstract_names(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char path[30];
	snprintf(path, sizeof path, "%caxolotl-test-%d", 0, (int)getpid());
	size_t n = 1 + strlen(path + 1);
	memcpy(un.sun_path, path, n);
	socklen_t len = (socklen_t)(2 + n), got;
	int l = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(bind(l, (void *)&un, len), 0); /* no file system, no permission */
	CHECK_EQ(listen(l, 2), 0);
	CHECK_ERR(bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&un, len), EADDRINUSE);
	CHECK_EQ(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&un, len), 0);
	CHECK_ERR(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&un, len - 1), ECONNREFUSED); /* the length counts */
	struct sockaddr_un seen;
	got = sizeof seen;
	CHECK_EQ(getsockname(l, (void *)&seen, &got), 0);
	CHECK(got == len && memcmp(&seen, &un, len) == 0);
	close(l);
	CHECK_ERR(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&un, len), ECONNREFUSED); /* gone with its socket */
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	un.sun_family = AF_UNIX;
	CHECK_EQ(bind(s, (void *)&un, 2), 0); /* only the family: the system picks a name */
	got = sizeof seen;
	CHECK_EQ(getsockname(s, (void *)&seen, &got), 0);
	CHECK(got == 2 + 6 && seen.sun_path[0] == 0);
}

int main(void)
{
	RUN(pair);
	RUN(connect_and_accept);
	RUN(refusals);
	RUN(backlog);
	RUN(shutdown_and_close);
	RUN(full_buffers);
	RUN(options);
	RUN(seqpacket_keeps_borders);
	RUN(abstract_names);
	return check_end();
}

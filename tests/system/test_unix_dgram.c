/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_UNIX datagrams, and what travels beside the data: descriptors and credentials. */
#include "check.h"
#include <sys/socket.h>
#include <sys/un.h>

struct creds { /* the kernel's layout of struct ucred */
	pid_t pid;
	uid_t uid;
	gid_t gid;
};
enum { SCM_CREDS = 2 };

static struct sockaddr_un name(const char *path)
{
	struct sockaddr_un un;
	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	strcpy(un.sun_path, path);
	return un;
}

#define ADDR(un) (struct sockaddr *)&(un), sizeof(un)

static void datagrams(void)
{
	char buf[20] = "";
	struct sockaddr_un ra = name("r"), sa = name("s"), from = { 0 };
	socklen_t len = sizeof from;
	int r = socket(AF_UNIX, SOCK_DGRAM, 0), s = socket(AF_UNIX, SOCK_DGRAM, 0);
	NEED(bind(r, ADDR(ra)) == 0);
	CHECK_EQ(sendto(s, "anonymous", 9, 0, ADDR(ra)), 9);
	CHECK_EQ(recvfrom(r, buf, 20, 0, (void *)&from, &len), 9);
	CHECK(len == 0 || len == 2); /* nobody to answer to */
	NEED(bind(s, ADDR(sa)) == 0);
	CHECK_EQ(sendto(s, "one", 3, 0, ADDR(ra)), 3);
	CHECK_EQ(sendto(s, "twotwo", 6, 0, ADDR(ra)), 6);
	len = sizeof from;
	CHECK_EQ(recvfrom(r, buf, 20, 0, (void *)&from, &len), 3);
	CHECK_STR(from.sun_path, "s");
	CHECK_EQ(recv(r, buf, 3, 0), 3); /* the rest is lost */
	CHECK_ERR(recv(r, buf, 20, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(connect(s, ADDR(ra)), 0);
	CHECK_EQ(send(s, "abc", 3, 0), 3);
	CHECK_EQ(read(r, buf, 20), 3);
	int other = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERR(send(other, "x", 1, 0), ENOTCONN);
	struct sockaddr_un missing = name("missing");
	CHECK_ERR(sendto(other, "x", 1, 0, ADDR(missing)), ENOENT);
	CHECK_ERR(listen(r, 1), EOPNOTSUPP);
	CHECK_ERR(accept(r, NULL, NULL), EOPNOTSUPP);
	close(r);
	CHECK_ERR(send(s, "x", 1, 0), ECONNREFUSED);
	unlink("r"), unlink("s");
}

static void pair_and_limits(void)
{
	static char big[300000];
	char buf[20];
	int s[2], n = 0;
	NEED(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s) == 0);
	CHECK_ERR(send(s[0], big, sizeof big, 0), EMSGSIZE);
	CHECK_EQ(send(s[0], "", 0, 0), 0); /* an empty one is one */
	CHECK_EQ(recv(s[1], buf, 20, 0), 0);
	while (send(s[0], "x", 1, 0) == 1 && n < 10000)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n >= 5);
	for (int i = 0; i < n; i++)
		NEED(recv(s[1], buf, 20, 0) == 1);
	CHECK_ERR(recv(s[1], buf, 20, 0), EAGAIN);
}

/* One byte with descriptors beside it. */
static ssize_t send_fds(int s, const int *fds, int n)
{
	union {
		char room[CMSG_SPACE(sizeof(int) * 260)];
		struct cmsghdr align;
	} u;
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = u.room };
	memset(&u, 0, sizeof u);
	m.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)n);
	return syscall(SYS_sendmsg, s, &m, 0); /* musl's copies the control data, up to a limit */
}

static int recv_fds(int s, int *fds, int max, int flags, int *msg_flags)
{
	union {
		char room[CMSG_SPACE(sizeof(int) * 260)];
		struct cmsghdr align;
	} u;
	char byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = u.room };
	m.msg_controllen = max ? CMSG_LEN(sizeof(int) * (size_t)max) : 0;
	if (recvmsg(s, &m, flags) != 1)
		return -1;
	*msg_flags = m.msg_flags;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_level != SOL_SOCKET)
		return 0;
	int n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(c), sizeof(int) * (size_t)n);
	return n;
}

static int open_descriptors(void)
{
	int n = 0;
	for (int i = 0; i < 1024; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void passing_descriptors(void)
{
	int s[2], got[10], flags, f = file_make("f", "content"), p[2];
	char buf[20] = "";
	struct stat a, b;
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(p) == 0);
	int fds[2] = { f, p[1] };
	CHECK_EQ(send_fds(s[0], fds, 2), 1);
	close(p[1]), close(f); /* they live on in the message */
	CHECK_EQ(unlink("f"), 0);
	CHECK_EQ(recv_fds(s[1], got, 10, MSG_CMSG_CLOEXEC, &flags), 2);
	CHECK_EQ(flags & MSG_CTRUNC, 0);
	CHECK_EQ(read(got[0], buf, 3), 3);
	CHECK_STR(buf, "con");
	CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(got[1], "through", 7), 7);
	CHECK_EQ(read(p[0], buf, 20), 7);
	close(got[1]);
	CHECK_EQ(read(p[0], buf, 20), 0); /* that was the last writer */
	IN_CHILD
	{
		int null = open("/dev/null", O_RDONLY);
		CHECK_EQ(fstat(null, &a), 0);
		CHECK_EQ(send_fds(s[0], &null, 1), 1);
	}
	CHECK_EQ(recv_fds(s[1], got, 10, 0, &flags), 1); /* the sender is dead by now */
	CHECK_EQ(fstat(got[0], &b), 0);
	CHECK(S_ISCHR(b.st_mode));
}

static void descriptors_that_find_no_room(void)
{
	int s[2], got[10], flags, fds[3] = { 0, 1, 2 };
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	int before = open_descriptors();
	CHECK_EQ(send_fds(s[0], fds, 3), 1);
	CHECK_EQ(recv_fds(s[1], got, 1, 0, &flags), 1);
	CHECK(flags & MSG_CTRUNC);
	CHECK_EQ(open_descriptors(), before + 1); /* the others are closed */
	CHECK_EQ(send_fds(s[0], fds, 3), 1);
	CHECK_EQ(recv_fds(s[1], got, 0, 0, &flags), 0);
	CHECK(flags & MSG_CTRUNC);
	CHECK_EQ(send_fds(s[0], fds, 3), 1);
	char c;
	CHECK_EQ(read(s[1], &c, 1), 1); /* read() drops them */
	CHECK_EQ(open_descriptors(), before + 1);
	fds[1] = 999;
	CHECK_ERR(send_fds(s[0], fds, 3), EBADF);
	int many[260] = { 0 };
	CHECK_ERR(send_fds(s[0], many, 254), EINVAL); /* at most 253 */
	/* descriptors in flight inside a closed pair go away with it */
	int p[2];
	NEED(pipe(p) == 0);
	CHECK_EQ(send_fds(s[0], &p[1], 1), 1);
	close(p[1]), close(s[0]), close(s[1]);
	CHECK_EQ(read(p[0], &c, 1), 0);
}

static void credentials(void)
{
	int s[2], on = 1;
	char byte;
	struct creds *cr;
	union {
		char room[CMSG_SPACE(sizeof(struct creds))];
		struct cmsghdr align;
	} u;
	struct iovec v = { &byte, 1 };
	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
	pid_t pid;
	CHILD(pid)
	{
		become_user(1234);
		CHECK_EQ(write(s[0], "x", 1), 1);
	}
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof u.room };
	CHECK_EQ(recvmsg(s[1], &m, 0), 1);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	NEED(c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDS);
	cr = (void *)CMSG_DATA(c);
	CHECK(cr->pid == pid && cr->uid == 1234 && cr->gid == 1234);
	CHECK_EXIT(pid, 0);
	IN_CHILD /* an ordinary user cannot pose as another */
	{
		become_user(1234);
		memset(&u, 0, sizeof u);
		struct msghdr f = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof u.room };
		c = CMSG_FIRSTHDR(&f);
		c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_CREDS, c->cmsg_len = CMSG_LEN(sizeof *cr);
		cr = (void *)CMSG_DATA(c);
		*cr = (struct creds){ getpid(), 1234, 1234 };
		CHECK_EQ(sendmsg(s[0], &f, 0), 1);
		cr->uid = 0;
		CHECK_ERR(sendmsg(s[0], &f, 0), EPERM);
		*cr = (struct creds){ 1, 1234, 1234 };
		CHECK_ERR(sendmsg(s[0], &f, 0), EPERM);
	}
}

static void message_errors(void)
{
	int s[2];
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	union {
		char room[64];
		struct cmsghdr c;
	} u;
	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK_ERR(syscall(SYS_sendmsg, s[0], bad_unmapped(), 0), EFAULT);
	m.msg_iov = bad_unmapped();
	CHECK_ERR(syscall(SYS_sendmsg, s[0], &m, 0), EFAULT);
	m.msg_iov = &v, m.msg_iovlen = 2000;
	CHECK_ERR(syscall(SYS_sendmsg, s[0], &m, 0), EMSGSIZE);
	m.msg_iovlen = 1;
	m.msg_control = bad_unmapped(), m.msg_controllen = 64;
	CHECK_ERR(syscall(SYS_sendmsg, s[0], &m, 0), EFAULT);
	memset(&u, 0, sizeof u);
	u.c.cmsg_len = 1000; /* longer than there is */
	u.c.cmsg_level = SOL_SOCKET, u.c.cmsg_type = SCM_RIGHTS;
	m.msg_control = &u;
	CHECK_ERR(syscall(SYS_sendmsg, s[0], &m, 0), EINVAL);
	u.c.cmsg_len = CMSG_LEN(4), u.c.cmsg_type = 99;
	CHECK_ERR(syscall(SYS_sendmsg, s[0], &m, 0), EINVAL);
	m.msg_control = NULL, m.msg_controllen = 0;
	v.iov_base = bad_unmapped();
	CHECK_ERR(syscall(SYS_sendmsg, s[0], &m, 0), EFAULT);
	char c = 0;
	CHECK_ERR(recv(s[1], &c, 1, MSG_DONTWAIT), EAGAIN); /* none of them sent anything */
	CHECK_ERR(send(s[0], &c, 1, MSG_OOB), EOPNOTSUPP);
	struct {
		struct msghdr h;
		unsigned len;
	} mm[2];
	memset(mm, 0, sizeof mm);
	struct iovec w[2] = { { "abc", 3 }, { "de", 2 } };
	mm[0].h.msg_iov = &w[0], mm[0].h.msg_iovlen = 1;
	mm[1].h.msg_iov = &w[1], mm[1].h.msg_iovlen = 1;
	long r = syscall(SYS_sendmmsg, s[0], mm, 2, 0);
	if (r == -1 && errno == ENOSYS)
		return;
	CHECK_EQ(r, 2);
	CHECK(mm[0].len == 3 && mm[1].len == 2);
}

int main(void)
{
	RUN(datagrams);
	RUN(pair_and_limits);
	RUN(passing_descriptors);
	RUN(descriptors_that_find_no_room);
	RUN(credentials);
	RUN(message_errors);
	return check_end();
}

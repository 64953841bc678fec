/* SPDX-License-Identifier: BSD-2-Clause */
/* dup, dup2, dup3, close and the plain fcntl commands; ioctls every descriptor knows; close_range. */
#include "check.h"
#include <sys/ioctl.h>

static void dups_share_offset_and_status(void)
{
	char c;
	int a = file_make("f", "abcdef"), b = dup(a);
	CHECK(b > a);
	CHECK_EQ(read(a, &c, 1), 1);
	CHECK_EQ(read(b, &c, 1), 1);
	CHECK_EQ(c, 'b');
	CHECK_EQ(fcntl(a, F_SETFL, O_NONBLOCK), 0);
	CHECK(fcntl(b, F_GETFL) & O_NONBLOCK);
	CHECK_EQ(fcntl(a, F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQ(fcntl(b, F_GETFD), 0); /* the descriptor flag is each one's own */
	CHECK_EQ(fcntl(dup(a), F_GETFD), 0); /* and not copied */
	close(a);
	CHECK_EQ(read(b, &c, 1), 1);
	CHECK_EQ(c, 'c');
	unlink("f");
}

static void dup2_and_dup3(void)
{
	char c;
	int a = file_make("f", "abc"), p[2];
	NEED(pipe(p) == 0);
	CHECK_EQ(dup2(a, a), a);
	CHECK_ERR(dup2(-1, a), EBADF);
	CHECK_ERR(dup2(99, 99), EBADF);
	CHECK_EQ(fcntl(a, F_GETFD), 0); /* a refused dup2 closes nothing */
	CHECK_EQ(dup2(a, p[1]), p[1]); /* closes the pipe's only writer on the way */
	CHECK_EQ(read(p[0], &c, 1), 0);
	CHECK_EQ(read(p[1], &c, 1), 1);
	CHECK_EQ(c, 'a');
	CHECK_EQ(dup2(a, 200), 200);
	CHECK_EQ(syscall(SYS_dup3, a, 100, O_CLOEXEC), 100);
	CHECK_EQ(fcntl(100, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(syscall(SYS_dup3, a, 100, 0), 100);
	CHECK_EQ(fcntl(100, F_GETFD), 0);
	CHECK_ERR(syscall(SYS_dup3, a, a, 0), EINVAL);
	CHECK_ERR(syscall(SYS_dup3, a, 100, O_APPEND), EINVAL);
	CHECK_ERR(syscall(SYS_dup3, 999, 100, 0), EBADF);
	CHECK_ERR(dup2(a, -1), EBADF);
	CHECK_ERR(dup2(a, 1 << 30), EBADF);
	CHECK_ERR(dup(-1), EBADF);
	unlink("f");
}

static void fcntl_dup_and_flags(void)
{
	int a = open("/dev/null", O_RDWR);
	CHECK_EQ(fcntl(a, F_DUPFD, 50), 50);
	CHECK_EQ(fcntl(a, F_DUPFD, 50), 51);
	CHECK_EQ(fcntl(a, F_DUPFD_CLOEXEC, 50), 52);
	CHECK_EQ(fcntl(52, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(fcntl(a, F_DUPFD, -1), EINVAL);
	CHECK_EQ(fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY), 0);
	CHECK_EQ(fcntl(a, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_APPEND | O_NONBLOCK);
	CHECK_EQ(fcntl(a, F_SETFL, 0), 0);
	CHECK_EQ(fcntl(a, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR);
	CHECK_ERR(fcntl(a, 9999, 0), EINVAL);
	CHECK_ERR(fcntl(-1, F_GETFD), EBADF);
}

static void pipe_size(void)
{
	int p[2], f = open("/dev/null", O_RDWR);
	NEED(pipe(p) == 0);
	CHECK_EQ(fcntl(p[0], 1032 /* F_GETPIPE_SZ */), 65536);
	CHECK_EQ(fcntl(p[1], 1031 /* F_SETPIPE_SZ */, 5000), 8192); /* rounded up to a power of two of pages */
	CHECK_EQ(fcntl(p[0], 1032), 8192);
	CHECK_ERR(fcntl(f, 1032), EBADF);
}

static void owner(void)
{
	int p[2];
	NEED(pipe(p) == 0);
	CHECK_EQ(fcntl(p[0], F_GETOWN), 0);
	CHECK_EQ(fcntl(p[0], F_SETOWN, getpid()), 0);
	CHECK_EQ(fcntl(p[0], F_GETOWN), getpid());
	CHECK_ERR(fcntl(p[0], F_SETOWN, 1 << 30), ESRCH);
}

static void common_ioctls(void)
{
	int p[2], n = -1, one = 1, zero = 0, f = file_make("f", "12345");
	NEED(pipe(p) == 0 && write(p[1], "abc", 3) == 3);
	CHECK_EQ(ioctl(p[0], FIONREAD, &n), 0);
	CHECK_EQ(n, 3);
	CHECK_EQ(lseek(f, 2, SEEK_SET), 2);
	CHECK_EQ(ioctl(f, FIONREAD, &n), 0);
	CHECK_EQ(n, 3);
	CHECK_EQ(ioctl(f, FIONBIO, &one), 0);
	CHECK(fcntl(f, F_GETFL) & O_NONBLOCK);
	CHECK_EQ(ioctl(f, FIONBIO, &zero), 0);
	CHECK(!(fcntl(f, F_GETFL) & O_NONBLOCK));
	CHECK_EQ(ioctl(f, FIOCLEX), 0);
	CHECK_EQ(fcntl(f, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(ioctl(f, FIONCLEX), 0);
	CHECK_EQ(fcntl(f, F_GETFD), 0);
	CHECK_ERR(ioctl(f, 0x5401 /* TCGETS */, &n), ENOTTY);
	CHECK_ERR(ioctl(p[0], 0x5413 /* TIOCGWINSZ */, &n), ENOTTY);
	CHECK_ERR(ioctl(f, 0xdeadbeef, &n), ENOTTY);
	CHECK(isatty(f) == 0 && errno == ENOTTY);
	unlink("f");
}

static void close_twice(void)
{
	int a = dup(0);
	CHECK_EQ(close(a), 0);
	CHECK_ERR(close(a), EBADF);
}

static void close_ranges(void)
{
	long r = syscall(436 /* close_range */, 900, 910, 0);
	if (r == -1 && errno == ENOSYS)
		return (void)SKIP("no close_range");
	int a = open("/dev/null", O_RDONLY);
	NEED(dup2(a, 60) == 60 && dup2(a, 61) == 61 && dup2(a, 62) == 62);
	CHECK_EQ(syscall(436, 60, 61, 0), 0);
	CHECK_ERR(fcntl(60, F_GETFD), EBADF);
	CHECK_ERR(fcntl(61, F_GETFD), EBADF);
	CHECK_EQ(fcntl(62, F_GETFD), 0);
	CHECK_EQ(syscall(436, 62, ~0u, 4 /* CLOEXEC */), 0);
	CHECK_EQ(fcntl(62, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(syscall(436, 5, 4, 0), EINVAL);
}

int main(void)
{
	RUN(dups_share_offset_and_status);
	RUN(dup2_and_dup3);
	RUN(fcntl_dup_and_flags);
	RUN(pipe_size);
	RUN(owner);
	RUN(common_ioctls);
	RUN(close_twice);
	RUN(close_ranges);
	return check_end();
}

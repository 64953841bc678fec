/* SPDX-License-Identifier: BSD-2-Clause */
/* Every call that takes a descriptor refuses one that is negative, closed, or out of range with EBADF. */
#include "check.h"
#include <sys/socket.h>

enum { FD = -1000, DFD = -1001, PTR = -1002, STR = -1003 };

static const struct row {
	const char *name;
	int nr;
	long arg[6];
} rows[] = {
#define ROW(call, ...) { #call, SYS_##call, { __VA_ARGS__ } }
	ROW(read, FD, PTR, 10),
	ROW(write, FD, PTR, 10),
	ROW(pread64, FD, PTR, 10, 0),
	ROW(pwrite64, FD, PTR, 10, 0),
	ROW(readv, FD, PTR, 1),
	ROW(writev, FD, PTR, 1),
	ROW(preadv, FD, PTR, 1, 0, 0),
	ROW(pwritev, FD, PTR, 1, 0, 0),
	ROW(close, FD),
	ROW(lseek, FD, 0, SEEK_SET),
	ROW(fstat, FD, PTR),
	ROW(fstatfs, FD, PTR),
	ROW(ftruncate, FD, 0),
	ROW(fchmod, FD, 0600),
	ROW(fchown, FD, 0, 0),
	ROW(fchdir, FD),
	ROW(fsync, FD),
	ROW(fdatasync, FD),
	ROW(syncfs, FD),
	ROW(flock, FD, 2),
	ROW(dup, FD),
	ROW(dup2, FD, 50),
	ROW(dup3, FD, 50, 0),
	ROW(fcntl, FD, F_GETFD),
	ROW(fcntl, FD, F_GETFL),
	ROW(fcntl, FD, F_DUPFD, 0),
	ROW(fcntl, FD, F_GETLK, PTR),
	ROW(ioctl, FD, 0x5401, PTR),
	ROW(getdents64, FD, PTR, 4096),
	ROW(mmap, 0, 4096, 1, MAP_PRIVATE, FD, 0),
	ROW(sendfile, FD, 0, 0, 10),
	ROW(sendfile, 1, FD, 0, 10),
	ROW(copy_file_range, FD, 0, FD, 0, 10, 0),
	ROW(epoll_ctl, FD, 1, 0, PTR),
	ROW(epoll_wait, FD, PTR, 1, 0),
	ROW(timerfd_settime, FD, 0, PTR, 0),
	ROW(timerfd_gettime, FD, PTR),
	ROW(signalfd4, FD, PTR, 8, 0),
	ROW(fallocate, FD, 0, 0, 10),
	ROW(bind, FD, PTR, 10),
	ROW(connect, FD, PTR, 10),
	ROW(listen, FD, 5),
	ROW(accept, FD, 0, 0),
	ROW(accept4, FD, 0, 0, 0),
	ROW(getsockname, FD, PTR, PTR),
	ROW(getpeername, FD, PTR, PTR),
	ROW(getsockopt, FD, SOL_SOCKET, SO_TYPE, PTR, PTR),
	ROW(setsockopt, FD, SOL_SOCKET, SO_REUSEADDR, PTR, 4),
	ROW(shutdown, FD, 0),
	ROW(sendto, FD, PTR, 1, 0, 0, 0),
	ROW(recvfrom, FD, PTR, 1, 0, 0, 0),
	ROW(sendmsg, FD, PTR, 0),
	ROW(recvmsg, FD, PTR, 0),
	/* a directory descriptor with a relative name */
	ROW(openat, DFD, STR, 0, 0),
	ROW(mkdirat, DFD, STR, 0700),
	ROW(mknodat, DFD, STR, S_IFIFO | 0600, 0),
	ROW(fchownat, DFD, STR, 0, 0, 0),
	ROW(newfstatat, DFD, STR, PTR, 0),
	ROW(statx, DFD, STR, 0, 0x7ff, PTR),
	ROW(unlinkat, DFD, STR, 0),
	ROW(renameat2, DFD, STR, DFD, STR, 0),
	ROW(linkat, DFD, STR, DFD, STR, 0),
	ROW(symlinkat, STR, DFD, STR),
	ROW(readlinkat, DFD, STR, PTR, 10),
	ROW(fchmodat, DFD, STR, 0600),
	ROW(faccessat, DFD, STR, 0),
	ROW(utimensat, DFD, STR, 0, 0),
	ROW(execveat, DFD, STR, 0, 0, 0),
};

static void sweep(long fd)
{
	static char memory[PAGE];
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		const struct row *r = &rows[k];
		long a[6];
		char what[100], got[60];
		memset(memory, 0, sizeof memory);
		memory[0] = 'x';
		for (int i = 0; i < 6; i++) {
			a[i] = r->arg[i];
			if (a[i] == FD || a[i] == DFD)
				a[i] = fd;
			else if (a[i] == PTR)
				a[i] = (long)memory;
			else if (a[i] == STR)
				a[i] = (long)"name";
		}
		if (r->nr == SYS_signalfd4 && fd == -1)
			continue; /* there -1 means a new one */
		errno = 0;
		long ret = syscall(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		snprintf(what, sizeof what, "%s on descriptor %ld", r->name, fd);
		snprintf(got, sizeof got, "%ld, errno %d", ret, errno);
		if (ret != -1 || errno != EBADF)
			check_fail(__FILE__, __LINE__, what, got, "EBADF");
	}
}

static void negative(void)
{
	sweep(-1);
	sweep(-77);
	sweep(INT32_MIN);
}

static void closed(void)
{
	int fd = open("/dev/null", O_RDWR);
	NEED(close(fd) == 0);
	sweep(fd);
}

static void out_of_range(void)
{
	sweep(1000000);
	sweep(INT32_MAX);
}

static void only_the_low_half_counts(void)
{
	int fd = file_make("f", "abc");
	char c;
	CHECK_EQ(syscall(SYS_pread64, fd | 1L << 32, &c, 1, 1L), 1); /* a descriptor is an int */
	CHECK_EQ(c, 'b');
	unlink("f");
}

int main(void)
{
	RUN(negative);
	RUN(closed);
	RUN(out_of_range);
	RUN(only_the_low_half_counts);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory devices: null, zero, full, random, urandom, kmsg; standard links in /dev. */
#include "check.h"
#include <poll.h>
#include <sys/sysmacros.h>

static unsigned char buf[70000];

static int dev(const char *path, int flags, unsigned maj, unsigned min)
{
	struct stat st;
	int fd = open(path, flags);
	NEED(fd >= 0 && fstat(fd, &st) == 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(maj, min));
	return fd;
}

static void null(void)
{
	int fd = dev("/dev/null", O_RDWR | O_TRUNC | O_APPEND, 1, 3);
	CHECK_EQ(read(fd, buf, 10), 0);
	CHECK_EQ(write(fd, buf, sizeof buf), sizeof buf);
	CHECK_EQ(write(fd, bad_unmapped(), 10), 10); /* it does not even look */
	CHECK_EQ(lseek(fd, 1000, SEEK_SET), 0);
	CHECK_EQ(open("/dev/null", O_CREAT | O_WRONLY, 0666) >= 0, 1);
}

static void zero(void)
{
	int fd = dev("/dev/zero", O_RDWR, 1, 5);
	memset(buf, 7, sizeof buf);
	CHECK_EQ(read(fd, buf, sizeof buf), sizeof buf);
	for (size_t i = 0; i < sizeof buf; i++)
		NEED(buf[i] == 0);
	CHECK_EQ(write(fd, buf, 10), 10);
	CHECK_ERR(read(fd, bad_unmapped(), 10), EFAULT);
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0); /* the old way to get memory */
	NEED(p != MAP_FAILED);
	CHECK_EQ(p[PAGE], 0);
	p[PAGE] = 1;
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	IN_CHILD
	{
		p[5] = 5;
	}
	CHECK_EQ(p[5], 5); /* shared between relatives */
}

static void full(void)
{
	int fd = dev("/dev/full", O_RDWR, 1, 7);
	CHECK_ERR(write(fd, buf, 10), ENOSPC);
	CHECK_EQ(read(fd, buf, 10), 10);
	CHECK_EQ(buf[9], 0);
}

static void randoms(void)
{
	static const struct {
		const char *path;
		unsigned min;
	} both[] = { { "/dev/random", 8 }, { "/dev/urandom", 9 } };
	for (int i = 0; i < 2; i++) {
		unsigned char a[64], b[64];
		int fd = dev(both[i].path, O_RDWR, 1, both[i].min);
		CHECK_EQ(read(fd, a, 64), 64);
		CHECK_EQ(read(fd, b, 64), 64);
		CHECK(memcmp(a, b, 64) != 0);
		CHECK_EQ(write(fd, a, 64), 64); /* adds to the pool */
		CHECK_ERR(read(fd, bad_unmapped(), 10), EFAULT);
		struct pollfd f = { fd, POLLIN, 0 };
		CHECK_EQ(poll(&f, 1, 0), 1);
	}
}

static void kmsg(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	NEED(fd >= 0);
	ssize_t n = read(fd, buf, 8192);
	CHECK(n > 0 || (n == -1 && (errno == EAGAIN || errno == EPIPE)));
	if (n > 0) { /* priority,sequence,time,flags;text */
		unsigned prio;
		unsigned long long seq, us;
		buf[n] = 0;
		CHECK_EQ(sscanf((char *)buf, "%u,%llu,%llu,", &prio, &seq, &us), 3);
		CHECK(strchr((char *)buf, ';') != NULL);
	}
	int w = open("/dev/kmsg", O_WRONLY);
	NEED(w >= 0);
	CHECK_EQ(write(w, "<6>system test was here\n", 24), 24);
}

static void links(void)
{
	int fd = file_make("f", "via fd");
	char path[40];
	snprintf(path, sizeof path, "/dev/fd/%d", fd);
	CHECK_STR(file_get(path), "via fd");
	NEED(dup2(fd, 0) == 0);
	CHECK_STR(file_get("/dev/stdin"), "via fd");
	struct stat st;
	CHECK_EQ(stat("/dev/stdout", &st), 0);
	CHECK_EQ(stat("/dev/stderr", &st), 0);
	CHECK_EQ(stat("/dev/tty", &st), 0);
	CHECK(st.st_rdev == makedev(5, 0));
	unlink("f");
}

int main(void)
{
	RUN(null);
	RUN(zero);
	RUN(full);
	RUN(randoms);
	RUN(kmsg);
	RUN(links);
	return check_end();
}

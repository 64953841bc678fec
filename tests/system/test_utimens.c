/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting file times: exact nanoseconds, NOW and OMIT, links, dates before 1970 and after 2038, and permissions. */
#include "check.h"
#include <utime.h>

static struct stat st;

static void see(const char *path)
{
	NEED(lstat(path, &st) == 0);
}

static void set_and_read_back(void)
{
	int fd = file_make("f", "");
	struct timespec t[2] = { { 1000000000, 123456789 }, { 1500000000, 987654321 } };
	CHECK_EQ(utimensat(AT_FDCWD, "f", t, 0), 0);
	see("f");
	CHECK(st.st_atim.tv_sec == 1000000000 && st.st_atim.tv_nsec == 123456789);
	CHECK(st.st_mtim.tv_sec == 1500000000 && st.st_mtim.tv_nsec == 987654321);
	t[0] = (struct timespec){ -86400, 5 }; /* 31 December 1969 */
	t[1] = (struct timespec){ 4102444800, 7 }; /* 2100 */
	CHECK_EQ(futimens(fd, t), 0);
	see("f");
	CHECK(st.st_atim.tv_sec == -86400 && st.st_atim.tv_nsec == 5);
	CHECK(st.st_mtim.tv_sec == 4102444800 && st.st_mtim.tv_nsec == 7);
	struct timeval v[2] = { { 10, 20 }, { 30, 40 } };
	CHECK_EQ(syscall(SYS_utimes, "f", v), 0);
	see("f");
	CHECK(st.st_atim.tv_sec == 10 && st.st_atim.tv_nsec == 20000 && st.st_mtim.tv_sec == 30);
	struct utimbuf u = { 50, 60 };
	CHECK_EQ(syscall(SYS_utime, "f", &u), 0);
	see("f");
	CHECK(st.st_atim.tv_sec == 50 && st.st_atim.tv_nsec == 0 && st.st_mtim.tv_sec == 60);
	unlink("f");
}

static void now_and_omit(void)
{
	struct timespec t[2] = { { 100, 0 }, { 200, 0 } }, now;
	file_put("f", "");
	NEED(utimensat(AT_FDCWD, "f", t, 0) == 0);
	t[0].tv_nsec = UTIME_OMIT, t[0].tv_sec = 77777;
	t[1].tv_sec = 300;
	CHECK_EQ(utimensat(AT_FDCWD, "f", t, 0), 0);
	see("f");
	CHECK(st.st_atim.tv_sec == 100 && st.st_mtim.tv_sec == 300);
	t[0].tv_nsec = UTIME_NOW;
	t[1].tv_nsec = UTIME_OMIT;
	CHECK_EQ(utimensat(AT_FDCWD, "f", t, 0), 0);
	see("f");
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK(labs(now.tv_sec - st.st_atim.tv_sec) <= 2 && st.st_mtim.tv_sec == 300);
	CHECK_EQ(utimensat(AT_FDCWD, "f", NULL, 0), 0); /* null: both now */
	see("f");
	CHECK(labs(now.tv_sec - st.st_mtim.tv_sec) <= 2);
	t[0].tv_nsec = t[1].tv_nsec = UTIME_OMIT;
	struct timespec was = st.st_ctim;
	sleep_ms(12);
	CHECK_EQ(utimensat(AT_FDCWD, "f", t, 0), 0);
	see("f");
	CHECK(st.st_ctim.tv_sec == was.tv_sec && st.st_ctim.tv_nsec == was.tv_nsec); /* truly nothing */
	unlink("f");
}

static void links(void)
{
	struct timespec t[2] = { { 11, 0 }, { 22, 0 } };
	file_put("f", "");
	NEED(symlink("f", "l") == 0);
	CHECK_EQ(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW), 0);
	see("l");
	CHECK(st.st_mtim.tv_sec == 22);
	see("f");
	CHECK(st.st_mtim.tv_sec > 1000000);
	CHECK_EQ(utimensat(AT_FDCWD, "l", t, 0), 0);
	see("f");
	CHECK(st.st_mtim.tv_sec == 22);
	unlink("f"), unlink("l");
}

static void refusals(void)
{
	struct timespec t[2] = { { 1, 1000000000 }, { 1, 0 } };
	file_put("f", "");
	CHECK_ERR(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
	t[0].tv_nsec = -5;
	CHECK_ERR(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
	t[0].tv_nsec = 0;
	CHECK_ERR(utimensat(AT_FDCWD, "f", t, 0x8000), EINVAL);
	CHECK_ERR(utimensat(AT_FDCWD, "missing", t, 0), ENOENT);
	CHECK_ERR(syscall(SYS_utimensat, -1, NULL, t, 0), EBADF);
	struct timeval v[2] = { { 1, 1000000 }, { 1, 0 } };
	CHECK_ERR(syscall(SYS_utimes, "f", v), EINVAL);
	NEED(chmod(".", 0755) == 0 && chmod("f", 0666) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(utimensat(AT_FDCWD, "f", t, 0), EPERM); /* a chosen time: the owner's right */
		CHECK_EQ(utimensat(AT_FDCWD, "f", NULL, 0), 0); /* now: whoever may write */
	}
	NEED(chmod("f", 0444) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(utimensat(AT_FDCWD, "f", NULL, 0), EACCES);
	}
	unlink("f");
}

int main(void)
{
	RUN(set_and_read_back);
	RUN(now_and_omit);
	RUN(links);
	RUN(refusals);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The stat family: every field for every kind of file, the at-flags, statx, and which operation moves which time. */
#include "check.h"
#include <sys/sysmacros.h>

struct statx_time {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};
struct statx_buf { /* the kernel's layout; musl 1.2.3 and glibc differ in where they declare it */
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad1;
	uint64_t ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t spare[14];
};
_Static_assert(sizeof(struct statx_buf) == 256, "statx layout");

static struct stat st;

static void regular(void)
{
	umask(022);
	int fd = file_make("f", "12345");
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0644);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(st.st_uid, 0);
	CHECK_EQ(st.st_gid, 0);
	CHECK(st.st_blksize >= 512);
	CHECK(st.st_blocks > 0);
	CHECK(st.st_ino != 0);
	struct stat other;
	CHECK_EQ(fstat(fd, &other), 0);
	CHECK(st.st_ino == other.st_ino && st.st_dev == other.st_dev);
	CHECK_EQ(stat(".", &other), 0);
	CHECK(st.st_ino != other.st_ino && st.st_dev == other.st_dev);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK(labs(now.tv_sec - st.st_mtim.tv_sec) <= 2);
	unlink("f");
}

static void kinds(void)
{
	int fds[2];
	umask(0);
	NEED(mkdir("d", 01751) == 0 && symlink("d/long/name", "l") == 0 && mkfifo("p", 0600) == 0);
	NEED(mknod("c", S_IFCHR | 0620, makedev(5, 300)) == 0 && pipe(fds) == 0);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_mode, S_IFDIR | 01751);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(lstat("l", &st), 0);
	CHECK_EQ(st.st_mode, S_IFLNK | 0777);
	CHECK_EQ(st.st_size, 11);
	CHECK_EQ(stat("p", &st), 0);
	CHECK_EQ(st.st_mode, S_IFIFO | 0600);
	CHECK_EQ(stat("c", &st), 0);
	CHECK_EQ(st.st_mode, S_IFCHR | 0620);
	CHECK(major(st.st_rdev) == 5 && minor(st.st_rdev) == 300);
	CHECK_EQ(fstat(fds[0], &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_EQ(stat("/dev/null", &st), 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	rmdir("d"), unlink("l"), unlink("p"), unlink("c");
}

static void at_flags(void)
{
	NEED(mkdir("d", 0755) == 0);
	file_put("d/f", "abc");
	NEED(symlink("f", "d/l") == 0);
	int d = open("d", O_RDONLY), f = open("d/f", O_RDONLY);
	CHECK_EQ(fstatat(d, "f", &st, 0), 0);
	CHECK_EQ(st.st_size, 3);
	CHECK_EQ(fstatat(d, "l", &st, 0), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(fstatat(d, "l", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(fstatat(f, "", &st, AT_EMPTY_PATH), 0);
	CHECK_EQ(st.st_size, 3);
	CHECK_ERR(fstatat(f, "", &st, 0), ENOENT);
	CHECK_ERR(fstatat(f, "x", &st, 0), ENOTDIR);
	CHECK_ERR(fstatat(-1, "x", &st, 0), EBADF);
	CHECK_ERR(fstatat(d, "f", &st, 0x8000000), EINVAL);
	CHECK_ERR(syscall(SYS_newfstatat, d, "f", bad_unmapped(), 0), EFAULT);
	CHECK_ERR(syscall(SYS_newfstatat, d, bad_unmapped(), &st, 0), EFAULT);
	unlink("d/f"), unlink("d/l"), rmdir("d");
}

static void statx_fields(void)
{
	struct statx_buf x;
	int fd = file_make("f", "12345");
	memset(&x, 0xff, sizeof x);
	CHECK_EQ(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, &x), 0);
	CHECK_EQ(x.mask & 0x7ff, 0x7ff);
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(x.mode, st.st_mode);
	CHECK_EQ(x.size, 5);
	CHECK_EQ(x.ino, st.st_ino);
	CHECK_EQ(x.nlink, 1);
	CHECK_EQ(x.blocks, st.st_blocks);
	CHECK_EQ(x.blksize, st.st_blksize);
	CHECK(x.mtime.sec == st.st_mtim.tv_sec && x.mtime.nsec == st.st_mtim.tv_nsec);
	CHECK(x.ctime.sec == st.st_ctim.tv_sec && x.atime.sec == st.st_atim.tv_sec);
	CHECK_EQ(makedev(x.dev_major, x.dev_minor), st.st_dev);
	CHECK_EQ(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, &x), 0);
	CHECK_EQ(x.size, 5);
	CHECK_EQ(syscall(SYS_statx, AT_FDCWD, "/dev/null", 0, 0x7ff, &x), 0);
	CHECK(x.rdev_major == 1 && x.rdev_minor == 3);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 0x8000000, 0x7ff, &x), EINVAL);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x80000000, &x), EINVAL);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 0x6000, 0x7ff, &x), EINVAL); /* both sync flags */
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "", 0, 0x7ff, &x), ENOENT);
	CHECK_ERR(syscall(SYS_statx, -1, "f", 0, 0x7ff, &x), EBADF);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, bad_unmapped(), 0, 0x7ff, &x), EFAULT);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, bad_readonly()), EFAULT);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, page_end(100)), EFAULT);
	unlink("f");
}

static void bad_pointers(void)
{
	void *bad[] = { bad_unmapped(), bad_readonly(), bad_none(), bad_kernel(), bad_noncanonical(), page_end(100) };
	for (int i = 0; i < 6; i++) {
		CHECK_ERR(syscall(SYS_stat, ".", bad[i]), EFAULT);
		CHECK_ERR(syscall(SYS_lstat, ".", bad[i]), EFAULT);
		CHECK_ERR(syscall(SYS_fstat, 1, bad[i]), EFAULT);
	}
	CHECK_ERR(syscall(SYS_stat, bad_unmapped(), &st), EFAULT);
	CHECK_ERR(syscall(SYS_fstat, -1, &st), EBADF);
	CHECK_EQ(syscall(SYS_stat, ".", page_end(144)), 0); /* exactly a structure's size */
}

static long long ns(struct timespec t)
{
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

enum { A = 1, M = 2, C = 4 };
static struct stat was;

static void before(const char *path)
{
	sleep_ms(15); /* more than the coarsest clock tick */
	NEED(lstat(path, &was) == 0);
}

/* Which of the times moved forward since before(). */
static int moved(const char *path)
{
	NEED(lstat(path, &st) == 0);
	return (ns(st.st_atim) > ns(was.st_atim) ? A : 0) | (ns(st.st_mtim) > ns(was.st_mtim) ? M : 0) |
	       (ns(st.st_ctim) > ns(was.st_ctim) ? C : 0);
}

static void times_of_a_file(void)
{
	int fd = file_make("f", "12345");
	before("f");
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	CHECK_EQ(moved("f"), M | C);
	before("f");
	CHECK_EQ(write(fd, "x", 0), 0);
	CHECK_EQ(moved("f"), 0);
	CHECK_EQ(chmod("f", 0600), 0);
	CHECK_EQ(moved("f"), C);
	before("f");
	CHECK_EQ(chown("f", 1, 1), 0);
	CHECK_EQ(moved("f"), C);
	before("f");
	CHECK_EQ(link("f", "g"), 0);
	CHECK_EQ(moved("f"), C);
	before("f");
	CHECK_EQ(unlink("g"), 0);
	CHECK_EQ(moved("f"), C);
	before("f");
	CHECK_EQ(rename("f", "h"), 0);
	CHECK_EQ(moved("h"), C);
	before("h");
	CHECK_EQ(ftruncate(fd, 2), 0);
	CHECK_EQ(moved("h"), M | C);
	before("h");
	CHECK_OK(open("h", O_WRONLY | O_TRUNC));
	CHECK_EQ(moved("h"), M | C);
	unlink("h");
}

static void times_of_a_directory(void)
{
	NEED(mkdir("d", 0755) == 0);
	before("d");
	file_put("d/f", "");
	CHECK_EQ(moved("d"), M | C);
	before("d");
	file_put("d/f", "text"); /* writing to a member is none of its business */
	CHECK_EQ(moved("d"), 0);
	CHECK_EQ(rename("d/f", "d/g"), 0);
	CHECK_EQ(moved("d"), M | C);
	before("d");
	CHECK_EQ(mkdir("d/e", 0755), 0);
	CHECK_EQ(moved("d"), M | C);
	CHECK_EQ(st.st_nlink, 3);
	before("d");
	CHECK_EQ(rmdir("d/e"), 0);
	CHECK_EQ(moved("d"), M | C);
	CHECK_EQ(st.st_nlink, 2);
	before("d");
	CHECK_EQ(unlink("d/g"), 0);
	CHECK_EQ(moved("d"), M | C);
	CHECK_EQ(rmdir("d"), 0);
}

static void reading_moves_atime(void)
{
	char c;
	int fd = file_make("f", "12345");
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	CHECK_EQ(futimens(fd, old), 0); /* older than the last change: moves under relatime as well */
	before("f");
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(moved("f"), A);
	CHECK_EQ(futimens(fd, old), 0);
	before("f");
	int quiet = open("f", O_RDONLY | O_NOATIME);
	CHECK_EQ(read(quiet, &c, 1), 1);
	CHECK_EQ(moved("f"), 0);
	unlink("f");
}

int main(void)
{
	RUN(regular);
	RUN(kinds);
	RUN(at_flags);
	RUN(statx_fields);
	RUN(bad_pointers);
	RUN(times_of_a_file);
	RUN(times_of_a_directory);
	RUN(reading_moves_atime);
	return check_end();
}

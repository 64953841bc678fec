/* SPDX-License-Identifier: BSD-2-Clause */
/* lseek with every origin including data and holes, offsets above 4 GiB, truncate and ftruncate both ways, fallocate. */
#include "check.h"

static void origins(void)
{
	int fd = file_make("f", "0123456789");
	CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
	CHECK_EQ(lseek(fd, 3, SEEK_CUR), 7);
	CHECK_EQ(lseek(fd, -2, SEEK_CUR), 5);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 10);
	CHECK_EQ(lseek(fd, -10, SEEK_END), 0);
	CHECK_EQ(lseek(fd, 1000, SEEK_END), 1010); /* behind the end is fine and changes nothing */
	struct stat st;
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 10);
	CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERR(lseek(fd, -11, SEEK_END), EINVAL);
	CHECK_ERR(lseek(fd, 0, 77), EINVAL);
	CHECK_ERR(lseek(fd, INT64_MAX, SEEK_END), EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1010);
	CHECK_ERR(lseek(-1, 0, SEEK_SET), EBADF);
	int fds[2];
	NEED(pipe(fds) == 0);
	CHECK_ERR(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
	unlink("f");
}

static void data_and_holes(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	off_t d1 = 1 << 20, d2 = 3 << 20;
	NEED(pwrite(fd, "x", 1, d1) == 1 && pwrite(fd, "y", 1, d2) == 1);
	NEED(ftruncate(fd, 4 << 20) == 0);
	off_t at = lseek(fd, 0, SEEK_DATA);
	CHECK(at == 0 || (at <= d1 && at > d1 - 2 * 1024 * 1024)); /* a file system may know no holes */
	off_t hole = lseek(fd, d1, SEEK_HOLE);
	CHECK(hole > d1 && hole <= 4 << 20);
	CHECK(lseek(fd, d2, SEEK_DATA) == d2);
	CHECK_ERR(lseek(fd, 4 << 20, SEEK_DATA), ENXIO);
	CHECK_ERR(lseek(fd, 4 << 20, SEEK_HOLE), ENXIO);
	CHECK_ERR(lseek(fd, -1, SEEK_DATA), ENXIO);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_ERR(lseek(fd, 0, SEEK_DATA), ENXIO);
	file_put("g", "all data");
	int g = open("g", O_RDONLY);
	CHECK_EQ(lseek(g, 3, SEEK_DATA), 3);
	CHECK_EQ(lseek(g, 3, SEEK_HOLE), 8); /* there is always one at the end */
	unlink("f"), unlink("g");
}

static void above_four_gib(void)
{
	char buf[10] = "";
	struct stat st;
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	off_t far = (5LL << 32) + 123;
	CHECK_EQ(lseek(fd, far, SEEK_SET), far);
	CHECK_EQ(write(fd, "far", 3), 3);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), far + 3);
	CHECK_EQ(pwrite(fd, "low", 3, 123), 3); /* the same low 32 bits */
	CHECK_EQ(pread(fd, buf, 3, far), 3);
	CHECK_STR(buf, "far");
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, far + 3);
	CHECK_EQ(ftruncate(fd, 1LL << 33), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 1LL << 33);
	CHECK_EQ(pread(fd, buf, 3, 123), 3);
	CHECK_STR(buf, "low");
	unlink("f");
}

static void truncate_both_ways(void)
{
	char buf[20];
	struct stat st;
	int fd = file_make("f", "0123456789");
	CHECK_EQ(lseek(fd, 8, SEEK_SET), 8);
	CHECK_EQ(truncate("f", 4), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 4);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8); /* the offset stays where it was */
	CHECK_EQ(read(fd, buf, 20), 0);
	CHECK_EQ(ftruncate(fd, 10), 0);
	CHECK_EQ(pread(fd, buf, 20, 0), 10);
	CHECK(memcmp(buf, "0123\0\0\0\0\0\0", 10) == 0); /* zeros, not the old digits */
	CHECK_EQ(truncate("f", 0), 0);
	CHECK_EQ(truncate("f", 3 * PAGE + 5), 0);
	CHECK_EQ(pread(fd, buf, 20, 3 * PAGE), 5);
	unlink("f");
}

static void truncate_refused(void)
{
	int fd = file_make("f", "0123456789"), ro = open("f", O_RDONLY), dir = open(".", O_RDONLY), fds[2];
	NEED(mkdir("d", 0755) == 0 && pipe(fds) == 0);
	CHECK_ERR(ftruncate(fd, -1), EINVAL);
	CHECK_ERR(truncate("f", -1), EINVAL);
	CHECK_ERR(ftruncate(ro, 0), EINVAL);
	CHECK_ERR(ftruncate(-1, 0), EBADF);
	CHECK_ERR(ftruncate(dir, 0), EINVAL);
	CHECK_ERR(ftruncate(fds[1], 0), EINVAL);
	CHECK_ERR(truncate("d", 0), EISDIR);
	CHECK_ERR(truncate("missing", 0), ENOENT);
	CHECK_ERR(truncate("f/x", 0), ENOTDIR);
	CHECK_ERR(truncate("/dev/null", 0), EINVAL);
	NEED(chmod("f", 0444) == 0 && chmod(".", 0755) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(truncate("f", 0), EACCES);
	}
	CHECK_STR(file_get("f"), "0123456789");
	unlink("f"), rmdir("d");
}

static void set_id_bits_go_with_the_content(void)
{
	struct stat st;
	NEED(chmod(".", 0777) == 0);
	file_put("f", "0123456789");
	NEED(chown("f", 1000, 1000) == 0 && chmod("f", 06777) == 0);
	IN_CHILD
	{
		become_user(1001);
		int fd = open("f", O_WRONLY);
		CHECK_EQ(write(fd, "x", 1), 1);
	}
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0777);
	unlink("f");
}

static void allocate(void)
{
	struct stat st;
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	long r = syscall(SYS_fallocate, fd, 0, 100L, 5000L);
	if (r == -1 && (errno == EOPNOTSUPP || errno == ENOSYS))
		return (void)(unlink("f"), SKIP("no fallocate on this file system"));
	CHECK_EQ(r, 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 5100);
	CHECK_EQ(syscall(SYS_fallocate, fd, 1 /* KEEP_SIZE */, 0L, 100000L), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 5100);
	CHECK_ERR(syscall(SYS_fallocate, fd, 0, -1L, 5L), EINVAL);
	CHECK_ERR(syscall(SYS_fallocate, fd, 0, 0L, 0L), EINVAL);
	CHECK_ERR(syscall(SYS_fallocate, -1, 0, 0L, 10L), EBADF);
	unlink("f");
}

static void sync_calls(void)
{
	int fd = file_make("f", "x"), fds[2];
	NEED(pipe(fds) == 0);
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(fdatasync(fd), 0);
	CHECK_EQ(syscall(SYS_syncfs, fd), 0);
	sync();
	CHECK_ERR(fsync(-1), EBADF);
	CHECK_ERR(fsync(fds[0]), EINVAL);
	CHECK_ERR(fdatasync(fds[1]), EINVAL);
	CHECK_ERR(syscall(SYS_syncfs, -1), EBADF);
	unlink("f");
}

int main(void)
{
	RUN(origins);
	RUN(data_and_holes);
	RUN(above_four_gib);
	RUN(truncate_both_ways);
	RUN(truncate_refused);
	RUN(set_id_bits_go_with_the_content);
	RUN(allocate);
	RUN(sync_calls);
	return check_end();
}

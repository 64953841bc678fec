/* SPDX-License-Identifier: BSD-2-Clause */
/* sendfile and copy_file_range (and splice where it exists): counts, offsets, ends, and refused descriptors. */
#include "check.h"
#include <sys/sendfile.h>
#include <sys/socket.h>

static char buf[200000];

static void file_to_pipe_and_socket(void)
{
	int f = file_make("f", "0123456789"), p[2], s[2];
	off_t off = 4;
	NEED(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK_EQ(sendfile(p[1], f, NULL, 4), 4);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 4); /* without an offset the file's own moves */
	CHECK_EQ(sendfile(p[1], f, &off, 3), 3);
	CHECK_EQ(off, 7);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 4);
	CHECK_EQ(read(p[0], buf, 100), 7);
	CHECK(memcmp(buf, "0123456", 7) == 0);
	CHECK_EQ(sendfile(s[0], f, NULL, 100), 6);
	CHECK_EQ(sendfile(s[0], f, NULL, 100), 0); /* end of file */
	CHECK_EQ(read(s[1], buf, 100), 6);
	CHECK(memcmp(buf, "456789", 6) == 0);
	unlink("f");
}

static void file_to_file(void)
{
	enum { SIZE = 150000 };
	for (int i = 0; i < SIZE; i++)
		buf[i] = (char)(i * 7);
	int a = open("a", O_CREAT | O_RDWR, 0644), b = open("b", O_CREAT | O_RDWR, 0644);
	NEED(write(a, buf, SIZE) == SIZE);
	off_t off = 0;
	CHECK_EQ(sendfile(b, a, &off, 1 << 20), SIZE);
	memset(buf, 0, SIZE);
	CHECK_EQ(pread(b, buf, SIZE, 0), SIZE);
	for (int i = 0; i < SIZE; i++)
		NEED(buf[i] == (char)(i * 7));
	unlink("a"), unlink("b");
}

static void sendfile_refused(void)
{
	int f = file_make("f", "0123456789"), p[2], ro = open("f", O_RDONLY), app = open("f", O_WRONLY | O_APPEND);
	off_t off = -1, zero = 0;
	NEED(pipe(p) == 0);
	CHECK_ERR(sendfile(p[1], f, &off, 1), EINVAL);
	CHECK_ERR(sendfile(ro, f, NULL, 1), EBADF);
	CHECK_ERR(sendfile(p[1], -1, NULL, 1), EBADF);
	CHECK_ERR(sendfile(p[1], open("f", O_WRONLY), NULL, 1), EBADF);
	CHECK_ERR(sendfile(app, f, NULL, 1), EINVAL);
	CHECK_ERR(sendfile(f, p[0], &zero, 1), ESPIPE);
	CHECK_ERR(syscall(SYS_sendfile, p[1], f, bad_unmapped(), 1), EFAULT);
	CHECK_ERR(syscall(SYS_sendfile, p[1], f, bad_readonly(), 1), EFAULT);
	unlink("f");
}

static long copy(int a, off_t *ao, int b, off_t *bo, size_t n, unsigned flags)
{
	return syscall(SYS_copy_file_range, a, ao, b, bo, n, flags);
}

static void copying_ranges(void)
{
	int a = file_make("a", "0123456789"), b = file_make("b", "----------"), p[2];
	off_t ao = 2, bo = 5;
	NEED(pipe(p) == 0);
	CHECK_EQ(copy(a, &ao, b, &bo, 4, 0), 4);
	CHECK(ao == 6 && bo == 9);
	CHECK_STR(file_get("b"), "-----2345-");
	CHECK_EQ(lseek(a, 0, SEEK_CUR), 0);
	CHECK_EQ(copy(a, NULL, b, NULL, 3, 0), 3);
	CHECK(lseek(a, 0, SEEK_CUR) == 3 && lseek(b, 0, SEEK_CUR) == 3);
	CHECK_STR(file_get("b"), "012--2345-");
	ao = 8;
	CHECK_EQ(copy(a, &ao, b, NULL, 100, 0), 2);
	CHECK_EQ(copy(a, &ao, b, NULL, 100, 0), 0);
	ao = 0, bo = 4;
	CHECK_EQ(copy(a, &ao, a, &bo, 3, 0), 3); /* inside one file */
	CHECK_STR(file_get("a"), "0123012789");
	ao = 0, bo = 2;
	CHECK_ERR(copy(a, &ao, a, &bo, 4, 0), EINVAL); /* overlap */
	CHECK_ERR(copy(a, NULL, b, NULL, 1, 1), EINVAL);
	CHECK_ERR(copy(-1, NULL, b, NULL, 1, 0), EBADF);
	CHECK_ERR(copy(a, NULL, open("b", O_RDONLY), NULL, 1, 0), EBADF);
	CHECK_ERR(copy(a, NULL, open("b", O_WRONLY | O_APPEND), NULL, 1, 0), EBADF);
	CHECK_ERR(copy(open(".", O_RDONLY), NULL, b, NULL, 1, 0), EISDIR);
	CHECK_ERR(copy(p[0], NULL, b, NULL, 1, 0), EINVAL);
	CHECK_ERR(copy(a, bad_unmapped(), b, NULL, 1, 0), EFAULT);
	CHECK_ERR(copy(a, NULL, b, bad_unmapped(), 1, 0), EFAULT);
	unlink("a"), unlink("b");
}

static void splice_and_tee(void)
{
	int f = file_make("f", "0123456789"), p[2], q[2];
	NEED(pipe(p) == 0 && pipe(q) == 0);
	long off = 2, r = syscall(SYS_splice, f, &off, p[1], NULL, 5, 0);
	if (r == -1 && errno == ENOSYS)
		return (void)(unlink("f"), SKIP("no splice"));
	CHECK_EQ(r, 5);
	CHECK_EQ(off, 7);
	CHECK_EQ(syscall(SYS_tee, p[0], q[1], 3, 0), 3);
	CHECK_EQ(read(q[0], buf, 10), 3);
	CHECK_EQ(read(p[0], buf, 10), 5); /* tee took nothing away */
	CHECK(memcmp(buf, "23456", 5) == 0);
	NEED(write(p[1], "XY", 2) == 2);
	off = 0;
	CHECK_EQ(syscall(SYS_splice, p[0], NULL, f, &off, 2, 0), 2);
	CHECK_STR(file_get("f"), "XY23456789");
	CHECK_ERR(syscall(SYS_splice, f, NULL, f, NULL, 1, 0), EINVAL); /* one end must be a pipe */
	CHECK_ERR(syscall(SYS_splice, p[0], &off, q[1], NULL, 1, 0), ESPIPE);
	CHECK_ERR(syscall(SYS_splice, p[0], NULL, q[1], NULL, 1, 2 /* NONBLOCK */), EAGAIN);
	unlink("f");
}

int main(void)
{
	RUN(file_to_pipe_and_socket);
	RUN(file_to_file);
	RUN(sendfile_refused);
	RUN(copying_ranges);
	RUN(splice_and_tee);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* read, write, pread, pwrite and the vector forms: counts, offsets, ends of file, buffers that end in a hole, errors. */
#include "check.h"
#include <limits.h>
#include <sys/uio.h>

static void plain(void)
{
	char buf[100];
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_EQ(write(fd, "hello world", 11), 11);
	CHECK_EQ(read(fd, buf, 10), 0);
	CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
	CHECK_EQ(read(fd, buf, 100), 5); /* what is left */
	CHECK_EQ(read(fd, buf, 100), 0);
	CHECK_EQ(write(fd, "", 0), 0);
	CHECK_EQ(read(fd, buf, 0), 0);
	CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
	CHECK_EQ(read(fd, buf, 10), 0); /* behind the end */
	CHECK_EQ(write(fd, "z", 1), 1);
	CHECK_EQ(pread(fd, buf, 100, 11), 90);
	for (int i = 0; i < 89; i++)
		NEED(buf[i] == 0);
	CHECK_EQ(buf[89], 'z');
	unlink("f");
}

static void positioned(void)
{
	char buf[10] = "";
	int fd = file_make("f", "0123456789");
	CHECK_EQ(pread(fd, buf, 3, 4), 3);
	CHECK_STR(buf, "456");
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0); /* the offset stays */
	CHECK_EQ(pwrite(fd, "AB", 2, 8), 2);
	CHECK_EQ(pwrite(fd, "C", 1, 10), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_STR(file_get("f"), "01234567ABC");
	CHECK_ERR(pread(fd, buf, 1, -1), EINVAL);
	CHECK_ERR(pwrite(fd, buf, 1, -1), EINVAL);
	CHECK_EQ(pread(fd, buf, 1, 1LL << 40), 0);
	int fds[2];
	NEED(pipe(fds) == 0);
	CHECK_ERR(pread(fds[0], buf, 1, 0), ESPIPE);
	CHECK_ERR(pwrite(fds[1], buf, 1, 0), ESPIPE);
	unlink("f");
}

static void large_transfer(void)
{
	enum { SIZE = 1 << 20 };
	unsigned char *a = malloc(SIZE), *b = malloc(SIZE + 10);
	unsigned seed = 1;
	for (int i = 0; i < SIZE; i++)
		a[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_EQ(write(fd, a, SIZE), SIZE);
	CHECK_EQ(pread(fd, b + 3, SIZE + 7, 0), SIZE); /* and unaligned */
	CHECK(memcmp(a, b + 3, SIZE) == 0);
	for (int off = 0, n = 1; off + n < SIZE; off += n, n = n * 3 % 10007 + 1) { /* odd pieces over page borders */
		NEED(pread(fd, b, (size_t)n, off) == n);
		NEED(memcmp(a + off, b, (size_t)n) == 0);
	}
	unlink("f");
}

static void vectors(void)
{
	char x[4] = "", y[4] = "", z[10] = "";
	struct iovec out[] = { { "one", 3 }, { NULL, 0 }, { "two", 3 }, { "three", 5 } };
	struct iovec in[] = { { x, 3 }, { y, 3 }, { bad_unmapped(), 0 }, { z, 9 } };
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_EQ(writev(fd, out, 4), 11);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(readv(fd, in, 4), 11);
	CHECK_STR(x, "one");
	CHECK_STR(y, "two");
	CHECK_STR(z, "three");
	CHECK_EQ(preadv(fd, in, 2, 1), 6);
	CHECK_STR(x, "net");
	CHECK_EQ(pwritev(fd, out, 4, 11), 11);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 11);
	CHECK_STR(file_get("f"), "onetwothreeonetwothree");
	CHECK_EQ(readv(fd, in, 0), 0);
	CHECK_ERR(syscall(SYS_readv, fd, in, -1L), EINVAL);
	CHECK_ERR(syscall(SYS_readv, fd, in, 1025), EINVAL);
	CHECK_ERR(syscall(SYS_writev, fd, in, 1025), EINVAL);
	in[0].iov_len = (size_t)-1;
	CHECK_ERR(readv(fd, in, 2), EINVAL);
	CHECK_ERR(readv(fd, bad_unmapped(), 1), EFAULT);
	CHECK_ERR(writev(fd, bad_unmapped(), 1), EFAULT);
	CHECK_ERR(preadv(fd, in, 1, -1), EINVAL);
	struct iovec many[1024];
	for (int i = 0; i < 1024; i++)
		many[i] = (struct iovec){ "k", 1 };
	CHECK_EQ(pwritev(fd, many, 1024, 0), 1024);
	unlink("f");
}

static void version_two_calls(void)
{
	char x[4] = "";
	struct iovec v = { x, 3 };
	int fd = file_make("f", "abcdef");
	CHECK_EQ(syscall(SYS_preadv2, fd, &v, 1, -1L, 0L, 0), 3); /* -1: at the offset, and move it */
	CHECK_STR(x, "abc");
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
	CHECK_EQ(syscall(SYS_preadv2, fd, &v, 1, 1L, 0L, 0), 3);
	CHECK_STR(x, "bcd");
	CHECK_EQ(syscall(SYS_pwritev2, fd, &v, 1, 0L, 0L, 0x10 /* RWF_APPEND */), 3);
	CHECK_STR(file_get("f"), "abcdefbcd");
	CHECK_ERR(syscall(SYS_preadv2, fd, &v, 1, 0L, 0L, 0x10000), EOPNOTSUPP);
	unlink("f");
}

static void buffers_that_end_in_a_hole(void)
{
	int fd = file_make("f", "0123456789");
	char *edge = page_end(4);
	CHECK_EQ(pread(fd, edge, 4, 0), 4);
	CHECK(memcmp(edge, "0123", 4) == 0);
	CHECK_EQ(pread(fd, edge, 10, 2), 4); /* the part that fits is transferred and counted */
	CHECK(memcmp(edge, "2345", 4) == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, edge, 10), 4);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	CHECK_EQ(pwrite(fd, edge, 10, 20), 4);
	struct stat st;
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 24);
	CHECK_ERR(read(fd, bad_unmapped(), 5), EFAULT);
	CHECK_ERR(read(fd, bad_readonly(), 5), EFAULT);
	CHECK_ERR(read(fd, bad_kernel(), 5), EFAULT);
	CHECK_ERR(read(fd, bad_noncanonical(), 5), EFAULT);
	CHECK_ERR(write(fd, bad_none(), 5), EFAULT);
	CHECK_ERR(write(fd, bad_kernel(), 5), EFAULT);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4); /* failures move nothing */
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 24);
	/* a vector whose second buffer is bad counts the first */
	char ok[4];
	struct iovec v[2] = { { ok, 4 }, { bad_unmapped(), 4 } };
	CHECK_EQ(preadv(fd, v, 2, 0), 4);
	CHECK_EQ(pwritev(fd, v, 2, 0), 4);
	unlink("f");
}

enum { PAGES = 20 };

/* As many bytes as there is room for in front of the hole, each of them the right one, and the rest untouched. */
static void read_up_to(int fd, char *mem, size_t hole, size_t at, off_t offset)
{
	size_t room = hole - at;
	memset(mem, 0x7e, hole);
	CHECK_EQ(pread(fd, mem + at, (PAGES - 4) * PAGE, offset), room);
	for (size_t i = 0; i < room; i++)
		NEED(mem[at + i] == (char)((offset + i) / 16));
	for (size_t i = 0; i < at; i++)
		NEED(mem[i] == 0x7e);
}

/* Reads of many pages go in one copy; a hole in the middle ends them where it begins, whatever the offsets. */
static void long_reads_up_to_a_hole(void)
{
	char *mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	NEED(mem != MAP_FAILED && fd >= 0);
	for (size_t i = 0; i < PAGES * PAGE; i++)
		mem[i] = (char)(i / 16);
	CHECK_EQ(write(fd, mem, PAGES * PAGE), PAGES * PAGE);
	NEED(munmap(mem, PAGES * PAGE) == 0);
	/* Nothing of it is present: each page comes as it is needed. */
	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(pread(fd, mem, PAGES * PAGE, 0), PAGES * PAGE);
	for (size_t i = 0; i < PAGES * PAGE; i++)
		NEED(mem[i] == (char)(i / 16));
	NEED(munmap(mem + 9 * PAGE, PAGE) == 0);
	read_up_to(fd, mem, 9 * PAGE, 0, 0);
	read_up_to(fd, mem, 9 * PAGE, 100, 0);
	read_up_to(fd, mem, 9 * PAGE, 0, 777);
	read_up_to(fd, mem, 9 * PAGE, 9 * PAGE - 1, 5000);
	NEED(mprotect(mem + 5 * PAGE, PAGE, PROT_READ) == 0);
	read_up_to(fd, mem, 5 * PAGE, 3 * PAGE + 17, 4095);
	CHECK_ERR(pread(fd, mem + 5 * PAGE, 3 * PAGE, 0), EFAULT);
	CHECK_ERR(pread(fd, mem + 9 * PAGE, 3 * PAGE, 0), EFAULT);
	munmap(mem, PAGES * PAGE);
	close(fd);
	unlink("f");
}

static void huge_counts(void)
{
	int fd = file_make("f", "0123456789");
	char *big = mmap(NULL, 4UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	NEED(big != MAP_FAILED);
	CHECK_EQ(read(fd, big, 4UL << 30), 10); /* limited, not refused */
	CHECK_ERR(syscall(SYS_read, fd, big, -1L), EFAULT); /* the buffer would wrap round the address space */
	CHECK_ERR(syscall(SYS_write, fd, big, -1L), EFAULT);
	CHECK_EQ(write(open("/dev/null", O_WRONLY), big, 4UL << 30), 0x7ffff000); /* most of one call */
	unlink("f");
}

static void holes_read_as_zeros(void)
{
	char buf[300];
	struct stat st;
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_EQ(pwrite(fd, "end", 3, 10000000), 3);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 10000003);
	CHECK(st.st_blocks * 512 <= 65536); /* only what is there takes room */
	CHECK_EQ(pread(fd, buf, 300, 5000000), 300);
	for (int i = 0; i < 300; i++)
		NEED(buf[i] == 0);
	unlink("f");
}

int main(void)
{
	RUN(plain);
	RUN(positioned);
	RUN(large_transfer);
	RUN(vectors);
	RUN(version_two_calls);
	RUN(buffers_that_end_in_a_hole);
	RUN(long_reads_up_to_a_hole);
	RUN(huge_counts);
	RUN(holes_read_as_zeros);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* File mappings: shared ones are the file, private ones a copy, the last page ends in zeros, behind it is SIGBUS. */
#include "segv.h"

#define RW (PROT_READ | PROT_WRITE)

static int big_file(const char *name, int pages)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0644);
	char page[PAGE];
	NEED(fd >= 0);
	for (int i = 0; i < pages; i++) {
		memset(page, 'a' + i, PAGE);
		NEED(write(fd, page, PAGE) == PAGE);
	}
	return fd;
}

static char at(int fd, off_t off)
{
	char c = 0;
	NEED(pread(fd, &c, 1, off) == 1);
	return c;
}

static void shared_is_the_file(void)
{
	int fd = big_file("f", 4);
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0), *q = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, PAGE);
	NEED(p != MAP_FAILED && q != MAP_FAILED);
	CHECK_EQ(p[0], 'a');
	CHECK_EQ(p[3 * PAGE], 'd');
	CHECK_EQ(q[0], 'b'); /* offset */
	p[PAGE] = 'X';
	CHECK_EQ(q[0], 'X'); /* two mappings, one page */
	CHECK_EQ(at(fd, PAGE), 'X'); /* read sees stores at once */
	NEED(pwrite(fd, "Y", 1, 2 * PAGE) == 1);
	CHECK_EQ(p[2 * PAGE], 'Y'); /* and loads see writes */
	CHECK_EQ(q[PAGE], 'Y');
	IN_CHILD
	{
		p[7] = 'C';
	}
	CHECK_EQ(p[7], 'C');
	close(fd);
	CHECK_EQ(unlink("f"), 0);
	p[8] = 'Z'; /* the mapping keeps file and content alive */
	CHECK_EQ(p[3 * PAGE + 5], 'd');
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
	CHECK_EQ(q[0], 'X');
}

static void shared_stores_outlive_the_mapping(void)
{
	int fd = big_file("f", 2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	p[5] = '5';
	CHECK_EQ(msync(p, 2 * PAGE, MS_SYNC), 0);
	p[PAGE] = '6';
	CHECK_EQ(munmap(p, 2 * PAGE), 0);
	close(fd);
	fd = open("f", O_RDONLY);
	CHECK_EQ(at(fd, 5), '5');
	CHECK_EQ(at(fd, PAGE), '6');
	unlink("f");
}

static void private_is_a_copy(void)
{
	int fd = big_file("f", 2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	NEED(p != MAP_FAILED);
	p[0] = 'P';
	CHECK_EQ(at(fd, 0), 'a');
	NEED(pwrite(fd, "W", 1, 1) == 1);
	CHECK_EQ(p[1], 'a'); /* the copied page no longer follows */
	CHECK_EQ(p[0], 'P');
	IN_CHILD
	{
		CHECK_EQ(p[0], 'P');
		p[0] = 'c';
	}
	CHECK_EQ(p[0], 'P');
	int ro = open("f", O_RDONLY);
	char *r = mmap(NULL, PAGE, RW, MAP_PRIVATE, ro, 0); /* a read-only file may be mapped writable in private */
	NEED(r != MAP_FAILED);
	r[0] = 'r';
	CHECK_EQ(at(fd, 0), 'a');
	unlink("f");
}

static void end_of_file(void)
{
	segv_catch();
	int fd = file_make("f", "hello");
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	CHECK(memcmp(p, "hello", 5) == 0);
	for (int i = 5; i < PAGE; i++)
		NEED(p[i] == 0);
	CHECK_EQ(fault_read(p + PAGE), BUS_ADRERR);
	CHECK_EQ(segv_signal, SIGBUS);
	CHECK(segv_addr == p + PAGE);
	CHECK_EQ(fault_write(p + 2 * PAGE + 17, 1), BUS_ADRERR);
	CHECK(segv_addr == p + 2 * PAGE + 17);
	p[100] = 'x'; /* behind the end, inside the page: no part of the file */
	struct stat st;
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(ftruncate(fd, PAGE + 10), 0); /* growing makes the page usable */
	CHECK_EQ(fault_read(p + PAGE), 0);
	CHECK_EQ(p[PAGE], 0);
	p[PAGE + 3] = 'q';
	CHECK_EQ(at(fd, PAGE + 3), 'q');
	CHECK_EQ(ftruncate(fd, 3), 0); /* shrinking takes it away again, touched or not */
	CHECK_EQ(fault_read(p + PAGE + 3), BUS_ADRERR);
	CHECK_EQ(p[3], 0);
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	CHECK_EQ(p[3], 0);
	CHECK_EQ(p[PAGE + 3], 0); /* zeros, not what was there */
	char buf[8];
	CHECK_ERR(write(1, p + 2 * PAGE, 1), EFAULT); /* a call meets it as a bad pointer */
	CHECK_ERR(pread(fd, p + 2 * PAGE, 1, 0), EFAULT);
	(void)buf;
	pid_t pid;
	CHILD(pid)
	{
		on_signal(SIGBUS, SIG_DFL, 0);
		(void)*(volatile char *)(p + 2 * PAGE);
	}
	CHECK_EQ(wait_status(pid) & 0x7f, SIGBUS);
	unlink("f");
}

static void permission_to_map(void)
{
	file_put("f", "text");
	int ro = open("f", O_RDONLY), wo = open("f", O_WRONLY), rw = open("f", O_RDWR), dir = open(".", O_RDONLY);
	int path = open("f", O_PATH);
	int fds[2];
	NEED(pipe(fds) == 0);
	CHECK_ERR((long)mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0), EACCES);
	CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
	CHECK_ERR((long)mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, wo, 0), EACCES);
	CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
	CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fds[0], 0), ENODEV);
	CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0), EBADF);
	CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0), EBADF);
	CHECK_ERR((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE, rw, 0), EINVAL);
	CHECK_ERR(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, rw, 1), EINVAL);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	NEED(p != MAP_FAILED);
	CHECK_ERR(mprotect(p, PAGE, RW), EACCES); /* no way round it later */
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 0);
	CHECK_EQ(mprotect(p, PAGE, RW), 0);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, rw, 0);
	CHECK_EQ(mprotect(p, PAGE, RW), 0);
	p[0] = 'T';
	CHECK_EQ(at(rw, 0), 'T');
	unlink("f");
}

static void behind_a_large_offset(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	off_t far = 5LL << 30;
	NEED(pwrite(fd, "far", 3, far) == 3);
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, far);
	NEED(p != MAP_FAILED);
	CHECK(memcmp(p, "far", 4) == 0);
	char *hole = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1 << 30);
	NEED(hole != MAP_FAILED);
	CHECK_EQ(hole[17], 0); /* a hole reads as zeros */
	NEED(pwrite(fd, "now", 3, 1 << 30) == 3);
	CHECK_STR(hole, "now");
	unlink("f");
}

static void read_into_a_mapping_of_itself(void)
{
	int fd = big_file("f", 2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK_EQ(pread(fd, p + PAGE, PAGE, 0), PAGE);
	CHECK_EQ(p[PAGE + 9], 'a');
	CHECK_EQ(pwrite(fd, p, PAGE, PAGE), PAGE);
	CHECK_EQ(p[2 * PAGE - 1], 'a');
	unlink("f");
}

static void msync_errors(void)
{
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(msync(p, PAGE, MS_ASYNC), 0);
	CHECK_ERR(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK_ERR(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERR(msync(p, PAGE, 0x80), EINVAL);
	munmap(p + PAGE, PAGE);
	CHECK_ERR(msync(p, 3 * PAGE, MS_SYNC), ENOMEM);
}

int main(void)
{
	RUN(shared_is_the_file);
	RUN(shared_stores_outlive_the_mapping);
	RUN(private_is_a_copy);
	RUN(end_of_file);
	RUN(permission_to_map);
	RUN(behind_a_large_offset);
	RUN(read_into_a_mapping_of_itself);
	RUN(msync_errors);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* madvise DONTNEED and its effect per kind of mapping, mincore, mlock, and their errors. */
#include "segv.h"

#define RW (PROT_READ | PROT_WRITE)

static void dontneed_zeroes_private(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 'x', 4 * PAGE);
	CHECK_EQ(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(p[PAGE - 1], 'x');
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[3 * PAGE - 1], 0);
	CHECK_EQ(p[3 * PAGE], 'x');
	p[PAGE] = 'y';
	CHECK_EQ(p[PAGE], 'y');
}

static void dontneed_in_child_only(void)
{
	char *p = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*p = 'x';
	IN_CHILD
	{
		CHECK_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
		CHECK_EQ(*p, 0);
	}
	CHECK_EQ(*p, 'x');
}

static void dontneed_shows_the_file_again(void)
{
	int fd = file_make("f", "file");
	char *p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0), *s = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	p[0] = 'P';
	s[1] = 'S';
	CHECK_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(madvise(s, PAGE, MADV_DONTNEED), 0);
	CHECK_STR(p, "fSle");
	CHECK_STR(s, "fSle"); /* shared contents are not lost */
	char *a = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*a = 'a';
	CHECK_EQ(madvise(a, PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(*a, 'a');
	unlink("f");
}

static void advice_and_errors(void)
{
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*p = 'k';
	CHECK_EQ(madvise(p, PAGE, MADV_NORMAL), 0);
	CHECK_EQ(madvise(p, PAGE, MADV_RANDOM), 0);
	CHECK_EQ(madvise(p, PAGE, MADV_SEQUENTIAL), 0);
	CHECK_EQ(madvise(p, PAGE, MADV_WILLNEED), 0);
	CHECK_EQ(madvise(p, 0, MADV_DONTNEED), 0);
	CHECK_EQ(*p, 'k');
	CHECK_ERR(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_ERR(madvise(p, PAGE, 9999), EINVAL);
	CHECK_ERR(syscall(SYS_madvise, p, -1L, MADV_DONTNEED), EINVAL);
	NEED(munmap(p + PAGE, PAGE) == 0);
	CHECK_ERR(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK_EQ(*p, 0); /* mapped parts were done all the same */
}

static void residency(void)
{
	unsigned char vec[4];
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p[0] = p[2 * PAGE] = 1;
	CHECK_EQ(mincore(p, 4 * PAGE, vec), 0);
	CHECK(vec[0] & 1);
	CHECK(!(vec[1] & 1));
	CHECK(vec[2] & 1);
	CHECK_ERR(mincore(p + 1, PAGE, vec), EINVAL);
	CHECK_ERR(mincore(p, PAGE, bad_unmapped()), EFAULT);
	NEED(munmap(p + PAGE, PAGE) == 0);
	CHECK_ERR(mincore(p, 4 * PAGE, vec), ENOMEM);
}

static void locking(void)
{
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(mlock(p, 2 * PAGE), 0);
	p[PAGE] = 1;
	CHECK_EQ(munlock(p, 2 * PAGE), 0);
	NEED(munmap(p + PAGE, PAGE) == 0);
	CHECK_ERR(mlock(p, 2 * PAGE), ENOMEM);
	CHECK_ERR(syscall(SYS_mlockall, 0x100), EINVAL);
	CHECK_EQ(munlockall(), 0);
}

int main(void)
{
	RUN(dontneed_zeroes_private);
	RUN(dontneed_in_child_only);
	RUN(dontneed_shows_the_file_again);
	RUN(advice_and_errors);
	RUN(residency);
	RUN(locking);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Anonymous mappings: zeroed, placed, fixed, shared with children, reserved in bulk, and what mmap refuses. */
#include "segv.h"

#define RW (PROT_READ | PROT_WRITE)
#define PRIV (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t n)
{
	char *p = mmap(NULL, n, RW, PRIV, -1, 0);
	NEED(p != MAP_FAILED);
	return p;
}

static void zeroed_and_writable(void)
{
	char *p = map(300 * PAGE);
	CHECK_EQ((uintptr_t)p % PAGE, 0);
	for (int i = 0; i < 300 * PAGE; i += PAGE / 2)
		NEED(p[i] == 0);
	memset(p, 1, 300 * PAGE);
	CHECK_EQ(munmap(p, 300 * PAGE), 0);
	char *q = map(300 * PAGE);
	for (int i = 0; i < 300 * PAGE; i += 64)
		NEED(q[i] == 0); /* old content never shows */
	CHECK_EQ(munmap(q, 300 * PAGE), 0);
}

static void length_is_rounded_up(void)
{
	segv_catch();
	char *p = map(1);
	p[PAGE - 1] = 1;
	CHECK_EQ(munmap(p, 1), 0);
	CHECK_EQ(fault_read(p + PAGE - 1), SEGV_MAPERR);
}

static void hints_and_fixed(void)
{
	char *p = map(8 * PAGE);
	munmap(p, 8 * PAGE);
	CHECK(mmap(p, PAGE, RW, PRIV, -1, 0) == p); /* a free hint is taken */
	p[0] = 5;
	char *q = mmap(p, PAGE, RW, PRIV, -1, 0);
	CHECK(q != p && q != MAP_FAILED); /* an occupied one is not */
	CHECK_EQ(p[0], 5);
	CHECK(mmap(p, 2 * PAGE, RW, PRIV | MAP_FIXED, -1, 0) == p); /* fixed replaces */
	CHECK_EQ(p[0], 0);
	p[0] = 6;
	CHECK_ERR((long)mmap(p, PAGE, RW, PRIV | 0x100000 /* FIXED_NOREPLACE */, -1, 0), EEXIST);
	CHECK_EQ(p[0], 6);
	CHECK(mmap(p + 4 * PAGE, PAGE, RW, PRIV | 0x100000, -1, 0) == p + 4 * PAGE);
	CHECK((uintptr_t)mmap(NULL, PAGE, RW, PRIV | 0x40 /* MAP_32BIT */, -1, 0) < 0x80000000u);
}

static void refused(void)
{
	char *p = map(PAGE);
	CHECK_ERR((long)mmap(NULL, 0, RW, PRIV, -1, 0), EINVAL);
	CHECK_ERR((long)mmap(p + 1, PAGE, RW, PRIV | MAP_FIXED, -1, 0), EINVAL);
	CHECK_ERR((long)mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL); /* neither shared nor private */
	CHECK_ERR((long)mmap(NULL, (size_t)-1, RW, PRIV, -1, 0), ENOMEM);
	CHECK_ERR((long)mmap(NULL, 1UL << 47, RW, PRIV, -1, 0), ENOMEM);
	CHECK_ERR((long)mmap((void *)0x800000000000, PAGE, RW, PRIV | MAP_FIXED, -1, 0), ENOMEM);
	CHECK_ERR((long)mmap((void *)0x7fffffffe000, 16 * PAGE, RW, PRIV | MAP_FIXED, -1, 0), ENOMEM);
	CHECK_ERR(syscall(SYS_mmap, 0, PAGE, RW, PRIV, -1, 123), EINVAL); /* offset not a page's */
	CHECK_EQ(p[0], 0);
}

static void page_zero_is_not_for_users(void)
{
	IN_CHILD
	{
		become_user(1000);
		long r = (long)mmap(NULL, PAGE, RW, PRIV | MAP_FIXED, -1, 0);
		CHECK(r == -1 && (errno == EPERM || errno == EACCES));
	}
	segv_catch();
	CHECK_EQ(fault_read((void *)8), SEGV_MAPERR);
	CHECK(segv_addr == (void *)8);
}

static void shared_with_children(void)
{
	volatile int *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	p[0] = 1;
	IN_CHILD
	{
		CHECK_EQ(p[0], 1);
		p[0] = 2;
		p[2048] = 3; /* a page nobody touched before */
		IN_CHILD
		{
			CHECK_EQ(p[2048], 3);
			p[2049] = 4;
		}
		CHECK_EQ(munmap((void *)p, 4 * PAGE), 0);
	}
	CHECK_EQ(p[0], 2);
	CHECK_EQ(p[2048], 3);
	CHECK_EQ(p[2049], 4);
}

static void large_reserve(void)
{
	size_t n = 64UL << 30;
	char *p = mmap(NULL, n, PROT_NONE, PRIV | MAP_NORESERVE, -1, 0);
	NEED(p != MAP_FAILED);
	segv_catch();
	CHECK_EQ(fault_read(p + (32UL << 30)), SEGV_ACCERR);
	CHECK_EQ(mprotect(p + (32UL << 30), 16 * PAGE, RW), 0);
	memset(p + (32UL << 30), 3, 16 * PAGE);
	CHECK_EQ(munmap(p, n), 0);
	CHECK_EQ(fault_read(p + (32UL << 30)), SEGV_MAPERR);
	p = mmap(NULL, n, RW, PRIV | MAP_NORESERVE, -1, 0); /* as run times do for their heaps */
	NEED(p != MAP_FAILED);
	for (size_t i = 0; i < n; i += n / 64)
		p[i] = 1;
	for (size_t i = 0; i < n; i += n / 64)
		CHECK_EQ(p[i] + p[i + 1], 1);
	CHECK_EQ(munmap(p, n), 0);
}

static void many_mappings(void)
{
	enum { N = 1000 };
	static char *p[N];
	for (int i = 0; i < N; i++) {
		p[i] = mmap(NULL, PAGE, i % 2 ? RW : PROT_READ, PRIV, -1, 0); /* different, so they cannot merge */
		NEED(p[i] != MAP_FAILED);
		if (i % 2)
			*(int *)p[i] = i;
	}
	for (int i = 1; i < N; i += 2)
		NEED(*(int *)p[i] == i);
	for (int i = 0; i < N; i += 3)
		NEED(munmap(p[i], PAGE) == 0);
	for (int i = 1; i < N; i += 2)
		NEED(i % 3 == 0 || *(int *)p[i] == i);
}

static void populate_and_growsdown_flags(void)
{
	char *p = mmap(NULL, 20 * PAGE, RW, PRIV | MAP_POPULATE, -1, 0);
	NEED(p != MAP_FAILED);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(p[i * PAGE], 0);
	p = mmap(NULL, 4 * PAGE, RW, PRIV | MAP_STACK | MAP_NORESERVE, -1, 0);
	NEED(p != MAP_FAILED);
	p[0] = 1;
}

int main(void)
{
	RUN(zeroed_and_writable);
	RUN(length_is_rounded_up);
	RUN(hints_and_fixed);
	RUN(refused);
	RUN(page_zero_is_not_for_users);
	RUN(shared_with_children);
	RUN(large_reserve);
	RUN(many_mappings);
	RUN(populate_and_growsdown_flags);
	return check_end();
}

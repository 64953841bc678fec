/* SPDX-License-Identifier: BSD-2-Clause */
/* brk: grow, shrink, zeroed pages, unaligned ends, and refusal that changes nothing. */
#include "check.h"
#include <setjmp.h>

static uintptr_t brk_raw(uintptr_t to)
{
	return (uintptr_t)syscall(SYS_brk, to);
}

static sigjmp_buf back;
static void on_segv(int sig)
{
	siglongjmp(back, sig);
}

static int faults(volatile char *p)
{
	if (sigsetjmp(back, 1))
		return 1;
	(void)*p;
	return 0;
}

static void grow_and_shrink(void)
{
	on_signal(SIGSEGV, on_segv, 0);
	uintptr_t start = (brk_raw(0) + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	CHECK_EQ(brk_raw(start), start);
	CHECK_EQ(brk_raw(start + 10 * PAGE), start + 10 * PAGE);
	CHECK_EQ(brk_raw(0), start + 10 * PAGE);
	char *p = (char *)start;
	for (int i = 0; i < 10 * PAGE; i += 512)
		CHECK_EQ(p[i], 0);
	memset(p, 'x', 10 * PAGE);
	CHECK_EQ(brk_raw(start + 2 * PAGE), start + 2 * PAGE);
	CHECK(!faults(p + 2 * PAGE - 1));
	CHECK(faults(p + 2 * PAGE)); /* given back */
	CHECK_EQ(brk_raw(start + 10 * PAGE), start + 10 * PAGE);
	CHECK_EQ(p[2 * PAGE - 1], 'x');
	for (int i = 2 * PAGE; i < 10 * PAGE; i += 512)
		CHECK_EQ(p[i], 0); /* zero again */
}

static void unaligned_end(void)
{
	uintptr_t start = (brk_raw(0) + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	CHECK_EQ(brk_raw(start + 1), start + 1);
	((char *)start)[PAGE - 1] = 5; /* whole pages are usable */
	CHECK_EQ(brk_raw(start + 100), start + 100);
	CHECK_EQ(((char *)start)[PAGE - 1], 5);
}

static void refused(void)
{
	uintptr_t cur = brk_raw(0);
	CHECK_EQ(brk_raw(1), cur); /* below the start */
	CHECK_EQ(brk_raw(0x7ffffffff000), cur);
	CHECK_EQ(brk_raw((uintptr_t)-1), cur);
	uintptr_t at = (cur + 64 * PAGE) & ~(uintptr_t)(PAGE - 1);
	char *wall = mmap((void *)at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	NEED(wall == (char *)at);
	*wall = 7;
	CHECK_EQ(brk_raw(at + 4 * PAGE), cur); /* a mapping is in the way */
	CHECK_EQ(*wall, 7);
	CHECK_EQ(brk_raw(cur + 2 * PAGE), cur + 2 * PAGE);
}

static void child_has_its_own(void)
{
	uintptr_t cur = brk_raw(0);
	IN_CHILD
	{
		CHECK_EQ(brk_raw(0), cur);
		CHECK_EQ(brk_raw(cur + 5 * PAGE), cur + 5 * PAGE);
	}
	CHECK_EQ(brk_raw(0), cur);
}

int main(void)
{
	RUN(grow_and_shrink);
	RUN(unaligned_end);
	RUN(refused);
	RUN(child_has_its_own);
	return check_end();
}

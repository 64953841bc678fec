/* SPDX-License-Identifier: BSD-2-Clause */
/* For host unit tests: say what is wrong, go on, and let the exit status tell. A test's main() ends with `return expect_end();`. */
#pragma once
#include <stdio.h>

static int expect_failures;

#define EXPECT(condition) expect_check(!!(condition), #condition, __FILE__, __LINE__)
#define EXPECT_EQ(value, wanted) expect_equal((long long)(value), (long long)(wanted), #value, __FILE__, __LINE__)

static inline void expect_check(int ok, const char *text, const char *file, int line)
{
	if (ok)
		return;
	expect_failures++;
	printf("FAIL %s:%d: %s\n", file, line, text);
}

static inline void expect_equal(long long value, long long wanted, const char *text, const char *file, int line)
{
	if (value == wanted)
		return;
	expect_failures++;
	printf("FAIL %s:%d: %s is %lld, expected %lld\n", file, line, text, value, wanted);
}

static inline int expect_end(void)
{
	return expect_failures != 0;
}

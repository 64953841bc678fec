/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks for the unit tests of VFS: print what is wrong and end. */
#pragma once
#include <stdio.h>
#include <stdlib.h>

#define EXPECT(what) ((what) ? (void)0 : expect_failed(__FILE__, __LINE__, #what))

static inline void expect_failed(const char *file, int line, const char *what)
{
	printf("FAIL %s:%d: %s\n", file, line, what);
	exit(1);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What VM's pure modules need from outside, for tests on the host. */
#pragma once
#include <stdint.h>

void host_start(uint32_t frames);	/* kmem on host memory, frames 1..frames-1 free */
void host_fail_after(int maps);		/* the backend refuses after so many further mappings; -1: never */

#ifndef HOST_REAL_OBJECTS
struct object { int refs; };	/* host_objects.c: counts only */
#endif

uint32_t host_random(uint32_t below);
void host_seed(uint64_t seed);
#define CHECK(c) host_check((c), #c, __FILE__, __LINE__)
void host_check(int ok, const char *what, const char *file, int line);

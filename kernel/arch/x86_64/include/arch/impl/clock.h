/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the clock is on the way of every system call, hence inline. */
#pragma once
#include <abi/types.h>

/* Start lies a little in the past, so that a CPU whose TSC is slightly behind reads no negative time. */
extern struct x86_tsc { uint64_t start, multiplier; } x86_tsc;

static inline nstime_t arch_now_ns(void)
{
	uint32_t low, high;
	uint64_t ticks;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	ticks = ((uint64_t)high << 32 | low) - x86_tsc.start;
	return (nstime_t)(((unsigned __int128)ticks * x86_tsc.multiplier) >> 32);
}

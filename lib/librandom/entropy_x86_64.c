/* SPDX-License-Identifier: BSD-2-Clause */
#include <cpuid.h>
#include <stdbool.h>

#include "entropy.h"

static bool rdrand_available(void)
{
	uint32_t a, b, c, d;
	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND);
}

uint64_t entropy_word(void)
{
	uint64_t word = __builtin_ia32_rdtsc() * 0x9e3779b97f4a7c15ull;
	/* Intel SDM volume 1, section 7.3.17: up to ten tries are enough unless the unit is broken. */
	for (int try = 0; rdrand_available() && try < 10; try++) {
		uint64_t value;
		bool ok;
		__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(ok) : : "cc");
		if (ok)
			return word ^ value;
	}
	return word;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <stdint.h>

struct arch_fpu {
	uint8_t area[512] __attribute__((aligned(16)));	/* fxsave image; current unless cpu >= 0 */
	int32_t cpu;		/* CPU in whose registers the state lives, -1: memory only */
	uint32_t used;		/* 0: never used, area not written yet */
};

/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <stdint.h>

struct arch_fpu {
	uint8_t area[512] __attribute__((aligned(16)));	/* fxsave image; current unless held */
	uint32_t holder;	/* 1 + CPU in whose registers the state lives, 0: memory only */
	uint32_t used;		/* 0: never used, area not written yet */
};

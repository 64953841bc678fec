/* SPDX-License-Identifier: BSD-2-Clause */
/* A tick of half a second, running only while something asked for it. */
#pragma once

enum { TICK_MS = 500 };

void tick_needed(void);	/* at least one more tick */

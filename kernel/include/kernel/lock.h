/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel lock: a ticket lock taken at every entry and dropped before user mode and before halting. While a CPU waits for it, its
 * process's registers are complete in its frame, and the CPU serves requests of the holder to let go of that process.
 */
#pragma once
#include <stdbool.h>

void kernel_lock(void);
void kernel_unlock(void);

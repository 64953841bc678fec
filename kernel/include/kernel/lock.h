/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel lock: a spin lock taken at every entry and dropped before user mode and before halting. While a CPU waits for it, its
 * process's registers are complete in its frame, and the CPU serves requests of the holder to let go of that process.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

extern uint32_t kernel_locked;

/* Takes the lock if it is free. */
static inline bool kernel_trylock(void)
{
	return !__atomic_exchange_n(&kernel_locked, 1, __ATOMIC_ACQUIRE);
}

void kernel_lock(void);
static inline void kernel_unlock(void)
{
	__atomic_store_n(&kernel_locked, 0, __ATOMIC_RELEASE);
}

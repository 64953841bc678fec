/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel lock: a ticket lock taken at every entry and dropped before user mode and before halting. While a CPU waits for it, its
 * process's registers are complete in its frame, and the CPU serves requests of the holder to let go of that process.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

extern struct kernel_ticket { uint32_t next, serving; } kernel_ticket;

/* Takes the lock if it is free. */
static inline bool kernel_trylock(void)
{
	uint32_t serving = __atomic_load_n(&kernel_ticket.serving, __ATOMIC_RELAXED);

	return __atomic_compare_exchange_n(&kernel_ticket.next, &serving, serving + 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

void kernel_lock(void);
static inline void kernel_unlock(void)
{
	__atomic_store_n(&kernel_ticket.serving, kernel_ticket.serving + 1, __ATOMIC_RELEASE);
}

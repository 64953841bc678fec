/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel lock, see kernel/lock.h. Fair: CPUs get it in the order in which they asked. */
#include <arch/cpu.h>
#include <arch/space.h>
#include <kernel/lock.h>
#include <kernel/lib.h>
#include <kernel/sched.h>
#include "take_off.h"

static struct { uint32_t next, serving; } lock __attribute__((aligned(64)));

void kernel_lock(void)
{
	uint32_t ticket = __atomic_fetch_add(&lock.next, 1, __ATOMIC_ACQUIRE);

	while (unlikely(__atomic_load_n(&lock.serving, __ATOMIC_ACQUIRE) != ticket)) {
		sched_serve_take_off();
		space_on_shootdown();
		arch_spin_wait();
	}
}

void kernel_unlock(void)
{
	__atomic_store_n(&lock.serving, lock.serving + 1, __ATOMIC_RELEASE);
}

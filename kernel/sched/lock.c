/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel lock, see kernel/lock.h. Whoever runs gets it, not whoever asked first: in a virtual machine with fewer real processors than
 * virtual ones, the next in a fair queue is often not running, and all others would spin until the host runs it. With a ticket lock
 * four such CPUs did a few hundred entries a second. Nobody starves: a holder drops the lock before user mode and before it halts.
 */
#include <arch/cpu.h>
#include <arch/space.h>
#include <kernel/lock.h>
#include <kernel/lib.h>
#include <kernel/sched.h>
#include "take_off.h"

HOT_DATA uint32_t kernel_locked;

void kernel_lock(void)
{
	while (__atomic_load_n(&kernel_locked, __ATOMIC_RELAXED) || !kernel_trylock()) {
		sched_serve_take_off();
		space_on_shootdown();
		arch_spin_wait();
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel lock, see kernel/lock.h. Fair: CPUs get it in the order in which they asked. */
#include <arch/cpu.h>
#include <arch/space.h>
#include <kernel/lock.h>
#include <kernel/lib.h>
#include <kernel/sched.h>
#include "take_off.h"

HOT_DATA struct kernel_ticket kernel_ticket;

void kernel_lock(void)
{
	uint32_t ticket = __atomic_fetch_add(&kernel_ticket.next, 1, __ATOMIC_ACQUIRE);

	while (unlikely(__atomic_load_n(&kernel_ticket.serving, __ATOMIC_ACQUIRE) != ticket)) {
		sched_serve_take_off();
		space_on_shootdown();
		arch_spin_wait();
	}
}

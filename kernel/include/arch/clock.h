/* SPDX-License-Identifier: BSD-2-Clause */
/* Time. All CPUs see one clock. */
#pragma once
#include <abi/types.h>
#include <arch/impl/clock.h>

/* arch_now_ns(): since boot, never goes back */
/*
 * kernel_timer() on this CPU at (or soon after) the given time, once. 0: none. A time in the past fires at
 * once, one far away may fire early.
 */
void arch_timer_set(nstime_t deadline);
uint64_t arch_tsc_khz(void);
nstime_t arch_boot_realtime(void);		/* ns since 1970 at boot, from the battery clock */

/* Real time = boot_realtime + now. Changes what user processes see through the vDSO at once. */
void arch_clock_set_boot_realtime(nstime_t boot_realtime);

/* Pages every user process gets mapped: clock data (read only) directly below the vDSO code. */
struct arch_vdso { paddr_t code; uint64_t code_pages; paddr_t data; uint64_t data_pages; };
void arch_vdso_get(struct arch_vdso *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The page of clock data below the vDSO. time/vdso.S knows the offsets. */
#pragma once
#include <abi/types.h>

struct x86_vvar_page {
	struct { uint32_t sequence, pad; uint64_t tsc_start, multiplier, boot_realtime; } clock;
	uint8_t rest[PAGE_BYTES - 32];
};
extern struct x86_vvar_page x86_vvar;
extern char x86_vdso_start[], x86_vdso_end[];

nstime_t x86_rtc_read(void);		/* ns since 1970 */
uint32_t x86_lapic_timer_now(void);

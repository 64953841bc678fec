/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of the futex call; musl ships no kernel headers, so the tests keep their own. */
#pragma once
enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_PRIVATE_FLAG = 128,
	FUTEX_CLOCK_REALTIME = 256,
	FUTEX_OWNER_DIED = 0x40000000,
	FUTEX_WAITERS = (int)0x80000000
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints. A process slot that is used again gets the next generation, so a stale endpoint is recognised as dead and can
 * never reach the slot's new owner. Slot 0 is never used, so that a zeroed endpoint names nobody.
 *
 *   31   30            15 14          0
 *  +---+----------------+-------------+
 *  | 0 | generation     | slot        |     positive: a process
 *  +---+----------------+-------------+     negative: the constants below
 *
 * Generations count 1..65535 and wrap to 1; generation 0 belongs to the services of the boot image alone, whose endpoints are
 * therefore compile-time constants (their slot number).
 */
#pragma once
#include <abi/types.h>

enum {
	EP_HARDWARE = -1,	/* source of interrupt notifications */
	EP_SYSTEM   = -2,	/* the kernel: source of kernel signals; target of kernel calls */
	EP_CLOCK    = -3,	/* source of alarm notifications */
	EP_ASYNCM   = -4,	/* source of "an asynchronous message of yours failed" notifications */
	EP_ANY      = -100,	/* receive from anybody; in grants: any grantee */
	EP_NONE     = -101,
	EP_SELF     = -102,
};

/* Services of the boot image, in slot order. images/boot.list must agree; the kernel checks names at boot. */
enum {
	EP_RS = 1, EP_VM = 2, EP_DS = 3, EP_PM = 4, EP_VFS = 5,
	EP_TTY = 6, EP_MEMORY = 7, EP_TMPFS = 8, EP_PROCFS = 9,
	EP_BOOT_LAST = 31,	/* slots up to here are kept for further boot services */
};

enum { ENDPOINT_SLOT_BITS = 15, ENDPOINT_SLOT_MASK = (1 << ENDPOINT_SLOT_BITS) - 1, ENDPOINT_GEN_MAX = 0xffff };

static inline int endpoint_slot(endpoint_t e) { return e & ENDPOINT_SLOT_MASK; }
static inline int endpoint_generation(endpoint_t e) { return e >> ENDPOINT_SLOT_BITS; }
static inline endpoint_t endpoint_make(int generation, int slot)
{
	return (endpoint_t)((uint32_t)generation << ENDPOINT_SLOT_BITS | (uint32_t)slot);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Page-table entries. */
#pragma once
#include <stdint.h>

#define PTE_P 1ull
#define PTE_W 2ull
#define PTE_U 4ull
#define PTE_UNCACHED 0x18ull	/* write-through and cache-disable: strong uncached */
#define PTE_A 0x20ull
#define PTE_D 0x40ull
#define PTE_LARGE 0x80ull
#define PTE_G 0x100ull
#define PTE_SHARED 0x200ull	/* ours: MAP_SHARED_FRAME */
#define PTE_NX (1ull << 63)
#define PTE_FRAME 0x000ffffffffff000ull

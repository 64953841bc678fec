/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of the machine. The port brings up the boot CPU (page tables, traps, interrupt controller, clock,
 * CPU-local data), fills boot_info and calls kernel_main(). Until kernel_main() hands memory to VM, both
 * sides take pages with boot_alloc().
 */
#pragma once
#include <abi/types.h>

enum { BOOT_RANGES = 64, BOOT_CMDLINE = 1024 };

/* bytes, inclusive; page-aligned ranges unless said otherwise */
struct boot_range { paddr_t first, last; };

struct boot_info {
	uint64_t memory_bytes;		/* all RAM the firmware reports */
	uint32_t nr_free;
	/* ascending; without kernel, archive, and what boot_alloc() took */
	struct boot_range free[BOOT_RANGES];
	/* boot archive, exact bytes; first > last when there is none. Its pages are not in free[] */
	struct boot_range archive;
	char cmdline[BOOT_CMDLINE];	/* NUL-terminated */
	const char *loader;		/* "pvh" or "multiboot2" */
	nstime_t entry_to_main_ns;	/* time spent in the port before kernel_main() */
};
extern struct boot_info boot_info;

/*
 * Physically contiguous pages from the top of free memory, not zeroed; panics when there are none. Boot CPU
 * only, never freed.
 */
paddr_t boot_alloc(uint64_t npages);

/*
 * Takes a given page-aligned range out of free[] (say, for a device); parts that are not free are ignored.
 */
void boot_reserve(paddr_t first, paddr_t last);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An address space: one root of page tables, shared by the threads that run in it.
 *
 * Stale TLBs. p_stale_tlb has one bit per CPU. Every change of the space sets all of them, except where the CPU refreshed at
 * once. A CPU that is about to run a process of the space, or to touch its memory, tests and clears its own bit and
 * refreshes (space_refresh). That is what makes it safe that a CPU keeps the last space loaded and skips the reload when
 * it comes back. The bit is cleared before the flush: a change between the two sets it again, and nothing is lost.
 */
#pragma once
#include <abi/limits.h>
#include <abi/types.h>
#include <arch/cpulocal.h>
#include <stdbool.h>
#include <stdint.h>

struct space {
	paddr_t root;		/* top-level page table */
	uint64_t p_stale_tlb;	/* one bit per CPU */
	uint64_t stale_set;	/* times the bits were set */
	uint64_t stale_refresh;	/* refreshes done for it, all CPUs */
	uint32_t refs;		/* processes in it; 0 = slot of the table free */
	uint32_t id;		/* index in the table, from 1: usable as PCID */
	bool dma;		/* a driver has had physical addresses of its memory: devices may use it (KC_VUMAP) */
};

enum { NR_SPACES = NR_PROCS };

/* The space whose root is in this CPU's page-table register, 0 = the kernel's own. Kept over entries to the kernel. */
extern CPULOCAL struct space *loaded_space;
/* The space this CPU runs in user mode, 0 while it is in the kernel or idle. Set under the lock just before the return to user
 * mode, cleared first thing at entry; an editor of that space interrupts the CPU and waits until it is refreshed. */
extern CPULOCAL struct space *volatile user_space;

struct space_counters { uint64_t refreshes, loads, skips; };
extern CPULOCAL struct space_counters space_counters;

uint32_t space_count(void);
struct space *space_new(void);		/* refs = 1; 0 when there is no frame for the root or no slot */
void space_get(struct space *s);
void space_put(struct space *s);	/* the last put frees page tables into the pool */
void space_mark_stale(struct space *s);	/* after an edit: set all bits; interrupt CPUs that run it; wait for them */
void space_load(struct space *s);	/* make it the loaded one, refreshing if our bit is set */
void space_refresh(struct space *s);	/* before touching its memory: clear our bit, flush if it was set */

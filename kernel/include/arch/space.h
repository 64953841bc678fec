/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces. The tables are made of frames from a pool (ptframe_alloc), leaves are 4 KiB pages; the kernel's half is the same in
 * every space and out of reach of all functions here. All callers hold the kernel lock.
 *
 * Stale translations: every edit sets all bits of p_stale_tlb (one per CPU). A CPU about to run or touch the space tests and clears its
 * own bit and refreshes. A CPU in user mode on the space at that moment is interrupted and arch_space_edited() returns when it has
 * refreshed or entered the kernel (where it looks at the bit again on its way out).
 */
#pragma once
#include <abi/types.h>
#include <abi/vmmap.h>
#include <stdbool.h>

struct space {
	paddr_t root;			/* 0: none */
	uint64_t p_stale_tlb;		/* bit per CPU; atomic */
	uint32_t refs;			/* processes in it; generic kernel's */
	uint32_t asid;			/* address-space tag, set by arch_space_create() */
	uint64_t stale_set;		/* times all bits were set */
	uint64_t stale_refresh;		/* refreshes done because of a set bit; atomic */
	uint64_t pt_frames;		/* frames its tables take, root included */
};

enum { ARCH_USER_FIRST = PAGE_BYTES };
#define ARCH_USER_LAST 0x7fffffffefffull	/* last user byte; the page above stays unmapped */
/* Is [addr, addr+len) user memory as far as its numbers go? len 0 is fine anywhere in it. */
static inline bool arch_user_range(vaddr_t addr, uint64_t len)
{
	return addr <= ARCH_USER_LAST && len <= ARCH_USER_LAST + 1 - addr;
}

/* ---- pool, provided by the generic kernel; contents undefined ---- */
paddr_t ptframe_alloc(void);	/* 0 when empty */
void ptframe_free(paddr_t frame);

/* ---- life ---- */
err_t arch_space_create(struct space *s);	/* -ENOMEM. The caller sets refs */
void arch_space_destroy(struct space *s);	/* frees the tables (not the frames mapped), safe while a CPU has it loaded but does not run it */

/* ---- edits. They do not mark the space stale: the caller ends a batch with arch_space_edited() ---- */

/* Each does *done pages (a count from addr on) and stops with -ENOMEM when the pool is empty. -EINVAL: not user addresses or not aligned. */
err_t arch_space_map(struct space *s, vaddr_t addr, paddr_t frame, uint64_t npages, uint32_t prot, uint64_t *done);
err_t arch_space_unmap(struct space *s, vaddr_t addr, uint64_t npages);
err_t arch_space_protect(struct space *s, vaddr_t addr, uint64_t npages, uint32_t prot);
/* The pages present in src appear in dst at the same address; cow: writable ones lose write in both. Empty tables are skipped quickly. */
err_t arch_space_share(struct space *dst, struct space *src, vaddr_t addr, uint64_t npages, bool cow, uint64_t *done);
void arch_space_edited(struct space *s);

/* ---- reading ---- */
struct arch_mapping { vaddr_t addr; paddr_t frame; uint32_t prot; /* MAP_* */ uint32_t flags; /* MAP_PAGE_* */ };
/* The page at or, with `next`, the first page present at or above addr and <= last. false: none. */
bool arch_space_query(struct space *s, vaddr_t addr, vaddr_t last, bool next, struct arch_mapping *out);

/*
 * Kernel address of the byte at addr in s if the page is present and permits the access, else NULL. Valid up to the end of the page
 * and only until the lock is given up. Marks the page accessed (and dirty). Reads the tables, not the TLB.
 */
void *arch_space_walk(struct space *s, vaddr_t addr, bool write);

/* ---- running ---- */

/* Loads s for running a process in user mode on this CPU (or skips the load, see above) and declares it the space that user mode will run
 * in. Last thing before the lock is dropped and the frame resumed. */
void arch_space_run(struct space *s);

/* The space this CPU has loaded and whose user addresses arch_user_copy() reaches (NULL: the kernel's own). */
struct space *arch_space_loaded(void);

/* Tests and clears this CPU's bit of s, counts, and refreshes if s is loaded here. To be called before s is touched. */
void arch_space_refresh(struct space *s);

/* Copies len bytes; dst or src (or both) may be user addresses of the loaded space, checked by arch_user_range() before. Returns the number
 * of bytes NOT copied (0: all): a missing page ends it. */
uint64_t arch_user_copy(void *dst, const void *src, uint64_t len);

/* Kernel address of physical RAM (direct map). */
static inline void *arch_phys_ptr(paddr_t p) { return (void *)(p + 0xffff800000000000ull); }
static inline paddr_t arch_phys_of(const void *direct) { return (paddr_t)(uintptr_t)direct - 0xffff800000000000ull; }
void arch_page_zero(paddr_t frame);
void arch_page_copy(paddr_t dst, paddr_t src);
/* Fast copy and fill of kernel memory. */
void arch_copy(void *dst, const void *src, uint64_t len);
void arch_fill(void *dst, uint8_t byte, uint64_t len);

/* Counters of this CPU for GETINFO_CPU. */
struct arch_cpu_counters { uint64_t stale_refresh, space_loads, space_skips, ipis; };
void arch_cpu_counters_get(unsigned cpu, struct arch_cpu_counters *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables. They are made of frames from a pool (ptframe_alloc), leaves are 4 KiB pages; the kernel's
 * half is the same in every space and out of reach of all functions here. All callers hold the kernel lock.
 * Which CPU has what loaded, and when a translation is stale, is the business of kernel/space.h: an edit
 * here marks nothing; the caller ends a batch of edits with space_mark_stale().
 */
#pragma once
#include <abi/types.h>
#include <abi/vmmap.h>
#include <arch/impl/space.h>
#include <kernel/space.h>
#include <stdbool.h>

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
err_t arch_space_create(struct space *s);	/* sets root; -ENOMEM */
/* frees the tables, not the frames mapped; root = 0. No CPU may have it loaded */
void arch_space_destroy(struct space *s);

/* ---- edits ---- */

/*
 * Each does *done pages (a count from addr on) and stops with -ENOMEM when the pool is empty. -EINVAL: not
 * user addresses or not aligned.
 */
err_t arch_space_map(struct space *s, vaddr_t addr, paddr_t frame, uint64_t npages, uint32_t prot,
	uint64_t *done);
err_t arch_space_unmap(struct space *s, vaddr_t addr, uint64_t npages);
err_t arch_space_protect(struct space *s, vaddr_t addr, uint64_t npages, uint32_t prot);
/*
 * The pages present in src appear in dst at the same address; cow: writable ones lose write in both. Empty
 * tables are skipped quickly.
 */
err_t arch_space_share(struct space *dst, struct space *src, vaddr_t addr, uint64_t npages, bool cow,
	uint64_t *done);

/* ---- reading ---- */
struct arch_mapping { vaddr_t addr; paddr_t frame; uint32_t prot; /* MAP_* */ uint32_t flags;
	/* MAP_PAGE_* */ };
/* The page at or, with `next`, the first page present at or above addr and <= last. false: none. */
bool arch_space_query(struct space *s, vaddr_t addr, vaddr_t last, bool next, struct arch_mapping *out);

/*
 * Kernel address of the byte at addr in s if the page is present and permits the access, else NULL. Valid
 * up to the end of the page and only until the lock is given up. Marks the page accessed (and dirty). Reads
 * the tables, not the TLB.
 */
void *arch_space_walk(struct space *s, vaddr_t addr, bool write);

/* ---- loading ---- */

/*
 * arch_space_load(s, fresh) makes s the loaded space of this CPU (0: the kernel's own). `fresh`: translations of it that this CPU
 * kept from earlier may be used (matters only with address-space tags, for which s->id is taken); otherwise
 * all its translations are dropped.
 */
/* Interrupts another CPU, which calls space_on_shootdown() without taking any lock. */
void arch_cpu_shootdown(unsigned cpu);
void space_on_shootdown(void);	/* provided by the generic kernel */

/* ---- touching memory ---- */

/*
 * Copies len bytes; dst or src (or both) may be user addresses of the loaded space, checked by
 * arch_user_range() before. Returns the number of bytes NOT copied (0: all): a missing page ends it.
 */
uint64_t arch_user_copy(void *dst, const void *src, uint64_t len);

/* Kernel address of physical RAM (direct map). */
static inline void *arch_phys_ptr(paddr_t p) { return (void *)(p + 0xffff800000000000ull); }
static inline paddr_t arch_phys_of(const void *direct) {
	return (paddr_t)(uintptr_t)direct - 0xffff800000000000ull; }
void arch_page_zero(paddr_t frame);
void arch_page_copy(paddr_t dst, paddr_t src);
/* Fast copy and fill of kernel memory. */
void arch_copy(void *dst, const void *src, uint64_t len);
void arch_fill(void *dst, uint8_t byte, uint64_t len);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces and the processes that live in them. A slot of the table is a process (endpoint_slot); several slots share a space when
 * they are threads. `ep` of a space names it to the kernel: one of its processes.
 */
#pragma once
#include "pagemap.h"
#include "region.h"
#include <abi/endpoint.h>

/* 47-bit user addresses, as Linux has them. */
#define SPACE_LAST  0x7ffffffff000ull		/* exclusive */
#define SPACE_FIRST 0x10000ull			/* vm.mmap_min_addr */
#define MMAP_GAP    (128ull << 20)		/* at least this far below the top: room for the stack */
#define LIMIT_NONE  (~0ull)

enum { HOT_MAX = 12, HOT_FORKS = 32 };

enum { LIMIT_AS, LIMIT_DATA, LIMIT_STACK, LIMIT_MEMLOCK, NR_LIMITS };

struct space {
	/* touched by each page fault */
	endpoint_t ep;
	uint32_t refs;			/* processes in it */
	bool user;			/* of a user process: copies on write, may be killed for memory */
	bool killed;			/* chosen to give up its memory; its processes are dying */
	bool lock_future;		/* MCL_FUTURE */
	bool dma;			/* devices may know its memory: when it ends, the memory rests for a while (rest.c) */
	uint32_t rest_ticks;		/* resting: still so long */
	struct space *rest_next;
	struct regions regions;
	struct pagemap pages;		/* one reference on each frame in it */
	uint64_t faults_minor, faults_major;

	vaddr_t brk_start, brk;
	vaddr_t mmap_top;		/* addresses are chosen below this */
	uint64_t limits[NR_LIMITS];	/* bytes */
	uint64_t locked;		/* bytes in locked regions */
	struct object *program;		/* file of the program it runs, one reference; NULL: none or unknown */
	uint64_t program_page;		/* its lowest page, from which the profile counts */
	/* The pages written first after a fork, by either side. The next fork copies them at once, which spares two faults each. */
	endpoint_t forked_from;
	uint32_t forks, nr_hot;		/* forgotten every HOT_FORKS forks */
	uint64_t hot[HOT_MAX];
	uint64_t peak_bytes, peak_pages;
};

struct process {
	endpoint_t ep;			/* 0: slot free */
	struct space *space;
	uint64_t call_mask;		/* requests allowed by VM_SET_PRIV beside those its role has */
	uint64_t contig_max;		/* bytes of contiguous memory it may have, by VM_SET_PRIV */
};

struct process *process_of(endpoint_t ep);	/* NULL unless it lives */
struct space *space_of(endpoint_t ep);		/* NULL: no such process or no memory */
struct process *process_claim(endpoint_t ep);	/* its slot, freed of a dead predecessor; NULL: bad endpoint */
struct process *process_at(int slot);		/* for walks over all; NULL if free */

/* A fresh empty space for ep instead of the one it has; limits are kept. -ENOMEM */
err_t space_renew(endpoint_t ep, bool user);
struct space *space_adopt(endpoint_t ep);	/* as above, for a process the kernel has given memory already */
err_t space_share(endpoint_t parent, endpoint_t child);
err_t space_fork(endpoint_t parent, endpoint_t child);
void space_drop(endpoint_t ep);			/* the process has no memory any more */
void space_free(struct space *s);		/* nobody lives in it: frames and all */

/* Gives up the frames and page-table entries of [first, last), regions stay. */
err_t space_evict(struct space *s, vaddr_t first, vaddr_t last);
/* Removes [first, last) whole. -ENOMEM: too many regions; nothing was done. */
err_t space_unmap(struct space *s, vaddr_t first, vaddr_t last);
/* Adds a region where nothing is; takes over its reference on the object. -ENOMEM: nothing was done, the reference is the caller's. */
err_t space_insert(struct space *s, const struct region *r);
/* The address for a new mapping: hint if free, else the highest. 0: no room. */
vaddr_t space_place(struct space *s, vaddr_t hint, uint64_t len, vaddr_t below);

uint64_t space_data_bytes(const struct space *s);	/* private writable memory */
bool space_may_grow(const struct space *s, uint64_t bytes, bool data);	/* within RLIMIT_AS and RLIMIT_DATA */
void space_note_peak(struct space *s);
void space_note_hot(struct space *s, uint64_t page);	/* a private page was written that others hold or held too */

static inline uint64_t page_of(vaddr_t addr) { return addr >> PAGE_SHIFT; }
static inline vaddr_t page_up(vaddr_t addr) { return (addr + PAGE_BYTES - 1) & ~(vaddr_t)(PAGE_BYTES - 1); }
static inline vaddr_t page_down(vaddr_t addr) { return addr & ~(vaddr_t)(PAGE_BYTES - 1); }
static inline bool page_aligned(uint64_t x) { return (x & (PAGE_BYTES - 1)) == 0; }

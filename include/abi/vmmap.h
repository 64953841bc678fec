/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory control: page tables belong to the kernel, policy and frames to VM. VM alone may use these calls.
 *
 * Frames: at boot the kernel keeps what it needs and lists the rest in struct vm_boot (KC_VMCTL VMCTL_BOOT). The frames that page-table
 * pages are made of come from a pool that VM fills (KC_PTFRAMES give) and may drain (take). A KC_MAP that needs more than the pool
 * holds stops before the operation concerned with ENOMEM and w[1] = operations done; VM gives frames and goes on. The kernel
 * refuses (EPERM) to map its own memory or a frame in use as a page table.
 *
 * Every change of an address space sets all its p_stale_tlb bits; CPUs that run it at that moment are interrupted and the call
 * returns only when they have refreshed.
 */
#pragma once
#include <abi/types.h>

enum {
	SPACE_NEW,
	SPACE_DESTROY,	/* w[1] = 1: devices may still use its memory */
	SPACE_SHARE,	/* argument = ep whose space it joins */
	SPACE_ROOT,	/* w[1] = paddr of the root */
};

enum map_op_kind {
	MAP_FRAMES,	/* npages frames from paddr at addr; replaces what was there */
	MAP_ZERO,	/* as MAP_FRAMES, after the kernel has zeroed the frames */
	MAP_COPY,	/* one page: paddr becomes a copy of frame src_paddr, then as MAP_FRAMES (breaking COW) */
	MAP_UNMAP,	/* npages from addr; holes are fine */
	MAP_PROTECT,	/* change prot of the pages present from addr */
	MAP_SHARE_COW,	/* the pages present in [addr, +npages) of src_ep appear in ep at the same address, both without write */
	MAP_SHARE,	/* the same with the rights as they are */
	MAP_LEAF,	/* reserved: large pages */
};
enum { MAP_READ = 1, MAP_WRITE = 2, MAP_EXEC = 4 /* never with WRITE: EPERM */, MAP_UNCACHED = 8,
	MAP_SHARED_FRAME = 16	/* futex words in this page are keyed by frame (MAP_SHARED memory), otherwise by address */ };
	/* WRITE with EXEC: a user process that asks for both by mmap gets it (JITs do); the kernel refuses it for services only */

struct map_op {		/* 48 bytes */
	uint32_t kind;
	endpoint_t ep;
	vaddr_t addr;
	uint64_t npages;
	paddr_t paddr;
	union { paddr_t src_paddr; int64_t src_ep; };
	uint32_t prot, pad;
};
enum { MAP_OPS_MAX = 256 };

struct map_page { vaddr_t addr; paddr_t paddr; uint32_t prot, flags; };	/* KC_MAPREAD; flags: 1 accessed, 2 dirty */
enum { MAP_PAGE_ACCESSED = 1, MAP_PAGE_DIRTY = 2 };
enum { PTFRAMES_GIVE, PTFRAMES_TAKE };

/*
 * KC_VMCTL operations: w[0] = op.
 *   BOOT            w[1] = ptr to struct vm_boot
 *   GET_PAGEFAULT   w[1] = ptr to struct page_fault; ESRCH when the list is empty
 *   CLEAR_PAGEFAULT w[1] = ep: resolved, let it run. w[2] = ptr to struct page_fault or 0: also get the next one (w[1] out = 1 if got)
 *   RESOLVE         w[1] = ptr to struct map_op, w[2] = n, w[3] = ep, w[4] = ptr to struct page_fault: MAP, CLEAR and GET in one
 *                   trap; the error is MAP's; w[1] out = 1 if a next fault was stored
 *   GET_MEMREQ      w[1] = ptr to struct mem_request; ESRCH when empty
 *   REPLY_MEMREQ    w[1] = requestor ep, w[2] = result (0 or negative error: the call fails with EFAULT)
 */
enum { VMCTL_BOOT, VMCTL_GET_PAGEFAULT, VMCTL_CLEAR_PAGEFAULT, VMCTL_RESOLVE, VMCTL_GET_MEMREQ, VMCTL_REPLY_MEMREQ };

struct page_fault { endpoint_t ep; uint32_t flags; vaddr_t addr; vaddr_t ip; uint64_t pad; };
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_EXEC = 16 };	/* as the processor's error code */

struct mem_request { endpoint_t requestor, target; vaddr_t addr; uint64_t len; uint32_t write, pad; };

enum { VM_BOOT_RANGES = 64, VM_BOOT_PROCS = 32 };
struct vm_boot {
	uint64_t memory_bytes;		/* all RAM */
	uint64_t kernel_bytes;		/* RAM kept by the kernel */
	paddr_t archive_first, archive_last;	/* boot archive, bytes inclusive; not in the free ranges */
	paddr_t vdso_paddr; uint64_t vdso_pages;	/* code, read and execute */
	paddr_t vvar_paddr; uint64_t vvar_pages;	/* clock data, read only, mapped directly below the vdso */
	uint32_t nr_free, nr_procs;
	struct { paddr_t first, last; } free[VM_BOOT_RANGES];	/* page-aligned, bytes inclusive */
	endpoint_t procs[VM_BOOT_PROCS];	/* boot services; what they have mapped: KC_MAPREAD. Frames found there belong to them */
};

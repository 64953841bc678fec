/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames, copies between address spaces, and asking VM for missing memory. */
#pragma once
#include <abi/grant.h>
#include <abi/vmmap.h>
#include <kernel/proc.h>

/* --- frames --- */
void frame_init(void);				/* before the first boot service is loaded */
paddr_t frame_boot_alloc(void);			/* zeroed page for a boot service: it belongs to VM with what is mapped there */
void frame_boot_done(void);			/* after the last boot_alloc(): everything still free becomes VM's */
bool frame_is_vm(paddr_t first, uint64_t npages);	/* ordinary memory that VM owns, none of it a page table */
bool frame_may_map(paddr_t first, uint64_t npages);	/* as above, or no RAM at all (a device) */
bool frame_is_vdso(paddr_t first, uint64_t npages);	/* of the pages every program may read */
err_t ptframe_give(paddr_t frame);		/* EPERM: not VM's */
paddr_t ptframe_take(void);			/* 0: pool empty */
uint64_t ptframe_pool(void);
uint64_t ptframe_in_use(void);
void frame_get_vm_boot(struct vm_boot *out);

/* --- asking VM --- */
/* Parks caller until VM has made [addr, +len) of target present: -ESUSPEND. -EFAULT when VM cannot be asked. */
err_t vm_request(struct proc *caller, struct proc *target, vaddr_t addr, uint64_t len, bool write);
void vm_page_fault(struct proc *p, vaddr_t addr, uint32_t flags);
struct proc *vm_next_fault(void);		/* first one not given yet, or 0 */
struct proc *vm_next_request(void);
err_t vm_fault_done(struct proc *p);		/* ESRCH if it has none */
err_t vm_request_done(struct proc *p, err_t result);
void vm_attach(struct proc *p);			/* its slot changed: offer what it waits for again */
void vm_forget(struct proc *p);			/* p dies: its own requests, and those that name it as target */
extern uint64_t vm_fault_count, vm_request_count;
void vm_relist(void);				/* VM was replaced: offer everything again */

/*
 * --- copies. All return 0, -EFAULT, -ESOFTFAULT (try) or -ESUSPEND; those with `done` also -EUNFINISHED after MEM_TURN bytes: others
 * have waited for the kernel long enough. Nothing of the kernel's own is ever that long.
 */
enum { MEM_TURN = 128 * 1024 };

struct mem_range {
	struct proc *p;				/* whose memory; 0: kernel memory or, with phys, physical */
	vaddr_t addr;
};
enum { MEM_TRY = 1 };

/* caller: who is parked when memory is missing (it must be the current process). *done: bytes copied before an error. */
err_t mem_copy(struct proc *caller, struct mem_range dst, struct mem_range src, uint64_t len, uint32_t flags, uint64_t *done);
err_t mem_fill(struct proc *caller, struct mem_range dst, uint8_t byte, uint64_t len, uint32_t flags, uint64_t *done);

/* Between p's memory and the kernel's, p being the one that is parked. */
err_t mem_read(struct proc *p, void *to, vaddr_t from, uint64_t len);
err_t mem_write(struct proc *p, vaddr_t to, const void *from, uint64_t len);

/* --- grants --- */
struct grant_range { struct proc *owner; vaddr_t addr; uint64_t len; bool try; };
/* All that is granted; then the part that is meant: -EPERM if it does not lie inside. */
err_t grant_resolve(struct proc *caller, endpoint_t granter, grant_t grant, uint32_t access, struct grant_range *out);
err_t grant_part(const struct grant_range *g, uint64_t offset, uint64_t len, vaddr_t *addr);
void grant_mark_faulted(struct proc *caller, endpoint_t granter, grant_t grant);

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_VMCTL: page faults and memory requests, for VM (abi/vmmap.h). */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include "map.h"

static err_t vmctl_boot(struct proc *caller, struct kcall *c)
{
	static struct vm_boot boot;
	err_t err;

	frame_get_vm_boot(&boot);
	err = mem_write(caller, c->w[1], &boot, sizeof(boot));
	if (!err)
		vm_relist();		/* a new VM has to hear of everything that waits */
	return err;
}

/* Stores the next fault at ptr: 0, ESRCH if there is none. */
static err_t vmctl_next_fault(struct proc *caller, vaddr_t ptr)
{
	struct proc *p = vm_next_fault();
	struct page_fault f;
	err_t err;

	if (!p)
		return -ESRCH;
	f = (struct page_fault){ .ep = p->endpoint, .flags = p->fault.flags, .addr = p->fault.addr, .ip = arch_frame_pc(&p->frame) };
	err = mem_write(caller, ptr, &f, sizeof(f));
	if (!err)
		p->fault.given = true;
	return err;
}

static err_t vmctl_clear(struct proc *caller, struct kcall *c, endpoint_t ep, vaddr_t ptr)
{
	struct proc *p = proc_of_endpoint(ep);
	err_t err = p ? vm_fault_done(p) : -EDEADEPT;

	c->w[1] = 0;
	if (ptr && !vmctl_next_fault(caller, ptr))
		c->w[1] = 1;
	return err;
}

/* MAP, CLEAR and GET in one; the fault stays when the mapping fails. */
static err_t vmctl_resolve(struct proc *caller, struct kcall *c)
{
	uint64_t done;
	err_t err = map_run(caller, c->w[1], c->w[2], &done);

	c->w[1] = 0;
	return err ? err : vmctl_clear(caller, c, (endpoint_t)c->w[3], c->w[4]);
}

static err_t vmctl_next_request(struct proc *caller, struct kcall *c)
{
	struct proc *p = vm_next_request();
	struct mem_request r;
	err_t err;

	if (!p)
		return -ESRCH;
	r = (struct mem_request){ .requestor = p->endpoint, .target = p->wait.target, .addr = p->wait.addr, .len = p->wait.len,
				  .write = p->wait.write };
	err = mem_write(caller, c->w[1], &r, sizeof(r));
	if (!err)
		p->wait.given = true;
	return err;
}

static err_t vmctl_reply_request(struct kcall *c)
{
	struct proc *p = proc_of_endpoint((endpoint_t)c->w[1]);

	return p ? vm_request_done(p, (err_t)c->w[2]) : -EDEADEPT;
}

err_t kcall_VMCTL(struct proc *caller, struct kcall *c)
{
	switch (c->w[0]) {
	case VMCTL_BOOT: return vmctl_boot(caller, c);
	case VMCTL_GET_PAGEFAULT: return vmctl_next_fault(caller, c->w[1]);
	case VMCTL_CLEAR_PAGEFAULT: return vmctl_clear(caller, c, (endpoint_t)c->w[1], c->w[2]);
	case VMCTL_RESOLVE: return vmctl_resolve(caller, c);
	case VMCTL_GET_MEMREQ: return vmctl_next_request(caller, c);
	case VMCTL_REPLY_MEMREQ: return vmctl_reply_request(c);
	default: c->w[1] = 0; return -EINVAL;
	}
}

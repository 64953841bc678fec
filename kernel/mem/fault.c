/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two lists for VM: processes with a page fault, and processes whose kernel call needs memory that is not there. VM is told by a kernel
 * signal and drains the lists. An entry stays listed until VM has answered it, marked `given`; so that a VM that died in between
 * leaves nothing behind: its successor is offered all of them again (vm_relist).
 *
 * If the process dies it is unlinked. If the target of a memory request dies the request is over: the call runs again and finds out.
 */
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/mem.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

static struct list_node faults = LIST_HEAD_INIT(faults);
static struct list_node requests = LIST_HEAD_INIT(requests);
uint64_t vm_fault_count, vm_request_count;

static void vm_tell(uint32_t ksig)
{
	struct proc *vm = proc_of_endpoint(EP_VM);

	if (vm)
		notify_ksig(vm, ksig);
}

void vm_page_fault(struct proc *p, vaddr_t addr, uint32_t flags)
{
	p->fault.addr = addr;
	p->fault.flags = flags;
	p->fault.given = false;
	list_add_tail(&faults, &p->fault_node);
	rts_set(p, RTS_PAGEFAULT);
	vm_fault_count++;
	vm_tell(KSIG_PAGEFAULT);
}

struct proc *vm_next_fault(void)
{
	for (struct list_node *n = faults.next; n != &faults; n = n->next) {
		struct proc *p = list_entry(n, struct proc, fault_node);

		if (!p->fault.given)
			return p;
	}
	return 0;
}

err_t vm_fault_done(struct proc *p)
{
	if (!(p->rts & RTS_PAGEFAULT))
		return -ESRCH;
	list_unlink(&p->fault_node);
	rts_unset(p, RTS_PAGEFAULT);
	return 0;
}

err_t vm_request(struct proc *caller, struct proc *target, vaddr_t addr, uint64_t len, bool write)
{
	if (caller->endpoint == EP_VM || !proc_of_endpoint(EP_VM))
		return -EFAULT;
	if (caller->wait.result) {	/* run again after VM said no */
		caller->wait.result = 0;
		return -EFAULT;
	}
	caller->wait = (struct vm_wait){ .target = target->endpoint, .write = write, .addr = addr, .len = len };
	list_add_tail(&requests, &caller->wait_node);
	rts_set(caller, RTS_VMREQUEST);
	vm_request_count++;
	vm_tell(KSIG_MEMREQ);
	return -ESUSPEND;
}

struct proc *vm_next_request(void)
{
	for (struct list_node *n = requests.next; n != &requests; n = n->next) {
		struct proc *p = list_entry(n, struct proc, wait_node);

		if (!p->wait.given)
			return p;
	}
	return 0;
}

err_t vm_request_done(struct proc *p, err_t result)
{
	if (!(p->rts & RTS_VMREQUEST))
		return -ESRCH;
	p->wait.result = result;
	list_unlink(&p->wait_node);
	rts_unset(p, RTS_VMREQUEST);
	return 0;
}

void vm_attach(struct proc *p)
{
	if (p->rts & RTS_PAGEFAULT) {
		p->fault.given = false;
		list_add_tail(&faults, &p->fault_node);
		vm_tell(KSIG_PAGEFAULT);
	}
	if (p->rts & RTS_VMREQUEST) {
		p->wait.given = false;
		list_add_tail(&requests, &p->wait_node);
		vm_tell(KSIG_MEMREQ);
	}
}

void vm_forget(struct proc *p)
{
	struct list_node *n, *next;

	list_unlink(&p->fault_node);
	list_unlink(&p->wait_node);
	for (n = requests.next; n != &requests; n = next) {
		struct proc *q = list_entry(n, struct proc, wait_node);

		next = n->next;
		if (q->wait.target == p->endpoint)
			vm_request_done(q, 0);
	}
}

void vm_relist(void)
{
	struct list_node *n;

	for (n = faults.next; n != &faults; n = n->next)
		list_entry(n, struct proc, fault_node)->fault.given = false;
	for (n = requests.next; n != &requests; n = n->next)
		list_entry(n, struct proc, wait_node)->wait.given = false;
	if (!list_empty(&faults))
		vm_tell(KSIG_PAGEFAULT);
	if (!list_empty(&requests))
		vm_tell(KSIG_MEMREQ);
}

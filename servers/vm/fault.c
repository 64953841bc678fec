/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-fault loop. The kernel puts a faulting process in a list and sets a signal for VM, once; VM takes faults until
 * none is left. The usual fault costs three traps: GET, RESOLVE (which maps, lets the process run and fetches the next fault), receive.
 *
 * If VM dies here the kernel still has the fault in its list and offers it to VM's successor.
 */
#include "fault.h"
#include "hot.h"
#include "oom.h"
#include "pagein.h"
#include "resolve.h"

#include <abi/ksig.h>
#include <errno.h>
#include <libsys/kcall.h>
#include <signal.h>
#include <stdio.h>

static struct fault_counts counts;

const struct fault_counts *fault_counts(void) { return &counts; }

void fault_kill(endpoint_t ep, vaddr_t addr, err_t err)
{
	const struct space *s = space_of(ep);

	if (s && !s->user)
		printf("vm: service %d touched %#llx, which %s\n", ep, (unsigned long long)addr,
			err == -EFAULT ? "is not mapped" : err == -EACCES ? "it may not access so" : "cannot be provided");
	if (err == -EFAULT)
		sys_kill(ep, SIGSEGV, SEGV_MAPERR, addr);
	else if (err == -EACCES)
		sys_kill(ep, SIGSEGV, SEGV_ACCERR, addr);
	else if (err == -ENOMEM)
		sys_kill(ep, SIGKILL, 0, 0);
	else
		sys_kill(ep, SIGBUS, BUS_ADRERR, addr);
}

HOT static uint32_t fault_access(uint32_t flags)
{
	return flags & PF_WRITE ? MAP_WRITE : flags & PF_EXEC ? MAP_EXEC : MAP_READ;
}

static void fault_wait(const struct page_fault *pf)
{
	struct waiter w = { .kind = WAIT_FAULT, .who = pf->ep, .target = pf->ep, .addr = pf->addr,
		.last = page_down(pf->addr) + PAGE_BYTES, .access = fault_access(pf->flags) };

	counts.major++;
	page_read_ahead(space_of(pf->ep), pf->addr);
	wait_start(&w);
}

HOT static bool fault_next(struct page_fault *pf)
{
	return sys_vmctl(VMCTL_GET_PAGEFAULT, (uintptr_t)pf, 0, 0, 0, 0) == 0;
}

static bool fault_refuse(struct page_fault *pf, err_t err)
{
	endpoint_t ep = pf->ep;
	uint64_t got = 0;

	fault_kill(ep, pf->addr, err);
	sys_vmctl(VMCTL_CLEAR_PAGEFAULT, (uint64_t)(int64_t)ep, (uintptr_t)pf, 0, 0, &got);
	return got == 1;
}

HOT static err_t fault_resolve(struct space *s, const struct page_fault *pf)
{
	enum frame_level level = s->user ? FRAME_FOR_USER : FRAME_FOR_SERVICE;
	err_t err;

	do
		err = page_resolve(s, pf->addr, fault_access(pf->flags), level, NULL);
	while (err == -ENOMEM && oom_relieve(s));
	if (err)
		return err;
	page_resolve_around(s, pf->addr, fault_access(pf->flags));
	if (pf->flags & PF_WRITE)
		page_profile(s, pf->addr);
	return 0;
}

/* Deals with one fault; the next one is left in *pf: true if there is one. */
HOT static bool fault_handle(struct page_fault *pf)
{
	struct space *s = space_of(pf->ep);
	err_t err = s ? fault_resolve(s, pf) : -EFAULT;
	bool more;

	if (err == -EAGAIN) {
		s->faults_major++;
		fault_wait(pf);
		return fault_next(pf);
	}
	if (err)
		return fault_refuse(pf, err);
	s->faults_minor++;
	counts.minor++;
	if ((pf->flags & (PF_PRESENT | PF_WRITE)) == (PF_PRESENT | PF_WRITE))
		counts.cow_breaks++;
	more = map_flush_resolve(pf->ep, pf, &err);
	if (!err)
		return more;
	/* pf is still this fault: a failed call fetched nothing. */
	return fault_refuse(pf, err);
}

HOT static void on_page_faults(void)
{
	struct page_fault pf;
	bool more = fault_next(&pf);

	while (more)
		more = fault_handle(&pf);
}

static void on_memory_requests(void)
{
	struct mem_request rq;

	while (sys_vmctl(VMCTL_GET_MEMREQ, (uintptr_t)&rq, 0, 0, 0, 0) == 0) {
		struct waiter w = { .kind = WAIT_MEMREQ, .who = rq.requestor, .target = rq.target, .addr = rq.addr,
			.last = rq.addr + rq.len, .access = rq.write ? MAP_WRITE : MAP_READ };

		counts.memreqs++;
		if (rq.addr > SPACE_LAST || rq.len > SPACE_LAST - rq.addr)
			w.last = ~0ull;	/* runs into a hole at the latest at the end of user memory */
		wait_start(&w);
	}
}

HOT void on_kernel_signals(uint64_t signals)
{
	if (signals & KSIG_PAGEFAULT)
		on_page_faults();
	if (signals & KSIG_MEMREQ)
		on_memory_requests();
}

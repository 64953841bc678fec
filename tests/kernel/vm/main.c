/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory manager of the kernel tests: just enough of a VM to answer page faults and memory requests. Every process may use the lazy
 * area, which is filled with zero pages on demand; anything else is SIGSEGV. A test asks for frames, or lets VM edit a process
 * (KTEST_VM_*), because only VM is where edits come from on other CPUs.
 */
#include "ktest.h"
#include <libsys/ipc.h>
#include <libsys/kcall.h>
#include <string.h>

static struct vm_boot boot;
static paddr_t next_frame, last_frame;
static vaddr_t next_mmap = LAZY_FIRST;

static paddr_t frame_take(uint64_t n)
{
	paddr_t f = next_frame;

	next_frame += n * PAGE_BYTES;
	if (next_frame > last_frame)
		sys_abort(ABORT_PANIC, 1);
	return f;
}

static void give_pt_frames(unsigned n)
{
	paddr_t frames[64];

	for (unsigned i = 0; i < n; i++)
		frames[i] = frame_take(1);
	sys_ptframes(PTFRAMES_GIVE, frames, n, 0, 0);
}

static err_t map(const struct map_op *op)
{
	uint64_t done;
	err_t err = sys_map(op, 1, &done);

	if (err == -12) {
		give_pt_frames(32);
		err = sys_map(op, 1, &done);
	}
	return err;
}

static err_t lazy_fill(endpoint_t ep, vaddr_t addr)
{
	struct map_op op = { .kind = MAP_ZERO, .ep = ep, .addr = addr & ~4095ull, .npages = 1, .prot = MAP_READ | MAP_WRITE };

	if (addr < LAZY_FIRST || addr >= LAZY_LAST)
		return -14;
	op.paddr = frame_take(1);
	return map(&op);
}

static void on_faults(void)
{
	struct page_fault f;

	while (sys_vmctl(VMCTL_GET_PAGEFAULT, (uint64_t)&f, 0, 0, 0, 0) == 0) {
		if (lazy_fill(f.ep, f.addr))
			sys_kill(f.ep, 11, 1, f.addr);
		sys_vmctl(VMCTL_CLEAR_PAGEFAULT, (uint64_t)f.ep, 0, 0, 0, 0);
	}
}

static void on_requests(void)
{
	struct mem_request r;

	while (sys_vmctl(VMCTL_GET_MEMREQ, (uint64_t)&r, 0, 0, 0, 0) == 0) {
		err_t err = 0;
		paddr_t paddr;

		for (vaddr_t a = r.addr & ~4095ull; !err && a < r.addr + r.len; a += PAGE_BYTES)
			if (sys_umap(r.target, a, 1, &paddr, 0))
				err = lazy_fill(r.target, a);
		sys_vmctl(VMCTL_REPLY_MEMREQ, (uint64_t)r.requestor, (uint64_t)(int64_t)err, 0, 0, 0);
	}
}

static int64_t on_mmap(uint64_t len)
{
	vaddr_t at = next_mmap;

	next_mmap += (len + 2 * PAGE_BYTES - 1) & ~4095ull;
	return (int64_t)at;
}

/* A kernel call in VM's name: w[1..4] are its first arguments, pointers into the buffer that came with KTEST_VM_MAP. */
static int64_t on_request(const struct message *m)
{
	struct map_op op;

	switch (m->type) {
	case MSG_LINUX + 9: return on_mmap(m->w[1]);
	case MSG_LINUX + 11: return 0;
	case MSG_LINUX + 12: return 0;
	case KTEST_VM_FRAMES: return (int64_t)frame_take(m->w[0]);
	case KTEST_VM_PTFRAMES: give_pt_frames((unsigned)m->w[0]); return 0;
	case KTEST_VM_MAP:
		op = (struct map_op){ .kind = (uint32_t)m->w[0], .ep = (endpoint_t)m->w[1], .addr = m->w[2], .npages = m->w[3],
				      .paddr = m->w[4], .src_paddr = m->w[5], .prot = (uint32_t)m->w[6] };
		return map(&op);
	default: return -38;
	}
}

int main(void)
{
	struct message m;
	uint32_t status;
	endpoint_t reply_to = EP_NONE;

	sys_vmctl(VMCTL_BOOT, (uint64_t)&boot, 0, 0, 0, 0);
	for (unsigned i = 0; i < boot.nr_free; i++)
		if (boot.free[i].last - boot.free[i].first > last_frame - next_frame) {
			next_frame = boot.free[i].first;
			last_frame = boot.free[i].last;
		}
	give_pt_frames(64);
	for (;;) {
		if (ipc_replyrec(reply_to, &m, 0, EP_ANY, &m, &status))
			sys_abort(ABORT_PANIC, 2);
		reply_to = EP_NONE;
		if (m.source == EP_SYSTEM) {
			if (m.w[1] & KSIG_PAGEFAULT)
				on_faults();
			if (m.w[1] & KSIG_MEMREQ)
				on_requests();
		} else if (status & IPC_STATUS_CALL) {
			reply_to = m.source;
			m.w[0] = (uint64_t)on_request(&m);
			m.type++;
		}
	}
}

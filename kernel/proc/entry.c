/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways into the kernel (the machine layer's side of the contract is in kernel/entry.h). Each entry takes the lock, acts for the
 * current process, and leaves through kernel_leave(), which chooses who goes on.
 *
 * While this CPU waited for the lock its process may have been taken away (current 0) or stopped (rts): a system call is then left to
 * be made again when the process goes on; an exception will happen again by itself.
 */
#include <arch/console.h>
#include <kernel/debug.h>
#include <kernel/ipc.h>
#include <kernel/irq.h>
#include <kernel/mem.h>
#include <kernel/route.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

static void syscall_dispatch(struct proc *p)
{
	uint64_t number = arch_frame_number(&p->frame);

	if (likely(number - IPC_SEND <= IPC_LAST - IPC_SEND))
		ipc_call(p, number);
	else
		route_call(p, number);
}

/* The ordinary way; kernel_syscall() in ipc/fast.c has tried the short ones. */
struct proc *kernel_syscall_slow(struct proc *p, bool locked)
{
	struct proc *cur = locked ? kernel_enter_locked() : kernel_enter(true);

	if (unlikely(cur != p))
		return kernel_leave();
	if (unlikely(p->rts))
		arch_frame_restart(&p->frame);
	else
		syscall_dispatch(p);
	return kernel_stay(p) ? p : kernel_leave();
}

/* The call of p that had to wait for VM is made again from the beginning. */
void syscall_resume(struct proc *p)
{
	syscall_dispatch(p);
}

static void exception_handle(struct proc *p, const struct arch_exception *e)
{
	struct sig_detail detail = { .code = e->code, .addr = e->addr, .trapno = e->vector, .error = e->error,
				     .ip = arch_frame_pc(&p->frame) };

	if (e->page_fault && arch_user_range(e->addr, 1)) {
		if (p->endpoint == EP_VM)
			panic("page fault in VM at %lx, pc %lx, error %x: nobody can resolve it", e->addr, detail.ip, e->error);
		vm_page_fault(p, e->addr, e->error);
		return;
	}
	signal_raise(p, e->signo, &detail);
}

struct proc *kernel_exception(struct proc *p, const struct arch_exception *e)
{
	struct proc *cur = kernel_enter(false);

	if (likely(cur == p && !p->rts))
		exception_handle(p, e);
	return kernel_leave();
}

struct proc *kernel_interrupt(unsigned irq)
{
	kernel_enter(false);
	get_cpulocal_var(cpu_irqs)++;
	irq_raise(irq);
	return kernel_leave();
}

struct proc *kernel_timer(void)
{
	kernel_enter(false);
	get_cpulocal_var(cpu_irqs)++;
	time_on_interrupt();
	return kernel_leave();
}

struct proc *kernel_kick(void)
{
	kernel_enter(false);
	get_cpulocal_var(cpu_kicks)++;
	return kernel_leave();
}

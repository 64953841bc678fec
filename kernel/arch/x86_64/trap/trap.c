/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts after the registers are safe: turned into the terms of the generic kernel
 * (kernel/entry.h), or, in the kernel itself, into a fix-up or a panic.
 */
#include <abi/vmmap.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/frame.h>
#include <kernel/entry.h>
#include <x86/cpu.h>
#include <x86/fpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/trap.h>

/* Linux's numbers; the kernel has no signal.h. */
enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };
enum {
	CODE_KERNEL = 0x80, ILL_OPERAND = 2, TRAP_STEP = 2, BUS_ALIGN = 1, FPE_INT_DIVIDE = 1,
	SEGV_MAPPING = 1,
};
enum { VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_MF = 16, VECTOR_XM = 19 };

/* What Linux makes of each exception in user mode; at_ip: si_addr is the instruction. */
static const struct { int8_t signo; int16_t code; bool at_ip; } exception_signal[32] = {
	[0] = { SIG_FPE, FPE_INT_DIVIDE, true },
	[1] = { SIG_TRAP, TRAP_STEP, true },
	[3] = { SIG_TRAP, CODE_KERNEL, false },
	[4] = { SIG_SEGV, CODE_KERNEL, false },
	[5] = { SIG_SEGV, CODE_KERNEL, false },
	[6] = { SIG_ILL, ILL_OPERAND, true },
	[9] = { SIG_FPE, CODE_KERNEL, false },
	[10] = { SIG_SEGV, CODE_KERNEL, false },
	[11] = { SIG_BUS, CODE_KERNEL, false },
	[12] = { SIG_BUS, CODE_KERNEL, false },
	[13] = { SIG_SEGV, CODE_KERNEL, false },
	[14] = { SIG_SEGV, SEGV_MAPPING, false },
	[16] = { SIG_FPE, 0, true },
	[17] = { SIG_BUS, BUS_ALIGN, false },
	[19] = { SIG_FPE, 0, true },
};

struct proc *x86_user_exception(struct proc *p, uint32_t vector, uint32_t error)
{
	struct arch_frame *f = (struct arch_frame *)p;
	struct arch_exception e = { .vector = vector, .error = error };

	e.signo = exception_signal[vector].signo ? exception_signal[vector].signo : SIG_ILL;
	e.code = exception_signal[vector].code;
	if (exception_signal[vector].at_ip)
		e.addr = f->rip;
	if (vector == VECTOR_PF) {
		e.addr = x86_cr2();
		e.page_fault = e.addr < X86_USER_LIMIT;
		e.error = error & (PF_PRESENT | PF_WRITE | PF_USER | PF_EXEC);
	}
	if (vector == VECTOR_MF || vector == VECTOR_XM)
		e.code = x86_fpu_fault_code(vector == VECTOR_MF);
	if (vector == VECTOR_DB)
		f->rflags &= ~(uint64_t)RFLAGS_TF;
	return kernel_exception(p, &e);
}

struct proc *x86_interrupt(uint32_t vector)
{
	switch (vector) {
	case X86_VECTOR_TIMER:
		x86_timer_fired();
		x86_lapic_eoi();
		return kernel_timer();
	case X86_VECTOR_KICK:
		x86_lapic_eoi();
		return kernel_kick();
	case X86_VECTOR_SPURIOUS:
		return kernel_kick();	/* nothing happened; a look around does no harm */
	}
	x86_irq_acknowledge(vector - X86_VECTOR_IRQ);
	return kernel_interrupt(vector - X86_VECTOR_IRQ);
}

/* ---- in the kernel ---- */

extern const struct { uint64_t at, to; } x86_fixups_start[], x86_fixups_end[];

static bool fixup(struct x86_kernel_regs *r)
{
	if (r->vector != VECTOR_PF && r->vector != VECTOR_GP)
		return false;
	for (unsigned i = 0; &x86_fixups_start[i] < x86_fixups_end; i++)
		if (x86_fixups_start[i].at == r->rip) {
			r->rip = x86_fixups_start[i].to;
			return true;
		}
	return false;
}

static _Noreturn void kernel_fault(struct x86_kernel_regs *r)
{
	uint64_t cr2 = x86_cr2();

	arch_cpu_halt_others();
	x86_backtrace_from(r->rip, r->rbp);
	log_printf("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
	log_printf("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", r->rsi, r->rdi, r->rbp, r->rsp);
	log_printf("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", r->r8, r->r9, r->r10, r->r11);
	log_printf("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", r->r12, r->r13, r->r14, r->r15);
	log_printf("rip %016lx flags %08lx cs %02lx cr2 %016lx cr3 %lx\n", r->rip, r->rflags, r->cs, cr2,
		x86_cr3());
	panic("exception %lu (error %lx) in the kernel at 0x%lx, address 0x%lx", r->vector, r->error,
		r->rip, cr2);
}

void x86_kernel_exception(struct x86_kernel_regs *r)
{
	if (!fixup(r))
		kernel_fault(r);
}

/* NMI: another CPU has panicked (nothing else is expected, and an NMI of unknown origin is ignored). */
void x86_paranoid_exception(struct x86_kernel_regs *r)
{
	if (r->vector == VECTOR_NMI) {
		if (x86_halting)
			x86_stop();
		return;
	}
	kernel_fault(r);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways into the kernel and out of it. Interrupts are off in the kernel, which runs on one stack per CPU. The entry code stores the
 * registers of the interrupted process in its frame and calls one of the trap_* functions of the generic kernel. Those take
 * the kernel lock, act, choose the process to run, call arch_switch() when it is not the same as before, give the lock up and
 * return the frame to resume. Frames are only ever resumed by their return value or arch_resume().
 */
#pragma once
#include <arch/frame.h>
#include <arch/fpu.h>
#include <arch/space.h>

/* ---- provided by the generic kernel ---- */

struct arch_frame *trap_syscall(struct arch_frame *f);

/* An exception in user mode. The port has already turned it into Linux's terms. */
struct trap_fault {
	uint32_t vector, error;		/* as in Linux's sigcontext: trapno and err */
	int32_t signo, code;		/* signal and si_code if nobody resolves it */
	vaddr_t addr;			/* si_addr; for a page fault the address accessed */
	bool page_fault;		/* VM may resolve it; error then holds PF_* bits of abi/vmmap.h */
	bool step;			/* single step or breakpoint trap: a tracer's business */
};
struct arch_frame *trap_user_exception(struct arch_frame *f, const struct trap_fault *fault);

enum trap_interrupt_kind { TRAP_DEVICE /* irq = line */, TRAP_TIMER, TRAP_RESCHEDULE };

/* f is NULL when the CPU was idle: then the result is ignored and arch_idle() returns to its caller. A level-triggered line is
 * masked when this is called and stays so until arch_irq_unmask(); an edge-triggered one is not. */
struct arch_frame *trap_interrupt(struct arch_frame *f, enum trap_interrupt_kind kind, unsigned irq);

/* ---- provided by the port ---- */

/* Leaves the kernel into f. arch_switch() must have been called for it on this CPU. */
_Noreturn void arch_resume(struct arch_frame *f);

/*
 * Makes this CPU ready to run `next`: thread pointers, FPU trap. `prev` is what the last arch_switch() on this CPU was given, or
 * NULL if that process is gone or runs elsewhere. Does not change the address space: see arch_space_run(). Cheap.
 */
void arch_switch(struct arch_frame *prev, struct arch_frame *next, struct arch_fpu *next_fpu);

/* The process last run here may change hands: store what of its registers still lives in the processor (thread pointers). Call it
 * with the process last given to arch_switch() before it can run elsewhere or be inspected, if no arch_switch() follows. */
void arch_switch_out(struct arch_frame *prev);

/* Kernel lock not held. Waits for an interrupt, whose trap_interrupt() has run when this returns. Atomic with respect to interrupts that
 * became pending before the call. Saves the FPU state that lives here first. */
void arch_idle(void);

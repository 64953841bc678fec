/* SPDX-License-Identifier: BSD-2-Clause */
/* Called from trap/entry.S, and what the debugging side of traps needs. */
#pragma once
#include <x86/port.h>

struct proc *x86_user_exception(struct proc *p, uint32_t vector, uint32_t error);
struct proc *x86_interrupt(uint32_t vector);
void x86_kernel_exception(struct x86_kernel_regs *r);
void x86_paranoid_exception(struct x86_kernel_regs *r);
void x86_shootdown(void);
void x86_fpu_request(void);
void x86_fpu_trap(void);
_Noreturn void x86_halt(void);
_Noreturn void x86_call_on(void (*function)(void), uint64_t stack_end);

void x86_backtrace_from(uint64_t pc, uint64_t frame_pointer);	/* to the log */
extern volatile bool x86_halting;	/* a CPU panics: an NMI means stop */

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the machine layer enters generic code. All of these run with interrupts off on this CPU's kernel stack, after the
 * registers of the interrupted process (if any) were saved in its frame, and after user_space was cleared. They take the
 * kernel lock themselves, and return the process to resume: its space is loaded, user_space is set, the lock is dropped.
 * The machine layer then restores its frame, FS base and so on. The stack need not be kept: nothing lies on it.
 *
 * When nothing can run these functions idle inside (arch_idle, with the lock dropped): an interrupt that hits the idle loop
 * starts again at the top of the stack with kernel_interrupt or kernel_timer.
 */
#pragma once
#include <kernel/proc.h>

struct arch_exception {	/* an exception in user mode, decoded by the machine layer */
	uint32_t vector;
	uint32_t error;
	vaddr_t addr;		/* fault address */
	int signo, code;	/* Linux signal and si_code to raise if it is not a page fault for VM */
	bool page_fault;
};

extern CPULOCAL struct proc *current_proc;	/* process whose registers were last in use here; 0 when idle */

struct proc *kernel_syscall(struct proc *p);
struct proc *kernel_syscall_slow(struct proc *p, bool locked);	/* generic code only */
struct proc *kernel_exception(struct proc *p, const struct arch_exception *e);
struct proc *kernel_interrupt(unsigned int irq);	/* device interrupt line, already acknowledged and masked if level */
struct proc *kernel_timer(void);			/* this CPU's one-shot timer fired */
struct proc *kernel_kick(void);				/* another CPU asks us to look for work */

void kernel_main(void) __attribute__((noreturn));	/* boot CPU, after arch start-up; interrupts off, lock not taken */
void kernel_main_ap(void) __attribute__((noreturn));	/* other CPUs, when kernel_main let them go */

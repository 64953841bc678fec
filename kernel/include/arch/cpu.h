/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs: which there are, talking between them, waiting, ending. */
#pragma once
#include <arch/cpulocal.h>
#include <stdint.h>

struct proc;

/*
 * Starts the CPUs that the firmware's tables name, at most `limit` in total, one after another; each calls
 * kernel_main_ap(). A CPU that does not come up in time is reported and left out. Call once from
 * kernel_main(), kernel lock not held. Returns the number online.
 */
unsigned arch_cpu_start_others(unsigned limit);

unsigned arch_cpu_count(void);		/* online; their numbers are 0..count-1 */
uint32_t arch_cpu_hw_id(unsigned cpu);	/* the interrupt controller's number */
const char *arch_cpu_model(void);

void arch_cpu_kick(unsigned cpu);	/* kernel_kick() there */

/*
 * Leaves the kernel into p: restores its registers, thread pointers and FPU trap. Kernel lock not held, p's
 * space loaded, user_space set.
 */
_Noreturn void arch_resume(struct proc *p);

/*
 * Kernel lock not held. Waits for an interrupt, which enters the generic kernel (kernel_interrupt() etc.,
 * kernel/entry.h) at the top of this CPU's kernel stack: never returns. An interrupt pending before the
 * call is not lost. FPU state living here is stored first.
 */
_Noreturn void arch_idle(void);

void arch_spin_wait(void);		/* one turn of a waiting loop in the kernel; see arch/fpu.h */

/*
 * Panic: stops all other CPUs for good, whatever they do. Safe on any CPU at any time; the second caller is
 * stopped too.
 */
void arch_cpu_halt_others(void);

/* the status reaches the host where the machine has a way for it */
_Noreturn void arch_poweroff(int status);
_Noreturn void arch_reboot(void);
_Noreturn void arch_halt(void);

/* Random bits for AT_RANDOM and the like: the processor's generator, else clock noise. */
uint64_t arch_random(void);

/*
 * Hardware description for services: the firmware's table of PCI configuration windows (ACPI's MCFG; empty:
 * there is none), and the physical address of its root table.
 */
enum { ARCH_PCI_TABLE_BYTES = 512 };
extern uint8_t arch_pci_table[ARCH_PCI_TABLE_BYTES];
extern uint32_t arch_pci_table_bytes;
extern uint64_t arch_firmware_root;

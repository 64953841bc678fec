/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this port offer each other. Order of calls at start: x86_start() in boot/init.c. */
#pragma once
#include <abi/types.h>
#include <arch/boot.h>
#include <arch/cpulocal.h>
#include <arch/impl/space.h>
#include <stdbool.h>

struct proc;

/* Linker script. */
extern char x86_image_start[], x86_text_end[], x86_rodata_end[], x86_data_start[], x86_image_end[];
extern char x86_cpulocal_start[], x86_cpulocal_end[], x86_cpulocal_boot[];

/* boot/ */
_Noreturn void x86_start(uint32_t loader, uint32_t info);	/* 1: PVH, 2: multiboot2 */
_Noreturn void x86_ap_start(uint32_t cpu);
void x86_boot_info_read(uint32_t loader, uint32_t info);
bool x86_ram_range(unsigned i, struct boot_range *out);	/* RAM and firmware tables, for the direct map */

/* Features the processor has, read once. */
struct x86_features {
	bool pge, smep, smap, umip, fsgsbase, x2apic, rdrand;
	char model[64];
};
extern struct x86_features x86_features;
extern bool x86_fast_strings;	/* in mmu/copy.S */
void x86_features_read(void);	/* says what is missing and stops if the kernel cannot run here */
void x86_cpu_setup(void);	/* control registers of this CPU */

/* mmu/ */
void x86_kernel_map_init(void);
void *x86_device_map(paddr_t p, uint64_t len);	/* uncached; NULL when the window is full. Never unmapped */
void *x86_firmware_map(paddr_t p, uint64_t len);/* the direct map where it reaches, else as above */
/* maps the CPU's stacks at the first call; X86_STACK_*_END */
uint64_t x86_stack_end(unsigned cpu, uint64_t which);
uint64_t x86_main_stack_top(unsigned cpu);	/* the CPU-local data lie above it */
void x86_smap_patch(void);

/* trap/ */
void x86_cpulocal_init(unsigned cpu, uint64_t copy);
void x86_descriptors_init(unsigned cpu);	/* GDT, TSS, IDT, syscall registers of this CPU */
extern CPULOCAL uint64_t x86_stack_top;
extern CPULOCAL struct proc *x86_current;	/* process whose frame the entry code fills */

/* dev/ */
void x86_acpi_init(void);
struct x86_acpi_cpu { uint32_t apic_id; };
struct x86_acpi_ioapic { paddr_t address; uint32_t first_gsi; };
struct x86_acpi_isa { uint32_t gsi; bool valid, level, low; };
struct x86_acpi {
	paddr_t rsdp, lapic;
	uint32_t nr_cpus, nr_ioapics, fadt_flags;
	struct x86_acpi_cpu cpus[CONFIG_MAX_CPUS];
	struct x86_acpi_ioapic ioapics[4];
	struct x86_acpi_isa isa[16];
	uint16_t pm1a_port, pm1b_port, slp_typ_a, slp_typ_b;
	bool can_sleep, can_reset;
	uint8_t reset_space, reset_value;
	uint64_t reset_address;
};
extern struct x86_acpi x86_acpi;

void x86_lapic_init_boot(void);
void x86_lapic_init(void);	/* this CPU's */
void x86_lapic_eoi(void);
uint32_t x86_lapic_id(void);
void x86_lapic_send(uint32_t apic_id, uint32_t command);	/* waits until accepted, bounded */
void x86_lapic_send_others(uint32_t command);
void x86_lapic_timer_set(uint32_t count);
enum {
	X86_IPI_FIXED = 0x4000, X86_IPI_NMI = 0x4400, X86_IPI_INIT = 0xc500, X86_IPI_INIT_OFF = 0x8500,
	X86_IPI_STARTUP = 0x4600,
};
void x86_ioapic_init(void);
void x86_irq_acknowledge(unsigned irq);

/* time/ */
void x86_clock_init(void);	/* frequency of TSC and LAPIC timer, real time */
extern uint32_t x86_lapic_khz;
void x86_delay_us(uint64_t us);	/* boot and shutdown only */
void x86_timer_fired(void);

/* smp/ */
extern uint32_t x86_cpu_hw_ids[CONFIG_MAX_CPUS];

/* fpu */
void x86_fpu_cpu_init(void);
void x86_fpu_idle(void);
void x86_fpu_poll(void);

/* Debugging: registers of an exception in the kernel, as trap/entry.S pushes them. */
struct x86_kernel_regs {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx, rax, vector, error,
		rip, cs, rflags, rsp, ss;
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per CPU: segment descriptors, task state (stacks for traps), interrupt table (shared), syscall registers,
 * and the CPU-local data itself.
 */
#include <arch/console.h>
#include <arch/space.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <kernel/lib.h>
#include <kernel/space.h>

enum { GDT_WORDS = 10, GATE_INTERRUPT = 0x8e, GATE_USER = 0xee, NR_STUBS_LOW = 96, STUB_BYTES = 16 };
enum { IST_DF = 1, IST_NMI, IST_MC, IST_DB };

struct gate { uint16_t low, selector; uint8_t ist, type; uint16_t middle; uint32_t high, zero; };
struct task_state {
	uint32_t zero;
	uint64_t rsp[3], reserved, ist[7];
	uint64_t reserved2; uint16_t reserved3, io_map;
} __attribute__((packed));
struct pointer { uint16_t limit; uint64_t base; } __attribute__((packed));

CPULOCAL uint64_t x86_this_distance;
CPULOCAL unsigned x86_this_cpu;
CPULOCAL uint64_t x86_stack_top;
extern CPULOCAL uint64_t x86_user_rsp;
CPULOCAL uint64_t x86_user_rsp;			/* between two instructions of the syscall entry */
CPULOCAL struct proc *x86_current;
static CPULOCAL uint64_t gdt[GDT_WORDS];
static CPULOCAL struct task_state task_state;
static struct gate idt[256] __attribute__((aligned(16)));

HOT_DATA uint64_t x86_cpulocal_distance[CONFIG_MAX_CPUS];

extern char x86_stubs[], x86_syscall_entry[], x86_nmi_entry[], x86_double_fault_entry[],
	x86_machine_check_entry[], x86_debug_entry[];
extern char x86_shootdown_entry[], x86_fpu_request_entry[], x86_fpu_trap_entry[];

/* The template is not mapped at its own address after boot. */
void x86_cpulocal_init(unsigned cpu, uint64_t copy)
{
	const char *template = arch_phys_ptr((uint64_t)x86_cpulocal_start - X86_IMAGE);
	uint64_t distance = copy - (uint64_t)x86_cpulocal_start;

	arch_copy((void *)copy, template, (uint64_t)(x86_cpulocal_end - x86_cpulocal_start));
	x86_cpulocal_distance[cpu] = distance;
	get_cpu_var(cpu, x86_this_distance) = distance;
	get_cpu_var(cpu, x86_this_cpu) = cpu;
}

static void gate_set(unsigned vector, const char *entry, unsigned ist, uint8_t type)
{
	uint64_t a = (uint64_t)entry;

	idt[vector] = (struct gate){ .low = (uint16_t)a, .selector = X86_KERNEL_CS, .ist = (uint8_t)ist,
		.type = type,
				     .middle = (uint16_t)(a >> 16), .high = (uint32_t)(a >> 32) };
}

static void idt_fill(void)
{
	for (unsigned v = 0; v < NR_STUBS_LOW; v++)
		gate_set(v, x86_stubs + v * STUB_BYTES, 0, v == 3 || v == 4 ? GATE_USER : GATE_INTERRUPT);
	gate_set(X86_VECTOR_TIMER, x86_stubs + NR_STUBS_LOW * STUB_BYTES, 0, GATE_INTERRUPT);
	gate_set(X86_VECTOR_KICK, x86_stubs + (NR_STUBS_LOW + 1) * STUB_BYTES, 0, GATE_INTERRUPT);
	gate_set(X86_VECTOR_SPURIOUS, x86_stubs + (NR_STUBS_LOW + 2) * STUB_BYTES, 0, GATE_INTERRUPT);
	gate_set(X86_VECTOR_SHOOTDOWN, x86_shootdown_entry, 0, GATE_INTERRUPT);
	gate_set(X86_VECTOR_FPU, x86_fpu_request_entry, 0, GATE_INTERRUPT);
	gate_set(1, x86_debug_entry, IST_DB, GATE_INTERRUPT);
	gate_set(2, x86_nmi_entry, IST_NMI, GATE_INTERRUPT);
	gate_set(7, x86_fpu_trap_entry, 0, GATE_INTERRUPT);
	gate_set(8, x86_double_fault_entry, IST_DF, GATE_INTERRUPT);
	gate_set(18, x86_machine_check_entry, IST_MC, GATE_INTERRUPT);
}

/* Leaves room for this CPU's %gs base above what the processor pushes: see PARANOID in entry.S. */
static uint64_t paranoid_stack(unsigned cpu, uint64_t which)
{
	uint64_t end = x86_stack_end(cpu, which) - 16;

	*(uint64_t *)end = x86_cpulocal_distance[cpu];
	return end;
}

static void gdt_fill(unsigned cpu)
{
	uint64_t *g = *get_cpu_var_ptr(cpu, gdt);
	struct task_state *t = get_cpu_var_ptr(cpu, task_state);
	uint64_t base = (uint64_t)t;

	g[2] = 0x00af9b000000ffff;		/* kernel code */
	g[3] = 0x00cf93000000ffff;		/* kernel data */
	g[4] = 0;				/* 32-bit user code: none; sysret counts from here */
	g[5] = 0x00cff3000000ffff;		/* user data */
	g[6] = 0x00affb000000ffff;		/* user code */
	g[7] = 0xf1ull << 40 | cpu;		/* its limit tells user mode the CPU's number: time/vdso.S */
	g[8] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	g[9] = base >> 32;
	get_cpu_var(cpu, x86_stack_top) = t->rsp[0] = x86_main_stack_top(cpu);
	t->ist[IST_DF - 1] = paranoid_stack(cpu, X86_STACK_DF_END);
	t->ist[IST_NMI - 1] = paranoid_stack(cpu, X86_STACK_NMI_END);
	t->ist[IST_MC - 1] = paranoid_stack(cpu, X86_STACK_MC_END);
	t->ist[IST_DB - 1] = x86_stack_end(cpu, X86_STACK_DB_END);
	t->io_map = sizeof(*t);
}

static void descriptors_load(unsigned cpu)
{
	struct pointer gdtr = { sizeof(gdt) - 1, (uint64_t)get_cpu_var_ptr(cpu, gdt) };
	struct pointer idtr = { sizeof(idt) - 1, (uint64_t)idt };
	uint16_t tss = X86_TSS, none = 0;

	__asm__ volatile("lgdt %0; lidt %1; ltr %2" : : "m"(gdtr), "m"(idtr), "r"(tss) : "memory");
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(none));
	__asm__ volatile("mov %0, %%ss" : : "r"((uint32_t)X86_KERNEL_DS));
	x86_wrmsr(MSR_GS_BASE, x86_cpulocal_distance[cpu]);
	x86_wrmsr(MSR_KERNEL_GS_BASE, 0);
}

void x86_descriptors_init(unsigned cpu)
{
	if (cpu == 0)
		idt_fill();
	gdt_fill(cpu);
	descriptors_load(cpu);
	x86_wrmsr(MSR_STAR, (uint64_t)(X86_USER_DS - 8) << 48 | (uint64_t)X86_KERNEL_CS << 32);
	x86_wrmsr(MSR_LSTAR, (uint64_t)x86_syscall_entry);
	x86_wrmsr(MSR_FMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC);
}

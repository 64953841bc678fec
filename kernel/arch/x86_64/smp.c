/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the other CPUs, and messages between CPUs.
 *
 * One CPU at a time: its CPU-local data and stacks are made, the trampoline gets its parameters (x86_ap_*),
 * then INIT and start-up interrupts. It announces itself in `arrived`; one that does not within
 * START_TIMEOUT_US is reported and never used: its number goes to the next one, so numbers have no holes.
 * Should it wake up later after all, it finds the parameters gone and stops.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/space.h>
#include <kernel/entry.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/trap.h>

enum { INIT_DELAY_US = 200, FIRST_TRY_US = 2000, START_TIMEOUT_US = 1000000, POLL_US = 10, NOBODY = -1 };

uint32_t x86_cpu_hw_ids[CONFIG_MAX_CPUS];
static unsigned nr_online = 1;
static volatile bool arrived;

/* Read by the trampoline. */
extern uint64_t x86_ap_cr3, x86_ap_stack;
extern uint32_t x86_ap_number;
uint64_t x86_ap_cr3, x86_ap_stack;
uint32_t x86_ap_number;

extern char x86_trampoline[], x86_trampoline_end[];

volatile bool x86_halting;
static int halting_cpu = NOBODY;

_Noreturn void x86_ap_start(uint32_t cpu)
{
	x86_wrmsr(MSR_GS_BASE, x86_cpulocal_distance[cpu]);
	x86_descriptors_init(cpu);
	x86_cpu_setup();
	x86_lapic_init();
	arrived = true;
	x86_call_on(kernel_main_ap, x86_main_stack_top(cpu));
}

static bool arrived_within(uint64_t us)
{
	for (uint64_t waited = 0; !arrived && waited < us; waited += POLL_US)
		x86_delay_us(POLL_US);
	return arrived;
}

static bool cpu_start(unsigned cpu, uint32_t apic_id)
{
	arrived = false;
	x86_cpulocal_init(cpu, x86_main_stack_top(cpu));
	x86_cpu_hw_ids[cpu] = apic_id;
	x86_ap_cr3 = x86_kernel_root;
	x86_ap_stack = x86_main_stack_top(cpu);
	x86_ap_number = cpu;
	x86_lapic_send(apic_id, X86_IPI_INIT);
	x86_lapic_send(apic_id, X86_IPI_INIT_OFF);
	x86_delay_us(INIT_DELAY_US);
	x86_lapic_send(apic_id, X86_IPI_STARTUP | X86_TRAMPOLINE >> PAGE_SHIFT);
	if (arrived_within(FIRST_TRY_US))
		return true;
	x86_lapic_send(apic_id, X86_IPI_STARTUP | X86_TRAMPOLINE >> PAGE_SHIFT);
	return arrived_within(START_TIMEOUT_US);
}

unsigned arch_cpu_start_others(unsigned limit)
{
	if (limit > CONFIG_MAX_CPUS)
		limit = CONFIG_MAX_CPUS;
	arch_copy(arch_phys_ptr(X86_TRAMPOLINE), x86_trampoline,
		(uint64_t)(x86_trampoline_end - x86_trampoline));
	for (unsigned i = 0; i < x86_acpi.nr_cpus && nr_online < limit; i++) {
		uint32_t id = x86_acpi.cpus[i].apic_id;
		if (id == x86_cpu_hw_ids[0])
			continue;
		if (cpu_start(nr_online, id))
			nr_online++;
		else
			log_printf("smp: the CPU with APIC id %u does not start; left out\n", id);
	}
	x86_ap_cr3 = 0;
	return nr_online;
}

unsigned arch_cpu_count(void)
{
	return nr_online;
}

uint32_t arch_cpu_hw_id(unsigned cpu)
{
	return x86_cpu_hw_ids[cpu];
}

void arch_cpu_kick(unsigned cpu)
{
	x86_lapic_send(x86_cpu_hw_ids[cpu], X86_IPI_FIXED | X86_VECTOR_KICK);
}

void arch_cpu_shootdown(unsigned cpu)
{
	x86_lapic_send(x86_cpu_hw_ids[cpu], X86_IPI_FIXED | X86_VECTOR_SHOOTDOWN);
}

void x86_shootdown(void)
{
	x86_lapic_eoi();
	space_on_shootdown();
}

void arch_spin_wait(void)
{
	x86_pause();
	x86_fpu_poll();
}

_Noreturn void arch_idle(void)
{
	x86_fpu_idle();
	x86_halt();
}

/*
 * The first CPU that comes here goes on, the others are stopped: by the NMI, or here if they panic
 * themselves.
 */
void arch_cpu_halt_others(void)
{
	int expected = NOBODY, me = (int)arch_cpu_id();

	if (!__atomic_compare_exchange_n(&halting_cpu, &expected, me, false, __ATOMIC_ACQ_REL,
		__ATOMIC_ACQUIRE)) {
		if (expected != me)
			x86_stop();
		return;
	}
	x86_halting = true;
	if (nr_online > 1)
		x86_lapic_send_others(X86_IPI_NMI);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU's own interrupt controller: one-shot timer, inter-processor interrupts, end of interrupt.
 * Registers are memory (xAPIC) or, where the processor has it, model-specific registers (x2APIC), at the
 * same numbers divided by 16.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/space.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/vvar.h>

enum {
	REG_ID = 0x20, REG_TPR = 0x80, REG_EOI = 0xb0, REG_SPURIOUS = 0xf0, REG_ICR = 0x300,
		REG_ICR_HIGH = 0x310, REG_LVT_TIMER = 0x320,
	REG_LVT_LINT0 = 0x350, REG_LVT_LINT1 = 0x360, REG_LVT_ERROR = 0x370, REG_TIMER_COUNT = 0x380,
		REG_TIMER_NOW = 0x390, REG_TIMER_DIVIDE = 0x3e0,
};
enum {
	APIC_ENABLED = 1 << 11, APIC_X2 = 1 << 10, SPURIOUS_ENABLE = 1 << 8, LVT_MASKED = 1 << 16,
		LVT_NMI = 4 << 8, DIVIDE_BY_16 = 3,
	ICR_PENDING = 1 << 12, ICR_OTHERS = 3 << 18, SEND_SPINS = 1000000,
};

static volatile uint32_t *registers;	/* 0: x2APIC */

static void lapic_write(unsigned reg, uint32_t v)
{
	if (registers)
		registers[reg / 4] = v;
	else
		x86_wrmsr(MSR_X2APIC + reg / 16, v);
}

static uint32_t lapic_read(unsigned reg)
{
	return registers ? registers[reg / 4] : (uint32_t)x86_rdmsr(MSR_X2APIC + reg / 16);
}

void x86_lapic_eoi(void)
{
	lapic_write(REG_EOI, 0);
}

uint32_t x86_lapic_id(void)
{
	return registers ? lapic_read(REG_ID) >> 24 : lapic_read(REG_ID);
}

static void icr_write(uint32_t apic_id, uint32_t command)
{
	if (!registers) {
		x86_wrmsr(MSR_X2APIC + REG_ICR / 16, (uint64_t)apic_id << 32 | command);
		return;
	}
	lapic_write(REG_ICR_HIGH, apic_id << 24);
	lapic_write(REG_ICR, command);
	for (unsigned i = 0; i < SEND_SPINS && lapic_read(REG_ICR) & ICR_PENDING; i++)
		x86_pause();
}

void x86_lapic_send(uint32_t apic_id, uint32_t command)
{
	icr_write(apic_id, command);
}

void x86_lapic_send_others(uint32_t command)
{
	icr_write(0, command | ICR_OTHERS);
}

/* In ticks of the divided bus clock; 0 stops it. */
void x86_lapic_timer_set(uint32_t count)
{
	lapic_write(REG_TIMER_COUNT, count);
}

uint32_t x86_lapic_timer_now(void)
{
	return lapic_read(REG_TIMER_NOW);
}

void x86_lapic_init(void)
{
	uint64_t base = x86_rdmsr(MSR_APIC_BASE) | APIC_ENABLED;

	x86_wrmsr(MSR_APIC_BASE, registers ? base : base | APIC_X2);
	lapic_write(REG_TPR, 0);
	lapic_write(REG_LVT_LINT0, LVT_MASKED);
	lapic_write(REG_LVT_LINT1, LVT_NMI);
	lapic_write(REG_LVT_ERROR, LVT_MASKED);
	lapic_write(REG_TIMER_DIVIDE, DIVIDE_BY_16);
	lapic_write(REG_TIMER_COUNT, 0);
	lapic_write(REG_LVT_TIMER, X86_VECTOR_TIMER);	/* one shot */
	lapic_write(REG_SPURIOUS, SPURIOUS_ENABLE | X86_VECTOR_SPURIOUS);
}

void x86_lapic_init_boot(void)
{
	if (!x86_features.x2apic) {
		registers = x86_device_map(x86_acpi.lapic, PAGE_BYTES);
		if (!registers)
			panic("lapic: no room to map it");
	}
	x86_lapic_init();
	x86_cpu_hw_ids[0] = x86_lapic_id();
}

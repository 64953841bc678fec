/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device interrupt lines. Lines are global numbers of the firmware (GSI); ISA numbers 0..15 are what
 * generic code and drivers say for ISA devices and are translated by the MADT's overrides. All lines are
 * delivered to the boot CPU, all are masked at start. PCI lines are level-triggered and active low, ISA
 * lines edge-triggered and active high, unless an override or arch_irq_set_level() says otherwise.
 */
#include <arch/console.h>
#include <arch/irq.h>
#include <arch/space.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>

enum {
	REG_VERSION = 1, REG_ROUTES = 0x10, ROUTE_MASKED = 1 << 16, ROUTE_LEVEL = 1 << 15, ROUTE_LOW = 1 <<
	13, NR_ISA = 16, DEFAULT_IOAPIC = 0xfec00000,
};
#define MESSAGE_ADDRESS 0xfee00000u
enum { PIC1 = 0x20, PIC2 = 0xa0, ICW1 = 0x11, ICW4 = 1, PIC_VECTORS = 0x20 };

static struct { volatile uint32_t *window; uint32_t first, count; } controllers[4];
static unsigned nr_controllers;
static struct { uint32_t gsi; bool level, low, masked; } lines[ARCH_NR_IRQS];

static void register_write(unsigned c, uint32_t reg, uint32_t v)
{
	controllers[c].window[0] = reg;
	controllers[c].window[4] = v;
}

static uint32_t register_read(unsigned c, uint32_t reg)
{
	controllers[c].window[0] = reg;
	return controllers[c].window[4];
}

static void line_route(unsigned irq)
{
	uint32_t gsi = lines[irq].gsi, low;

	for (unsigned c = 0; c < nr_controllers; c++) {
		if (gsi - controllers[c].first >= controllers[c].count)
			continue;
		low = (X86_VECTOR_IRQ + irq) | (lines[irq].masked ? ROUTE_MASKED : 0)
		      | (lines[irq].level ? ROUTE_LEVEL : 0) | (lines[irq].low ? ROUTE_LOW : 0);
		register_write(c, REG_ROUTES + 2 * (gsi - controllers[c].first) + 1, x86_cpu_hw_ids[0] << 24);
		register_write(c, REG_ROUTES + 2 * (gsi - controllers[c].first), low);
	}
}

bool arch_irq_exists(unsigned irq)
{
	for (unsigned c = 0; irq < ARCH_NR_IRQS && c < nr_controllers; c++)
		if (lines[irq].gsi - controllers[c].first < controllers[c].count)
			return true;
	return false;
}

/* Intel SDM volume 3, "message signalled interrupts": fixed delivery, edge, to the boot CPU. */
bool arch_irq_message(unsigned irq, uint64_t *address, uint32_t *data)
{
	if (irq >= ARCH_NR_IRQS || arch_irq_exists(irq))
		return false;
	*address = MESSAGE_ADDRESS | x86_cpu_hw_ids[0] << 12;
	*data = X86_VECTOR_IRQ + irq;
	return true;
}

void arch_irq_set_level(unsigned irq, bool level)
{
	lines[irq].level = level;
}

void arch_irq_mask(unsigned irq)
{
	if (lines[irq].masked)
		return;
	lines[irq].masked = true;
	line_route(irq);
}

void arch_irq_unmask(unsigned irq)
{
	lines[irq].masked = false;
	line_route(irq);
}

/* A level line is masked before the end of interrupt, else it would come again at once. */
void x86_irq_acknowledge(unsigned irq)
{
	if (lines[irq].level)
		arch_irq_mask(irq);
	x86_lapic_eoi();
}

/* The old controllers could raise vectors of their own: give them harmless ones and mask them for good. */
static void pics_mask(void)
{
	x86_out8(PIC1, ICW1);
	x86_out8(PIC2, ICW1);
	x86_out8(PIC1 + 1, PIC_VECTORS);
	x86_out8(PIC2 + 1, PIC_VECTORS + 8);
	x86_out8(PIC1 + 1, 4);
	x86_out8(PIC2 + 1, 2);
	x86_out8(PIC1 + 1, ICW4);
	x86_out8(PIC2 + 1, ICW4);
	x86_out8(PIC1 + 1, 0xff);
	x86_out8(PIC2 + 1, 0xff);
}

static void controller_add(paddr_t address, uint32_t first)
{
	unsigned c = nr_controllers;

	controllers[c].window = x86_device_map(address, PAGE_BYTES);
	if (!controllers[c].window)
		return;
	controllers[c].first = first;
	nr_controllers++;
	controllers[c].count = (register_read(c, REG_VERSION) >> 16 & 0xff) + 1;
	for (uint32_t i = 0; i < controllers[c].count; i++)
		register_write(c, REG_ROUTES + 2 * i, ROUTE_MASKED);
}

void x86_ioapic_init(void)
{
	const struct x86_acpi_isa *isa = x86_acpi.isa;

	for (unsigned i = 0; i < ARCH_NR_IRQS; i++) {
		lines[i].gsi = i;
		lines[i].masked = true;
		lines[i].level = lines[i].low = i >= NR_ISA;
	}
	for (unsigned i = 0; i < NR_ISA; i++)
		if (isa[i].valid) {
			lines[i].gsi = isa[i].gsi;
			lines[i].level = isa[i].level;
			lines[i].low = isa[i].low;
		}
	pics_mask();
	for (unsigned i = 0; i < x86_acpi.nr_ioapics; i++)
		controller_add(x86_acpi.ioapics[i].address, x86_acpi.ioapics[i].first_gsi);
	if (x86_acpi.nr_ioapics == 0)
		controller_add(DEFAULT_IOAPIC, 0);
}

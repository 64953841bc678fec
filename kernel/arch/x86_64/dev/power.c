/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end: power off, reset, stop. Each tries the ways a PC may have, best first. A power-off with a status reaches the
 * host through QEMU's isa-debug-exit device, whose exit code is (value << 1) | 1; where that device is absent, the
 * write to its port does nothing. An ordinary power-off goes by ACPI, which ends QEMU with status 0.
 */
#include <arch/cpu.h>
#include <x86/cpu.h>
#include <x86/port.h>

enum {
	DEBUG_EXIT_PORT = 0xf4, SLEEP_ENABLE = 1 << 13, RESET_PORT = 0xcf9, KEYBOARD_COMMAND = 0x64,
	KEYBOARD_RESET = 0xfe, SPACE_MEMORY = 0, SPACE_IO = 1,
};

_Noreturn void arch_halt(void)
{
	arch_cpu_halt_others();
	x86_stop();
}

_Noreturn void arch_poweroff(int status)
{
	arch_cpu_halt_others();
	if (status != 0 || !x86_acpi.can_sleep)
		x86_out32(DEBUG_EXIT_PORT, (uint32_t)status & 0xff);
	if (x86_acpi.can_sleep) {
		x86_out16(x86_acpi.pm1a_port, (uint16_t)(x86_acpi.slp_typ_a << 10 | SLEEP_ENABLE));
		if (x86_acpi.pm1b_port)
			x86_out16(x86_acpi.pm1b_port, (uint16_t)(x86_acpi.slp_typ_b << 10 | SLEEP_ENABLE));
	}
	x86_stop();
}

static void acpi_reset(void)
{
	volatile uint8_t *r;

	if (!x86_acpi.can_reset)
		return;
	if (x86_acpi.reset_space == SPACE_IO)
		x86_out8((uint16_t)x86_acpi.reset_address, x86_acpi.reset_value);
	r = x86_acpi.reset_space == SPACE_MEMORY ? x86_device_map(x86_acpi.reset_address, 1) : 0;
	if (r)
		*r = x86_acpi.reset_value;
	x86_delay_us(50000);
}

_Noreturn void arch_reboot(void)
{
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) nothing = { 0, 0 };

	arch_cpu_halt_others();
	acpi_reset();
	x86_out8(RESET_PORT, 2);
	x86_out8(RESET_PORT, 6);
	x86_delay_us(50000);
	x86_out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	x86_delay_us(50000);
	__asm__ volatile("lidt %0; int3" : : "m"(nothing));	/* triple fault */
	x86_stop();
}

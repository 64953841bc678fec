/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first serial port, by polling. A port that never gets ready is given up after a bounded wait, so that
 * a machine without one boots.
 */
#include <arch/console.h>
#include <stdbool.h>
#include <x86/cpu.h>

enum { COM1 = 0x3f8, LINE_STATUS = 5, TRANSMIT_EMPTY = 0x20, READY_SPINS = 100000 };

static bool absent;

static void byte_write(char c)
{
	for (unsigned i = 0; !(x86_in8(COM1 + LINE_STATUS) & TRANSMIT_EMPTY); i++)
		if (i == READY_SPINS) {
			absent = true;
			return;
		}
	x86_out8(COM1, (uint8_t)c);
}

static void port_setup(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	absent = x86_in8(COM1 + LINE_STATUS) == 0xff;
	x86_out8(COM1 + 1, 0);			/* no interrupts */
	x86_out8(COM1 + 3, 0x80);		/* divisor: 115200 baud */
	x86_out8(COM1, 1);
	x86_out8(COM1 + 1, 0);
	x86_out8(COM1 + 3, 3);			/* 8N1 */
	x86_out8(COM1 + 2, 7);			/* FIFOs on and empty */
	x86_out8(COM1 + 4, 0xb);		/* DTR, RTS, interrupt gate */
}

void arch_console_write(const char *text, size_t bytes)
{
	port_setup();
	for (size_t i = 0; i < bytes && !absent; i++) {
		if (text[i] == '\n')
			byte_write('\r');
		byte_write(text[i]);
	}
}

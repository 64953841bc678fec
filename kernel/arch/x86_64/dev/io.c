/* SPDX-License-Identifier: BSD-2-Clause */
#include <arch/io.h>
#include <x86/cpu.h>

uint32_t arch_io_read(uint16_t port, unsigned width)
{
	return width == 1 ? x86_in8(port) : width == 2 ? x86_in16(port) : x86_in32(port);
}

void arch_io_write(uint16_t port, unsigned width, uint32_t value)
{
	if (width == 1)
		x86_out8(port, (uint8_t)value);
	else if (width == 2)
		x86_out16(port, (uint16_t)value);
	else
		x86_out32(port, value);
}

void arch_io_read_string(uint16_t port, unsigned width, void *to, uint64_t count)
{
	if (width == 1)
		__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
	else if (width == 2)
		__asm__ volatile("rep insw" : "+D"(to), "+c"(count) : "d"(port) : "memory");
	else
		__asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}

void arch_io_write_string(uint16_t port, unsigned width, const void *from, uint64_t count)
{
	if (width == 1)
		__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
	else if (width == 2)
		__asm__ volatile("rep outsw" : "+S"(from), "+c"(count) : "d"(port) : "memory");
	else
		__asm__ volatile("rep outsl" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}

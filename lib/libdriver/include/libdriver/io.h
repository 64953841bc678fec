/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O ports. Each access is a kernel call, checked against the ranges of the driver's privilege file. A refused access is a mistake
 * in that file, not a condition to live with: the driver stops with words.
 */
#pragma once
#include <libsys/kcall.h>
#include <libsys/log.h>

static inline uint32_t io_in(uint16_t port, uint32_t width)
{
	uint32_t value = 0;
	err_t r = sys_devio(port, width, 0, 0, &value);

	if (r != 0)
		fail_stop("reading port %#x: %s", port, err_text(r));
	return value;
}

static inline void io_out(uint16_t port, uint32_t width, uint32_t value)
{
	err_t r = sys_devio(port, width, 1, value, 0);

	if (r != 0)
		fail_stop("writing port %#x: %s", port, err_text(r));
}

static inline uint8_t io_in8(uint16_t port) { return (uint8_t)io_in(port, 1); }
static inline uint16_t io_in16(uint16_t port) { return (uint16_t)io_in(port, 2); }
static inline uint32_t io_in32(uint16_t port) { return io_in(port, 4); }
static inline void io_out8(uint16_t port, uint8_t value) { io_out(port, 1, value); }
static inline void io_out16(uint16_t port, uint16_t value) { io_out(port, 2, value); }
static inline void io_out32(uint16_t port, uint32_t value) { io_out(port, 4, value); }

/* SPDX-License-Identifier: BSD-2-Clause */
/* Port I/O for KC_DEVIO and its relatives; width is 1, 2 or 4 bytes and has been checked. */
#pragma once
#include <stdint.h>

uint32_t arch_io_read(uint16_t port, unsigned width);
void arch_io_write(uint16_t port, unsigned width, uint32_t value);
void arch_io_read_string(uint16_t port, unsigned width, void *to, uint64_t count);
void arch_io_write_string(uint16_t port, unsigned width, const void *from, uint64_t count);

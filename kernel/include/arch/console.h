/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own output, and help for panics. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* polled; works from the first instruction of C */
void arch_console_write(const char *text, size_t bytes);

/* Name of the function around pc and the offset in it; "" when unknown. */
const char *arch_symbol(uint64_t pc, uint64_t *offset);
/* Return addresses up the stack of the executing CPU, most recent first; the number filled. */
unsigned arch_backtrace(uint64_t *pcs, unsigned max);

/* ---- provided by the generic kernel ---- */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* ring and console; may be called from any context */
void log_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

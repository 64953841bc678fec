/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own output, and help for panics. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* polled; works from the first instruction of C */
void arch_console_write(const char *text, size_t bytes);

/* Return addresses up the stack of the executing CPU with the functions' names, most recent first, to the log. */
void arch_backtrace(void);

/* ---- provided by the generic kernel ---- */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* ring and console; may be called from any context */
void log_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text for the kernel's log. One call is one line, "NAME: text"; the newline is added. printf() works too (descriptors 1 and 2 are the
 * log), these need no buffer and put the service's name in front.
 */
#pragma once
#include <abi/types.h>
#include <stdarg.h>

#define LOG_FORMAT(n) __attribute__((format(printf, n, n + 1)))

void log_name_set(const char *name);	/* libsef does it */
void log_info(const char *format, ...) LOG_FORMAT(1);
void log_warn(const char *format, ...) LOG_FORMAT(1);
void log_debug(const char *format, ...) LOG_FORMAT(1);	/* nothing unless log_debug_set(1) */
void log_debug_set(int on);

/* A request of another process that it has no right to make: told once for each process and kind, so nobody can fill the log. `what` must
 * be a literal. */
void log_refused(endpoint_t who, const char *what, int error);

/* An own invariant is broken: say so and end, so that RS starts us anew. RS knows the exit status. */
enum { EXIT_CHECK_FAILED = 134 };
void fail_stop(const char *format, ...) LOG_FORMAT(1) __attribute__((noreturn));

/* Words for an error: "no such file or directory" for a negative errno, and our own numbers of abi/errno.h. */
const char *err_text(int error);

/* SPDX-License-Identifier: BSD-2-Clause */
/* libsys' log for tests on the host: silent unless TRACE is set. */
#include <libsys/log.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const char *format, va_list ap)
{
	if (!getenv("TRACE"))
		return;
	vprintf(format, ap);
	printf("\n");
}

void log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	show(format, ap);
	va_end(ap);
}

void log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	show(format, ap);
	va_end(ap);
}

void fail_stop(const char *format, ...)
{
	printf("FAIL %s\n", format);
	abort();
}

const char *err_text(int error) { return strerror(-error); }

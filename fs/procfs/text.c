/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procfs.h"

enum { TEXT_MAX_BYTES = 1 << 20 };

static bool text_reserve(struct text *t, size_t more)
{
	if (t->failed || t->len + more > TEXT_MAX_BYTES) {
		t->failed = true;
		return false;
	}
	if (t->len + more <= t->room)
		return true;
	size_t room = t->room ? t->room : 4096;
	while (room < t->len + more)
		room *= 2;
	char *bigger = realloc(t->buf, room);
	if (!bigger) {
		t->failed = true;
		return false;
	}
	t->buf = bigger;
	t->room = room;
	return true;
}

void text_raw(struct text *t, const void *bytes, size_t len)
{
	if (!text_reserve(t, len))
		return;
	memcpy(t->buf + t->len, bytes, len);
	t->len += len;
}

void text_add(struct text *t, const char *format, ...)
{
	char line[1024];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (n > 0)
		text_raw(t, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON on standard output. The writer keeps the commas: a value is preceded by one unless it is the first between its brackets. */
#include "service.h"
#include <stdio.h>

enum { DEPTH_MAX = 8 };
static struct { int depth; bool filled[DEPTH_MAX]; } json;

static void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c == '\n')
			printf("\\n");
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_value(const char *key)
{
	if (json.filled[json.depth])
		printf(", ");
	json.filled[json.depth] = true;
	if (!key)
		return;
	json_string(key);
	printf(": ");
}

void json_open(const char *key, char bracket)
{
	json_value(key);
	putchar(bracket);
	json.depth++;
	json.filled[json.depth] = false;
}

void json_close(char bracket)
{
	putchar(bracket);
	json.depth--;
	if (json.depth)
		return;
	putchar('\n');
	json.filled[0] = false;		/* what comes next is a document of its own */
}

void json_text(const char *key, const char *text)
{
	json_value(key);
	json_string(text);
}

void json_number(const char *key, long long n)
{
	json_value(key);
	printf("%lld", n);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments of a program: copied out of the caller's memory into one growing buffer of at most ARGS_MAX bytes. */
#include "execargs.h"

#include <stdlib.h>
#include <string.h>

#include "usermem.h"

enum { ARGS_FIRST = 4096, POINTERS_STEP = 64 };

static int args_room(struct args *a, size_t more)
{
	if (a->used + more > ARGS_MAX)
		return -E2BIG;
	size_t room = a->room ? a->room : ARGS_FIRST;
	while (room < a->used + more)
		room *= 2;
	if (room == a->room)
		return 0;
	char *text = realloc(a->text, room);
	if (!text)
		return -ENOMEM;
	a->text = text;
	a->room = room;
	return 0;
}

static int args_add_string(struct args *a, endpoint_t ep, vaddr_t from)
{
	enum { STEP = 256 };
	for (size_t want = STEP;; want *= 8) {
		size_t len, max = want < ARG_STRING_MAX ? want : ARG_STRING_MAX;
		if (max > ARGS_MAX - a->used)
			max = ARGS_MAX - a->used;
		int r = max ? args_room(a, max) : -E2BIG;
		if (r == 0)
			r = user_read_string(ep, from, a->text + a->used, max, &len);
		if (r == -ENAMETOOLONG && max == want)
			continue;
		if (r)
			return r == -ENAMETOOLONG ? -E2BIG : r;
		a->used += len + 1;
		return 0;
	}
}

/* Read pointers up to the end of a page: what lies behind need not exist. */
static int pointers_read(endpoint_t ep, vaddr_t from, uint64_t *to, size_t *n)
{
	size_t in_page = (PAGE_BYTES - (from & (PAGE_BYTES - 1))) / 8;
	*n = in_page < POINTERS_STEP ? in_page : POINTERS_STEP;
	if (*n == 0)
		*n = 1;
	return user_read(ep, from, to, *n * 8);
}

static int args_add_vector(struct args *a, endpoint_t ep, vaddr_t vector, unsigned *count)
{
	uint64_t pointers[POINTERS_STEP];
	size_t n = 0, i = 0;
	*count = 0;
	if (!vector)
		return 0;
	for (;;) {
		if (i == n) {
			int r = pointers_read(ep, vector + 8ull * *count, pointers, &n);
			if (r)
				return r;
			i = 0;
		}
		if (!pointers[i])
			return 0;
		int r = args_add_string(a, ep, pointers[i++]);
		if (r)
			return r;
		++*count;
		if (a->used + 8ull * (a->argc + a->envc) > a->limit)
			return -E2BIG;
	}
}

int args_read(struct args *a, endpoint_t ep, vaddr_t argv, vaddr_t envp, uint64_t limit)
{
	memset(a, 0, sizeof *a);
	a->limit = limit < ARG_STRING_MAX ? ARG_STRING_MAX : limit > ARGS_MAX ? ARGS_MAX : limit;
	int r = args_add_vector(a, ep, argv, &a->argc);
	if (r == 0 && a->argc == 0) {	/* as Linux: there is always a first argument */
		r = args_room(a, 1);
		if (r == 0) {
			a->text[a->used++] = 0;
			a->argc = 1;
		}
	}
	if (r == 0)
		r = args_add_vector(a, ep, envp, &a->envc);
	if (r)
		args_free(a);
	return r;
}

int args_replace_first(struct args *a, const char *const strings[])
{
	size_t old = strlen(a->text) + 1, bytes = 0;
	unsigned n = 0;
	for (; strings[n]; n++)
		bytes += strlen(strings[n]) + 1;
	int r = args_room(a, bytes);
	if (r)
		return r;
	memmove(a->text + bytes, a->text + old, a->used - old);
	a->used = a->used - old + bytes;
	char *to = a->text;
	for (unsigned i = 0; i < n; i++)
		to = stpcpy(to, strings[i]) + 1;
	a->argc += n - 1;
	return 0;
}

void args_free(struct args *a)
{
	free(a->text);
	memset(a, 0, sizeof *a);
}

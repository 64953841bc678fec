/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings and memory. Large moves go by 8-byte words: emulated processors run byte-wise string instructions slowly. */
#include <arch/space.h>
#include <kernel/lib.h>

enum { WORD = 8, LARGE = 256 };

void *memcpy(void *dst, const void *src, size_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;

	if (n >= LARGE) {
		arch_copy(dst, src, n);
		return dst;
	}
	for (; n >= WORD; n -= WORD, d += WORD, s += WORD) {
		uint64_t word;

		__builtin_memcpy(&word, s, WORD);
		__builtin_memcpy(d, &word, WORD);
	}
	while (n--)
		*d++ = *s++;
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;

	if (d <= s || d >= s + n)
		return memcpy(dst, src, n);
	while (n--)
		d[n] = s[n];
	return dst;
}

void *memset(void *dst, int byte, size_t n)
{
	uint8_t *d = dst;
	uint64_t word = 0x0101010101010101ull * (uint8_t)byte;

	for (; n >= WORD; n -= WORD, d += WORD)
		__builtin_memcpy(d, &word, WORD);
	while (n--)
		*d++ = (uint8_t)byte;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, ~(size_t)0);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b)
			return (uint8_t)*a < (uint8_t)*b ? -1 : 1;
		if (!*a)
			return 0;
	}
	return 0;
}

void string_copy(char *dst, const char *src, size_t size)
{
	size_t n = 0;

	while (n < size - 1 && src[n])
		n++;
	memcpy(dst, src, n);
	dst[n] = 0;
}

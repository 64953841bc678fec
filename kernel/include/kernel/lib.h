/* SPDX-License-Identifier: BSD-2-Clause */
/* The few C library functions the kernel needs, and text formatting without allocation. */
#pragma once
#include <abi/types.h>
#include <stdarg.h>
#include <stdbool.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
/* Copies at most size - 1 characters; always terminated. */
void string_copy(char *dst, const char *src, size_t size);

/* Formats %d %u %x %p %s %c %% with width, zero padding, '-' and l/ll/z; returns characters that fit. */
size_t format_text(char *out, size_t size, const char *format, va_list args);
size_t format_string(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Code and data of the shortest way through the kernel lie together, on as few pages as possible. */
#define HOT_TEXT __attribute__((section(".text.hot")))
#define HOT_DATA __attribute__((section(".data.hot")))
#define HOT_DATA_LARGE __attribute__((section(".data.hot_large")))	/* behind it: the first entries count */


#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define array_count(a) (sizeof(a) / sizeof((a)[0]))
#define round_up_page(x) (((x) + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1))

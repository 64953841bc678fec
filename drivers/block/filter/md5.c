/* SPDX-License-Identifier: BSD-2-Clause */
/* MD5 (RFC 1321): here against mistakes of disks, not against people. */
#include "sums.h"
#include <string.h>

struct md5 { uint32_t state[4]; uint64_t bytes; uint8_t block[64]; };

static const uint32_t table[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t shifts[16] = { 7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21 };

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static uint32_t mix(int i, const uint32_t s[4], int *word)
{
	switch (i / 16) {
	case 0: *word = i; return (s[1] & s[2]) | (~s[1] & s[3]);
	case 1: *word = (5 * i + 1) % 16; return (s[3] & s[1]) | (~s[3] & s[2]);
	case 2: *word = (3 * i + 5) % 16; return s[1] ^ s[2] ^ s[3];
	default: *word = 7 * i % 16; return s[2] ^ (s[1] | ~s[3]);
	}
}

static void md5_block(struct md5 *m)
{
	uint32_t words[16], s[4];

	memcpy(words, m->block, sizeof(words));
	memcpy(s, m->state, sizeof(s));
	for (int i = 0; i < 64; i++) {
		int word;
		uint32_t f = mix(i, s, &word) + s[0] + table[i] + words[word];
		s[0] = s[3];
		s[3] = s[2];
		s[2] = s[1];
		s[1] += rotate(f, shifts[i / 16 * 4 + i % 4]);
	}
	for (int i = 0; i < 4; i++)
		m->state[i] += s[i];
}

static void md5_add(struct md5 *m, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		m->block[m->bytes++ % 64] = p[i];
		if (m->bytes % 64 == 0)
			md5_block(m);
	}
}

void md5(const void *parts[], const size_t lens[], int n, uint8_t digest[16])
{
	static const uint8_t padding[64] = { 0x80 };
	struct md5 m = { .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
	uint64_t bits;

	for (int i = 0; i < n; i++)
		md5_add(&m, parts[i], lens[i]);
	bits = m.bytes * 8;
	md5_add(&m, padding, 1 + (119 - m.bytes % 64) % 64);
	md5_add(&m, (const uint8_t *)&bits, 8);
	memcpy(digest, m.state, 16);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <librandom/random.h>

#include <string.h>

#include "entropy.h"

static uint32_t rotl(uint32_t x, int n) { return x << n | x >> (32 - n); }

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b; *d = rotl(*d ^ *a, 16);
	*c += *d; *b = rotl(*b ^ *c, 12);
	*a += *b; *d = rotl(*d ^ *a, 8);
	*c += *d; *b = rotl(*b ^ *c, 7);
}

void chacha20_block(const uint32_t state[16], uint8_t out[64])
{
	uint32_t x[16];
	memcpy(x, state, sizeof x);
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 4; i++)		/* columns */
			quarter_round(&x[i], &x[4 + i], &x[8 + i], &x[12 + i]);
		for (int i = 0; i < 4; i++)		/* diagonals */
			quarter_round(&x[i], &x[4 + (i + 1) % 4], &x[8 + (i + 2) % 4], &x[12 + (i + 3) % 4]);
	}
	for (int i = 0; i < 16; i++) {
		uint32_t word = x[i] + state[i];
		memcpy(out + 4 * i, &word, 4);		/* little-endian machines only */
	}
}

static void refill(struct random *r)
{
	uint32_t state[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	memcpy(state + 4, r->key, sizeof r->key);
	for (size_t at = 0; at < sizeof r->buffer; at += 64) {
		chacha20_block(state, r->buffer + at);
		state[12]++;
	}
	memcpy(r->key, r->buffer, sizeof r->key);
	memset(r->buffer, 0, sizeof r->key);
	r->left = sizeof r->buffer - sizeof r->key;
}

void random_stir(struct random *r, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	for (size_t i = 0; i < len; i++) {
		((uint8_t *)r->key)[i % sizeof r->key] ^= from[i];
		if (i % sizeof r->key == sizeof r->key - 1)
			refill(r);
	}
	refill(r);
}

void random_init(struct random *r)
{
	uint64_t seed[8];
	memset(r, 0, sizeof *r);
	for (size_t i = 0; i < 8; i++)
		seed[i] = entropy_word();
	random_stir(r, seed, sizeof seed);
}

void random_bytes(struct random *r, void *out, size_t len)
{
	uint8_t *to = out;
	while (len) {
		if (r->left == 0)
			refill(r);
		size_t part = len < r->left ? len : r->left;
		uint8_t *from = r->buffer + sizeof r->buffer - r->left;
		memcpy(to, from, part);
		memset(from, 0, part);
		r->left -= part;
		to += part;
		len -= part;
	}
}

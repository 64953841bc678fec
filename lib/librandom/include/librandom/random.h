/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unpredictable bytes: a generator on the ChaCha20 block function (RFC 8439, section 2.3) with fast key erasure: each refill's first 32
 * bytes become the next key, so that captured state does not reveal earlier output. Not for several threads.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct random {
	uint32_t key[8];
	uint8_t buffer[768];	/* 12 blocks; the unused part lies at the end */
	size_t left;
};

/* Key from the processor's generator (RDRAND, where it has one) and the time-stamp counter. */
void random_init(struct random *r);
/* Mix in further bytes, for example what a user writes to /dev/random. */
void random_stir(struct random *r, const void *bytes, size_t len);
void random_bytes(struct random *r, void *out, size_t len);

/* The block function alone, for tests: 16 words of state in, 64 bytes out. */
void chacha20_block(const uint32_t state[16], uint8_t out[64]);

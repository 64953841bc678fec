/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames: random allocation, release and contiguous allocation against a plain array of counts. */
#include "../frame.h"
#include "host_backend.h"

#include <stdio.h>
#include <string.h>

enum { FRAMES = 3000, STEPS = 200000 };
static uint32_t model[FRAMES];

static uint32_t model_free(void)
{
	uint32_t n = 0;

	for (int i = 1; i < FRAMES; i++)
		n += model[i] == 0;
	return n;
}

static int model_has_run(uint32_t n, uint32_t align, uint32_t below)
{
	for (uint32_t f = align; f + n <= below; f += align) {
		uint32_t k = 0;

		while (k < n && model[f + k] == 0)
			k++;
		if (k == n)
			return 1;
	}
	return 0;
}

static void take_contig(void)
{
	uint32_t n = 1 + host_random(80), align = 1u << host_random(6), below = host_random(2) ? FRAMES : 1 + host_random(FRAMES);
	int expected = model_has_run(n, align, below);
	frame_t f = frame_alloc_contig(FRAME_FOR_VM, n, align, below);

	CHECK((f != FRAME_NONE) == expected);
	if (f == FRAME_NONE)
		return;
	CHECK(f % align == 0 && f + n <= below);
	for (uint32_t i = f; i < f + n; i++) {
		CHECK(model[i] == 0);
		model[i] = 1;
	}
}

static void take_one(void)
{
	frame_t f = frame_alloc(FRAME_FOR_VM);

	CHECK((f == FRAME_NONE) == (model_free() == 0));
	if (f == FRAME_NONE)
		return;
	CHECK(f < FRAMES && model[f] == 0);
	model[f] = 1;
}

static void release_some(uint32_t n)
{
	while (n--) {
		uint32_t f = 1 + host_random(FRAMES - 1);

		if (!model[f])
			continue;
		model[f]--;
		CHECK(frame_put(f) == (model[f] == 0));
	}
}

static void step(void)
{
	uint32_t f = 1 + host_random(FRAMES - 1);

	switch (host_random(8)) {
	case 0:
		take_contig();
		break;
	case 1: case 2: case 3: case 4:
		take_one();
		break;
	case 5:
		if (model[f]) {
			frame_get(f);
			model[f]++;
		}
		break;
	default:
		release_some(host_random(40));
	}
}

static void reserves_refuse_in_order(void)
{
	frame_t f;

	host_start(101);
	frame_set_reserve(FRAME_FOR_USER, 20);
	frame_set_reserve(FRAME_FOR_SERVICE, 5);
	for (int i = 0; i < 80; i++)
		CHECK(frame_alloc(FRAME_FOR_USER) != FRAME_NONE);
	CHECK(frame_alloc(FRAME_FOR_USER) == FRAME_NONE && frame_alloc_contig(FRAME_FOR_USER, 1, 1, 0) == FRAME_NONE);
	for (int i = 0; i < 15; i++)
		CHECK(frame_alloc(FRAME_FOR_SERVICE) != FRAME_NONE);
	CHECK(frame_alloc(FRAME_FOR_SERVICE) == FRAME_NONE);
	for (int i = 0; i < 5; i++)
		CHECK((f = frame_alloc(FRAME_FOR_VM)) != FRAME_NONE && frame_refs(f) == 1);
	CHECK(frame_alloc(FRAME_FOR_VM) == FRAME_NONE && frame_free_count() == 0 && frame_total() == 100);
}

static void holes_are_never_given(void)
{
	static uint64_t table[2000];

	memset(table, 0, sizeof table);
	frame_init(table, 1000);
	frame_add(10, 5);
	frame_adopt(500);
	frame_adopt(12);
	CHECK(frame_total() == 6 && frame_free_count() == 4 && !frame_managed(9) && frame_managed(500));
	for (int i = 0; i < 4; i++) {
		frame_t f = frame_alloc(FRAME_FOR_VM);
		CHECK(f >= 10 && f < 15 && f != 12);
	}
	CHECK(frame_alloc(FRAME_FOR_VM) == FRAME_NONE);
}

int main(void)
{
	host_start(FRAMES);
	for (int i = 0; i < STEPS / 20; i++) {
		for (int k = 0; k < 20; k++)
			step();
		CHECK(frame_free_count() == model_free());
	}
	reserves_refuse_in_order();
	holes_are_never_given();
	puts("ok");
	return 0;
}

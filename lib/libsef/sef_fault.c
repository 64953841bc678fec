/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failing on request of RS (`service fi`): a healthy service crashes, hangs or ends so that its recovery can be tried. Works between two
 * requests, in the main loop; faults in the middle of a request are the business of kill(1) and of the driver `faulty`. Damaged code
 * (SEF_FI_TEXT) fails whenever it is run.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sef_private.h"

/* tools/hot_service.ld; the linker. What most requests run comes first. */
extern uint8_t code_begin[], code_hot_end[], etext[];

static _Noreturn void fault_hang(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static _Noreturn void fault_sleep(void)
{
	struct message m;

	for (;;)
		ipc_receive(EP_RS, &m, 0);
}

enum { FLIPS = 24 };

/* Neighbouring seeds are to have nothing in common: each number is a hash of the count. */
static uint32_t chance(uint64_t *seed, uint32_t below)
{
	uint64_t x = *seed += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((x >> 32) * below >> 32);
}

/* Half of the flips where they will matter soon. Instructions become others, jumps go elsewhere, constants and offsets are wrong. */
static void bits_flip(uint8_t *code, uint64_t seed)
{
	for (int i = 0; i < FLIPS; i++) {
		size_t room = (size_t)((i % 2 ? code_hot_end : etext) - code_begin);
		code[chance(&seed, (uint32_t)room)] ^= (uint8_t)(1u << chance(&seed, 8));
	}
}

/* Code cannot be written, but a damaged copy can take its place. */
static void fault_text(uint32_t seed)
{
	uint8_t *page = (uint8_t *)((uintptr_t)code_begin & ~(uintptr_t)4095);
	size_t len = (size_t)(etext - page);
	uint8_t *copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED) {
		log_warn("asked to damage the code, but there is no memory for a copy");
		return;
	}
	memcpy(copy, page, len);
	bits_flip(copy + (code_begin - page), seed);
	if (mprotect(copy, len, PROT_READ | PROT_EXEC) != 0 || mremap(copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, page) == MAP_FAILED)
		log_warn("asked to damage the code, but it cannot be replaced (error %d)", errno);
}

void sef_fault_inject(const struct sef_fault_req *how)
{
	switch (how->kind) {
	case SEF_FI_CRASH:
		*(volatile int *)0 = 0;
		break;
	case SEF_FI_CHECK:
		fail_stop("failed check on request");
	case SEF_FI_EXIT:
		sef_exit(0);
	case SEF_FI_HANG:
		fault_hang();
	case SEF_FI_SLEEP:
		fault_sleep();
	case SEF_FI_TEXT:
		fault_text(how->seed);
		break;
	default:
		if (sef_cb.fault && how->kind < SEF_NR_FAULT_KINDS)
			sef_cb.fault((enum sef_fault_kind)how->kind);
		else
			log_warn("asked to fail in way %u, which is none of mine", how->kind);
	}
}

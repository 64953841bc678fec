/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Return addresses by the chain of frame pointers, with names from the table that tools/ksyms makes from
 * the first link. Every step is checked to stay on this CPU's stacks and to go up, since a panic may be
 * about a damaged stack. Also small things of the processor.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/trap.h>

enum { MAX_DEPTH = 24, RDRAND_TRIES = 10 };

extern const uint64_t ksyms_count, ksyms_address[];
extern const uint32_t ksyms_offset[];
extern const char ksyms_names[];

/* Name of the function around pc and the offset in it; "" when unknown. */
static const char *symbol_find(uint64_t pc, uint64_t *offset)
{
	uint64_t low = 0, high = ksyms_count, middle;

	*offset = 0;
	if (pc < (uint64_t)x86_image_start || pc >= (uint64_t)x86_text_end)
		return "";
	while (low < high) {
		middle = (low + high) / 2;
		if (ksyms_address[middle] <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return "";
	*offset = pc - ksyms_address[low - 1];
	return ksyms_names + ksyms_offset[low - 1];
}

static bool on_stack(uint64_t address)
{
	bool boot = address >= (uint64_t)x86_data_start && address < (uint64_t)x86_image_end;

	return address % 8 == 0 && (address >= X86_STACKS || boot) && address <= ~0ull - 4 * PAGE_BYTES;
}

static void line_print(uint64_t pc)
{
	uint64_t offset;
	const char *name = symbol_find(pc, &offset);

	log_printf("  %016lx %s+0x%lx\n", pc, name, offset);
}

static void frames_print(uint64_t fp)
{
	for (unsigned n = 0; n < MAX_DEPTH && on_stack(fp); n++) {
		uint64_t next = ((uint64_t *)fp)[0], pc = ((uint64_t *)fp)[1];
		if (pc < X86_IMAGE)
			break;
		line_print(pc);
		if (next <= fp)
			break;
		fp = next;
	}
}

void arch_backtrace(void)
{
	frames_print((uint64_t)__builtin_frame_address(0));
}

void x86_backtrace_from(uint64_t pc, uint64_t frame_pointer)
{
	line_print(pc);
	frames_print(frame_pointer);
}

uint64_t arch_random(void)
{
	static uint64_t state;
	uint64_t v;
	uint8_t ok = 0;

	for (unsigned i = 0; x86_features.rdrand && !ok && i < RDRAND_TRIES; i++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(v), "=q"(ok) : : "cc");
	if (!ok)
		v = 0;
	/* splitmix64 over everything seen so far */
	state += v ^ x86_rdtsc() ^ 0x9e3779b97f4a7c15;
	v = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

extern struct { uint64_t at, stac; } x86_smap_start[], x86_smap_end[];

/* Writes clac and stac over the nops that stand for them (the text is not read-only yet). */
void x86_smap_patch(void)
{
	for (unsigned i = 0; x86_features.smap && &x86_smap_start[i] < x86_smap_end; i++) {
		uint8_t *code = (uint8_t *)x86_smap_start[i].at;
		code[0] = 0x0f;
		code[1] = 0x01;
		code[2] = x86_smap_start[i].stac ? 0xcb : 0xca;
	}
}

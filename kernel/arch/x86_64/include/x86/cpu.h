/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions and register bits that C has no words for. Intel SDM volume 3 has the meaning of each. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
	MSR_APIC_BASE = 0x1b, MSR_X2APIC = 0x800, MSR_EFER = 0xc0000080, MSR_STAR = 0xc0000081,
		MSR_LSTAR = 0xc0000082,
	MSR_FMASK = 0xc0000084, MSR_FS_BASE = 0xc0000100, MSR_GS_BASE = 0xc0000101,
		MSR_KERNEL_GS_BASE = 0xc0000102, MSR_TSC_AUX = 0xc0000103,
};
enum {
	CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_NE = 1 << 5, CR0_WP = 1 << 16,
	CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_PGE = 1 << 7, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10,
		CR4_UMIP = 1 << 11,
	CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21,
	EFER_SCE = 1, EFER_LME = 1 << 8, EFER_NXE = 1 << 11,
};
enum {
	RFLAGS_TF = 1 << 8, RFLAGS_IF = 1 << 9, RFLAGS_DF = 1 << 10, RFLAGS_NT = 1 << 14,
		RFLAGS_RF = 1 << 16, RFLAGS_AC = 1 << 18,
	RFLAGS_ONE = 2,
	/* arithmetic flags, DF, TF, AC: what a process may choose */
	RFLAGS_USER = 0xcd5 | RFLAGS_TF | RFLAGS_AC,
};

struct x86_cpuid { uint32_t a, b, c, d; };
static inline struct x86_cpuid x86_cpuid(uint32_t leaf, uint32_t sub)
{
	struct x86_cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
	return r;
}
static inline uint64_t x86_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}
static inline void x86_wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
#define X86_CR(n) \
	static inline uint64_t x86_cr##n(void) \
	{ \
		uint64_t v; \
\
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)); \
		return v; \
	} \
	static inline void x86_cr##n##_set(uint64_t v) \
	{ \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory"); \
	}
X86_CR(0)
X86_CR(2)
X86_CR(3)
X86_CR(4)
#undef X86_CR
static inline uint64_t x86_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}
#define X86_PORT(bits, suffix) \
	static inline void x86_out##bits(uint16_t port, uint##bits##_t v) \
	{ \
		__asm__ volatile("out" suffix " %0, %1" : : "a"(v), "Nd"(port)); \
	} \
	static inline uint##bits##_t x86_in##bits(uint16_t port) \
	{ \
		uint##bits##_t v; \
\
		__asm__ volatile("in" suffix " %1, %0" : "=a"(v) : "Nd"(port)); \
		return v; \
	}
X86_PORT(8, "b")
X86_PORT(16, "w")
X86_PORT(32, "l")
#undef X86_PORT
static inline void x86_pause(void) { __asm__ volatile("pause" ::: "memory"); }
static inline void x86_clts(void) { __asm__ volatile("clts"); }
static inline _Noreturn void x86_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

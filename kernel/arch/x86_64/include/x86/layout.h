/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers shared by C and assembler: the address map of the kernel half, selectors, vectors, offsets in
 * struct arch_frame.
 */
#pragma once

/*
 *	0xffff800000000000	direct map of physical memory, 2 MiB pages, no execution
 *	0xffff808000000000	device registers and firmware tables, mapped on demand, uncached
 *	0xffffffff80000000	physical 0: the kernel image from 1 MiB on, 4 KiB pages
 *	0xffffffffc0000000	stacks of the CPUs, 64 KiB for each, with unmapped pages between them
 */
#define X86_DIRECT 0xffff800000000000
#define X86_DEVICES 0xffff808000000000
#define X86_IMAGE 0xffffffff80000000
#define X86_STACKS 0xffffffffc0000000
/* first address that is no user address: the last page of the half stays unmapped */
#define X86_USER_LIMIT 0x7ffffffff000

/* Selectors: the order is what syscall and sysret want. */
#define X86_KERNEL_CS 0x10
#define X86_KERNEL_DS 0x18
#define X86_USER_DS 0x2b
#define X86_USER_CS 0x33
#define X86_TSS 0x40

/* Interrupt vectors. */
#define X86_VECTOR_IRQ 32	/* + device line, 64 of them */
#define X86_VECTOR_TIMER 0xf0
#define X86_VECTOR_KICK 0xf1
#define X86_VECTOR_SHOOTDOWN 0xf2
#define X86_VECTOR_FPU 0xf3
#define X86_VECTOR_SPURIOUS 0xff

#define X86_TRAMPOLINE 0x8000	/* physical; one page of code for starting CPUs */

/* Stacks inside a CPU's 64 KiB: where each ends. The page below each is not mapped. */
#define X86_STACK_MAIN_END 0x5000
#define X86_STACK_DF_END 0x8000
#define X86_STACK_NMI_END 0xb000
#define X86_STACK_MC_END 0xe000
#define X86_STACK_DB_END 0x10000

/* struct arch_frame. */
#define F_RSI 0
#define F_RDX 8
#define F_R10 16
#define F_R8 24
#define F_R9 32
#define F_R12 40
#define F_R13 48
#define F_R14 56
#define F_RDI 64
#define F_RBX 72
#define F_RAX 80
#define F_RBP 88
#define F_R15 96
#define F_RCX 104
#define F_R11 112
#define F_RSP 120
#define F_RIP 128
#define F_RFLAGS 136
#define F_ORIG_RAX 144
#define F_FULL 152
#define F_FS_BASE 160
#define F_GS_BASE 168

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All ways into the kernel and out of it.
 *
 * From user mode the registers go straight into the frame of the process that ran (x86_current, a struct
 * proc whose first member is its struct arch_frame); then the CPU's main stack is used from its top.
 * Whatever stack the processor chose is left at once, so it does not matter which that was. On the way out
 * the generic kernel has returned a struct proc; everything comes from its frame.
 *
 * %gs: the kernel's base while in the kernel, the user's in the other register (swapgs), for user mode the
 * reverse. The user's bases are written at every exit and read at no entry: they are what the frame says,
 * by arch_prctl and clone. (A program that executes wrfsbase, which AT_HWCAP2 does not offer it, loses the
 * change.) NMI, double fault and machine check may hit between entry and swapgs: they do not trust the
 * present base but take this CPU's from the top of their own stack.
 *
 * From kernel mode come only: interrupts that end arch_idle() (the stack is started again from its top),
 * faults at the listed instructions of mmu/copy.S (which go to their fix-up), and bugs (panic).
 *
 * The page-table register is not touched here.
 */
#include <x86/layout.h>

#define LOCAL(name) %gs:name(%rip)

/*
 * Marks a place where clac or stac is patched in over a 3-byte nop if the processor has SMAP. 0: clac, 1:
 * stac.
 */
.macro SMAP_SITE kind
77:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.quad 77b, \kind
	.popsection
.endm

/* The general registers except rcx, r11, rsp and, into the frame at \f. */
.macro SAVE_MOST f
	mov %rsi, F_RSI(\f)
	mov %rdx, F_RDX(\f)
	mov %r10, F_R10(\f)
	mov %r8, F_R8(\f)
	mov %r9, F_R9(\f)
	mov %r12, F_R12(\f)
	mov %r13, F_R13(\f)
	mov %r14, F_R14(\f)
	mov %rdi, F_RDI(\f)
	mov %rbx, F_RBX(\f)
	mov %rax, F_RAX(\f)
	mov %rbp, F_RBP(\f)
	mov %r15, F_R15(\f)
.endm

/* The reverse, out of the frame at rax, which itself comes last. */
.macro RESTORE_MOST
	mov F_RSI(%rax), %rsi
	mov F_RDX(%rax), %rdx
	mov F_R10(%rax), %r10
	mov F_R8(%rax), %r8
	mov F_R9(%rax), %r9
	mov F_R12(%rax), %r12
	mov F_R13(%rax), %r13
	mov F_R14(%rax), %r14
	mov F_RDI(%rax), %rdi
	mov F_RBX(%rax), %rbx
	mov F_RBP(%rax), %rbp
	mov F_R15(%rax), %r15
.endm

	.section .text.hot, "ax"
/* ---- system calls: rcx = user rip, r11 = user rflags; flags cleaned by the processor (MSR_FMASK) ---- */
	.globl x86_syscall_entry
	.balign 64
x86_syscall_entry:
	swapgs
	mov %rsp, LOCAL(x86_user_rsp)
	mov LOCAL(x86_current), %rsp
	SAVE_MOST %rsp
	mov %rcx, F_RIP(%rsp)
	mov %r11, F_RFLAGS(%rsp)
	mov %rax, F_ORIG_RAX(%rsp)
	movq $0, F_FULL(%rsp)
	mov LOCAL(x86_user_rsp), %rcx
	mov %rcx, F_RSP(%rsp)
	mov %rsp, %rdi
	mov LOCAL(x86_stack_top), %rsp
	xor %ebp, %ebp
	mov %rbp, LOCAL(user_space)
	call kernel_syscall

/* ---- the way out: rax = struct proc ---- */
return_to_user:
	mov %rax, LOCAL(x86_current)
	mov LOCAL(x86_fpu_open), %rcx
	cmp %rcx, %rax
	jne fpu_adjust
fpu_adjusted:
	mov F_RIP(%rax), %rcx		/* canonical, else sysretq would fault in kernel mode: below X86_USER_LIMIT, or full */
	cmpl $0, F_FULL(%rax)
	jne leave_by_iret
	mov F_FS_BASE(%rax), %rdx
	wrfsbase %rdx
	mov F_GS_BASE(%rax), %rdx
	swapgs
	wrgsbase %rdx
	mov F_RFLAGS(%rax), %r11
	RESTORE_MOST
	mov F_RSP(%rax), %rsp
	mov F_RAX(%rax), %rax
	sysretq

leave_by_iret:
	mov F_FS_BASE(%rax), %rdx
	wrfsbase %rdx
	pushq $X86_USER_DS
	pushq F_RSP(%rax)
	pushq F_RFLAGS(%rax)
	pushq $X86_USER_CS
	pushq %rcx
	mov F_GS_BASE(%rax), %rdx
	swapgs
	wrgsbase %rdx
	mov F_RCX(%rax), %rcx
	mov F_R11(%rax), %r11
	RESTORE_MOST
	mov F_RAX(%rax), %rax
	iretq

/* The FPU may be used without trap by x86_fpu_open only (rcx, not the process to run, 0: nobody). */
fpu_adjust:
	test %rcx, %rcx
	jz 1f
	mov %cr0, %rdx
	or $8, %edx			/* CR0.TS */
	mov %rdx, %cr0
	movq $0, LOCAL(x86_fpu_open)
1:	cmp LOCAL(x86_fpu_owner), %rax
	jne fpu_adjusted
	clts
	mov %rax, LOCAL(x86_fpu_open)
	jmp fpu_adjusted

/* arch_resume(p) */
	.globl arch_resume
arch_resume:
	mov %rdi, %rax
	mov LOCAL(x86_stack_top), %rsp
	jmp return_to_user

	.text
/* ---- exceptions and interrupts: the stubs push an error code (or 0) and the vector ---- */
.macro STUB n
	.balign 16
	.if (\n == 8) || (\n >= 10 && \n <= 14) || (\n == 17) || (\n == 21)
	.else
	pushq $0
	.endif
	pushq $\n
	.if \n < 32
	jmp exception_entry
	.else
	jmp interrupt_entry
	.endif
.endm
	.balign 16
	.globl x86_stubs
x86_stubs:			/* one every 16 bytes, vectors 0..95 and then 0xf0, 0xf1, 0xff */
	.set vector, 0
	.rept 96
	STUB vector
	.set vector, vector + 1
	.endr
	STUB 0xf0
	STUB 0xf1
	STUB 0xff

/*
 * On the stack: vector, error code, rip, cs, rflags, rsp, ss. Leaves rdi = process, rsi = vector, rdx =
 * error code on the main stack.
 */
.macro ENTER_FROM_USER
	swapgs
	SMAP_SITE 0
	cld
	push %rcx
	mov LOCAL(x86_current), %rcx
	SAVE_MOST %rcx
	mov %r11, F_R11(%rcx)
	pop %rax
	mov %rax, F_RCX(%rcx)
	mov 16(%rsp), %rax
	mov %rax, F_RIP(%rcx)
	mov 32(%rsp), %rax
	mov %rax, F_RFLAGS(%rcx)
	mov 40(%rsp), %rax
	mov %rax, F_RSP(%rcx)
	movq $-1, F_ORIG_RAX(%rcx)
	movq $1, F_FULL(%rcx)
	mov %rcx, %rdi
	pop %rsi
	pop %rdx
	mov LOCAL(x86_stack_top), %rsp
	xor %ebp, %ebp
	mov %rbp, LOCAL(user_space)
.endm

exception_entry:
	testb $3, 24(%rsp)
	jz exception_in_kernel
	ENTER_FROM_USER
	call x86_user_exception
	jmp return_to_user

interrupt_entry:
	testb $3, 24(%rsp)
	jz interrupt_in_idle
	ENTER_FROM_USER
	mov %esi, %edi
	call x86_interrupt
	jmp return_to_user

interrupt_in_idle:
	mov (%rsp), %edi
	mov LOCAL(x86_stack_top), %rsp
	xor %ebp, %ebp
	call x86_interrupt
	jmp return_to_user

/* ---- light interrupts, which take no lock and return to where they came from ---- */
.macro LIGHT name, handler
	.balign 16
	.globl \name
\name:
	testb $3, 8(%rsp)
	jz 1f
	swapgs
	SMAP_SITE 0
1:	cld
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbp
	mov %rsp, %rbp
	and $-16, %rsp
	call \handler
	mov %rbp, %rsp
	pop %rbp
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	testb $3, 8(%rsp)
	jz 2f
	swapgs
2:	iretq
.endm
	LIGHT x86_shootdown_entry, x86_shootdown
	LIGHT x86_fpu_request_entry, x86_fpu_request
	LIGHT x86_fpu_trap_entry, x86_fpu_trap

/* ---- exceptions in the kernel: struct x86_kernel_regs on the stack ---- */
.macro PUSH_ALL
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
.endm
.macro POP_ALL
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
.endm

exception_in_kernel:
	SMAP_SITE 0
	cld
	PUSH_ALL
	mov %rsp, %rdi
	call x86_kernel_exception	/* returns only after a fix-up of rip */
	POP_ALL
	add $16, %rsp
	iretq

/*
 * The stack is this exception's own; above the processor's 5 words lies this CPU's %gs base
 * (descriptors.c).
 */
.macro PARANOID name, vector, haserror
	.balign 16
	.globl \name
\name:
	.if \haserror
	.else
	pushq $0
	.endif
	pushq $\vector
	SMAP_SITE 0
	cld
	PUSH_ALL
	rdgsbase %rbx
	mov 22 * 8(%rsp), %rax
	wrgsbase %rax
	mov %rsp, %rdi
	mov %rsp, %rbp
	and $-16, %rsp
	call x86_paranoid_exception
	mov %rbp, %rsp
	wrgsbase %rbx
	POP_ALL
	add $16, %rsp
	iretq
.endm
	PARANOID x86_nmi_entry, 2, 0
	PARANOID x86_double_fault_entry, 8, 1
	PARANOID x86_machine_check_entry, 18, 0

/*
 * Debug exceptions have a stack of their own too, but come from user mode only as far as we know; in the
 * kernel they are dropped.
 */
	.balign 16
	.globl x86_debug_entry
x86_debug_entry:
	testb $3, 8(%rsp)
	jz 1f
	pushq $0
	pushq $1
	jmp exception_entry
1:	andl $~0x100, 16(%rsp)		/* RFLAGS.TF */
	iretq

/* arch_idle() after its C part: interrupts on and halt are one step for the processor. */
	.globl x86_halt
x86_halt:
	sti
	hlt
	cli
	jmp x86_halt

/* x86_call_on(function, stack end): for the way to kernel_main(). */
	.globl x86_call_on
x86_call_on:
	mov %rsi, %rsp
	xor %ebp, %ebp
	call *%rdi

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies and fills. Blocks of eight words through registers, then four words, words, bytes. Not one string instruction for all of it:
 * the emulated processor we measure on runs `rep movsq` word by word, and keeps translations in a table indexed by page number, so that
 * a word-wise copy between two pages that meet in it refills the table twice for each word; loading a block before storing it makes
 * that an eighth. Processors that say that their string instructions are fast (ERMS) get them for what is long.
 *
 * arch_user_copy(dst, src, len) returns the bytes not copied: each instruction that touches memory has a fix-up. A fault in a block leaves
 * the whole block uncopied as far as the caller learns; it tries again from there by another way.
 */

.macro SMAP_SITE kind
77:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.quad 77b, \kind
	.popsection
.endm

/* An instruction that may fault, and where to go then. */
.macro TOUCH fixup, instruction:vararg
88:	\instruction
	.ifnb \fixup
	.pushsection .fixups, "a"
	.quad 88b, \fixup
	.popsection
	.endif
.endm

/* Four words at \at, in two halves so that what is loaded can be stored later. */
.macro LOAD4 fixup, at, a, b, c, d
	TOUCH \fixup, mov \at(%rsi), \a
	TOUCH \fixup, mov \at+8(%rsi), \b
	TOUCH \fixup, mov \at+16(%rsi), \c
	TOUCH \fixup, mov \at+24(%rsi), \d
.endm
.macro STORE4 fixup, at, a, b, c, d
	TOUCH \fixup, mov \a, \at(%rdi)
	TOUCH \fixup, mov \b, \at+8(%rdi)
	TOUCH \fixup, mov \c, \at+16(%rdi)
	TOUCH \fixup, mov \d, \at+24(%rdi)
.endm

/* rdi, rsi, rdx as in C. rcx counts blocks; rdx holds the bytes behind the blocks. In the blocks three registers are on the stack. */
.macro COPY blocks, rest
	mov %rdx, %rcx
	and $63, %edx
	shr $6, %rcx
	jz 2f
	push %rbx
	push %r12
	push %r13
1:	LOAD4 \blocks, 0, %rax, %rbx, %r8, %r9
	LOAD4 \blocks, 32, %r10, %r11, %r12, %r13
	STORE4 \blocks, 0, %rax, %rbx, %r8, %r9
	STORE4 \blocks, 32, %r10, %r11, %r12, %r13
	add $64, %rsi
	add $64, %rdi
	dec %rcx
	jnz 1b
	pop %r13
	pop %r12
	pop %rbx
2:	test $32, %edx
	jz 2f
	LOAD4 \rest, 0, %rax, %r8, %r9, %r10
	STORE4 \rest, 0, %rax, %r8, %r9, %r10
	add $32, %rsi
	add $32, %rdi
	sub $32, %edx
2:	cmp $8, %edx
	jb 3f
	TOUCH \rest, mov (%rsi), %rax
	TOUCH \rest, mov %rax, (%rdi)
	add $8, %rsi
	add $8, %rdi
	sub $8, %edx
	jmp 2b
3:	test %edx, %edx
	jz 5f
4:	TOUCH \rest, movzbl (%rsi), %eax
	TOUCH \rest, mov %al, (%rdi)
	inc %rsi
	inc %rdi
	dec %edx
	jnz 4b
5:
.endm

/* Go on only where long strings are worth their start. */
.macro IF_STRING otherwise
	cmp $512, %rdx
	jb \otherwise
	cmpb $0, x86_fast_strings(%rip)
	je \otherwise
	mov %rdx, %rcx
.endm

	.section .data.hot, "aw"
	.globl x86_fast_strings
x86_fast_strings:
	.byte 0

	.section .text.hot, "ax"
	.balign 64
	.globl arch_user_copy
arch_user_copy:
	SMAP_SITE 1
	IF_STRING 6f
	TOUCH fault_in_string, rep movsb
	jmp 7f
6:	COPY fault_in_blocks, fault_in_rest
7:	SMAP_SITE 0
	xor %eax, %eax
	ret
fault_in_string:
	mov %rcx, %rax
	SMAP_SITE 0
	ret
fault_in_blocks:
	pop %r13
	pop %r12
	pop %rbx
	shl $6, %rcx
	lea (%rcx, %rdx), %rax
	SMAP_SITE 0
	ret
fault_in_rest:
	mov %edx, %eax
	SMAP_SITE 0
	ret

	.balign 64
	.globl arch_copy
arch_copy:
	IF_STRING 6f
	rep movsb
	ret
6:	COPY ,
	ret

	.globl arch_fill
arch_fill:
	movzbl %sil, %eax
	movabs $0x0101010101010101, %rcx
	imul %rcx, %rax
	IF_STRING 6f
	rep stosb
	ret
6:	mov %rdx, %rcx
	and $63, %edx
	shr $6, %rcx
	jz 2f
1:	mov %rax, (%rdi)
	mov %rax, 8(%rdi)
	mov %rax, 16(%rdi)
	mov %rax, 24(%rdi)
	mov %rax, 32(%rdi)
	mov %rax, 40(%rdi)
	mov %rax, 48(%rdi)
	mov %rax, 56(%rdi)
	add $64, %rdi
	dec %rcx
	jnz 1b
2:	mov %edx, %ecx
	rep stosb
	ret
	.section .note.GNU-stack, "", @progbits

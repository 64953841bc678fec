/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies and fills. Blocks of four words through registers, then words, then bytes. Not one string instruction for all of it: the
 * emulated processor we measure on keeps translations in a table indexed by page number, so that a word-wise copy between two pages
 * that meet in it refills the table twice for each word; loading a block before storing it makes that a quarter. Elsewhere the two
 * cost the same.
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

/* rdi, rsi, rdx as in C. rcx counts blocks, then words, then bytes; rdx holds the bytes behind the blocks. */
.macro COPY blocks, rest
	mov %rdx, %rcx
	and $31, %edx
	shr $5, %rcx
	jz 2f
1:	TOUCH \blocks, mov (%rsi), %rax
	TOUCH \blocks, mov 8(%rsi), %r8
	TOUCH \blocks, mov 16(%rsi), %r9
	TOUCH \blocks, mov 24(%rsi), %r10
	TOUCH \blocks, mov %rax, (%rdi)
	TOUCH \blocks, mov %r8, 8(%rdi)
	TOUCH \blocks, mov %r9, 16(%rdi)
	TOUCH \blocks, mov %r10, 24(%rdi)
	add $32, %rsi
	add $32, %rdi
	dec %rcx
	jnz 1b
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

	.text
	.balign 64
	.globl arch_user_copy
arch_user_copy:
	SMAP_SITE 1
	COPY fault_in_blocks, fault_in_rest
	SMAP_SITE 0
	xor %eax, %eax
	ret
fault_in_blocks:
	shl $5, %rcx
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
	COPY ,
	ret

	.globl arch_fill
arch_fill:
	movzbl %sil, %eax
	movabs $0x0101010101010101, %rcx
	imul %rcx, %rax
	mov %rdx, %rcx
	shr $3, %rcx
	and $7, %edx
	rep stosq
	mov %edx, %ecx
	rep stosb
	ret
	.section .note.GNU-stack, "", @progbits

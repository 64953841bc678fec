/* SPDX-License-Identifier: BSD-2-Clause */
/* void fiber_switch(void **save_sp, void *new_sp): change stacks. Callee-saved registers live on the stack being left. */
	.text
	.globl fiber_switch
	.type fiber_switch, @function
fiber_switch:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rdi)
	mov %rsi, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
	.size fiber_switch, . - fiber_switch
	.section .note.GNU-stack, "", @progbits

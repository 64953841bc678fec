/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First instructions on every CPU.
 *
 * Both loaders enter in 32-bit protected mode without paging, ebx = their information (PVH: struct
 * hvm_start_info; multiboot2: its tag list). Temporary page tables map the first 4 GiB at 0 and at the
 * direct map's place, and the first GiB at the kernel's place; then long mode, then C: x86_start(kind,
 * info). The temporary tables are used once more by each further CPU, which begins in x86_trampoline
 * (copied below 1 MiB) in real mode and continues in x86_ap_start(cpu).
 */
#include <x86/layout.h>

#define LOW(symbol) ((symbol) - X86_IMAGE)

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18			/* sizes of name and description; XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long LOW(x86_start_pvh)

	.section .boot, "ax"
	.balign 8
multiboot2:
	.long 0xe85250d6, 0, multiboot2_end - multiboot2
	.long 0x100000000 - 0xe85250d6 - (multiboot2_end - multiboot2)
	.balign 8
	.word 1, 0; .long 24		/* wanted: command line, modules, memory map, */
	.long 1, 3, 6, 0
	.balign 8
	.word 3, 0; .long 12		/* entry address */
	.long LOW(x86_start_multiboot2)
	.balign 8
	.word 6, 0; .long 8		/* modules page-aligned */
	.balign 8
	.word 0, 0; .long 8
multiboot2_end:

	.code32
	.globl x86_start_multiboot2
x86_start_multiboot2:
	mov $2, %edi
	cmp $0x36d76289, %eax
	je 1f
	hlt				/* some other loader: nothing can be said yet */
x86_start_pvh:
	mov $1, %edi
1:	cli
	cld
	mov %ebx, %esi
	mov $LOW(boot_stack_end), %esp
	call boot_tables_fill
	lgdt LOW(boot_gdt_pointer)
	call long_mode_enable
	ljmp $X86_KERNEL_CS, $LOW(start64)

/* pml4[0] = pml4[256] -> four page directories of 2 MiB pages; pml4[511] -> the first of them at -2 GiB. */
boot_tables_fill:
	movl $LOW(boot_pdpt_low) + 3, LOW(boot_pml4)
	movl $LOW(boot_pdpt_low) + 3, LOW(boot_pml4) + 256 * 8
	movl $LOW(boot_pdpt_high) + 3, LOW(boot_pml4) + 511 * 8
	movl $LOW(boot_pd) + 3, LOW(boot_pdpt_high) + 510 * 8
	mov $LOW(boot_pd) + 3, %eax
	xor %ecx, %ecx
1:	mov %eax, LOW(boot_pdpt_low)(, %ecx, 8)
	add $4096, %eax
	inc %ecx
	cmp $4, %ecx
	jb 1b
	mov $0x83, %eax
	xor %ecx, %ecx
2:	mov %eax, LOW(boot_pd)(, %ecx, 8)
	add $0x200000, %eax
	inc %ecx
	cmp $2048, %ecx
	jb 2b
	ret

/* Keeps edi and esi. */
long_mode_enable:
	mov $0x20, %eax			/* CR4.PAE */
	mov %eax, %cr4
	mov $LOW(boot_pml4), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx		/* EFER: SCE, LME, NXE */
	rdmsr
	or $0x901, %eax
	wrmsr
	mov $0x80010023, %eax		/* CR0: PG WP NE MP PE */
	mov %eax, %cr0
	ret

	.code64
start64:
	lgdt LOW(boot_gdt_pointer64)
	mov $X86_KERNEL_DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	movabs $boot_stack_end, %rsp
	xor %ebp, %ebp
	mov %edi, %edi
	mov %esi, %esi
	movabs $x86_start, %rax
	call *%rax

	.balign 8
boot_gdt:
	.quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff	/* the kernel's selectors, see x86/layout.h */
	.quad 0x00cf9b000000ffff				/* 0x20: 32-bit code, for the trampoline */
boot_gdt_pointer:
	.word boot_gdt_pointer - boot_gdt - 1
	.long LOW(boot_gdt)
boot_gdt_pointer64:
	.word boot_gdt_pointer - boot_gdt - 1
	.quad boot_gdt

/* Position-independent up to the far jumps, whose targets are known: the code runs at X86_TRAMPOLINE. */
#define AT(label) (X86_TRAMPOLINE + (label) - x86_trampoline)
	.code16
	.globl x86_trampoline, x86_trampoline_end
x86_trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl AT(trampoline_gdt)
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $0x20, $AT(trampoline32)
	.code32
trampoline32:
	mov $X86_KERNEL_DS, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $X86_TRAMPOLINE + 0x1000, %esp
	mov $LOW(long_mode_enable), %eax
	call *%eax
	ljmp $X86_KERNEL_CS, $LOW(trampoline64)
trampoline_gdt:
	.word boot_gdt_pointer - boot_gdt - 1
	.long LOW(boot_gdt)
x86_trampoline_end:

	.code64
trampoline64:
	lgdt LOW(boot_gdt_pointer64)
	mov $X86_KERNEL_DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	movabs $1f, %rax		/* out of the identity map, which the next root lacks */
	jmp *%rax
1:	mov x86_ap_cr3, %rax
	mov %rax, %cr3
	mov x86_ap_stack, %rsp
	mov x86_ap_number, %edi
	xor %ebp, %ebp
	call x86_ap_start

	.bss
	.balign 4096
	.globl boot_pml4
boot_pml4: .space 4096
boot_pdpt_low: .space 4096
boot_pdpt_high: .space 4096
boot_pd: .space 4 * 4096
	.space 8192
boot_stack_end:
	.section .note.GNU-stack, "", @progbits

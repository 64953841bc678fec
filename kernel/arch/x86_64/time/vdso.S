/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vDSO: a shared object of one page that the kernel maps into every user process, so that reading the
 * clock needs no system call. It is written out here as the file image an ELF loader would map (headers,
 * dynamic section, symbols with version LINUX_2.6, code), because the C libraries parse it as one. One hash
 * bucket chains all symbols. The clock data (x86/vvar.h) is the page below.
 *
 * Time = (TSC - start) * multiplier >> 32, plus the real time of boot for CLOCK_REALTIME; read again if the
 * sequence changed.
 */
	.section .rodata.vdso, "a"
	.balign 4096
	.globl x86_vdso_start, x86_vdso_end
x86_vdso_start:
#define OFF(label) ((label) - x86_vdso_start)
	.byte 0x7f; .ascii "ELF"; .byte 2, 1, 1, 0; .quad 0
	.word 3, 62; .long 1; .quad 0, OFF(program_headers), 0; .long 0; .word 64, 56, 2, 0, 0, 0
program_headers:		/* PT_LOAD, readable and executable; PT_DYNAMIC */
	.long 1, 5; .quad 0, 0, 0, OFF(image_end), OFF(image_end), 4096
	.long 2, 4; .quad OFF(dynamic), OFF(dynamic), OFF(dynamic)
	.quad OFF(dynamic_end) - OFF(dynamic), OFF(dynamic_end) - OFF(dynamic), 8
dynamic:
	.quad 14, name_soname - strings		/* SONAME */
	.quad 4, OFF(hash), 5, OFF(strings), 6, OFF(symbols), 10, strings_end - strings, 11, 24
	.quad 0x6ffffff0, OFF(versions)		/* VERSYM */
	.quad 0x6ffffffc, OFF(definitions), 0x6ffffffd, 2	/* VERDEF, VERDEFNUM */
	.quad 0, 0
dynamic_end:

#define NR_SYMBOLS 6
hash:	.long 1, NR_SYMBOLS, 1, 0, 2, 3, 4, 5, 0
	.balign 8
.macro SYMBOL name, function, end
	.long \name - strings; .byte 0x12, 0; .word 1; .quad OFF(\function), \end - \function
.endm
symbols:
	.quad 0, 0, 0
	SYMBOL name_clock_gettime, clock_gettime, clock_gettime_end
	SYMBOL name_gettimeofday, gettimeofday, gettimeofday_end
	SYMBOL name_time, time, time_end
	SYMBOL name_getcpu, getcpu, getcpu_end
	SYMBOL name_clock_getres, clock_getres, clock_getres_end
versions:
	.word 0, 2, 2, 2, 2, 2
	.balign 8
definitions:
	.word 1, 1, 1, 1; .long 0x0deebfa1, 20, 28, name_soname - strings, 0	/* the object itself */
	.word 1, 0, 2, 1; .long 0x03ae75f6, 20, 0, name_version - strings, 0	/* hash of "LINUX_2.6" */
strings:
	.byte 0
name_soname: .asciz "linux-vdso.so.1"
name_version: .asciz "LINUX_2.6"
name_clock_gettime: .asciz "__vdso_clock_gettime"
name_gettimeofday: .asciz "__vdso_gettimeofday"
name_time: .asciz "__vdso_time"
name_getcpu: .asciz "__vdso_getcpu"
name_clock_getres: .asciz "__vdso_clock_getres"
strings_end:

#define VVAR(offset) (x86_vdso_start - 4096 + (offset))(%rip)
#define CLOCKS 0xf3			/* bit per clock id served: 0, 1, 4..7 */
#define REALTIME_CLOCKS 0x21		/* those that add the real time of boot: 0, 5 */

/* rax = ns; r8d = 1 if since 1970. Destroys rcx, rdx, r9. */
	.balign 16
read_clock:
	mov VVAR(0), %r9d
	test $1, %r9d
	jnz 2f
	lfence
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	xor %edx, %edx
	sub VVAR(8), %rax
	cmovs %rdx, %rax
	mulq VVAR(16)
	shrd $32, %rdx, %rax
	test %r8d, %r8d
	jz 1f
	add VVAR(24), %rax
1:	cmp VVAR(0), %r9d
	jne read_clock
	ret
2:	pause
	jmp read_clock

clock_gettime:
	cmp $7, %edi
	ja 1f
	mov $CLOCKS, %eax
	bt %edi, %eax
	jnc 1f
	mov $REALTIME_CLOCKS, %eax
	xor %r8d, %r8d
	bt %edi, %eax
	adc %r8d, %r8d
	call read_clock
	xor %edx, %edx
	mov $1000000000, %ecx
	div %rcx
	mov %rax, (%rsi)
	mov %rdx, 8(%rsi)
	xor %eax, %eax
	ret
1:	mov $228, %eax
	syscall
	ret
clock_gettime_end:

gettimeofday:
	test %rdi, %rdi
	jz 1f
	mov $1, %r8d
	call read_clock
	xor %edx, %edx
	mov $1000000000, %ecx
	div %rcx
	mov %rax, (%rdi)
	mov %edx, %eax
	xor %edx, %edx
	mov $1000, %ecx
	div %ecx
	mov %rax, 8(%rdi)
1:	test %rsi, %rsi
	jz 2f
	movq $0, (%rsi)
2:	xor %eax, %eax
	ret
gettimeofday_end:

time:
	mov $1, %r8d
	call read_clock
	xor %edx, %edx
	mov $1000000000, %ecx
	div %rcx
	test %rdi, %rdi
	jz 1f
	mov %rax, (%rdi)
1:	ret
time_end:

/*
 * The CPU's number is the limit of a segment that each CPU has in its descriptor table
 * (trap/descriptors.c).
 */
getcpu:
	mov $0x3b, %eax
	lsl %eax, %eax
	test %rdi, %rdi
	jz 1f
	mov %eax, (%rdi)
1:	test %rsi, %rsi
	jz 2f
	movl $0, (%rsi)
2:	xor %eax, %eax
	ret
getcpu_end:

clock_getres:
	mov $229, %eax
	syscall
	ret
clock_getres_end:
image_end:
	.balign 4096, 0
x86_vdso_end:
	.section .note.GNU-stack, "", @progbits

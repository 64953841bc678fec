/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saved registers as seen by fork, exec and tracers; see arch/frame.h. Whatever a process or its tracer
 * supplies, the frame can only lead to user mode: selectors are constants of the exit path, rip and the
 * thread pointers are checked here, flags are reduced to the harmless ones.
 */
#include <arch/console.h>
#include <arch/frame.h>
#include <arch/sigframe.h>
#include <arch/space.h>
#include <kernel/errno.h>
#include <x86/cpu.h>
#include <x86/layout.h>

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };

/* Linux's user_regs_struct. */
struct user_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs,
		rflags, rsp, ss, fs_base, gs_base,
		ds, es, fs, gs;
};
_Static_assert(sizeof(struct user_regs) == ARCH_REGS_BYTES, "Linux's layout");

bool arch_frame_init(struct arch_frame *f, vaddr_t pc, vaddr_t sp)
{
	if (pc >= X86_USER_LIMIT || sp > X86_USER_LIMIT)
		return false;
	*f = (struct arch_frame){ .rip = pc, .rsp = sp, .rflags = RFLAGS_IF | RFLAGS_ONE, .full = 1,
				  .orig_rax = ~0ull };
	return true;
}

bool arch_frame_fork(struct arch_frame *child, const struct arch_frame *parent, vaddr_t sp, vaddr_t tls)
{
	if (sp > X86_USER_LIMIT || tls >= X86_USER_LIMIT)
		return false;
	*child = *parent;
	child->rax = 0;
	if (sp)
		child->rsp = sp;
	if (tls)
		child->fs_base = tls;
	return true;
}

void arch_frame_get_regs(const struct arch_frame *f, void *regs)
{
	*(struct user_regs *)regs = (struct user_regs){
		.r15 = f->r15, .r14 = f->r14, .r13 = f->r13, .r12 = f->r12, .rbp = f->rbp, .rbx = f->rbx,
			.r11 = f->full ? f->r11 : f->rflags,
		.r10 = f->r10, .r9 = f->r9, .r8 = f->r8, .rax = f->rax, .rcx = f->full ? f->rcx : f->rip,
			.rdx = f->rdx, .rsi = f->rsi,
		.rdi = f->rdi, .orig_rax = f->orig_rax, .rip = f->rip, .cs = X86_USER_CS,
			.rflags = f->rflags, .rsp = f->rsp, .ss = X86_USER_DS,
		.fs_base = f->fs_base, .gs_base = f->gs_base,
	};
}

bool arch_frame_set_regs(struct arch_frame *f, const void *regs)
{
	const struct user_regs *u = regs;

	if (u->rip >= X86_USER_LIMIT || u->fs_base >= X86_USER_LIMIT || u->gs_base >= X86_USER_LIMIT)
		return false;
	f->r15 = u->r15, f->r14 = u->r14, f->r13 = u->r13, f->r12 = u->r12, f->rbp = u->rbp,
		f->rbx = u->rbx, f->r11 = u->r11;
	f->r10 = u->r10, f->r9 = u->r9, f->r8 = u->r8, f->rax = u->rax, f->rcx = u->rcx, f->rdx = u->rdx,
		f->rsi = u->rsi;
	f->rdi = u->rdi, f->orig_rax = u->orig_rax, f->rip = u->rip, f->rsp = u->rsp;
	f->rflags = (u->rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_ONE;
	f->fs_base = u->fs_base, f->gs_base = u->gs_base;
	f->full = 1;
	return true;
}

void arch_frame_step_set(struct arch_frame *f, bool on)
{
	f->rflags &= ~(uint64_t)RFLAGS_TF;
	if (on)
		f->rflags |= RFLAGS_TF;
}

err_t arch_prctl(struct proc *p, struct arch_frame *f, uint64_t op, uint64_t address)
{
	switch (op) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (address >= X86_USER_LIMIT)
			return -EPERM;
		*(op == ARCH_SET_FS ? &f->fs_base : &f->gs_base) = address;
		return 0;
	case ARCH_GET_FS:
		return proc_copy_out(p, address, &f->fs_base, sizeof(f->fs_base));
	case ARCH_GET_GS:
		return proc_copy_out(p, address, &f->gs_base, sizeof(f->gs_base));
	}
	return -EINVAL;
}

void arch_frame_dump(const struct arch_frame *f)
{
	log_printf("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	log_printf("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", f->rsi, f->rdi, f->rbp, f->rsp);
	log_printf("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", f->r8, f->r9, f->r10, f->r11);
	log_printf("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", f->r12, f->r13, f->r14, f->r15);
	log_printf("rip %016lx flags %08lx call %ld fs %lx gs %lx\n", f->rip, f->rflags, (long)f->orig_rax,
		f->fs_base, f->gs_base);
}

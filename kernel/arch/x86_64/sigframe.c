/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's rt_sigframe on the user's stack, growing down from the interrupted stack pointer (less the red
 * zone) or the alternate stack:
 *
 *	fxsave image, 64-byte aligned
 *	siginfo, 128 bytes
 *	ucontext (flags, link, stack, registers, mask)
 *	return address = restorer	<- stack pointer at the handler, 8 modulo 16
 *
 * The whole is put together here and copied out in one piece; nothing of the process changes before the
 * copy has succeeded.
 */
#include <arch/sigframe.h>
#include <arch/space.h>
#include <kernel/errno.h>
#include <x86/cpu.h>
#include <x86/fpu.h>
#include <x86/layout.h>

enum {
	FX_BYTES = 512, FX_ALIGN = 64, RED_ZONE = 128,
	UC_FLAGS = 2 | 4,	/* ss is valid and to be restored */
};
enum { FX_SOFTWARE = 464 /* bytes up to the end are the system's: no extended state */ };

struct sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};
struct ucontext {
	uint64_t flags, link, stack_sp;
	uint32_t stack_flags, pad;
	uint64_t stack_size;
	struct sigcontext regs;
	uint64_t mask;
};
struct rt_sigframe { uint64_t restorer; struct ucontext uc; uint8_t info[128]; };
_Static_assert(sizeof(struct sigcontext) == 256 && sizeof(struct ucontext) == 304
	&& sizeof(struct rt_sigframe) == 440, "Linux's layout");

static void sigcontext_fill(struct sigcontext *c, const struct arch_frame *f, const struct sigsend *s)
{
	*c = (struct sigcontext){
		.r8 = f->r8, .r9 = f->r9, .r10 = f->r10, .r11 = f->full ? f->r11 : f->rflags, .r12 = f->r12,
			.r13 = f->r13,
		.r14 = f->r14, .r15 = f->r15, .rdi = f->rdi, .rsi = f->rsi, .rbp = f->rbp, .rbx = f->rbx,
			.rdx = f->rdx,
		.rax = f->rax, .rcx = f->full ? f->rcx : f->rip, .rsp = f->rsp, .rip = f->rip,
			.rflags = f->rflags,
		.cs = X86_USER_CS, .ss = X86_USER_DS, .err = s->error, .trapno = s->trapno, .cr2 =
			s->fault_addr,
	};
}

static bool on_altstack(const struct sigsend *s, uint64_t sp)
{
	return sp - s->altstack_sp <= s->altstack_size && sp > s->altstack_sp;
}

/* Where the frame ends (its top). */
static uint64_t frame_top(const struct arch_frame *f, const struct sigsend *s)
{
	if (s->flags & SIGSEND_ONSTACK && s->altstack_size && !on_altstack(s, f->rsp))
		return s->altstack_sp + s->altstack_size;
	return f->rsp - RED_ZONE;
}

static void handler_enter(struct arch_frame *f, const struct sigsend *s, uint64_t at)
{
	f->rdi = (uint64_t)s->signo;
	f->rsi = at + offsetof(struct rt_sigframe, info);
	f->rdx = at + offsetof(struct rt_sigframe, uc);
	f->rax = 0;
	f->rsp = at;
	f->rip = s->handler;
	f->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
	f->full = 1;
}

err_t arch_sigframe_build(struct proc *p, struct arch_frame *f, struct arch_fpu *fpu,
	const struct sigsend *s, uint64_t saved_mask)
{
	uint8_t buffer[sizeof(struct rt_sigframe) + FX_ALIGN + FX_BYTES] __attribute__((aligned(16)));
	struct rt_sigframe *frame = (void *)buffer;
	uint64_t top = frame_top(f, s), fx, at;
	err_t e;

	fx = (top - FX_BYTES) & ~(uint64_t)(FX_ALIGN - 1);
	at = ((fx - sizeof(*frame)) & ~(uint64_t)15) - 8;
	if (top > X86_USER_LIMIT || at > top || s->handler >= X86_USER_LIMIT)
		return -EFAULT;
	arch_fill(buffer, 0, sizeof(buffer));
	frame->restorer = s->restorer;
	frame->uc = (struct ucontext){ .flags = UC_FLAGS, .stack_sp = s->altstack_sp,
		.stack_flags = s->altstack_flags,
				       .stack_size = s->altstack_size, .mask = saved_mask };
	sigcontext_fill(&frame->uc.regs, f, s);
	frame->uc.regs.oldmask = saved_mask;
	frame->uc.regs.fpstate = fx;
	arch_copy(frame->info, s->siginfo, sizeof(frame->info));
	x86_fpu_image_get(fpu, buffer + (fx - at));
	arch_fill(buffer + (fx - at) + FX_SOFTWARE, 0, FX_BYTES - FX_SOFTWARE);
	e = proc_copy_out(p, at, buffer, fx + FX_BYTES - at);
	if (e)
		return e;
	handler_enter(f, s, at);
	arch_fpu_init(fpu);	/* a handler starts with clean control words, whatever it interrupted */
	return 0;
}

static void frame_restore(struct arch_frame *f, const struct sigcontext *c)
{
	f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11, f->r12 = c->r12, f->r13 = c->r13,
		f->r14 = c->r14;
	f->r15 = c->r15, f->rdi = c->rdi, f->rsi = c->rsi, f->rbp = c->rbp, f->rbx = c->rbx,
		f->rdx = c->rdx, f->rax = c->rax;
	f->rcx = c->rcx, f->rsp = c->rsp, f->rip = c->rip;
	f->rflags = (c->rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_ONE;
	f->orig_rax = ~0ull;
	f->full = 1;
}

err_t arch_sigframe_restore(struct proc *p, struct arch_frame *f, struct arch_fpu *fpu, uint64_t *mask)
{
	uint8_t image[FX_BYTES] __attribute__((aligned(16)));
	struct ucontext uc;
	/* the handler's return has taken the restorer off */
	err_t e = proc_copy_in(p, &uc, f->rsp, sizeof(uc));

	if (e)
		return e;
	if (uc.regs.rip >= X86_USER_LIMIT)
		return -EFAULT;
	if (uc.regs.fpstate)
		e = proc_copy_in(p, image, uc.regs.fpstate, sizeof(image));
	if (e)
		return e;
	if (uc.regs.fpstate)
		x86_fpu_image_set(fpu, image);
	else
		arch_fpu_init(fpu);
	frame_restore(f, &uc.regs);
	*mask = uc.mask;
	return 0;
}

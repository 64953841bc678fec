/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saved registers. entry.S knows the offsets (x86_offsets.h). The message registers lie in message order,
 * so that delivery is a copy of eight words. Segment selectors are constants and not stored.
 */
#pragma once
#include <abi/types.h>

struct arch_frame {
	union {
		struct { uint64_t rsi, rdx, r10, r8, r9, r12, r13, r14; };
		uint64_t message[8];		/* type, w[0..6] */
	};
	uint64_t rdi, rbx, rax, rbp, r15, rcx, r11, rsp, rip, rflags;
	uint64_t orig_rax;		/* number of the system call; ~0 after another kind of entry */
	uint64_t full;			/* 1: rcx and r11 are live, leave by iretq; 0: sysretq will do */
	uint64_t fs_base, gs_base;	/* complete whenever the kernel runs */
};

static inline uint64_t arch_frame_number(const struct arch_frame *f) { return f->orig_rax; }
static inline uint64_t arch_frame_result(const struct arch_frame *f) { return f->rax; }
static inline void arch_frame_result_set(struct arch_frame *f, int64_t v) { f->rax = (uint64_t)v; }
static inline endpoint_t arch_frame_endpoint(const struct arch_frame *f) { return (endpoint_t)f->rdi; }
static inline void arch_frame_source_set(struct arch_frame *f, endpoint_t e)
{
	f->rdi = (uint64_t)(int64_t)e;
}
static inline uint64_t arch_frame_operand(const struct arch_frame *f) { return f->rbx; }
static inline void arch_frame_status_set(struct arch_frame *f, uint32_t status) { f->rbx = status; }
static inline uint32_t arch_frame_type(const struct arch_frame *f) { return (uint32_t)f->message[0]; }
static inline void arch_frame_type_set(struct arch_frame *f, uint32_t type) { f->message[0] = type; }
static inline uint64_t arch_frame_word(const struct arch_frame *f, unsigned i) { return f->message[1 + i]; }
static inline void arch_frame_words(const struct arch_frame *f, uint64_t w[7])
{
	w[0] = f->rdx, w[1] = f->r10, w[2] = f->r8, w[3] = f->r9, w[4] = f->r12, w[5] = f->r13, w[6] = f->r14;
}
static inline void arch_frame_words_set(struct arch_frame *f, const uint64_t w[7])
{
	f->rdx = w[0], f->r10 = w[1], f->r8 = w[2], f->r9 = w[3], f->r12 = w[4], f->r13 = w[5], f->r14 = w[6];
}
static inline void arch_frame_message_copy(struct arch_frame *dst, const struct arch_frame *src)
{
	dst->rsi = src->rsi, dst->rdx = src->rdx, dst->r10 = src->r10, dst->r8 = src->r8;
	dst->r9 = src->r9, dst->r12 = src->r12, dst->r13 = src->r13, dst->r14 = src->r14;
}
static inline void arch_frame_call_copy(struct arch_frame *dst, const struct arch_frame *src, uint32_t base)
{
	dst->rsi = base + (uint32_t)src->orig_rax;
	dst->rdx = src->rdi, dst->r10 = src->rsi, dst->r8 = src->rdx;
	dst->r9 = src->r10, dst->r12 = src->r8, dst->r13 = src->r9, dst->r14 = 0;
}
static inline void arch_frame_args(const struct arch_frame *f, uint64_t a[6])
{
	a[0] = f->rdi, a[1] = f->rsi, a[2] = f->rdx, a[3] = f->r10, a[4] = f->r8, a[5] = f->r9;
}
static inline vaddr_t arch_frame_pc(const struct arch_frame *f) { return f->rip; }
static inline vaddr_t arch_frame_sp(const struct arch_frame *f) { return f->rsp; }
static inline vaddr_t arch_frame_bp(const struct arch_frame *f) { return f->rbp; }
static inline void arch_frame_restart(struct arch_frame *f)
{
	f->rip -= 2;		/* length of syscall */
	f->rax = f->orig_rax;
}

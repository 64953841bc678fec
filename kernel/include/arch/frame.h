/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct arch_frame: the saved registers of a process, first member of struct proc (entry code stores into
 * it). The message of a process that sends or waits lives in it, see abi/ipc.h; these accessors are the
 * only way generic code sees registers.
 *
 *   arch_frame_number(f)          number in the syscall instruction (kept unchanged until the next entry)
 *   arch_frame_result_set(f, v)   the value the syscall returns;  arch_frame_result(f)
 *   arch_frame_endpoint(f)        first operand;  arch_frame_source_set(f, ep) its value on return
 *   arch_frame_operand(f)         second operand (64 bits);  arch_frame_status_set(f, v) its value on return
 *   arch_frame_type(f), with _set; arch_frame_word(f, i)      message type (32 bits), words 0..6
 *   arch_frame_words(f, w)        all words, with _set
 *   arch_frame_message_copy(dst, src)  type and all words, the fast path of delivery
 *   arch_frame_call_copy(dst, src, base)  the message of a Linux call: type base + number, words = arguments
 *   arch_frame_args(f, a)         the six arguments of a Linux call
 *   arch_frame_pc, arch_frame_sp, arch_frame_bp    where it is
 *   arch_frame_restart(f)         make it execute its syscall instruction again, with the argument
 *                                 registers as they are then
 */
#pragma once
#include <arch/impl/frame.h>
#include <stdbool.h>

struct proc;

/*
 * Everything zero, user mode, interrupts on, starts at pc with stack sp. false if pc or sp is no user
 * address.
 */
bool arch_frame_init(struct arch_frame *f, vaddr_t pc, vaddr_t sp);

/*
 * Child of fork: a copy with result 0; stack and thread pointer replaced unless 0. Bad addresses: false,
 * nothing changed. The parent must not be running in user mode on another CPU.
 */
bool arch_frame_fork(struct arch_frame *child, const struct arch_frame *parent, vaddr_t sp, vaddr_t tls);

/*
 * ptrace: Linux's user_regs_struct. Setting sanitises; values that would let a process into the kernel are
 * refused (false).
 */
enum { ARCH_REGS_BYTES = 27 * 8 };
void arch_frame_get_regs(const struct arch_frame *f, void *regs);
bool arch_frame_set_regs(struct arch_frame *f, const void *regs);
void arch_frame_step_set(struct arch_frame *f, bool on);

/*
 * Linux's arch_prctl for the current process p. Returns the call's result (0, -EINVAL, -EPERM or what
 * proc_copy_out() said).
 */
err_t arch_prctl(struct proc *p, struct arch_frame *f, uint64_t op, uint64_t address);

/* Registers in words, to the log. */
void arch_frame_dump(const struct arch_frame *f);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's signal frames. Both functions reach user memory only through proc_copy_out/in and change the
 * registers only after the copies succeeded, so they may be called again after a page was missing.
 */
#pragma once
#include <abi/ksig.h>
#include <arch/fpu.h>
#include <arch/frame.h>

/* ---- provided by the generic kernel ---- */
/*
 * 0, -EFAULT, or -EAGAIN: a page is missing, p was parked and VM asked; the caller returns and is called
 * again.
 */
err_t proc_copy_out(struct proc *p, vaddr_t dst, const void *src, uint64_t len);
err_t proc_copy_in(struct proc *p, void *dst, vaddr_t src, uint64_t len);

/* ---- provided by the port ---- */
/*
 * Pushes a frame for s and points p at the handler. saved_mask: the signal mask to come back at sigreturn.
 * Errors of proc_copy_out().
 */
err_t arch_sigframe_build(struct proc *p, struct arch_frame *f, struct arch_fpu *fpu,
	const struct sigsend *s, uint64_t saved_mask);
/*
 * rt_sigreturn: 0 with *mask and all registers restored (the result register too), or an error (-EFAULT:
 * bad frame, nothing changed).
 */
err_t arch_sigframe_restore(struct proc *p, struct arch_frame *f, struct arch_fpu *fpu, uint64_t *mask);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floating-point and vector state, switched lazily: it stays in the registers of the CPU that used it last
 * until another process uses the FPU there. A CPU that needs state living on another CPU asks for it by an
 * interrupt that takes no lock. Whoever spins in the kernel with interrupts off must call arch_spin_wait()
 * in the loop, so that such requests are served.
 */
#pragma once
#include <arch/impl/fpu.h>

void arch_fpu_init(struct arch_fpu *fpu);	/* initial state (new process, exec); drops what it had */
void arch_fpu_copy(struct arch_fpu *child, struct arch_fpu *parent);	/* fork */
void arch_fpu_flush(struct arch_fpu *fpu);	/* into memory; before it is moved, swapped or read */
void arch_fpu_drop(struct arch_fpu *fpu);	/* state no longer needed (the process is gone) */

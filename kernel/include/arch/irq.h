/* SPDX-License-Identifier: BSD-2-Clause */
/* Device interrupt lines (global numbers; ISA numbers are translated by the port), delivered as TRAP_DEVICE on the boot CPU. */
#pragma once
#include <abi/types.h>
#include <stdbool.h>

enum { ARCH_NR_IRQS = 64 };

bool arch_irq_exists(unsigned irq);
void arch_irq_set_level(unsigned irq, bool level);	/* overrides what the firmware says; only while masked */
void arch_irq_mask(unsigned irq);			/* all are masked at start */
void arch_irq_unmask(unsigned irq);

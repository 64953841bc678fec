/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device interrupt lines (global numbers; ISA numbers are translated by the port), delivered to
 * kernel_interrupt() on the boot CPU. A level- triggered line is masked when kernel_interrupt() is called
 * and stays so until arch_irq_unmask(); an edge-triggered one is not.
 */
#pragma once
#include <abi/types.h>
#include <stdbool.h>

enum { ARCH_NR_IRQS = 64 };

bool arch_irq_exists(unsigned irq);
/* overrides what the firmware says; only while masked */
void arch_irq_set_level(unsigned irq, bool level);
/* A number without a line can be raised by a message: what a device writes where. false: it has a line. */
bool arch_irq_message(unsigned irq, uint64_t *address, uint32_t *data);
void arch_irq_mask(unsigned irq);			/* all are masked at start */
void arch_irq_unmask(unsigned irq);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines. After irq_attach() interrupts arrive as notifications from EP_HARDWARE with the bit `notify_id` (0..63) set; with
 * IRQ_REENABLE the line is unmasked again when the notification has been taken. Attaching again after a restart replaces the
 * predecessor's hook.
 */
#pragma once
#include <libsys/kcall.h>

static inline err_t irq_attach(uint32_t irq, uint32_t notify_id, uint32_t flags)
{
	err_t r = sys_irqctl(IRQCTL_SET, irq, notify_id, flags, 0);

	return r ? r : sys_irqctl(IRQCTL_ENABLE, irq, notify_id, flags, 0);
}

static inline err_t irq_detach(uint32_t irq, uint32_t notify_id)
{
	return sys_irqctl(IRQCTL_REMOVE, irq, notify_id, 0, 0);
}

static inline err_t irq_enable(uint32_t irq, uint32_t notify_id)
{
	return sys_irqctl(IRQCTL_ENABLE, irq, notify_id, 0, 0);
}

static inline err_t irq_disable(uint32_t irq, uint32_t notify_id)
{
	return sys_irqctl(IRQCTL_DISABLE, irq, notify_id, 0, 0);
}

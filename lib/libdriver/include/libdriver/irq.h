/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines and messages. After irq_attach() or irq_attach_message() interrupts arrive as notifications from EP_HARDWARE with the
 * bit `notify_id` (0..63) set; with IRQ_REENABLE the line is unmasked again when the notification has been taken. Attaching the same id
 * again after a restart replaces the predecessor's hook. The hook is what detaching and masking want.
 */
#pragma once
#include <libsys/kcall.h>

static inline err_t irq_attach(uint32_t irq, uint32_t notify_id, uint32_t flags, uint64_t *hook)
{
	return sys_irqctl(IRQCTL_SET, irq, notify_id, flags, hook);
}

/* A vector for a device with MSI or MSI-X: *data written to *address raises it. */
static inline err_t irq_attach_message(uint32_t notify_id, uint64_t *hook, uint64_t *address, uint32_t *data)
{
	return sys_irqctl_msi(notify_id, hook, address, data);
}

static inline err_t irq_detach(uint64_t hook)
{
	return sys_irqctl(IRQCTL_REMOVE, (uint32_t)hook, 0, 0, 0);
}

static inline err_t irq_enable(uint64_t hook)
{
	return sys_irqctl(IRQCTL_ENABLE, (uint32_t)hook, 0, 0, 0);
}

static inline err_t irq_disable(uint64_t hook)
{
	return sys_irqctl(IRQCTL_DISABLE, (uint32_t)hook, 0, 0, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_IRQCTL: interrupt lines for drivers. */
#include <arch/irq.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/irq.h>
#include <kernel/kcall.h>
#include <kernel/priv.h>

enum { COM1_IRQ = 4, NOTIFY_IDS = 64 };

static err_t irqctl_set(struct proc *caller, struct kcall *c)
{
	uint64_t irq = c->w[1];
	unsigned hook;
	err_t err;

	if (irq >= ARCH_NR_IRQS || !arch_irq_exists((unsigned)irq) || c->w[2] >= NOTIFY_IDS
	    || (c->w[3] & ~(uint64_t)(IRQ_REENABLE | IRQ_LEVEL)))
		return -EINVAL;
	if (!priv_irq_allowed(caller->priv, (uint32_t)irq))
		return -EPERM;
	err = irq_hook_set(caller, (unsigned)irq, (unsigned)c->w[2], (uint32_t)c->w[3], &hook);
	if (err)
		return err;
	/* A driver takes the serial line over: the log goes to memory only. */
	if (irq == COM1_IRQ)
		log_set_console(false);
	c->w[1] = hook;
	return 0;
}

/* Whoever has ports or registers of some device may: a message is raised by a device that the caller already controls. */
static bool controls_a_device(const struct priv_spec *s)
{
	return s->nr_mem || s->nr_io || !(s->flags & PRIV_CHECK_MEM) || !(s->flags & PRIV_CHECK_IO);
}

static err_t irqctl_message(struct proc *caller, struct kcall *c)
{
	uint64_t address;
	uint32_t data;
	unsigned hook;
	err_t err;

	if (c->w[2] >= NOTIFY_IDS)
		return -EINVAL;
	if (!controls_a_device(&caller->priv->spec))
		return -EPERM;
	err = irq_hook_set_message(caller, (unsigned)c->w[2], &hook, &address, &data);
	if (err)
		return err;
	c->w[1] = hook;
	c->w[2] = address;
	c->w[3] = data;
	return 0;
}

err_t kcall_IRQCTL(struct proc *caller, struct kcall *c)
{
	if (caller->priv->id == PRIV_ID_USER)
		return -EPERM;
	switch (c->w[0]) {
	case IRQCTL_SET: return irqctl_set(caller, c);
	case IRQCTL_REMOVE: return irq_hook_remove(caller, (unsigned)c->w[1]);
	case IRQCTL_ENABLE: return irq_hook_enable(caller, (unsigned)c->w[1], true);
	case IRQCTL_DISABLE: return irq_hook_enable(caller, (unsigned)c->w[1], false);
	case IRQCTL_MSI: return irqctl_message(caller, c);
	default: return -EINVAL;
	}
}

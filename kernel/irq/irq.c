/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt hooks. A line may have several; each notifies its owner with an id. A level-triggered line comes masked and is unmasked when
 * all its hooks are served: by taking the notification (IRQ_REENABLE) or by KC_IRQCTL ENABLE.
 *
 * Numbers that no line has serve messages (MSI): a device writes a word to an address to raise one. They are never shared or masked.
 *
 * Hooks belong to an endpoint, not to memory: they survive the exchange of a service's memory, and a restarted driver that sets the same
 * (owner, id) replaces its hook. If the owner dies its hooks are removed, which unmasks lines it shared with others.
 */
#include <abi/kcall.h>
#include <arch/irq.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/irq.h>

enum { NR_HOOKS = 64, HOOKS_PER_OWNER = 16 };

struct irq_hook {
	endpoint_t owner;		/* 0: free */
	uint8_t irq, id;
	uint32_t flags;
	bool waiting;			/* raised, not served yet: the line stays masked */
	bool disabled;
};
static struct irq_hook hooks[NR_HOOKS];

/* Masked while a hook waits or is disabled, or nobody wants the line. */
static void irq_update_line(unsigned irq)
{
	bool wanted = false, held = false;

	for (int i = 0; i < NR_HOOKS; i++) {
		if (!hooks[i].owner || hooks[i].irq != irq)
			continue;
		wanted = true;
		held |= hooks[i].waiting || hooks[i].disabled;
	}
	if (wanted && !held)
		arch_irq_unmask(irq);
	else
		arch_irq_mask(irq);
}

void irq_raise(unsigned irq)
{
	bool any = false;

	for (int i = 0; i < NR_HOOKS; i++) {
		struct proc *p = hooks[i].owner && hooks[i].irq == irq ? proc_of_endpoint(hooks[i].owner) : 0;

		if (!p)
			continue;
		any = true;
		if (hooks[i].disabled)
			continue;	/* a message: those cannot be masked */
		/* Set first: the notification may be taken at once and clears it. */
		hooks[i].waiting = !(hooks[i].flags & IRQ_REENABLE) || (hooks[i].flags & IRQ_LEVEL);
		notify_irq(p, hooks[i].id);
	}
	if (!any)
		arch_irq_mask(irq);
	else
		irq_update_line(irq);
}

static struct irq_hook *hook_of(struct proc *p, unsigned hook)
{
	return hook < NR_HOOKS && hooks[hook].owner == p->endpoint ? &hooks[hook] : 0;
}

/* The hook of (p, id), else a free one while p has not got its share. -1: none. */
static int hook_find(struct proc *p, unsigned id)
{
	int found = -1, has = 0;

	for (int i = 0; i < NR_HOOKS; i++) {
		if (hooks[i].owner == p->endpoint && hooks[i].id == id)
			return i;
		if (!hooks[i].owner && found < 0)
			found = i;
		has += hooks[i].owner == p->endpoint;
	}
	return has < HOOKS_PER_OWNER ? found : -1;
}

err_t irq_hook_set(struct proc *p, unsigned irq, unsigned id, uint32_t flags, unsigned *hook)
{
	int i = hook_find(p, id);
	unsigned old;

	if (i < 0)
		return -ENOSPC;
	old = hooks[i].owner ? hooks[i].irq : irq;
	arch_irq_mask(irq);
	if (flags & IRQ_LEVEL)
		arch_irq_set_level(irq, true);
	hooks[i] = (struct irq_hook){ .owner = p->endpoint, .irq = (uint8_t)irq, .id = (uint8_t)id, .flags = flags };
	if (old != irq)
		irq_update_line(old);
	irq_update_line(irq);
	*hook = (unsigned)i;
	return 0;
}

/* A number that no line has and no hook uses. -1: none left. */
static int message_irq_find(void)
{
	uint64_t address;
	uint32_t data;

	for (int irq = ARCH_NR_IRQS - 1; irq >= 0; irq--) {
		bool used = false;

		for (int i = 0; i < NR_HOOKS; i++)
			used |= hooks[i].owner && hooks[i].irq == irq;
		if (!used && arch_irq_message((unsigned)irq, &address, &data))
			return irq;
	}
	return -1;
}

err_t irq_hook_set_message(struct proc *p, unsigned id, unsigned *hook, uint64_t *address, uint32_t *data)
{
	int i = hook_find(p, id), irq;

	if (i < 0)
		return -ENOSPC;
	irq = hooks[i].owner && arch_irq_message(hooks[i].irq, address, data) ? hooks[i].irq : message_irq_find();
	if (irq < 0)
		return -ENOSPC;
	arch_irq_set_level((unsigned)irq, false);
	arch_irq_message((unsigned)irq, address, data);
	return irq_hook_set(p, (unsigned)irq, id, IRQ_REENABLE, hook);
}

err_t irq_hook_remove(struct proc *p, unsigned hook)
{
	struct irq_hook *h = hook_of(p, hook);

	if (!h)
		return -EINVAL;
	h->owner = 0;
	irq_update_line(h->irq);
	return 0;
}

err_t irq_hook_enable(struct proc *p, unsigned hook, bool on)
{
	struct irq_hook *h = hook_of(p, hook);

	if (!h)
		return -EINVAL;
	h->disabled = !on;
	if (on)
		h->waiting = false;
	irq_update_line(h->irq);
	return 0;
}

void irq_taken(struct proc *p, uint64_t ids)
{
	for (int i = 0; i < NR_HOOKS; i++) {
		struct irq_hook *h = &hooks[i];

		if (h->owner != p->endpoint || !(ids >> h->id & 1) || !h->waiting || !(h->flags & IRQ_REENABLE))
			continue;
		h->waiting = false;
		irq_update_line(h->irq);
	}
}

void irq_forget(struct proc *p)
{
	for (unsigned i = 0; i < NR_HOOKS; i++)
		if (hooks[i].owner == p->endpoint)
			irq_hook_remove(p, i);
}

uint32_t irq_hook_count(void)
{
	uint32_t n = 0;

	for (int i = 0; i < NR_HOOKS; i++)
		n += hooks[i].owner != 0;
	return n;
}

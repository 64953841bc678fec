/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt hooks: a line notifies the services that asked for it. */
#pragma once
#include <kernel/proc.h>

void irq_raise(unsigned irq);			/* the line fired */
/* (owner, id) is the key: a second set replaces the hook. */
err_t irq_hook_set(struct proc *p, unsigned irq, unsigned id, uint32_t flags, unsigned *hook);
err_t irq_hook_set_message(struct proc *p, unsigned id, unsigned *hook, uint64_t *address, uint32_t *data);
err_t irq_hook_remove(struct proc *p, unsigned hook);
err_t irq_hook_enable(struct proc *p, unsigned hook, bool on);
void irq_taken(struct proc *p, uint64_t ids);	/* notification delivered: unmask lines that asked for it */
void irq_forget(struct proc *p);
uint32_t irq_hook_count(void);

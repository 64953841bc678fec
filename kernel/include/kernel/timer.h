/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers inside the kernel: alarms of services and time-outs of futex waits. Any CPU may set one; the CPU that does has its
 * one-shot timer armed for it or for something earlier. */
#pragma once
#include <abi/types.h>
#include <kernel/list.h>

struct timer {
	struct list_node node;
	nstime_t deadline;
	void (*fire)(struct timer *);	/* runs with the lock held, timer already off */
};

void timer_set(struct timer *t, nstime_t deadline, void (*fire)(struct timer *));
void timer_cancel(struct timer *t);
static inline bool timer_active(const struct timer *t) { return list_linked(&t->node); }
uint32_t timer_count(void);

void time_on_interrupt(void);		/* this CPU's timer fired */
void time_need_tick(nstime_t now);	/* something waits for this CPU: make sure a tick comes */
void time_arm_for(nstime_t deadline);	/* this CPU must be interrupted then at the latest */
nstime_t time_realtime(void);		/* ns since 1970 */

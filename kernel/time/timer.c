/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel timers and the tick. Timers lie in one list ordered by deadline. For each of them some CPU's one-shot timer is armed for it or
 * for something earlier: the CPU that sets a timer arms its own, and a CPU whose timer fires arms it again for the head of the list.
 */
#include <arch/clock.h>
#include <kernel/debug.h>
#include <kernel/sched.h>
#include <kernel/timer.h>

enum { TICK_NS = 4 * 1000 * 1000 };

static struct list_node timers = LIST_HEAD_INIT(timers);
static uint32_t nr_timers;
static CPULOCAL nstime_t armed;		/* when this CPU's timer fires, 0 = not at all */

void time_arm_for(nstime_t deadline)
{
	nstime_t now_armed = get_cpulocal_var(armed);

	if (now_armed && now_armed <= deadline)
		return;
	get_cpulocal_var(armed) = deadline;
	arch_timer_set(deadline);
}

void time_need_tick(nstime_t now)
{
	if (!get_cpulocal_var(armed) || get_cpulocal_var(armed) > now + TICK_NS)
		time_arm_for(now + TICK_NS);
}

/* Most timers are set for later than those that wait: search from the end. */
void timer_set(struct timer *t, nstime_t deadline, void (*fire)(struct timer *))
{
	struct list_node *at = &timers;

	timer_cancel(t);
	t->deadline = deadline ? deadline : 1;
	t->fire = fire;
	while (at->prev != &timers && list_entry(at->prev, struct timer, node)->deadline > t->deadline)
		at = at->prev;
	list_insert_before(at, &t->node);
	nr_timers++;
	time_arm_for(t->deadline);
}

void timer_cancel(struct timer *t)
{
	if (!timer_active(t))
		return;
	list_remove(&t->node);
	nr_timers--;
}

uint32_t timer_count(void)
{
	return nr_timers;
}

void time_on_interrupt(void)
{
	nstime_t now = arch_now_ns();

	get_cpulocal_var(armed) = 0;
	sched_on_tick(now);
	while (!list_empty(&timers)) {
		struct timer *t = list_entry(timers.next, struct timer, node);

		if (t->deadline > now) {
			time_arm_for(t->deadline);
			break;
		}
		timer_cancel(t);
		t->fire(t);
	}
}

nstime_t time_realtime(void)
{
	return arch_boot_realtime() + arch_now_ns();
}

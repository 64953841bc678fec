/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: a list ordered by time over the one alarm that the kernel gives a service. The alarm is moved only when an earlier timer comes;
 * a stopped timer may leave one early alarm behind, which finds nothing to do. If this process dies the kernel drops the alarm.
 */
#include "vfs.h"

#include <libsys/kcall.h>
#include <time.h>

static struct timers {
	struct list armed;
	nstime_t alarm;		/* what the kernel was told, 0 = none */
} timers;

void timers_init(void)
{
	list_init(&timers.armed);
	timers.alarm = 0;
}

nstime_t time_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (nstime_t)ts.tv_sec * 1000000000ull + (nstime_t)ts.tv_nsec;
}

int64_t time_of_day(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void alarm_update(void)
{
	if (list_empty(&timers.armed))
		return;
	nstime_t first = list_entry(timers.armed.next, struct timer, link)->when;
	if (timers.alarm && timers.alarm <= first)
		return;
	timers.alarm = first ? first : 1;
	sys_setalarm(timers.alarm, NULL);
}

void timer_init(struct timer *t, void (*expired)(struct timer *t))
{
	list_init(&t->link);
	t->expired = expired;
	t->armed = false;
	t->when = 0;
}

void timer_stop(struct timer *t)
{
	list_remove(&t->link);
	t->armed = false;
}

void timer_set(struct timer *t, nstime_t when)
{
	timer_stop(t);
	t->when = when;
	t->armed = true;
	struct list *l = timers.armed.prev;	/* most deadlines are later than those already there */
	while (l != &timers.armed && list_entry(l, struct timer, link)->when > when)
		l = l->prev;
	list_insert_before(l->next, &t->link);
	alarm_update();
}

void timers_run(void)
{
	timers.alarm = 0;
	nstime_t now = time_now();
	while (!list_empty(&timers.armed)) {
		struct timer *t = list_entry(timers.armed.next, struct timer, link);
		if (t->when > now)
			break;
		timer_stop(t);
		t->expired(t);
	}
	alarm_update();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of PM: one heap of timers, one alarm in the kernel for the earliest. Timers are started and stopped freely in a handler;
 * the kernel is told once at its end (timers_rearm), and only if the earliest deadline moved.
 */
#include "pm.h"

#include <errno.h>
#include <libsys/kcall.h>

nstime_t time_now(void) { return sys_uptime(); }

void timer_start(struct timer *t, nstime_t deadline)
{
	timer_heap_start(&pm.timers, t, deadline ? deadline : 1);
}

void timer_stop(struct timer *t)
{
	timer_heap_stop(&pm.timers, t);
}

void timers_rearm(void)
{
	nstime_t next = timer_heap_next(&pm.timers);

	if (next == pm.alarm)
		return;
	pm.alarm = next;
	sys_setalarm(next, 0);
}

static void timer_expired(struct timer *t)
{
	switch ((enum timer_kind)t->kind) {
	case TIMER_TASK:
		sleep_expired(t->owner);
		break;
	case TIMER_ITIMER:
		itimer_expired(t->owner);
		break;
	case TIMER_POSIX:
		posix_timer_expired(t->owner);
		break;
	case TIMER_CPU_LIMIT:
		cpu_limit_check(t->owner);
		break;
	case TIMER_BOOT:
		boot_retry();
		break;
	case TIMER_LOAD:
		load_tick();
		break;
	case TIMER_REBOOT:
		reboot_now();
		break;
	}
}

/* The time is read once: timers that an expiry starts anew for "now" wait for the next alarm, so this loop ends. */
void timers_on_alarm(void)
{
	nstime_t now = time_now();
	struct timer *t;

	pm.alarm = 0;
	while ((t = timer_heap_due(&pm.timers, now)) != 0)
		timer_expired(t);
}

/* ---- times in user memory ---- */

enum { NS_PER_S = 1000000000 };
static const int64_t SECONDS_MAX = 4611686018;	/* half of what nstime_t holds: "for ever" */

static nstime_t ns_of(int64_t seconds, int64_t ns)
{
	if (seconds >= SECONDS_MAX)
		seconds = SECONDS_MAX;
	return (nstime_t)seconds * NS_PER_S + (nstime_t)ns;
}

err_t timespec_read(struct task *t, vaddr_t addr, nstime_t *ns)
{
	int64_t v[2];

	if (user_read(t, addr, v, sizeof v) != 0)
		return -EFAULT;
	if (v[0] < 0 || v[1] < 0 || v[1] >= NS_PER_S)
		return -EINVAL;
	*ns = ns_of(v[0], v[1]);
	return 0;
}

err_t timespec_write(struct task *t, vaddr_t addr, nstime_t ns)
{
	int64_t v[2] = { (int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S) };

	return user_write(t, addr, v, sizeof v);
}

err_t timeval_to_ns(const struct timeval *tv, nstime_t *ns)
{
	if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return -EINVAL;
	*ns = ns_of(tv->tv_sec, (int64_t)tv->tv_usec * 1000);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alarm, getitimer, setitimer. ITIMER_REAL is a timer of the heap; the CPU-time ones are counted by the kernel on the calling thread
 * (KC_VTIMER) and come back as SIGVTALRM and SIGPROF.
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsys/kcall.h>

/* A timer that asks for less would keep PM busy for nobody's good. */
static const nstime_t INTERVAL_MIN = 50000;

void itimer_expired(struct group *g)
{
	struct sig_entry e;
	nstime_t now = time_now();

	if (g->itimer_interval) {
		nstime_t next = g->itimer.deadline + g->itimer_interval;
		timer_start(&g->itimer, next > now ? next : now + g->itimer_interval);
	}
	sig_entry_kernel(&e, SIGALRM);
	signal_to_group(g, &e);
}

void itimer_cpu_expired(struct task *t, int signo)
{
	struct group *g = t->group;
	int which = signo == SIGVTALRM ? VTIMER_VIRTUAL : VTIMER_PROF;
	struct sig_entry e;

	if (g->vtimer_interval[which])
		sys_vtimer(t->ep, (uint32_t)which, g->vtimer_interval[which], 0);
	else
		g->vtimer_task[which] = 0;
	sig_entry_kernel(&e, signo);
	signal_to_group(g, &e);
}

void itimers_stop(struct group *g)
{
	timer_stop(&g->itimer);
	timer_stop(&g->cpu_limit);
	g->itimer_interval = g->vtimer_interval[0] = g->vtimer_interval[1] = 0;
}

static struct timeval timeval_up(nstime_t ns)
{
	ns += 999;
	return (struct timeval){ (time_t)(ns / 1000000000), (suseconds_t)(ns % 1000000000 / 1000) };
}

static void itimer_real_get(struct group *g, struct itimerval *v, nstime_t now)
{
	nstime_t left = 0;

	if (timer_is_running(&g->itimer))
		left = g->itimer.deadline > now ? g->itimer.deadline - now : 1000;
	*v = (struct itimerval){ timeval_up(g->itimer_interval), timeval_up(left) };
}

static void itimer_real_set(struct group *g, nstime_t value, nstime_t interval, nstime_t now)
{
	timer_stop(&g->itimer);
	g->itimer_interval = interval && interval < INTERVAL_MIN ? INTERVAL_MIN : interval;
	if (value)
		timer_start(&g->itimer, now + value);
}

static void itimer_cpu_get(struct group *g, int which, struct itimerval *v)
{
	nstime_t left = 0;

	if (g->vtimer_task[which] && g->vtimer_task[which]->group == g)
		sys_vtimer(g->vtimer_task[which]->ep, (uint32_t)which, ~0ull, &left);
	*v = (struct itimerval){ timeval_up(g->vtimer_interval[which]), timeval_up(left) };
}

static void itimer_cpu_set(struct task *t, int which, nstime_t value, nstime_t interval)
{
	struct group *g = t->group;

	if (g->vtimer_task[which] && g->vtimer_task[which]->group == g)
		sys_vtimer(g->vtimer_task[which]->ep, (uint32_t)which, 0, 0);
	g->vtimer_interval[which] = interval && interval < INTERVAL_MIN ? INTERVAL_MIN : interval;
	g->vtimer_task[which] = value ? t : 0;
	if (value)
		sys_vtimer(t->ep, (uint32_t)which, value, 0);
}

static void itimer_get(struct group *g, int which, struct itimerval *v)
{
	if (which == ITIMER_REAL)
		itimer_real_get(g, v, time_now());
	else
		itimer_cpu_get(g, which == ITIMER_VIRTUAL ? VTIMER_VIRTUAL : VTIMER_PROF, v);
}

int64_t call_getitimer(struct task *t, const uint64_t a[6])
{
	struct itimerval v;

	if (a[0] > ITIMER_PROF)
		return -EINVAL;
	itimer_get(t->group, (int)a[0], &v);
	return user_write(t, a[1], &v, sizeof v);
}

int64_t call_setitimer(struct task *t, const uint64_t a[6])
{
	struct itimerval new = { { 0, 0 }, { 0, 0 } }, old;
	nstime_t value, interval;

	if (a[0] > ITIMER_PROF)
		return -EINVAL;
	if (a[1] && user_read(t, a[1], &new, sizeof new) != 0)
		return -EFAULT;
	if (timeval_to_ns(&new.it_value, &value) != 0 || timeval_to_ns(&new.it_interval, &interval) != 0)
		return -EINVAL;
	itimer_get(t->group, (int)a[0], &old);
	if (a[0] == ITIMER_REAL)
		itimer_real_set(t->group, value, interval, time_now());
	else
		itimer_cpu_set(t, a[0] == ITIMER_VIRTUAL ? VTIMER_VIRTUAL : VTIMER_PROF, value, interval);
	return a[2] ? user_write(t, a[2], &old, sizeof old) : 0;
}

/* Seconds left of the old alarm, rounded to the nearest but never to 0 while one was running. */
int64_t call_alarm(struct task *t, const uint64_t a[6])
{
	nstime_t now = time_now();
	struct itimerval old;

	itimer_real_get(t->group, &old, now);
	itimer_real_set(t->group, (nstime_t)(uint32_t)a[0] * 1000000000, 0, now);
	int64_t left = old.it_value.tv_sec;
	if (old.it_value.tv_usec >= 500000 || (left == 0 && old.it_value.tv_usec))
		left++;
	return left;
}

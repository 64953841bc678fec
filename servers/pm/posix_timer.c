/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POSIX timers. A timer that has fired and whose signal is still pending does not run: it is started again, with the missed expirations
 * counted as overrun, when the signal is taken (posix_timer_taken). So a fast timer costs no more than its owner handles.
 *
 * CPU-time clocks are not watched by the kernel: such a timer looks when its time could be reached at the earliest, again and again.
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <string.h>
#include <time.h>

struct posix_timer {
	struct timer timer;
	struct posix_timer *next;	/* of the group */
	struct group *group;
	int32_t id, clock, notify, signo;
	int32_t target_tid;		/* SIGEV_THREAD_ID, else 0 */
	int32_t last_overrun;
	uint64_t value;
	nstime_t interval, cpu_deadline;
	bool pending;			/* its signal is queued */
	bool armed;
};

enum { SIGEV_THREAD_ID_LINUX = 4 };
struct sigevent_linux { uint64_t value; int32_t signo, notify, tid, pad[11]; };

static struct posix_timer *timer_find(struct group *g, int32_t id)
{
	struct posix_timer *p = g->posix_timers;

	while (p && p->id != id)
		p = p->next;
	return p;
}

static bool timer_is_cpu(const struct posix_timer *p)
{
	return p->clock == CLOCK_PROCESS_CPUTIME_ID || p->clock == CLOCK_THREAD_CPUTIME_ID;
}

static nstime_t timer_cpu_now(const struct posix_timer *p)
{
	nstime_t user = 0, system = 0;
	struct task *t = task_of_tid(p->target_tid);

	if (p->clock == CLOCK_THREAD_CPUTIME_ID && t)
		sys_times(t->ep, &user, &system, 0);
	else
		group_times(p->group, &user, &system);
	return user + system;
}

static void timer_cpu_watch(struct posix_timer *p)
{
	nstime_t now = timer_cpu_now(p);
	nstime_t left = p->cpu_deadline > now ? p->cpu_deadline - now : 0;
	uint32_t n = p->group->nr_live ? p->group->nr_live : 1;

	timer_start(&p->timer, time_now() + left / n + 500000);
}

/* ---- firing ---- */

static void timer_entry(const struct posix_timer *p, struct sig_entry *e)
{
	memset(e, 0, sizeof *e);
	e->info.si_signo = p->signo;
	e->info.si_code = SI_TIMER;
	e->info.si_timerid = p->id;
	e->info.si_value.sival_ptr = (void *)(uintptr_t)p->value;
}

/* Start the next period; returns how many were missed. */
static int32_t timer_next_period(struct posix_timer *p)
{
	nstime_t now = timer_is_cpu(p) ? timer_cpu_now(p) : time_now();
	nstime_t *deadline = timer_is_cpu(p) ? &p->cpu_deadline : &p->timer.deadline;
	nstime_t missed = now > *deadline ? (now - *deadline) / p->interval : 0;
	nstime_t next = *deadline + (missed + 1) * p->interval;

	*deadline = next;
	if (timer_is_cpu(p))
		timer_cpu_watch(p);
	else
		timer_start(&p->timer, next);
	return missed > 0x7fffffff ? 0x7fffffff : (int32_t)missed;
}

static void timer_fire(struct posix_timer *p)
{
	struct group *g = p->group;
	struct task *target = p->target_tid && p->clock != CLOCK_THREAD_CPUTIME_ID ? task_of_tid(p->target_tid) : 0;
	struct sig_entry e;
	int32_t id = p->id;

	timer_entry(p, &e);
	p->pending = true;
	if (target)
		signal_to_task(target, &e);
	else
		signal_to_group(g, &e);
	/* The signal may have ended the group and the timer with it, or vanished because it is ignored. */
	if (g->flags & (GROUP_EXITING | GROUP_ZOMBIE) || timer_find(g, id) != p || !p->pending)
		return;
	uint64_t queued = g->pending.set | (target ? target->pending.set : 0);
	if (!(queued & SIGBIT(p->signo)))
		posix_timer_taken(g, &e.info);
}

void posix_timer_expired(struct posix_timer *p)
{
	if (timer_is_cpu(p) && timer_cpu_now(p) < p->cpu_deadline) {
		timer_cpu_watch(p);
		return;
	}
	if (p->notify == SIGEV_NONE) {
		if (p->interval)
			timer_next_period(p);
		else
			p->armed = false;
		return;
	}
	timer_fire(p);
}

void posix_timer_taken(struct group *g, siginfo_t *info)
{
	struct posix_timer *p = timer_find(g, info->si_timerid);

	if (!p || !p->pending)
		return;
	p->pending = false;
	p->last_overrun = 0;
	if (!p->armed)
		return;
	if (p->interval)
		p->last_overrun = timer_next_period(p);
	else
		p->armed = false;
	info->si_overrun = p->last_overrun;
}

/* ---- system calls ---- */

static bool timer_clock_is_valid(int32_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == CLOCK_TAI
		|| clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

static err_t sigevent_check(struct task *t, const struct sigevent_linux *ev)
{
	if (ev->notify == SIGEV_NONE)
		return 0;
	if (ev->notify != SIGEV_SIGNAL && ev->notify != SIGEV_THREAD && ev->notify != SIGEV_THREAD_ID_LINUX)
		return -EINVAL;
	if (!signo_is_valid(ev->signo))
		return -EINVAL;
	if (ev->notify != SIGEV_THREAD_ID_LINUX)
		return 0;
	struct task *target = task_of_tid(ev->tid);
	return target && target->group == t->group ? 0 : -EINVAL;
}

static void timer_unlink(struct posix_timer *p)
{
	struct posix_timer **link = &p->group->posix_timers;

	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	timer_stop(&p->timer);
	pool_put(&pm.timer_pool, p);
}

static struct posix_timer *timer_make(struct task *t, int32_t clock)
{
	struct posix_timer *p;

	if (!pm.timer_pool.size)
		pm.timer_pool = (struct pool){ .size = sizeof *p, .chunk = 16, .limit = NR_PROCS };
	p = pool_get(&pm.timer_pool);
	if (!p)
		return 0;
	*p = (struct posix_timer){ .group = t->group, .clock = clock, .id = t->group->next_timer_id++,
		.next = t->group->posix_timers, .timer = { .kind = TIMER_POSIX } };
	p->timer.owner = p;
	t->group->posix_timers = p;
	return p;
}

int64_t call_timer_create(struct task *t, const uint64_t a[6])
{
	struct sigevent_linux ev = { .signo = SIGALRM, .notify = SIGEV_SIGNAL };
	int32_t clock = (int32_t)a[0];

	if (a[1] && user_read(t, a[1], &ev, sizeof ev) != 0)
		return -EFAULT;
	if (!timer_clock_is_valid(clock))
		return -EINVAL;
	err_t r = sigevent_check(t, &ev);
	if (r != 0)
		return r;
	struct posix_timer *p = timer_make(t, clock);
	if (!p)
		return -EAGAIN;
	p->signo = ev.signo;
	p->notify = ev.notify;
	p->value = a[1] ? ev.value : (uint64_t)(uint32_t)p->id;
	p->target_tid = ev.notify == SIGEV_THREAD_ID_LINUX ? ev.tid : clock == CLOCK_THREAD_CPUTIME_ID ? t->tid : 0;
	if (user_write(t, a[2], &p->id, sizeof p->id) != 0) {
		timer_unlink(p);
		return -EFAULT;
	}
	return 0;
}

struct itimerspec_linux { int64_t interval[2], value[2]; };

static void timer_read(struct posix_timer *p, struct itimerspec_linux *out)
{
	nstime_t now = timer_is_cpu(p) ? timer_cpu_now(p) : time_now();
	nstime_t deadline = timer_is_cpu(p) ? p->cpu_deadline : p->timer.deadline;
	nstime_t left = 0;

	if (p->armed && deadline <= now && p->interval)
		deadline += ((now - deadline) / p->interval + 1) * p->interval;
	if (p->armed)
		left = deadline > now ? deadline - now : 1;
	*out = (struct itimerspec_linux){ { (int64_t)(p->interval / 1000000000), (int64_t)(p->interval % 1000000000) },
		{ (int64_t)(left / 1000000000), (int64_t)(left % 1000000000) } };
}

static bool itimerspec_is_valid(const struct itimerspec_linux *s)
{
	return s->interval[0] >= 0 && s->value[0] >= 0 && s->interval[1] >= 0 && s->value[1] >= 0
		&& s->interval[1] < 1000000000 && s->value[1] < 1000000000;
}

static nstime_t itimerspec_ns(const int64_t v[2])
{
	int64_t s = v[0] > 4611686018 ? 4611686018 : v[0];

	return (nstime_t)s * 1000000000 + (nstime_t)v[1];
}

static void timer_arm(struct posix_timer *p, nstime_t value, bool absolute)
{
	timer_stop(&p->timer);
	p->armed = value != 0;
	if (!value)
		return;
	if (timer_is_cpu(p)) {
		p->cpu_deadline = absolute ? value : timer_cpu_now(p) + value;
		timer_cpu_watch(p);
		return;
	}
	if (absolute && (p->clock == CLOCK_REALTIME || p->clock == CLOCK_TAI))
		value = value > pm.realtime_offset ? value - pm.realtime_offset : 1;
	timer_start(&p->timer, absolute ? value : time_now() + value);
}

int64_t call_timer_settime(struct task *t, const uint64_t a[6])
{
	struct posix_timer *p = timer_find(t->group, (int32_t)a[0]);
	struct itimerspec_linux new, old;

	if (!a[2])
		return -EINVAL;
	if (user_read(t, a[2], &new, sizeof new) != 0)
		return -EFAULT;
	if (!itimerspec_is_valid(&new) || !p)
		return -EINVAL;
	timer_read(p, &old);
	p->interval = itimerspec_ns(new.interval);
	p->pending = false;
	p->last_overrun = 0;
	timer_arm(p, itimerspec_ns(new.value), a[1] & TIMER_ABSTIME);
	return a[3] ? user_write(t, a[3], &old, sizeof old) : 0;
}

int64_t call_timer_gettime(struct task *t, const uint64_t a[6])
{
	struct posix_timer *p = timer_find(t->group, (int32_t)a[0]);
	struct itimerspec_linux now;

	if (!p)
		return -EINVAL;
	timer_read(p, &now);
	return user_write(t, a[1], &now, sizeof now);
}

int64_t call_timer_getoverrun(struct task *t, const uint64_t a[6])
{
	struct posix_timer *p = timer_find(t->group, (int32_t)a[0]);

	return p ? p->last_overrun : -EINVAL;
}

int64_t call_timer_delete(struct task *t, const uint64_t a[6])
{
	struct posix_timer *p = timer_find(t->group, (int32_t)a[0]);

	if (!p)
		return -EINVAL;
	timer_unlink(p);
	return 0;
}

void posix_timers_delete(struct group *g)
{
	while (g->posix_timers)
		timer_unlink(g->posix_timers);
}

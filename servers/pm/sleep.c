/* SPDX-License-Identifier: BSD-2-Clause */
/* nanosleep and clock_nanosleep: the caller waits in TASK_WAIT_SLEEP with its own timer. */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <time.h>

/* Absolute times of the wall clock move when it is set: they are kept as such and turned into uptime here. */
static nstime_t deadline_of(int clock, bool absolute, nstime_t time, nstime_t now)
{
	if (!absolute)
		return now + time;
	if (clock != CLOCK_REALTIME && clock != CLOCK_TAI && clock != CLOCK_REALTIME_ALARM)
		return time;
	return time > pm.realtime_offset ? time - pm.realtime_offset : 1;
}

static int64_t sleep_start(struct task *t, const struct sleep_wait *w, nstime_t time)
{
	nstime_t now = time_now();
	nstime_t deadline = deadline_of(w->clock, w->absolute, time, now);

	if (deadline <= now)
		return 0;
	t->wait = TASK_WAIT_SLEEP;
	t->w.sleep = *w;
	timer_start(&t->timer, deadline);
	return 0;
}

int64_t call_nanosleep(struct task *t, const uint64_t a[6])
{
	struct sleep_wait w = { .clock = CLOCK_MONOTONIC, .remaining = a[1] };
	nstime_t time;
	err_t r = timespec_read(t, a[0], &time);

	return r ? r : sleep_start(t, &w, time);
}

int64_t call_clock_nanosleep(struct task *t, const uint64_t a[6])
{
	int clock = (int)a[0];
	struct sleep_wait w = { .clock = clock, .absolute = a[1] & TIMER_ABSTIME };
	nstime_t time;

	switch (clock) {
	case CLOCK_REALTIME: case CLOCK_MONOTONIC: case CLOCK_BOOTTIME: case CLOCK_TAI: case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM: case CLOCK_PROCESS_CPUTIME_ID:
		break;
	case CLOCK_MONOTONIC_RAW: case CLOCK_REALTIME_COARSE: case CLOCK_MONOTONIC_COARSE: case CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
	w.remaining = w.absolute ? 0 : a[3];
	err_t r = timespec_read(t, a[2], &time);
	return r ? r : sleep_start(t, &w, time);
}

/* The task's timer: a sleep is over, or rt_sigtimedwait has waited long enough. */
void sleep_expired(struct task *t)
{
	if (t->wait == TASK_WAIT_SLEEP)
		wait_end(t, 0);
	else if (t->wait == TASK_WAIT_SIGNAL)
		wait_end(t, -EAGAIN);
}

void sleep_interrupted(struct task *t, nstime_t now)
{
	nstime_t left = t->timer.deadline > now ? t->timer.deadline - now : 0;

	if (t->w.sleep.absolute) {
		wait_end(t, -ERESTARTNOHAND);
		return;
	}
	if (t->w.sleep.remaining && timespec_write(t, t->w.sleep.remaining, left) != 0)
		wait_end(t, -EFAULT);
	else
		wait_end(t, -EINTR);
}

/* The wall clock was set: absolute sleeps by it look again (the call is made again with the new offset). */
void sleepers_clock_changed(void)
{
	for (int i = 1; i < NR_PROCS; i++) {
		struct task *t = task_of_slot(i);
		if (t && t->wait == TASK_WAIT_SLEEP && t->w.sleep.absolute && t->w.sleep.clock == CLOCK_REALTIME)
			wait_end(t, -ERESTARTNOINTR);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* timerfd: a timer whose expirations are read as a number. It dies with its last descriptor. */
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "open.h"

enum { NS_PER_S = 1000000000 };

struct timerfd {
	struct timer t;
	int clock;
	nstime_t interval;
	uint64_t expirations;	/* since the last read */
	struct waitq q;
};

static const struct file_ops timerfd_ops;

static void timerfd_expired(struct timer *t)
{
	struct timerfd *f = list_entry(t, struct timerfd, t);
	uint64_t n = 1;
	if (f->interval) {
		nstime_t now = time_now();
		n += now > t->when ? (now - t->when) / f->interval : 0;
		timer_set(t, t->when + n * f->interval);
	}
	f->expirations += n;
	waitq_wake(&f->q, POLLIN | POLLRDNORM);
}

static int64_t timerfd_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct timerfd *t = f->object;
	(void)pos;
	if (u->left < 8)
		return -EINVAL;
	while (t->expirations == 0) {
		if (file_nonblock(f) || flags & FILE_IO_NOWAIT)
			return -EAGAIN;
		if (call_wait(c, &t->q, NO_DEADLINE))
			return -EINTR;
	}
	uint64_t n = t->expirations;
	t->expirations = 0;
	return uio_copy_out(u, &n, sizeof n);
}

static unsigned timerfd_poll(struct file *f, unsigned wanted)
{
	(void)wanted;
	return ((struct timerfd *)f->object)->expirations ? POLLIN | POLLRDNORM : 0u;
}

static struct waitq *timerfd_queue(struct file *f) { return &((struct timerfd *)f->object)->q; }

static void timerfd_close(struct file *f)
{
	struct timerfd *t = f->object;
	timer_stop(&t->t);
	free(t);
}

static const struct file_ops timerfd_ops = {
	.kind = "anon_inode:[timerfd]", .stream = true, .read = timerfd_read, .poll = timerfd_poll, .poll_queue = timerfd_queue,
	.close = timerfd_close,
};

static bool clock_valid(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == 8 || clock == 9;
}

static bool clock_is_realtime(int clock) { return clock == CLOCK_REALTIME || clock == 8; }

int64_t rq_timerfd_create(struct call *c)
{
	int clock = (int)c->a[0];
	unsigned flags = (unsigned)c->a[1];
	if (!clock_valid(clock) || flags & ~(unsigned)(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	if (clock >= 8 && !client_is_root(c->client))
		return -EPERM;
	struct timerfd *t = calloc(1, sizeof *t);
	struct file *f = t ? file_new(&timerfd_ops, O_RDWR | (flags & O_NONBLOCK)) : NULL;
	if (!f) {
		free(t);
		return -ENOMEM;
	}
	t->clock = clock;
	timer_init(&t->t, timerfd_expired);
	waitq_init(&t->q);
	f->object = t;
	f->ino = anon_ino();
	return fd_install_new(c, f, flags & TFD_CLOEXEC);
}

/* ---- setting ---------------------------------------------------------------------------------------------------- */

static bool timespec_to_ns(const struct timespec *ts, nstime_t *ns)
{
	int64_t total;
	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_S)
		return false;
	if (__builtin_mul_overflow(ts->tv_sec, (int64_t)NS_PER_S, &total) || __builtin_add_overflow(total, ts->tv_nsec, &total))
		total = INT64_MAX / 2;
	*ns = (nstime_t)total;
	return true;
}

static struct timespec ns_to_timespec(nstime_t ns)
{
	return (struct timespec){ .tv_sec = (int64_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S) };
}

static void timerfd_current(const struct timerfd *t, struct itimerspec *out)
{
	nstime_t now = time_now();
	nstime_t left = !t->t.armed ? 0 : t->t.when > now ? t->t.when - now : 1;
	out->it_value = ns_to_timespec(left);
	out->it_interval = ns_to_timespec(t->interval);
}

/* A wall-clock time to ns since boot. */
static nstime_t absolute_deadline(const struct timerfd *t, nstime_t value)
{
	if (!clock_is_realtime(t->clock))
		return value;
	int64_t ahead = (int64_t)value - time_of_day();
	nstime_t now = time_now();
	return ahead > 0 ? now + (nstime_t)ahead : now > (nstime_t)-ahead ? now - (nstime_t)-ahead : 1;
}

static struct timerfd *timerfd_of(struct call *c, int64_t *error)
{
	struct file *f = call_file(c, c->a[0]);
	*error = !f ? -EBADF : f->ops != &timerfd_ops ? -EINVAL : 0;
	return *error ? NULL : f->object;
}

int64_t rq_timerfd_settime(struct call *c)
{
	struct itimerspec new, old;
	int64_t error;
	unsigned flags = (unsigned)c->a[1];
	nstime_t value, interval;
	if (user_read(c->ep, c->a[2], &new, sizeof new))
		return -EFAULT;
	if (flags & ~3u || !timespec_to_ns(&new.it_value, &value) || !timespec_to_ns(&new.it_interval, &interval))
		return -EINVAL;
	struct timerfd *t = timerfd_of(c, &error);
	if (!t)
		return error;
	timerfd_current(t, &old);
	timer_stop(&t->t);
	t->expirations = 0;
	t->interval = interval;
	if (value)
		timer_set(&t->t, flags & TFD_TIMER_ABSTIME ? absolute_deadline(t, value) : time_now() + value);
	return c->a[3] ? user_write(c->ep, c->a[3], &old, sizeof old) : 0;
}

int64_t rq_timerfd_gettime(struct call *c)
{
	struct itimerspec now;
	int64_t error;
	struct timerfd *t = timerfd_of(c, &error);
	if (!t)
		return error;
	timerfd_current(t, &now);
	return user_write(c->ep, c->a[1], &now, sizeof now);
}

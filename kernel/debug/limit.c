/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of the log a service may fill, so that one that chats, or is meant to do harm, does not push out what others said. Each has a
 * bucket of BURST_BYTES that fills again by BYTES_PER_S; what does not fit is counted, and one line tells how much that was: when the
 * service has been quiet for a while, or every SUMMARY_LATEST if it does not stop, or when it ends. At that rate it takes minutes
 * to fill the ring, and others may still say as much as ever.
 *
 * The bucket lies in the privilege slot, which a service that dies hands on to its successor: dying does not fill it. RS has no limit, for
 * it speaks of others; nobody has one when the log's level is debug.
 */
#include <arch/clock.h>
#include <kernel/debug.h>
#include <kernel/priv.h>
#include <kernel/proc.h>

enum { BURST_BYTES = 32 * 1024, BYTES_PER_S = 256, STAMP_BYTES = 20 };
#define NS_PER_S 1000000000ull
#define NS_PER_BYTE (NS_PER_S / BYTES_PER_S)
#define QUIET (1 * NS_PER_S)
#define SUMMARY_LATEST (10 * NS_PER_S)

/* The bucket as the time at which it will be full. */
static bool bucket_take(struct log_limit *l, nstime_t now, size_t bytes)
{
	nstime_t full_at = (l->full_at > now ? l->full_at : now) + (bytes + STAMP_BYTES) * NS_PER_BYTE;

	if (full_at > now + BURST_BYTES * NS_PER_BYTE)
		return false;
	l->full_at = full_at;
	return true;
}

static void limit_tell(struct priv *v)
{
	struct log_limit *l = &v->log;

	if (!l->first)
		return;
	log_line_begin();
	log_printf("kernel: %u lines of %s left out: it fills the log\n", l->lines ? l->lines : 1, v->owner ? v->owner->name : "programs");
	l->first = 0;
	l->lines = 0;
}

static void limit_fire(struct timer *t)
{
	struct priv *v = list_entry(t, struct priv, log.timer);
	nstime_t now = arch_now_ns();

	if (now < v->log.last + QUIET && now < v->log.first + SUMMARY_LATEST)
		timer_set(t, now + QUIET, limit_fire);
	else
		limit_tell(v);
}

static void leave_out(struct log_limit *l, nstime_t now, const char *text, size_t bytes)
{
	if (!l->first) {
		l->first = now;
		log_line_begin();	/* what was begun by a piece that fitted */
		timer_set(&l->timer, now + QUIET, limit_fire);
	}
	l->last = now;
	for (size_t i = 0; i < bytes; i++)
		l->lines += text[i] == '\n';
}

void log_write_of(struct proc *p, const char *text, size_t bytes)
{
	struct log_limit *l = &p->priv->log;
	nstime_t now = arch_now_ns();

	if (p->endpoint == EP_RS || log_is_debug() || bucket_take(l, now, bytes))
		log_write(text, bytes);
	else
		leave_out(l, now, text, bytes);
}

void log_limit_end(struct priv *v)
{
	timer_cancel(&v->log.timer);
	limit_tell(v);
}

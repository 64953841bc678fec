/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SETALARM: one alarm for each service, a notification from EP_CLOCK. */
#include <arch/clock.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/priv.h>

static void alarm_fire(struct timer *t)
{
	struct proc *p = list_entry(t, struct priv, alarm)->owner;

	if (p)
		notify_special(p, PENDING_ALARM);
}

err_t kcall_SETALARM(struct proc *caller, struct kcall *c)
{
	struct priv *v = caller->priv;
	nstime_t deadline = c->w[0], now = arch_now_ns();

	if (v->id == PRIV_ID_USER)
		return -EPERM;
	c->w[1] = timer_active(&v->alarm) && v->alarm.deadline > now ? v->alarm.deadline - now : 0;
	timer_cancel(&v->alarm);
	if (deadline)
		timer_set(&v->alarm, deadline, alarm_fire);
	else
		v->pending_special &= (uint8_t)~PENDING_ALARM;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminals: serial lines (major 4, minors 64..67), /dev/console and /dev/ptmx (major 5), pseudo-terminal slaves (major 136). VFS
 * resolves /dev/tty itself.
 *
 * A device number leads to a struct tty and a side (line or slave, or master). A request is tried at once; what must wait goes to the
 * terminal's list of waiters (waiter.c) and is tried again whenever something changed (tty_service). No wait is unbounded inside the
 * driver: it always returns to its main loop.
 *
 * If this process dies here: typed-ahead input, echo and what was on its way in a pseudo-terminal are lost, nothing else. Settings
 * and sessions are in DS (save.c); VFS tells what is open and which session it controls, and repeats what was not answered. Where
 * the two differ VFS is right: who has gone while nobody was here to be told is treated as if he went now.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <proto/pm.h>

#include "tty.h"

enum { IRQ_COM13 = 4, IRQ_COM24 = 3, NOTIFY_COM13 = 0, NOTIFY_COM24 = 1 };
static const uint16_t uart_ports[NR_UARTS] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };

static struct tty_driver {
	struct tty uarts[NR_UARTS];
	struct tty ptys[NR_PTYS];
} driver;

/* ---- finding terminals ----------------------------------------------------------------------------------------------- */

static struct tty *pty_at(uint32_t index) { return index < NR_PTYS ? &driver.ptys[index] : NULL; }

struct tty *tty_pty(uint32_t index)
{
	struct tty *t = pty_at(index);
	return t && t->present && t->master_open ? t : NULL;
}

/* The terminal behind a device number, NULL if there is none. *master: the number is that of a pty's master. */
static struct tty *tty_find(uint32_t dev, bool *master)
{
	uint32_t minor = cdev_minor(dev);
	struct tty *t = NULL;
	*master = false;
	switch (cdev_major(dev)) {
	case MAJOR_TTYS:
		t = minor >= MINOR_TTYS0 && minor < MINOR_TTYS0 + NR_UARTS ? &driver.uarts[minor - MINOR_TTYS0] : NULL;
		break;
	case MAJOR_TTYAUX:
		*master = minor >= MINOR_MASTER0;
		t = minor == MINOR_CONSOLE ? &driver.uarts[0] : *master ? pty_at(minor - MINOR_MASTER0) : NULL;
		break;
	case MAJOR_PTS:
		t = pty_at(minor);
		break;
	}
	return t && t->present ? t : NULL;
}

/* The terminal that the function accepts, asked in turn: for answers that name only a request id. */
static struct tty *tty_each(int i)
{
	return i < NR_UARTS ? &driver.uarts[i] : i < NR_UARTS + NR_PTYS ? &driver.ptys[i - NR_UARTS] : NULL;
}

/* ---- events ---------------------------------------------------------------------------------------------------------- */

void tty_signal(int32_t pgid, int signo)
{
	struct message m = { .type = PM_TTY_SIGNAL };
	*MSG_BODY(struct pm_tty_signal_req, &m) = (struct pm_tty_signal_req){ .pgid = pgid, .signo = signo, .ep = EP_NONE };
	sef_send(EP_PM, &m, 0);
}

void tty_input(struct tty *t, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int signo = line_input(&t->line, bytes[i]);
		if (signo && t->pgrp)
			tty_signal(t->pgrp, signo);
	}
}

static uint32_t tty_events(const struct tty *t)
{
	if (t->hungup)
		return TTY_POLLIN | TTY_POLLOUT | TTY_POLLHUP;
	return (line_readable(&t->line) ? TTY_POLLIN : 0) | (line_output_room(&t->line) >= LINE_OUTPUT_MAX / 4 ? TTY_POLLOUT : 0);
}

static void watch_tell(struct watch *w, uint32_t events)
{
	uint32_t ready = events & (w->events | TTY_POLLHUP | TTY_POLLERR);
	if (!w->events || !ready)
		return;
	cdev_ready(w->dev, ready);
	w->events = 0;
}

static void alarm_set(void)
{
	nstime_t next = 0;
	struct tty *t;
	for (int i = 0; (t = tty_each(i)); i++) {
		nstime_t deadline = t->waiters ? waiter_next_deadline(t) : 0;
		if (deadline && (!next || deadline < next))
			next = deadline;
	}
	static nstime_t armed;
	if (next != armed)
		sys_setalarm(next, NULL);
	armed = next;
}

void tty_service(struct tty *t)
{
	do
		t->start(t);
	while (t->waiters && waiter_run(t));
	for (int i = 0; i < NR_WATCHES; i++)
		watch_tell(&t->watches[i], tty_events(t));
	if (t->is_pty)
		watch_tell(&t->master_watch, pty_master_events(t));
	tty_save(t);
}

void tty_hangup(struct tty *t)
{
	int32_t session = t->session, pgrp = t->pgrp;
	t->hungup = true;
	t->session = t->pgrp = 0;
	line_flush_input(&t->line);
	line_flush_output(&t->line);
	if (session) {
		tty_signal(session, SIGHUP);
		tty_signal(session, SIGCONT);
	}
	if (pgrp && pgrp != session) {
		tty_signal(pgrp, SIGHUP);
		tty_signal(pgrp, SIGCONT);
	}
}

/* ---- requests -------------------------------------------------------------------------------------------------------- */

static int64_t open_ptmx(uint32_t uid, uint64_t *value)
{
	for (uint32_t i = 0; i < NR_PTYS; i++) {
		if (!driver.ptys[i].present) {
			pty_reset(&driver.ptys[i], uid);
			tty_save(&driver.ptys[i]);
			*value = CDEV_DEV(MAJOR_TTYAUX, MINOR_MASTER0 + i);
			return CDEV_CLONED | CDEV_RECOVERABLE;
		}
	}
	return -ENOSPC;
}

/* Does the terminal become, or was it made by an open whose answer was lost, the caller's controlling one? */
static bool session_begin(struct tty *t, const struct cdev_req *r)
{
	if ((r->flags & CDEV_NOCTTY) || !(r->flags & CDEV_SESSION_LEADER) || (t->session && t->session != r->sid))
		return false;
	if (!t->session)
		t->pgrp = r->pgid;
	t->session = r->sid;
	return true;
}

static bool opened_by_root(const struct cdev_req *r) { return (uint32_t)r->arg == 0; }

static int64_t tty_open(const struct cdev_req *r, uint64_t *value)
{
	bool master;
	if (r->minor == CDEV_DEV(MAJOR_TTYAUX, MINOR_PTMX))
		return open_ptmx((uint32_t)r->arg, value);
	struct tty *t = tty_find(r->minor, &master);
	if (!t)
		return cdev_major(r->minor) == MAJOR_PTS ? -EIO : -ENXIO;
	if (t->is_pty && (t->locked || !t->master_open || master))
		return -EIO;
	if (t->exclusive && !opened_by_root(r))
		return -EBUSY;
	t->opens++;
	t->slave_was_open = true;
	if (!t->is_pty)
		t->hungup = false;
	bool control = session_begin(t, r);
	tty_save(t);
	return CDEV_RECOVERABLE | (control ? CDEV_CTTY : 0);
}

static int64_t tty_close(const struct cdev_req *r)
{
	bool master;
	struct tty *t = tty_find(r->minor, &master);
	if (!t)
		return 0;
	if (master) {
		pty_master_close(t);
	} else if (t->opens && --t->opens == 0) {
		t->exclusive = t->is_pty && t->exclusive;	/* a pair keeps it as long as its master is open */
		if (t->is_pty && !t->master_open)
			t->present = false;
	}
	tty_service(t);
	return 0;
}

static int64_t begin(const struct cdev_req *r, enum waiter_kind kind)
{
	bool master;
	struct tty *t = tty_find(r->minor, &master);
	if (!t)
		return -EIO;
	int64_t result = waiter_begin(t, r, kind, master);
	tty_service(t);
	alarm_set();
	return result;
}

static int64_t tty_read(const struct cdev_req *r) { return begin(r, WAIT_READ); }
static int64_t tty_write(const struct cdev_req *r) { return begin(r, WAIT_WRITE); }
static int64_t tty_ioctl(const struct cdev_req *r) { return begin(r, WAIT_IOCTL); }

static bool tty_cancel(uint32_t id)
{
	struct tty *t;
	for (int i = 0; (t = tty_each(i)); i++)
		if (t->waiters && waiter_cancel(t, id))
			return true;
	return false;
}

static struct watch *watch_for(struct tty *t, uint32_t dev, bool master)
{
	if (master)
		return &t->master_watch;
	for (int i = 0; i < NR_WATCHES; i++)
		if (t->watches[i].events == 0 || t->watches[i].dev == dev)
			return &t->watches[i];
	return &t->watches[0];
}

static uint32_t tty_select(uint32_t dev, uint32_t events, bool want_ready)
{
	bool master;
	struct tty *t = tty_find(dev, &master);
	if (!t)
		return TTY_POLLHUP | TTY_POLLERR;
	uint32_t now = (master ? pty_master_events(t) : tty_events(t)) & (events | TTY_POLLHUP | TTY_POLLERR);
	if (!now && want_ready) {
		struct watch *w = watch_for(t, dev, master);
		w->events = (w->dev == dev ? w->events : 0) | events | TTY_POLLHUP;
		w->dev = dev;
	}
	return now;
}

/* ---- recovery -------------------------------------------------------------------------------------------------------- */

/* VFS has given up all requests and counts anew. */
static void tty_up(void)
{
	struct tty *t;
	for (int i = 0; (t = tty_each(i)); i++) {
		waiter_drop_all(t);
		memset(t->watches, 0, sizeof t->watches);
		t->master_watch.events = 0;
		t->opens = 0;
		t->session_told = 0;
		t->master_told = false;
	}
}

static int64_t tty_reopen(const struct cdev_req *r)
{
	bool master;
	struct tty *t = tty_find(r->minor, &master);
	if (!t)
		return -EIO;
	if (master)
		t->master_told = true;
	else
		t->opens += (uint32_t)r->len;
	if (r->sid)
		t->session_told = r->sid;
	return 0;
}

/* A session that ended meanwhile, or (when DS has lost it) one that we do not know. */
static void session_settle(struct tty *t)
{
	int32_t pgrp = t->pgrp;
	if (t->session == t->session_told)
		return;
	t->session = t->pgrp = t->session_told;
	if (t->session || !pgrp)
		return;
	tty_signal(pgrp, SIGHUP);
	tty_signal(pgrp, SIGCONT);
}

static void pty_settle(struct tty *t)
{
	if (!t->master_told && t->master_open)
		pty_master_close(t);
	t->master_open = t->master_told;
	if (!t->master_open && !t->opens)
		t->present = false;
}

static void tty_reopened(void)
{
	struct tty *t;
	for (int i = 0; (t = tty_each(i)); i++) {
		if (!t->present)
			continue;
		session_settle(t);
		if (t->is_pty)
			pty_settle(t);
		else
			uart_irq(t);	/* its interrupt may have come when nobody was here */
		tty_service(t);
	}
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void tty_irq(uint64_t irqs)
{
	for (int i = 0; i < NR_UARTS; i++) {
		struct tty *t = &driver.uarts[i];
		if (t->present && (irqs & 1u << (i % 2 ? NOTIFY_COM24 : NOTIFY_COM13))) {
			uart_irq(t);
			tty_service(t);
		}
	}
}

static void tty_alarm(nstime_t now)
{
	struct tty *t;
	(void)now;
	for (int i = 0; (t = tty_each(i)); i++)
		if (t->waiters)
			tty_service(t);
	alarm_set();
}

static void tty_message(const struct message *m, uint32_t status)
{
	struct tty *t;
	if (names_serve(m))
		return;
	if (m->source != EP_PM || m->type != PM_TTY_SIGNAL + 1) {
		if (status & IPC_STATUS_CALL)
			sef_reply_result(m->source, m->type, -EBADREQUEST);
		return;
	}
	const struct pm_tty_signal_rep *rep = (const struct pm_tty_signal_rep *)(const void *)m->w;
	for (int i = 0; (t = tty_each(i)); i++) {
		if (t->waiters && waiter_verdict(t, rep->id, rep->verdict)) {
			tty_service(t);
			return;
		}
	}
}

static err_t tty_start(bool restart)
{
	waiter_init();
	for (uint32_t i = 0; i < NR_PTYS; i++)
		pty_init(&driver.ptys[i], i);
	err_t e = sys_irqctl(IRQCTL_SET, IRQ_COM13, NOTIFY_COM13, IRQ_REENABLE, NULL);
	if (!e)
		e = sys_irqctl(IRQCTL_SET, IRQ_COM24, NOTIFY_COM24, IRQ_REENABLE, NULL);
	if (e)
		log_warn("no interrupts for the serial lines: %s", err_text(e));
	for (uint32_t i = 0; i < NR_UARTS; i++) {
		uart_init(&driver.uarts[i], uart_ports[i], restart);
		driver.uarts[i].index = i;
	}
	return e;
}

static err_t tty_init(const struct sef_init_info *info)
{
	(void)info;
	return tty_start(false);
}

static err_t tty_restart(const struct sef_init_info *info)
{
	struct tty *t;
	err_t e = tty_start(true);
	(void)info;
	for (int i = 0; !e && (t = tty_each(i)); i++) {
		line_init(&t->line);
		tty_restore(t);
	}
	return e;
}

static const struct cdev_driver tty_driver = {
	.name = "tty",
	.sef = { .init_fresh = tty_init, .init_restart = tty_restart },
	.open = tty_open, .close = tty_close, .read = tty_read, .write = tty_write, .ioctl = tty_ioctl, .cancel = tty_cancel,
	.select = tty_select, .on_irq = tty_irq, .on_alarm = tty_alarm, .on_message = tty_message,
	.up = tty_up, .reopen = tty_reopen, .reopened = tty_reopened,
};

int main(void)
{
	cdev_task(&tty_driver);
}

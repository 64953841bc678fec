/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and writing a terminal: one try of a request, with the rules of canonical mode, VMIN and VTIME. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <proto/pm.h>

#include "tty.h"

enum { PIECE_BYTES = 512, TENTH_NS = 100000000 };

int64_t transfer_partial(const struct waiter *w, int64_t result)
{
	return w->done ? (int64_t)w->done : result;
}

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* Hand over what is readable: bytes to the caller first, only then are they consumed. */
static int64_t read_take(struct tty *t, const struct cdev_req *r)
{
	static uint8_t buf[LINE_INPUT_MAX];
	uint64_t consume;
	size_t n = line_peek(&t->line, buf, min_size(r->len, sizeof buf), &consume);
	err_t e = n ? cdev_copyout(r, 0, buf, n) : 0;
	if (e)
		return e;
	line_consume(&t->line, consume);
	return (int64_t)n;
}

/* Non-canonical mode: is it time to return what there is? Arms the deadline as VTIME says. */
static bool raw_complete(struct tty *t, struct waiter *w)
{
	uint8_t vmin = t->line.termios.cc[VMIN], vtime = t->line.termios.cc[VTIME];
	size_t avail = line_readable_bytes(&t->line);
	nstime_t now = vtime ? sys_uptime() : 0;

	if (avail >= min_size(vmin ? vmin : 1, w->r.len) || (vmin == 0 && vtime == 0))
		return true;
	if (vtime == 0)
		return false;
	if (w->deadline && now >= w->deadline)
		return vmin == 0 || avail > 0;
	if (vmin == 0 ? w->deadline == 0 : avail > w->done) {	/* done counts the bytes seen when the timer was last started */
		w->deadline = now + (nstime_t)vtime * TENTH_NS;
		w->done = avail;
	}
	return false;
}

static int64_t read_try(struct tty *t, struct waiter *w)
{
	if (t->hungup || w->r.len == 0)
		return 0;
	bool canonical = t->line.termios.lflag & ICANON;
	if (canonical ? line_readable(&t->line) : (w->r.flags & CDEV_NONBLOCK) ? line_readable(&t->line) : raw_complete(t, w)) {
		w->done = 0;
		return read_take(t, &w->r);
	}
	return w->r.flags & CDEV_NONBLOCK ? -EAGAIN : CDEV_LATER;
}

/*
 * What is answered as written must not be lost if this process dies: on a serial line a writer waits until its bytes are with the chip,
 * piece by piece, and VFS is told after each, so that no byte comes twice either. Not where it would change what programs see: who does
 * not want to wait, and output that is stopped, fill the ring.
 */
static bool write_is_safe(const struct tty *t, const struct waiter *w)
{
	return !t->is_pty && !t->line.stopped && !(w->r.flags & CDEV_NONBLOCK);
}

static bool write_must_drain(struct tty *t, struct waiter *w)
{
	if (!write_is_safe(t, w))
		return false;
	if (line_output_pending(&t->line))
		return true;
	if (w->done > w->told && w->done < w->r.len)
		cdev_progress(w->r.id, w->done);
	w->told = w->done;
	return false;
}

static int64_t write_try(struct tty *t, struct waiter *w)
{
	uint8_t piece[PIECE_BYTES];
	while (w->done < w->r.len) {
		if (t->hungup)
			return transfer_partial(w, -EIO);
		if (write_must_drain(t, w))
			return CDEV_LATER;
		size_t n = min_size(w->r.len - w->done, min_size(sizeof piece, line_output_room(&t->line) / 8));
		err_t e = n ? cdev_copyin(&w->r, w->done, piece, n) : 0;
		if (e)
			return transfer_partial(w, e);
		n = n ? line_write(&t->line, piece, n) : 0;
		w->done += n;
		t->start(t);
		if (n == 0 && line_output_room(&t->line) < PIECE_BYTES)
			return w->r.flags & CDEV_NONBLOCK ? transfer_partial(w, -EAGAIN) : CDEV_LATER;
	}
	return write_must_drain(t, w) ? CDEV_LATER : (int64_t)w->done;
}

static int64_t ioctl_try(struct tty *t, struct waiter *w)
{
	if (t->hungup && !w->master)
		return w->r.pos == TIOCSPGRP ? -ENOTTY : -EIO;
	if (ioctl_needs_drain(w->r.pos) && line_output_pending(&t->line) && !w->master)
		return CDEV_LATER;
	int64_t result = ioctl_act(t, &w->r, w->master);
	tty_save(t);
	return result;
}

/* ---- job control --------------------------------------------------------------------------------------------------- */

static int background_signal(const struct tty *t, const struct waiter *w)
{
	if (w->permitted || w->master || t->hungup || t->pgrp == 0 || t->session != w->r.sid || t->pgrp == w->r.pgid)
		return 0;
	switch (w->kind) {
	case WAIT_READ:
		return SIGTTIN;
	case WAIT_WRITE:
		return t->line.termios.lflag & TOSTOP ? SIGTTOU : 0;
	case WAIT_IOCTL:
		return ioctl_needs_foreground(w->r.pos) ? SIGTTOU : 0;
	}
	return 0;
}

/* PM knows what the process does with the signal: ask it, and go on when the verdict comes. */
static void verdict_ask(struct waiter *w, int signo)
{
	struct message m = { .type = PM_TTY_SIGNAL };
	*MSG_BODY(struct pm_tty_signal_req, &m) = (struct pm_tty_signal_req){ .pgid = w->r.pgid, .signo = signo,
			.ep = w->r.ep, .id = w->r.id };
	sef_send(EP_PM, &m, 0);
	w->state = WAITER_JUDGED;
}

int64_t transfer_try(struct tty *t, struct waiter *w)
{
	int signo = background_signal(t, w);
	if (signo) {
		verdict_ask(w, signo);
		return CDEV_LATER;
	}
	switch (w->kind) {
	case WAIT_READ:
		return w->master ? pty_master_read(t, &w->r) : read_try(t, w);
	case WAIT_WRITE:
		return w->master ? pty_master_write(t, w) : write_try(t, w);
	case WAIT_IOCTL:
		return ioctl_try(t, w);
	}
	return -EINVAL;
}

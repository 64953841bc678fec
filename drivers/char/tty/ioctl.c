/* SPDX-License-Identifier: BSD-2-Clause */
/* Terminal ioctls (ioctl_tty(2)), with Linux's numbers, structures and errors. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "tty.h"

enum { TCGETS2_ = 0x802c542a, TCSETS2_ = 0x402c542b, TCSETSW2_ = 0x402c542c, TCSETSF2_ = 0x402c542d, TERMIOS2_BYTES = 44 };
enum { GPTPEER = 0x5441, MODEM_READY = 0x166 /* DTR RTS CTS CAR DSR */ };

bool ioctl_needs_foreground(uint64_t request)
{
	switch (request) {
	case TCSETS: case TCSETSW: case TCSETSF: case TCSETSW2_: case TCSETSF2_: case TCSETS2_: case TIOCSPGRP: case TCSBRK: case TCSBRKP:
	case TCFLSH: case TCXONC:
		return true;
	}
	return false;
}

bool ioctl_needs_drain(uint64_t request)
{
	return request == TCSETSW || request == TCSETSF || request == TCSETSW2_ || request == TCSETSF2_
			|| request == TCSBRK || request == TCSBRKP;
}

static int64_t put(const struct cdev_req *r, const void *p, size_t len) { return cdev_copyout(r, 0, p, len); }
static int64_t put_int(const struct cdev_req *r, int value) { return put(r, &value, sizeof value); }
static int64_t get_int(const struct cdev_req *r, int *value) { return cdev_copyin(r, 0, value, sizeof *value); }

/* struct termios2 is struct termios with two speeds behind it. */
static int64_t termios_get(struct tty *t, const struct cdev_req *r, bool two)
{
	uint8_t buf[TERMIOS2_BYTES] = { 0 };
	uint32_t speed = 38400;
	memcpy(buf, &t->line.termios, sizeof t->line.termios);
	memcpy(buf + 36, &speed, 4);
	memcpy(buf + 40, &speed, 4);
	return put(r, buf, two ? TERMIOS2_BYTES : sizeof t->line.termios);
}

static int64_t termios_set(struct tty *t, const struct cdev_req *r, bool flush)
{
	struct ktermios fresh;
	int64_t e = cdev_copyin(r, 0, &fresh, sizeof fresh);
	if (e)
		return e;
	if (flush)
		line_flush_input(&t->line);
	line_set_termios(&t->line, &fresh);
	return 0;
}

static int64_t winsize_set(struct tty *t, const struct cdev_req *r)
{
	struct winsize_bytes fresh;
	int64_t e = cdev_copyin(r, 0, &fresh, sizeof fresh);
	if (e || !memcmp(&fresh, &t->winsize, sizeof fresh))
		return e;
	t->winsize = fresh;
	if (t->pgrp)
		tty_signal(t->pgrp, SIGWINCH);
	return 0;
}

static int64_t foreground_set(struct tty *t, const struct cdev_req *r)
{
	int pgrp;
	if (t->session == 0 || t->session != r->sid)
		return -ENOTTY;
	int64_t e = get_int(r, &pgrp);
	if (e)
		return e;
	if (pgrp <= 0)
		return -EINVAL;
	t->pgrp = pgrp;
	waiter_foreground_changed(t);
	return 0;
}

static int64_t session_take(struct tty *t, const struct cdev_req *r)
{
	if (t->session == r->sid && r->pid == r->sid)
		return 0;
	if (r->pid != r->sid)
		return -EPERM;
	if (t->session && r->arg != 1)
		return -EPERM;
	t->session = r->sid;
	t->pgrp = r->pgid;
	return 0;
}

/* The leader gives its terminal up: its foreground group is told. */
static int64_t session_leave(struct tty *t, const struct cdev_req *r)
{
	if (t->session == 0 || t->session != r->sid)
		return r->flags & CDEV_REPEATED ? 0 : -ENOTTY;
	if (r->pid != r->sid)
		return 0;
	int32_t pgrp = t->pgrp;
	t->session = t->pgrp = 0;
	if (pgrp) {
		tty_signal(pgrp, SIGHUP);
		tty_signal(pgrp, SIGCONT);
	}
	return 0;
}

static int64_t flow_set(struct tty *t, uint64_t what)
{
	switch (what) {
	case TCOOFF: t->line.stopped = true; return 0;
	case TCOON:  t->line.stopped = false; return 0;
	case TCIOFF: case TCION: return 0;
	}
	return -EINVAL;
}

static int64_t flush(struct tty *t, uint64_t what)
{
	if (what > TCIOFLUSH)
		return -EINVAL;
	if (what == TCIFLUSH || what == TCIOFLUSH)
		line_flush_input(&t->line);
	if (what == TCOFLUSH || what == TCIOFLUSH)
		line_flush_output(&t->line);
	return 0;
}

static int64_t simulate_input(struct tty *t, const struct cdev_req *r)
{
	uint8_t c;
	int64_t e = cdev_copyin(r, 0, &c, 1);
	if (e)
		return e;
	tty_input(t, &c, 1);
	return 0;
}

static int64_t pty_ioctl(struct tty *t, const struct cdev_req *r)
{
	int value;
	int64_t e;
	switch (r->pos) {
	case TIOCGPTN:
		return put_int(r, (int)t->index);
	case TIOCSPTLCK:
		if ((e = get_int(r, &value)))
			return e;
		t->locked = value != 0;
		return 0;
	case TIOCGPTLCK:
		return put_int(r, t->locked);
	case FIONREAD:
		return put_int(r, (int)line_output_pending(&t->line));
	case TIOCSIG:
		if (t->pgrp)
			tty_signal(t->pgrp, (int)r->arg);
		return 0;
	case TIOCPKT:
		return (e = get_int(r, &value)) ? e : value ? -EINVAL : 0;
	case TIOCEXCL: case TIOCNXCL:	/* the master's own; nobody opens a master twice anyway */
		t->master_exclusive = r->pos == TIOCEXCL;
		return 0;
	case TIOCGEXCL:
		return put_int(r, t->master_exclusive);
	}
	return -ENOTTY;
}

static int64_t session_ioctl(struct tty *t, const struct cdev_req *r, bool master)
{
	switch (r->pos) {
	case TIOCSCTTY: return session_take(t, r);
	case TIOCNOTTY: return session_leave(t, r);
	case TIOCSPGRP: return foreground_set(t, r);
	case TIOCGPGRP: return !master && (t->session == 0 || t->session != r->sid) ? -ENOTTY : put_int(r, t->pgrp);
	case TIOCGSID:  return t->session == 0 || (!master && t->session != r->sid) ? -ENOTTY : put_int(r, t->session);
	}
	return -ENOTTY;
}

int64_t ioctl_act(struct tty *t, const struct cdev_req *r, bool master)
{
	if (master) {
		int64_t result = pty_ioctl(t, r);
		if (result != -ENOTTY)
			return result;
	}
	switch (r->pos) {
	case TCGETS:   return termios_get(t, r, false);
	case TCGETS2_: return termios_get(t, r, true);
	case TCSETS: case TCSETSW: case TCSETS2_: case TCSETSW2_:
		return termios_set(t, r, false);
	case TCSETSF: case TCSETSF2_:
		return termios_set(t, r, true);
	case TIOCGWINSZ: return put(r, &t->winsize, sizeof t->winsize);
	case TIOCSWINSZ: return winsize_set(t, r);
	case TIOCSCTTY: case TIOCNOTTY: case TIOCSPGRP: case TIOCGPGRP: case TIOCGSID:
		return session_ioctl(t, r, master);
	case FIONREAD: return put_int(r, (int)line_readable_bytes(&t->line));
	case TIOCOUTQ: return put_int(r, (int)line_output_pending(&t->line));
	case TCXONC:   return flow_set(t, r->arg);
	case TCFLSH:   return flush(t, r->arg);
	case TCSBRK: case TCSBRKP: case TIOCSBRK: case TIOCCBRK:
		return 0;	/* output has drained; a break means nothing here */
	case TIOCEXCL: t->exclusive = true; return 0;
	case TIOCNXCL: t->exclusive = false; return 0;
	case TIOCGEXCL: return put_int(r, t->exclusive);
	case TIOCSTI:  return simulate_input(t, r);
	case TIOCGETD: return put_int(r, 0);
	case TIOCMGET: return t->is_pty ? -EINVAL : put_int(r, MODEM_READY);
	case TIOCMSET: case TIOCMBIS: case TIOCMBIC:
		return t->is_pty ? -EINVAL : 0;
	case TIOCCONS: return 0;
	}
	return -ENOTTY;
}

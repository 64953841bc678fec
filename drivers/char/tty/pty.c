/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pseudo-terminals (pty(7)). The slave is a struct tty whose device is the master: what the slave writes waits in the output ring for the
 * master's read, what the master writes is the slave's input. The master's close is the hang-up of the line.
 */
#include <errno.h>
#include <stdlib.h>
#include <termios.h>

#include "tty.h"

enum { PIECE_BYTES = 512, GROUP_TTY = 5 };

static void pty_start(struct tty *t) { (void)t; /* the master takes the output by reading */ }

void pty_init(struct tty *t, uint32_t index)
{
	t->index = index;
	t->is_pty = true;
	t->start = pty_start;
}

/* A fresh pair, as seen after opening /dev/ptmx: locked until TIOCSPTLCK. */
void pty_reset(struct tty *t, uint32_t uid)
{
	line_init(&t->line);
	t->winsize = (struct winsize_bytes){ 0 };
	t->session = t->pgrp = 0;
	t->opens = 0;
	t->uid = uid;
	t->gid = GROUP_TTY;
	t->mode = 0620;
	t->hungup = t->exclusive = t->master_exclusive = t->slave_was_open = false;
	t->present = t->master_open = t->locked = true;
}

int64_t pty_master_read(struct tty *t, const struct cdev_req *r)
{
	uint8_t piece[PIECE_BYTES];
	size_t want = r->len < sizeof piece ? r->len : sizeof piece;
	if (want == 0)
		return 0;
	uint64_t before = t->line.out_tail;
	size_t n = line_output_take(&t->line, piece, want);
	if (n == 0) {
		if (t->slave_was_open && t->opens == 0)
			return -EIO;
		return r->flags & CDEV_NONBLOCK ? -EAGAIN : CDEV_LATER;
	}
	err_t e = cdev_copyout(r, 0, piece, n);
	if (e)
		t->line.out_tail = before;	/* nothing was consumed */
	return e ? e : (int64_t)n;
}

/* Would a typed character be lost though a reader could make room? Without a complete line nobody can: then it is dropped. */
static bool input_must_wait(const struct tty *t)
{
	return line_input_full(&t->line) && line_readable(&t->line);
}

int64_t pty_master_write(struct tty *t, struct waiter *w)
{
	const struct cdev_req *r = &w->r;
	uint8_t piece[PIECE_BYTES];
	while (w->done < r->len && !input_must_wait(t)) {
		size_t n = r->len - w->done < sizeof piece ? r->len - w->done : sizeof piece;
		err_t e = cdev_copyin(r, w->done, piece, n);
		if (e)
			return transfer_partial(w, e);
		size_t i = 0;
		for (; i < n && !input_must_wait(t); i++)
			tty_input(t, piece + i, 1);
		w->done += i;
	}
	if (w->done == r->len)
		return (int64_t)w->done;
	return r->flags & CDEV_NONBLOCK ? transfer_partial(w, -EAGAIN) : CDEV_LATER;
}

void pty_master_close(struct tty *t)
{
	t->master_open = false;
	tty_hangup(t);
	if (t->opens == 0)
		t->present = false;
}

uint32_t pty_master_events(const struct tty *t)
{
	uint32_t events = input_must_wait(t) ? 0 : TTY_POLLOUT;
	if (line_output_pending(&t->line) && !t->line.stopped)
		events |= TTY_POLLIN;
	if (t->slave_was_open && t->opens == 0)
		events |= TTY_POLLHUP;
	return events;
}

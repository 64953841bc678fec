/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the terminal driver: one struct tty for each serial line and each pseudo-terminal slave. */
#pragma once
#include <libdriver/cdev.h>

#include "line.h"

enum { NR_UARTS = 4, NR_PTYS = 64, NR_WAITERS = 256, NR_WATCHES = 4 };
enum { MINOR_TTYS0 = 64, MINOR_TTY = 0, MINOR_CONSOLE = 1, MINOR_PTMX = 2, MINOR_MASTER0 = 0x1000 /* of MAJOR_TTYAUX: masters */ };
enum { TTY_POLLIN = 1, TTY_POLLPRI = 2, TTY_POLLOUT = 4, TTY_POLLERR = 8, TTY_POLLHUP = 16 };

enum waiter_kind { WAIT_READ, WAIT_WRITE, WAIT_IOCTL /* until output has drained, or for its right to act */ };
enum waiter_state {
	WAITER_READY,		/* tried at each event */
	WAITER_JUDGED,		/* PM is asked whether it may act from the background */
	WAITER_BACKGROUND,	/* its group got SIGTTIN or SIGTTOU: tried again when the group comes to the foreground */
};

struct waiter {
	struct waiter *next;
	struct cdev_req r;
	enum waiter_kind kind;
	enum waiter_state state;
	bool permitted;		/* job control has let it pass */
	bool master;		/* it came from the master side of a pty */
	uint64_t done;		/* bytes written so far */
	uint64_t told;		/* of these, what VFS knows to have reached the line */
	nstime_t deadline;	/* VTIME; 0 = none */
};

/* Somebody polls: told once when the events come. One record for each name of the device (console and ttyS0). */
struct watch { uint32_t dev, events; };

/* What of a terminal outlives this process (save.c). */
struct tty_saved {
	uint32_t version, flags;
	struct ktermios termios;
	struct winsize_bytes winsize;
	int32_t session, pgrp;
	uint32_t uid, gid, mode;
};

struct tty {
	struct line line;
	struct winsize_bytes winsize;
	int32_t session, pgrp;		/* controlled session and its foreground group, 0 = none */
	uint32_t opens;			/* open descriptions of the line or slave */
	bool present, hungup, exclusive;	/* exclusive: root alone opens it once more */
	struct waiter *waiters;		/* in order of arrival */
	struct watch watches[NR_WATCHES];
	void (*start)(struct tty *t);	/* the device: take output from the ring as far as it can */
	/* serial line */
	uint16_t port;
	bool transmitting;		/* the interrupt will say when it can take more */
	/* pseudo-terminal */
	bool is_pty, master_open, master_exclusive, locked, slave_was_open;
	uint32_t index, uid, gid, mode;	/* of the name in /dev/pts */
	struct watch master_watch;
	/* recovery */
	struct tty_saved saved;		/* as it lies in DS */
	int32_t session_told;		/* by VFS, of what it knows: the session, */
	bool master_told;		/* ... and whether the master is open */
};

/* tty.c */
void tty_service(struct tty *t);	/* something changed: move output, try waiters, tell pollers */
void tty_signal(int32_t pgid, int signo);
void tty_hangup(struct tty *t);
void tty_input(struct tty *t, const uint8_t *bytes, size_t len);	/* from the device; call tty_service afterwards */

/* save.c */
void tty_save(struct tty *t);		/* to DS, if something has changed */
void tty_restore(struct tty *t);	/* after a restart */

/* waiter.c */
void waiter_init(void);
void waiter_drop_all(struct tty *t);	/* unanswered */
int64_t waiter_begin(struct tty *t, const struct cdev_req *r, enum waiter_kind kind, bool master);
bool waiter_cancel(struct tty *t, uint32_t id);
bool waiter_run(struct tty *t);		/* try all; true if any finished */
bool waiter_verdict(struct tty *t, uint32_t id, uint32_t verdict);
void waiter_foreground_changed(struct tty *t);
nstime_t waiter_next_deadline(const struct tty *t);	/* 0: none */

/* transfer.c: one try of a request; CDEV_LATER when it must wait */
int64_t transfer_try(struct tty *t, struct waiter *w);
int64_t transfer_partial(const struct waiter *w, int64_t result);	/* what a cancelled or failed request is answered */

/* ioctl.c */
int64_t ioctl_act(struct tty *t, const struct cdev_req *r, bool master);
bool ioctl_needs_foreground(uint64_t request);
bool ioctl_needs_drain(uint64_t request);

/* pty.c */
void pty_init(struct tty *t, uint32_t index);
int64_t pty_master_read(struct tty *t, const struct cdev_req *r);
int64_t pty_master_write(struct tty *t, struct waiter *w);
void pty_master_close(struct tty *t);
uint32_t pty_master_events(const struct tty *t);
void pty_reset(struct tty *t, uint32_t uid);

/* names.c: /dev/pts */
struct tty *tty_pty(uint32_t index);	/* NULL: no such pair is open */
bool names_serve(const struct message *m);

/* uart.c */
bool uart_init(struct tty *t, uint16_t port, bool restart);	/* restart: the line works, what is in its queues stays */
void uart_irq(struct tty *t);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a terminal must not lose when this process dies: settings, size, whose session it is. A copy lies in DS under tty.N or pty.N; it is
 * made anew whenever it differs, before the request that changed something is answered. The rest comes from VFS, which tells
 * the successor what is open (tty.c). Nothing is taken out of the memory of the predecessor, which cannot be trusted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libsef/ds.h>

#include "tty.h"

enum { SAVED_VERSION = 1 };
enum { SAVED_PRESENT = 1, SAVED_LOCKED = 2, SAVED_EXCLUSIVE = 4, SAVED_HUNGUP = 8, SAVED_SLAVE_WAS_OPEN = 16, SAVED_STOPPED = 32,
	SAVED_MASTER = 64, SAVED_MASTER_EXCLUSIVE = 128 };

static void key_of(const struct tty *t, char *key)
{
	snprintf(key, DS_KEY_LEN, "%s.%u", t->is_pty ? "pty" : "tty", t->index);
}

static uint32_t flag(bool on, uint32_t bit) { return on ? bit : 0; }

static struct tty_saved saved_of(const struct tty *t)
{
	struct tty_saved s;
	memset(&s, 0, sizeof s);
	s.version = SAVED_VERSION;
	s.flags = flag(t->present, SAVED_PRESENT) | flag(t->locked, SAVED_LOCKED) | flag(t->exclusive, SAVED_EXCLUSIVE)
		| flag(t->hungup, SAVED_HUNGUP) | flag(t->slave_was_open, SAVED_SLAVE_WAS_OPEN) | flag(t->line.stopped, SAVED_STOPPED)
		| flag(t->master_open, SAVED_MASTER) | flag(t->master_exclusive, SAVED_MASTER_EXCLUSIVE);
	s.termios = t->line.termios;
	s.winsize = t->winsize;
	s.session = t->session;
	s.pgrp = t->pgrp;
	s.uid = t->uid;
	s.gid = t->gid;
	s.mode = t->mode;
	return s;
}

void tty_save(struct tty *t)
{
	char key[DS_KEY_LEN];
	struct tty_saved s = saved_of(t);
	if (!memcmp(&s, &t->saved, sizeof s) || (!t->present && !t->saved.flags))
		return;
	key_of(t, key);
	err_t e = ds_publish_mem(key, &s, sizeof s, DSF_OVERWRITE | DSF_PRIV_RETRIEVE | DSF_PRIV_OVERWRITE);
	if (e)
		log_warn("%s would not survive a restart: %s", key, err_text(e));
	t->saved = s;
}

void tty_restore(struct tty *t)
{
	char key[DS_KEY_LEN];
	struct tty_saved s;
	size_t len = sizeof s;
	key_of(t, key);
	if (ds_retrieve_mem(key, &s, &len) || len != sizeof s || s.version != SAVED_VERSION)
		return;
	t->saved = s;
	if (t->is_pty)
		t->present = s.flags & SAVED_PRESENT;
	t->locked = s.flags & SAVED_LOCKED;
	t->exclusive = s.flags & SAVED_EXCLUSIVE;
	t->hungup = s.flags & SAVED_HUNGUP;
	t->slave_was_open = s.flags & SAVED_SLAVE_WAS_OPEN;
	t->master_open = s.flags & SAVED_MASTER;
	t->master_exclusive = s.flags & SAVED_MASTER_EXCLUSIVE;
	t->line.termios = s.termios;
	t->line.stopped = s.flags & SAVED_STOPPED;
	t->winsize = s.winsize;
	t->session = s.session;
	t->pgrp = s.pgrp;
	t->uid = s.uid;
	t->gid = s.gid;
	t->mode = s.mode;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Matching children with waits: see wait_match.h. */
#include "wait_match.h"

#include <signal.h>
#include <sys/wait.h>

#ifndef __WALL
#define __WALL 0x40000000
#endif
#ifndef __WCLONE
#define __WCLONE 0x80000000
#endif

bool wait_query_matches(const struct wait_query *q, const struct wait_child *c)
{
	switch (q->who) {
	case WAIT_WHO_ANY:
		break;
	case WAIT_WHO_PID:
		if (c->pid != q->id)
			return false;
		break;
	case WAIT_WHO_PGID:
		if (c->pgid != q->id)
			return false;
		break;
	}
	/* A child that does not tell its end by SIGCHLD is a "clone" child: waited for by __WCLONE or __WALL only. */
	bool is_clone = c->exit_signal != SIGCHLD;
	bool wants_clone = (q->options & (uint32_t)__WCLONE) != 0;
	return (q->options & (uint32_t)__WALL) || is_clone == wants_clone;
}

enum wait_event wait_event_of(const struct wait_query *q, const struct wait_child *c)
{
	if (c->zombie)
		return q->options & WEXITED ? WAIT_EVENT_EXITED : WAIT_EVENT_NONE;
	if (c->stopped && (q->options & WUNTRACED))
		return WAIT_EVENT_STOPPED;
	if (c->continued && (q->options & WCONTINUED))
		return WAIT_EVENT_CONTINUED;
	return WAIT_EVENT_NONE;
}

int wait_status_exited(int code)
{
	return (code & 0xff) << 8;
}

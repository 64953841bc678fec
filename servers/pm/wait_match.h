/* SPDX-License-Identifier: BSD-2-Clause */
/* Which child a wait4 or waitid means, and what it has to tell. Pure, tested on the host. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum wait_who { WAIT_WHO_ANY, WAIT_WHO_PID, WAIT_WHO_PGID };

struct wait_query {
	enum wait_who who;
	int32_t id;
	uint32_t options;	/* W* of Linux, WEXITED included */
};

/* What counts of a child. */
struct wait_child {
	int32_t pid, pgid, exit_signal;
	bool zombie, stopped, continued;	/* events not yet told */
};

enum wait_event { WAIT_EVENT_NONE, WAIT_EVENT_EXITED, WAIT_EVENT_STOPPED, WAIT_EVENT_CONTINUED };

bool wait_query_matches(const struct wait_query *q, const struct wait_child *c);
enum wait_event wait_event_of(const struct wait_query *q, const struct wait_child *c);
int wait_status_exited(int code);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Process ids: see pidmap.h. Ids are handed out upwards and wrap, so that a freed id stays unused for long. */
#include "pidmap.h"

static int pid_is_valid(int32_t pid) { return pid > 0 && pid < PID_MAX; }

int32_t pid_alloc(struct pidmap *m)
{
	int32_t pid = m->last;

	for (int tries = 0; tries < PID_MAX; tries++) {
		pid = pid + 1 >= PID_MAX || pid < PID_FIRST_USER ? PID_FIRST_USER : pid + 1;
		if (m->refs[pid] == 0)
			return m->last = pid;
	}
	return 0;
}

void pid_ref(struct pidmap *m, int32_t pid)
{
	if (pid_is_valid(pid))
		m->refs[pid]++;
}

void pid_unref(struct pidmap *m, int32_t pid)
{
	if (pid_is_valid(pid) && m->refs[pid] > 0)
		m->refs[pid]--;
}

void pid_bind(struct pidmap *m, int32_t pid, int slot)
{
	if (pid_is_valid(pid))
		m->slot[pid] = (uint16_t)slot;
}

int pid_slot(const struct pidmap *m, int32_t pid)
{
	return pid_is_valid(pid) ? m->slot[pid] : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduling calls. The kernel has priorities 0 (highest) to 15 with user processes at 8; nice values move them between 5 and 15. The
 * real-time policies are recorded and raise a task to 5, above ordinary ones, but below all services.
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <sched.h>
#include <string.h>

enum { PRIORITY_HIGHEST = 5, PRIORITY_NORMAL = 8, PRIORITY_LOWEST = 15, RT_MAX = 99, RT_QUANTUM_NS = 100000000 };
enum { POLICY_OTHER = 0, POLICY_FIFO = 1, POLICY_RR = 2, POLICY_BATCH = 3, POLICY_IDLE = 5, POLICY_RESET_ON_FORK = 0x40000000 };

static uint64_t cpus_online(void) { return pm.nr_cpus >= 64 ? ~0ull : (1ull << pm.nr_cpus) - 1; }

static uint32_t priority_of(const struct task *t)
{
	int nice = t->group->nice;

	if (t->policy == POLICY_FIFO || t->policy == POLICY_RR)
		return PRIORITY_HIGHEST;
	if (t->policy == POLICY_IDLE)
		return PRIORITY_LOWEST;
	if (nice < 0)
		return (uint32_t)(PRIORITY_NORMAL + nice * (PRIORITY_NORMAL - PRIORITY_HIGHEST) / 20);
	return (uint32_t)(PRIORITY_NORMAL + nice * (PRIORITY_LOWEST - PRIORITY_NORMAL) / 19);
}

void priority_apply(struct task *t)
{
	sys_schedule(t->ep, priority_of(t), 0, t->cpu_mask);
}

static struct task *task_named(struct task *t, uint64_t pid)
{
	return (int32_t)pid ? task_of_tid((int32_t)pid) : t;
}

/* ---- nice ---- */

static bool priority_matches(struct task *t, struct group *g, int which, uint32_t who)
{
	switch (which) {
	case PRIO_PROCESS:
		return who ? task_of_tid((int32_t)who) && task_of_tid((int32_t)who)->group == g : g == t->group;
	case PRIO_PGRP:
		return g->pgid == (who ? (int32_t)who : t->group->pgid);
	default:
		return g->leader && g->leader->cred->uid == (who ? who : t->cred->uid);
	}
}

int64_t call_getpriority(struct task *t, const uint64_t a[6])
{
	int64_t best = -ESRCH;

	if (a[0] > PRIO_USER)
		return -EINVAL;
	for (struct group *g = group_first(); g; g = g->all_next)
		if (priority_matches(t, g, (int)a[0], (uint32_t)a[1]) && 20 - g->nice > best)
			best = 20 - g->nice;
	return best;
}

static err_t nice_set(struct task *t, struct group *g, int nice)
{
	if (!g->leader || !cred_may_schedule(t->cred, g->leader->cred))
		return -EPERM;
	if (nice < g->nice && !cred_is_root(t->cred) && (rlim_t)(20 - nice) > g->limits[RLIMIT_NICE].rlim_cur)
		return -EACCES;
	g->nice = nice;
	for (struct task *each = g->tasks; each; each = each->next)
		if (each->state == TASK_LIVE)
			priority_apply(each);
	return 0;
}

int64_t call_setpriority(struct task *t, const uint64_t a[6])
{
	int nice = (int)a[2];
	err_t result = -ESRCH, r;

	if (a[0] > PRIO_USER)
		return -EINVAL;
	nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
	for (struct group *g = group_first(); g; g = g->all_next) {
		if (!priority_matches(t, g, (int)a[0], (uint32_t)a[1]))
			continue;
		r = nice_set(t, g, nice);
		if (r != 0 || result == -ESRCH)
			result = r;
	}
	return result;
}

/* ---- policies ---- */

static bool policy_is_rt(int policy) { return policy == POLICY_FIFO || policy == POLICY_RR; }

static err_t policy_set(struct task *t, struct task *other, int policy, int priority)
{
	policy &= ~POLICY_RESET_ON_FORK;
	if (!policy_is_rt(policy) && policy != POLICY_OTHER && policy != POLICY_BATCH && policy != POLICY_IDLE)
		return -EINVAL;
	if (policy_is_rt(policy) ? priority < 1 || priority > RT_MAX : priority != 0)
		return -EINVAL;
	if (!cred_may_schedule(t->cred, other->cred))
		return -EPERM;
	if (policy_is_rt(policy) && !cred_is_root(t->cred) && (rlim_t)priority > other->group->limits[RLIMIT_RTPRIO].rlim_cur)
		return -EPERM;
	other->policy = (uint8_t)policy;
	other->rt_priority = priority;
	priority_apply(other);
	return 0;
}

static int64_t policy_call(struct task *t, uint64_t pid, int policy, vaddr_t param)
{
	int32_t priority;

	if ((int32_t)pid < 0 || !param)
		return -EINVAL;
	if (user_read(t, param, &priority, sizeof priority) != 0)
		return -EFAULT;
	struct task *other = task_named(t, pid);
	if (!other)
		return -ESRCH;
	return policy_set(t, other, policy < 0 ? other->policy : policy, priority);
}

int64_t call_sched_setscheduler(struct task *t, const uint64_t a[6])
{
	return (int)a[1] < 0 ? -EINVAL : policy_call(t, a[0], (int)a[1], a[2]);
}

int64_t call_sched_setparam(struct task *t, const uint64_t a[6]) { return policy_call(t, a[0], -1, a[1]); }

int64_t call_sched_getscheduler(struct task *t, const uint64_t a[6])
{
	struct task *other = task_named(t, a[0]);

	if ((int32_t)a[0] < 0)
		return -EINVAL;
	return other ? other->policy : -ESRCH;
}

int64_t call_sched_getparam(struct task *t, const uint64_t a[6])
{
	struct task *other = task_named(t, a[0]);

	if ((int32_t)a[0] < 0 || !a[1])
		return -EINVAL;
	return other ? user_write(t, a[1], &other->rt_priority, sizeof other->rt_priority) : -ESRCH;
}

struct sched_attr_linux { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; };

int64_t call_sched_setattr(struct task *t, const uint64_t a[6])
{
	struct task *other = task_named(t, a[0]);
	struct sched_attr_linux attr;

	if (!a[1] || (int32_t)a[0] < 0 || a[2])
		return -EINVAL;
	if (user_read(t, a[1], &attr, sizeof attr) != 0)
		return -EFAULT;
	if (!other)
		return -ESRCH;
	err_t r = policy_set(t, other, (int)attr.policy, (int)attr.priority);
	if (r == 0 && !policy_is_rt((int)attr.policy) && attr.nice >= -20 && attr.nice <= 19)
		r = nice_set(t, other->group, attr.nice);
	return r;
}

int64_t call_sched_getattr(struct task *t, const uint64_t a[6])
{
	struct task *other = task_named(t, a[0]);

	if (!a[1] || (int32_t)a[0] < 0 || a[2] < sizeof(struct sched_attr_linux) || a[2] > PAGE_BYTES || a[3])
		return -EINVAL;
	if (!other)
		return -ESRCH;
	struct sched_attr_linux attr = { .size = sizeof attr, .policy = other->policy, .nice = other->group->nice,
		.priority = (uint32_t)other->rt_priority };
	return user_write(t, a[1], &attr, sizeof attr);
}

static int64_t policy_limit(uint64_t policy, int rt)
{
	switch ((int)policy) {
	case POLICY_FIFO: case POLICY_RR:
		return rt;
	case POLICY_OTHER: case POLICY_BATCH: case POLICY_IDLE: case 6 /* deadline */:
		return 0;
	}
	return -EINVAL;
}

int64_t call_sched_get_priority_max(struct task *t, const uint64_t a[6])
{
	(void)t;
	return policy_limit(a[0], RT_MAX);
}

int64_t call_sched_get_priority_min(struct task *t, const uint64_t a[6])
{
	(void)t;
	return policy_limit(a[0], 1);
}

int64_t call_sched_rr_get_interval(struct task *t, const uint64_t a[6])
{
	struct task *other = task_named(t, a[0]);

	if ((int32_t)a[0] < 0)
		return -EINVAL;
	if (!other)
		return -ESRCH;
	return timespec_write(t, a[1], other->policy == POLICY_FIFO ? 0 : other->policy == POLICY_RR ? RT_QUANTUM_NS : 4000000);
}

/* ---- affinity ---- */

int64_t call_sched_setaffinity(struct task *t, const uint64_t a[6])
{
	uint64_t mask = 0, len = (uint32_t)a[1];
	struct task *other = task_named(t, a[0]);

	if (user_read(t, a[2], &mask, len < sizeof mask ? len : sizeof mask) != 0)
		return -EFAULT;
	if (!other)
		return -ESRCH;
	if (!cred_may_schedule(t->cred, other->cred))
		return -EPERM;
	mask &= cpus_online();
	if (!mask)
		return -EINVAL;
	other->cpu_mask = mask == cpus_online() ? 0 : mask;
	priority_apply(other);
	return 0;
}

int64_t call_sched_getaffinity(struct task *t, const uint64_t a[6])
{
	uint32_t len = (uint32_t)a[1];
	struct task *other = task_named(t, a[0]);

	if ((uint64_t)len * 8 < pm.nr_cpus || (len & 7))
		return -EINVAL;
	if (!other)
		return -ESRCH;
	uint64_t mask = other->cpu_mask ? other->cpu_mask : cpus_online();
	return user_write(t, a[2], &mask, sizeof mask) ? -EFAULT : (int64_t)sizeof mask;
}

/* ---- I/O priorities: recorded ---- */

enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_SHIFT = 13 };

int64_t call_ioprio_set(struct task *t, const uint64_t a[6])
{
	struct task *other = task_named(t, a[1]);

	if (a[0] < 1 || a[0] > 3 || (uint32_t)a[2] >> IOPRIO_CLASS_SHIFT > 3)
		return -EINVAL;
	if (a[0] == IOPRIO_WHO_PROCESS && !other)
		return -ESRCH;
	if ((uint32_t)a[2] >> IOPRIO_CLASS_SHIFT == 1 && !cred_is_root(t->cred))
		return -EPERM;
	if (a[0] == IOPRIO_WHO_PROCESS)
		other->ioprio = (int32_t)a[2];
	return 0;
}

int64_t call_ioprio_get(struct task *t, const uint64_t a[6])
{
	struct task *other = task_named(t, a[1]);

	if (a[0] < 1 || a[0] > 3)
		return -EINVAL;
	return other ? other->ioprio : -ESRCH;
}

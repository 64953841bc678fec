/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resource limits and accounts of CPU time. Limits on files are kept by VFS and limits on memory by VM, which are told; RLIMIT_CPU,
 * NPROC, SIGPENDING, NICE and RTPRIO are checked here.
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <libsys/grant.h>
#include <proto/vm.h>
#include <signal.h>
#include <string.h>

void limits_default(struct rlimit l[RLIM_NLIMITS])
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		l[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	l[RLIMIT_STACK].rlim_cur = 8 << 20;
	l[RLIMIT_CORE].rlim_cur = 0;
	l[RLIMIT_NPROC] = (struct rlimit){ NR_PROCS, NR_PROCS };
	l[RLIMIT_NOFILE] = (struct rlimit){ 1024, 4096 };
	l[RLIMIT_MEMLOCK] = (struct rlimit){ 8 << 20, 8 << 20 };
	l[RLIMIT_SIGPENDING] = (struct rlimit){ 2048, 2048 };
	l[RLIMIT_MSGQUEUE] = (struct rlimit){ 819200, 819200 };
	l[RLIMIT_NICE] = l[RLIMIT_RTPRIO] = (struct rlimit){ 0, 0 };
}

static err_t limit_set(struct task *t, struct group *g, uint32_t resource, const struct rlimit *new)
{
	struct rlimit *l = &g->limits[resource];

	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->rlim_max > 1 << 20)
		return -EPERM;
	if (new->rlim_max > l->rlim_max && !cred_is_root(t->cred))
		return -EPERM;
	*l = *new;
	peer_rlimit(g, resource);
	if (resource == RLIMIT_CPU)
		cpu_limit_set(g);
	return 0;
}

int64_t call_prlimit64(struct task *t, const uint64_t a[6])
{
	struct task *other = (int32_t)a[0] ? task_of_tid((int32_t)a[0]) : t;
	uint32_t resource = (uint32_t)a[1];
	struct rlimit new, old;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (a[2] && user_read(t, a[2], &new, sizeof new) != 0)
		return -EFAULT;
	if (!other)
		return -ESRCH;
	if (other->group != t->group && !cred_may_limit(t->cred, other->cred))
		return -EPERM;
	old = other->group->limits[resource];
	err_t r = a[2] ? limit_set(t, other->group, resource, &new) : 0;
	if (r != 0)
		return r;
	return a[3] ? user_write(t, a[3], &old, sizeof old) : 0;
}

int64_t call_getrlimit(struct task *t, const uint64_t a[6])
{
	if ((uint32_t)a[0] >= RLIM_NLIMITS)
		return -EINVAL;
	return user_write(t, a[1], &t->group->limits[(uint32_t)a[0]], sizeof(struct rlimit));
}

int64_t call_setrlimit(struct task *t, const uint64_t a[6])
{
	struct rlimit new;

	if (user_read(t, a[1], &new, sizeof new) != 0)
		return -EFAULT;
	if ((uint32_t)a[0] >= RLIM_NLIMITS)
		return -EINVAL;
	return limit_set(t, t->group, (uint32_t)a[0], &new);
}

/* ---- CPU time ---- */

void group_times(struct group *g, nstime_t *user, nstime_t *system)
{
	*user = g->dead_user;
	*system = g->dead_system;
	for (struct task *t = g->tasks; t; t = t->next) {
		nstime_t u = 0, s = 0;
		if (t->state != TASK_LIVE || sys_times(t->ep, &u, &s, 0) != 0)
			continue;
		*user += u;
		*system += s;
	}
}

static struct timeval timeval_of(nstime_t ns)
{
	return (struct timeval){ (time_t)(ns / 1000000000), (suseconds_t)(ns % 1000000000 / 1000) };
}

void rusage_of_group(struct group *g, struct rusage *r, bool whole)
{
	nstime_t user, system;

	memset(r, 0, sizeof *r);
	group_times(g, &user, &system);
	r->ru_utime = timeval_of(user + (whole ? g->children_user : 0));
	r->ru_stime = timeval_of(system + (whole ? g->children_system : 0));
}

/* What VM has counted for the calling process. */
static void rusage_memory(struct task *t, struct rusage *r)
{
	struct message m = { .type = VM_INFO };
	struct vm_proc_info info;
	grant_t grant;

	memset(&info, 0, sizeof info);
	grant = grant_direct(EP_VM, &info, sizeof info, GRANT_WRITE);
	if (grant == GRANT_INVALID)
		return;
	*MSG_BODY(struct vm_info_req, &m) = (struct vm_info_req){ .what = VM_INFO_PROC, .ep = t->ep, .grant = grant,
		.len = sizeof info };
	sef_call(EP_VM, &m);
	grant_revoke(grant);
	r->ru_maxrss = (long)(info.peak_rss / 1024);
	r->ru_minflt = (long)info.faults_minor;
	r->ru_majflt = (long)info.faults_major;
}

int64_t call_getrusage(struct task *t, const uint64_t a[6])
{
	nstime_t user = 0, system = 0;
	struct rusage r;

	memset(&r, 0, sizeof r);
	switch ((int)a[0]) {
	case RUSAGE_SELF:
		group_times(t->group, &user, &system);
		rusage_memory(t, &r);
		break;
	case RUSAGE_CHILDREN:
		user = t->group->children_user;
		system = t->group->children_system;
		break;
	case 1 /* RUSAGE_THREAD */:
		sys_times(t->ep, &user, &system, 0);
		break;
	default:
		return -EINVAL;
	}
	r.ru_utime = timeval_of(user);
	r.ru_stime = timeval_of(system);
	return user_write(t, a[1], &r, sizeof r - sizeof r.__reserved);
}

int64_t call_times(struct task *t, const uint64_t a[6])
{
	enum { NS_PER_TICK = 10000000 };
	nstime_t user, system;

	group_times(t->group, &user, &system);
	int64_t v[4] = { (int64_t)(user / NS_PER_TICK), (int64_t)(system / NS_PER_TICK),
		(int64_t)(t->group->children_user / NS_PER_TICK), (int64_t)(t->group->children_system / NS_PER_TICK) };
	if (a[0] && user_write(t, a[0], v, sizeof v) != 0)
		return -EFAULT;
	return (int64_t)(time_now() / NS_PER_TICK);
}

/*
 * RLIMIT_CPU. The kernel does not watch the sum over threads, so a timer looks when the limit could be reached at the earliest
 * (all threads running from now on), and again until it is.
 */
void cpu_limit_check(struct group *g)
{
	const struct rlimit *l = &g->limits[RLIMIT_CPU];
	nstime_t user, system;
	struct sig_entry e;

	if (l->rlim_cur == RLIM_INFINITY || (g->flags & (GROUP_ZOMBIE | GROUP_EXITING)))
		return;
	group_times(g, &user, &system);
	uint64_t seconds = (user + system) / 1000000000;
	if (l->rlim_max != RLIM_INFINITY && seconds >= l->rlim_max) {
		group_exit(g, SIGKILL);
		return;
	}
	nstime_t limit = l->rlim_cur < 1000000000 ? l->rlim_cur * 1000000000 : ~0ull >> 1;
	nstime_t wait = 1000000000;
	if (user + system < limit)
		wait = (limit - user - system) / (g->nr_live ? g->nr_live : 1) + 1000000;
	timer_start(&g->cpu_limit, time_now() + wait);
	if (seconds < l->rlim_cur)
		return;
	sig_entry_kernel(&e, SIGXCPU);
	signal_to_group(g, &e);
}

void cpu_limit_set(struct group *g)
{
	timer_stop(&g->cpu_limit);
	cpu_limit_check(g);
}

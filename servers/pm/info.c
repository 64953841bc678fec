/* SPDX-License-Identifier: BSD-2-Clause */
/* What procfs and others may know (PM_INFO), services as PM knows them (PM_SERVICE), and the load average. */
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* ---- PM_INFO ---- */

static char task_letter(const struct task *t)
{
	if (t->group->flags & GROUP_ZOMBIE)
		return 'Z';
	if (t->state == TASK_DEAD)
		return 'Z';
	if (t->group->flags & GROUP_STOPPED)
		return 'T';
	return t->wait != TASK_WAIT_NONE ? 'S' : 'R';
}

static void info_fill_task(struct pm_proc_info *p, const struct task *t)
{
	const struct group *g = t->group;
	const struct cred *c = t->cred;

	*p = (struct pm_proc_info){ .ep = t->ep, .pid = t->tid, .tgid = g->pid, .ppid = g->parent ? g->parent->pid : 0,
		.pgid = g->pgid, .sid = g->sid, .uid = c->uid, .euid = c->euid, .suid = c->suid, .gid = c->gid, .egid = c->egid,
		.sgid = c->sgid, .state = (uint32_t)task_letter(t), .exit_code = g->exit_status, .nice = g->nice,
		.nr_threads = g->nr_live ? g->nr_live : 1, .sig_pending = t->pending.set | g->pending.set,
		.sig_ignored = g->actions->ignored, .sig_caught = g->actions->caught, .start_ns = t->start,
		.child_user_ns = g->children_user, .child_system_ns = g->children_system };
	memcpy(p->name, t->name, sizeof p->name);
}

static bool info_fill(struct pm_proc_info *p, int slot)
{
	const struct task *t = &pm.tasks[slot];

	switch ((enum task_state)t->state) {
	case TASK_FREE:
		return false;
	case TASK_SERVICE:
		*p = (struct pm_proc_info){ .ep = t->ep, .pid = t->tid, .tgid = t->tid, .state = 'S', .nr_threads = 1, .is_service = 1,
			.uid = t->service_uid, .euid = t->service_uid, .suid = t->service_uid, .start_ns = t->start };
		memcpy(p->name, t->name, sizeof p->name);
		return true;
	case TASK_LIVE: case TASK_DEAD:
		break;
	}
	info_fill_task(p, t);
	return true;
}

enum { INFO_BATCH = 32 };

static void info_procs(const struct message *m, const struct pm_info_req *req)
{
	struct pm_proc_info batch[INFO_BATCH];
	struct message reply = { .type = PM_INFO + 1 };
	uint32_t room = req->len / sizeof batch[0], count = 0, n = 0, slot = req->first;
	err_t r = 0;

	for (; slot < NR_PROCS && count + n < room && r == 0; slot++) {
		n += info_fill(&batch[n], (int)slot);
		if (n < INFO_BATCH)
			continue;
		r = sys_safecopyto(m->source, req->grant, count * sizeof batch[0], batch, n * sizeof batch[0]);
		count += n;
		n = 0;
	}
	if (r == 0 && n)
		r = sys_safecopyto(m->source, req->grant, count * sizeof batch[0], batch, n * sizeof batch[0]);
	*MSG_BODY(struct pm_info_rep, &reply) = (struct pm_info_rep){ .result = r, .count = count + n, .next = slot };
	sef_reply(m->source, &reply);
}

static void info_load(const struct message *m, const struct pm_info_req *req)
{
	struct pm_load_info load = { .load1 = pm.load[0], .load5 = pm.load[1], .load15 = pm.load[2], .nr_procs = task_count(),
		.last_pid = (uint64_t)pm.pids.last };
	uint32_t len = req->len < sizeof load ? req->len : sizeof load;

	for (int i = 1; i < NR_PROCS; i++)
		load.nr_running += pm.tasks[i].state == TASK_LIVE && task_letter(&pm.tasks[i]) == 'R';
	sef_reply_result(m->source, PM_INFO, sys_safecopyto(m->source, req->grant, 0, &load, len));
}

static void info_names(const struct message *m, const struct pm_info_req *req)
{
	struct utsname names;

	system_names(&names);
	sef_reply_result(m->source, PM_INFO,
		sys_safecopyto(m->source, req->grant, 0, &names, req->len < sizeof names ? req->len : sizeof names));
}

void info_request(const struct message *m)
{
	struct pm_info_req req = *MSG_BODY(const struct pm_info_req, m);

	switch (req.what) {
	case PM_INFO_PROC:
		info_procs(m, &req);
		return;
	case PM_INFO_LOAD:
		info_load(m, &req);
		return;
	case PM_INFO_NAMES:
		info_names(m, &req);
		return;
	}
	sef_reply_result(m->source, PM_INFO, -EINVAL);
}

/* ---- PM_SERVICE ---- */

void service_known(endpoint_t ep, const char *name, uint32_t uid)
{
	struct task *t = &pm.tasks[endpoint_slot(ep)];

	if (endpoint_slot(ep) <= 0 || endpoint_slot(ep) >= NR_PROCS || t->state == TASK_LIVE || t->state == TASK_DEAD)
		return;
	memset(t, 0, sizeof *t);
	t->ep = ep;
	t->tid = pm_service_pid(ep);
	t->state = TASK_SERVICE;
	t->start = time_now();
	t->service_uid = uid;
	strncpy(t->name, name, sizeof t->name - 1);
}

void service_request(const struct message *m)
{
	struct pm_service_req req = *MSG_BODY(const struct pm_service_req, m);

	if (m->source != EP_RS) {
		log_refused(m->source, "news of a service", -EPERM);
		return;
	}
	req.name[sizeof req.name - 1] = 0;
	if (req.started) {
		service_known(req.ep, req.name, req.uid);
		return;
	}
	for (int i = 1; i < NR_PROCS; i++)
		if (pm.tasks[i].state == TASK_SERVICE && pm.tasks[i].ep == req.ep)
			pm.tasks[i].state = TASK_FREE;
}

/* ---- load average: how many want to run, sampled every 5 s, as Linux computes it ---- */

enum { LOAD_PERIOD_S = 5, LOAD_ONE = 1 << 16, LOAD_SLOTS = 32 };

static uint32_t load_count_running(void)
{
	struct info_proc procs[LOAD_SLOTS];
	uint32_t running = 0;
	uint64_t bytes;

	for (uint64_t first = 0; first < NR_PROCS; first += LOAD_SLOTS) {
		if (sys_getinfo(GETINFO_PROC, procs, sizeof procs, first, &bytes) != 0)
			break;
		for (uint64_t i = 0; i < bytes / sizeof procs[0]; i++)
			running += procs[i].is_user && procs[i].state == PROC_STATE_RUN;
	}
	return running;
}

void load_tick(void)
{
	/* 65536 / exp(5 / 60), exp(5 / 300), exp(5 / 900) */
	static const uint64_t decay[3] = { 60296, 64453, 65173 };
	uint64_t active = (uint64_t)load_count_running() * LOAD_ONE;

	for (int i = 0; i < 3; i++)
		pm.load[i] = (pm.load[i] * decay[i] + active * (LOAD_ONE - decay[i])) >> 16;
	pm.load_timer.kind = TIMER_LOAD;
	timer_start(&pm.load_timer, time_now() + LOAD_PERIOD_S * 1000000000ull);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of tasks and groups, and the answer of a call. Everything here lives in `pm` and its pools; nothing is kept elsewhere.
 */
#include "pm.h"

#include <libsef/sef.h>
#include <stdlib.h>
#include <string.h>

/* ---- looking up ---- */

struct task *task_of_slot(int slot)
{
	if (slot <= 0 || slot >= NR_PROCS)
		return 0;
	struct task *t = &pm.tasks[slot];
	return t->state == TASK_LIVE || t->state == TASK_DEAD ? t : 0;
}

struct task *task_of(endpoint_t ep)
{
	struct task *t = ep > 0 ? task_of_slot(endpoint_slot(ep)) : 0;

	return t && t->ep == ep ? t : 0;
}

struct task *task_of_tid(int32_t tid)
{
	return task_of_slot(pid_slot(&pm.pids, tid));
}

struct group *group_of_pid(int32_t pid)
{
	struct task *t = task_of_tid(pid);

	return t && t->group->pid == pid ? t->group : 0;
}

struct group *group_first(void) { return pm.groups; }
uint32_t task_count(void) { return pm.nr_tasks; }

bool pgrp_exists(int32_t pgid, int32_t sid)
{
	for (struct group *g = pm.groups; g; g = g->all_next)
		if (g->pgid == pgid && (sid == 0 || g->sid == sid))
			return true;
	return false;
}

uint32_t group_count_of_uid(uint32_t uid)
{
	uint32_t n = 0;

	for (struct group *g = pm.groups; g; g = g->all_next)
		if (!(g->flags & GROUP_ZOMBIE) && g->leader->cred->uid == uid)
			n += g->nr_tasks;
	return n;
}

/* ---- groups ---- */

struct group *group_create(int32_t pid)
{
	struct group *g = pool_get(&pm.group_pool);

	if (!g)
		return 0;
	g->pid = pid;
	g->exit_signal = SIGCHLD;
	g->itimer.kind = TIMER_ITIMER;
	g->itimer.owner = g;
	g->cpu_limit.kind = TIMER_CPU_LIMIT;
	g->cpu_limit.owner = g;
	g->all_next = pm.groups;
	if (pm.groups)
		pm.groups->all_prev = g;
	pm.groups = g;
	return g;
}

void group_set_pgid(struct group *g, int32_t pgid)
{
	pid_ref(&pm.pids, pgid);
	pid_unref(&pm.pids, g->pgid);
	g->pgid = pgid;
}

void group_set_sid(struct group *g, int32_t sid)
{
	pid_ref(&pm.pids, sid);
	pid_unref(&pm.pids, g->sid);
	g->sid = sid;
}

static void group_leave_parent(struct group *g)
{
	if (g->sibling_next)
		g->sibling_next->sibling_prev = g->sibling_prev;
	else
		g->parent->children_last = g->sibling_prev;
	if (g->sibling_prev)
		g->sibling_prev->sibling_next = g->sibling_next;
	else
		g->parent->children = g->sibling_next;
	g->sibling_next = g->sibling_prev = 0;
}

/* The oldest child comes first: that is the order in which a wait finds them. */
void group_set_parent(struct group *g, struct group *parent)
{
	if (g->parent)
		group_leave_parent(g);
	g->parent = parent;
	if (!parent)
		return;
	g->sibling_prev = parent->children_last;
	if (parent->children_last)
		parent->children_last->sibling_next = g;
	else
		parent->children = g;
	parent->children_last = g;
}

void group_destroy(struct group *g)
{
	group_set_parent(g, 0);
	group_set_pgid(g, 0);
	group_set_sid(g, 0);
	sigqueue_drop(&g->pending, &pm.sigentry_pool, ~0ull);
	if (g->actions)
		actions_put(g->actions);
	timer_stop(&g->itimer);
	timer_stop(&g->cpu_limit);
	posix_timers_delete(g);
	if (g->all_next)
		g->all_next->all_prev = g->all_prev;
	if (g->all_prev)
		g->all_prev->all_next = g->all_next;
	else
		pm.groups = g->all_next;
	pool_put(&pm.group_pool, g);
}

/* ---- tasks ---- */

void task_join(struct task *t, endpoint_t ep, int32_t tid, struct group *g)
{
	memset(t, 0, sizeof *t);
	t->ep = ep;
	t->state = TASK_LIVE;
	t->group = g;
	t->timer.kind = TIMER_TASK;
	t->timer.owner = t;
	t->start = time_now();
	t->altstack.flags = SS_DISABLE;
	t->next = g->tasks;
	g->tasks = t;
	g->nr_tasks++;
	g->nr_live++;
	pm.nr_tasks++;
	task_take_tid(t, tid);
	if (tid == g->pid)
		g->leader = t;
}

void task_take_tid(struct task *t, int32_t tid)
{
	if (t->tid) {
		pid_bind(&pm.pids, t->tid, 0);
		pid_unref(&pm.pids, t->tid);
	}
	t->tid = tid;
	if (!tid)
		return;
	pid_ref(&pm.pids, tid);
	pid_bind(&pm.pids, tid, endpoint_slot(t->ep));
}

void task_leave(struct task *t)
{
	struct group *g = t->group;
	struct task **link = &g->tasks;

	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	g->nr_tasks--;
	pm.nr_tasks--;
	if (g->leader == t)
		g->leader = 0;
	task_take_tid(t, 0);
	timer_stop(&t->timer);
	sigqueue_drop(&t->pending, &pm.sigentry_pool, ~0ull);
	cred_put(t->cred);
	t->cred = 0;
	t->group = 0;
	t->state = TASK_FREE;
}

/* ---- answering ---- */

void task_answer(struct task *t, int64_t result)
{
	struct message m = { .type = MSG_LINUX + 1, .w[0] = (uint64_t)result };

	if (!(t->flags & TASK_IN_CALL) || t->state != TASK_LIVE)
		return;
	t->flags &= ~(uint32_t)TASK_IN_CALL;
	sef_reply(t->ep, &m);
}

void wait_end(struct task *t, int64_t result)
{
	if (t->wait == TASK_WAIT_NONE)
		return;
	t->wait = TASK_WAIT_NONE;
	timer_stop(&t->timer);
	task_answer(t, result);
}

void task_set_answers(struct task *t)
{
	struct group *g = t->group;
	uint64_t v[NR_ANSWERS] = {
		[ANSWER_PID] = (uint64_t)g->pid, [ANSWER_PPID] = g->parent ? (uint64_t)g->parent->pid : 0,
		[ANSWER_TID] = (uint64_t)t->tid, [ANSWER_PGRP] = (uint64_t)g->pgid,
		[ANSWER_UID] = t->cred->uid, [ANSWER_EUID] = t->cred->euid,
		[ANSWER_GID] = t->cred->gid, [ANSWER_EGID] = t->cred->egid,
	};

	sys_setanswer(t->ep, (1u << NR_ANSWERS) - 1, v);
}

void group_set_answers(struct group *g)
{
	for (struct task *t = g->tasks; t; t = t->next)
		if (t->state == TASK_LIVE)
			task_set_answers(t);
}

/* ---- credentials ---- */

struct cred *cred_create_root(void)
{
	struct cred *c = pool_get(&pm.cred_pool);

	if (!c)
		return 0;
	c->refs = 1;
	c->groups = c->few;
	return c;
}

struct cred *cred_copy(const struct cred *c)
{
	struct cred *n = pool_get(&pm.cred_pool);

	if (!n)
		return 0;
	*n = *c;
	n->refs = 1;
	n->groups = n->few;
	if (c->groups == c->few)
		return n;
	n->groups = malloc(c->nr_groups * sizeof *n->groups);
	if (!n->groups) {
		pool_put(&pm.cred_pool, n);
		return 0;
	}
	memcpy(n->groups, c->groups, c->nr_groups * sizeof *n->groups);
	return n;
}

void cred_put(struct cred *c)
{
	if (!c || --c->refs)
		return;
	if (c->groups != c->few)
		free(c->groups);
	pool_put(&pm.cred_pool, c);
}

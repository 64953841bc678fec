/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of threads and processes.
 *
 * A thread that ends gives back what others wait for in its memory (robust futexes, the word for pthread_join), then its files and its
 * memory. The slot of a thread is freed at once; the slot of a leader stays, dead, until its whole group is reaped, because the pid is
 * the group's. With the last thread the group becomes a zombie: children go to a new parent, the parent is told.
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>

/* The task never runs again; its memory and files go. `frozen`: it is in a call to us or stopped by the kernel already. */
static void task_end(struct task *t, bool frozen)
{
	struct group *g = t->group;
	nstime_t user = 0, system = 0;

	if (!frozen)
		sys_runctl(t->ep, RUNCTL_STOP, 0, 0);
	timer_stop(&t->timer);
	if (t->wait == TASK_WAIT_VFORK && t->vfork_child)
		t->vfork_child->vfork_parent = 0;
	t->wait = TASK_WAIT_NONE;
	robust_list_walk(t);
	task_clear_tid(t);
	if (sys_times(t->ep, &user, &system, 0) == 0) {
		g->dead_user += user;
		g->dead_system += system;
	}
	peer_vfs_exit(t->ep);
	peer_vm_exit(t->ep);
	t->state = TASK_DEAD;
	t->flags &= ~(uint32_t)TASK_IN_CALL;
	g->nr_live--;
}

static void task_free(struct task *t)
{
	endpoint_t ep = t->ep;

	task_leave(t);
	sys_clear(ep);
}

/* All tasks but `keep` end; those that are not the leader disappear. */
static void group_end_tasks(struct group *g, struct task *keep)
{
	struct task *t, *next;

	for (t = g->tasks; t; t = next) {
		next = t->next;
		if (t == keep)
			continue;
		if (t->state == TASK_LIVE)
			task_end(t, t == pm.current && (t->flags & TASK_IN_CALL));
		if (t != g->leader)
			task_free(t);
	}
}

/* exec: `keep` becomes the only thread and the leader, and takes the pid of the group. */
void group_kill_others(struct group *g, struct task *keep)
{
	group_end_tasks(g, keep);
	if (g->leader && g->leader != keep)
		task_free(g->leader);
	g->leader = keep;
	if (keep->tid != g->pid)
		task_take_tid(keep, g->pid);
	task_set_answers(keep);
}

/* Who takes the children of a dying group: the nearest ancestor that asked for it, else init. */
static struct group *group_find_reaper(struct group *g)
{
	for (struct group *p = g->parent; p; p = p->parent)
		if ((p->flags & GROUP_SUBREAPER) && !(p->flags & (GROUP_ZOMBIE | GROUP_EXITING)))
			return p;
	struct group *init = group_of_pid(PID_INIT);
	return init && init != g && !(init->flags & GROUP_ZOMBIE) ? init : 0;
}

static void child_parent_died(struct group *child)
{
	struct sig_entry e;

	for (struct task *t = child->tasks; t; t = t->next) {
		if (!t->pdeathsig || t->state != TASK_LIVE)
			continue;
		sig_entry_user(&e, t->pdeathsig, SI_USER, 0);
		signal_to_group(child, &e);
		return;
	}
}

static void group_reparent_children(struct group *g)
{
	struct group *reaper = group_find_reaper(g);

	while (g->children) {
		struct group *child = g->children;

		bool zombie = child->flags & GROUP_ZOMBIE;
		child->exit_signal = SIGCHLD;
		group_set_parent(child, reaper);
		pgrp_check_orphaned(child, g, 0);
		if (zombie) {
			parent_notify(child, 0);
			continue;
		}
		group_set_answers(child);
		child_parent_died(child);
	}
}

void vfork_release(struct group *child)
{
	struct task *parent = child->vfork_parent;

	if (!parent)
		return;
	child->vfork_parent = 0;
	parent->vfork_child = 0;
	wait_end(parent, child->pid);
	signal_deliver(parent);
}

static void init_died(int status)
{
	log_warn("init is gone (wait status %#x): nothing is left to do", (unsigned)status);
	sef_flush();
	sys_abort(ABORT_PANIC, status);
}

static void group_exit_now(struct group *g)
{
	itimers_stop(g);
	posix_timers_delete(g);
	group_end_tasks(g, 0);
	if (g->flags & GROUP_IS_INIT)
		init_died(g->exit_status);
	vfork_release(g);
	group_reparent_children(g);
	pgrp_check_orphaned(g, g->parent, g);
	sigqueue_drop(&g->pending, &pm.sigentry_pool, ~0ull);
	g->flags |= GROUP_ZOMBIE;
	g->flags &= ~(uint32_t)(GROUP_STOPPED | GROUP_STOP_UNTOLD | GROUP_CONT_UNTOLD);
	parent_notify(g, 0);
}

static struct group *exits_take_first(void)
{
	struct group *g = pm.exits;

	if (!g)
		return 0;
	pm.exits = g->exit_next;
	if (!pm.exits)
		pm.exits_last = 0;
	return g;
}

/*
 * One end may cause others (signals to children and parents), and those more: a long chain of processes must not become a deep
 * stack, so those that come meanwhile stand in a queue until the present one is through.
 */
void group_exit(struct group *g, int status)
{
	if (g->flags & (GROUP_EXITING | GROUP_ZOMBIE))
		return;
	g->flags |= GROUP_EXITING;
	g->exit_status = status;
	g->exit_next = 0;
	*(pm.exits_last ? &pm.exits_last->exit_next : &pm.exits) = g;
	pm.exits_last = g;
	if (pm.exits_running)
		return;
	pm.exits_running = true;
	for (g = exits_take_first(); g; g = exits_take_first())
		group_exit_now(g);
	pm.exits_running = false;
}

void group_reap(struct group *g)
{
	if (g->leader)
		task_free(g->leader);
	group_destroy(g);
}

void task_exit(struct task *t, int status)
{
	struct group *g = t->group;

	if (g->nr_live == 1) {
		group_exit(g, status);
		return;
	}
	task_end(t, true);
	if (t != g->leader)
		task_free(t);
}

int64_t call_exit(struct task *t, const uint64_t a[6])
{
	task_exit(t, wait_status_exited((int)a[0]));
	return 0;
}

int64_t call_exit_group(struct task *t, const uint64_t a[6])
{
	group_exit(t->group, wait_status_exited((int)a[0]));
	return 0;
}

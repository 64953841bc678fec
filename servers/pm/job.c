/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Job control: process groups, sessions, stopping and continuing, what parents are told, and what terminals ask for.
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <string.h>
#include <sys/wait.h>

/* ---- orphaned process groups ---- */

/* A process group is orphaned when no member has a parent outside the group in the same session: nobody could continue it. */
bool pgrp_is_orphaned(int32_t pgid, struct group *except)
{
	for (struct group *g = group_first(); g; g = g->all_next) {
		struct group *p = g->parent;
		if (g->pgid != pgid || g == except || (g->flags & GROUP_ZOMBIE) || !p || (p->flags & GROUP_IS_INIT))
			continue;
		if (p->pgid != pgid && p->sid == g->sid)
			return false;
	}
	return true;
}

static bool pgrp_has_stopped(int32_t pgid)
{
	for (struct group *g = group_first(); g; g = g->all_next)
		if (g->pgid == pgid && (g->flags & GROUP_STOPPED))
			return true;
	return false;
}

/* To all members, as from the kernel. Collected first: a signal may end groups and so change the list. */
static uint32_t pgrp_signal(int32_t pgid, const struct sig_entry *e)
{
	int32_t pids[NR_PROCS];
	uint32_t n = 0;

	for (struct group *g = group_first(); g && n < NR_PROCS; g = g->all_next)
		if (g->pgid == pgid)
			pids[n++] = g->pid;
	for (uint32_t i = 0; i < n; i++) {
		struct group *g = group_of_pid(pids[i]);
		if (g)
			signal_to_group(g, e);
	}
	return n;
}

void pgrp_check_orphaned(struct group *g, struct group *parent, struct group *gone)
{
	struct sig_entry e;

	if (!parent || parent->pgid == g->pgid || parent->sid != g->sid)
		return;
	if (!pgrp_has_stopped(g->pgid) || !pgrp_is_orphaned(g->pgid, gone))
		return;
	int32_t pgid = g->pgid;
	sig_entry_kernel(&e, SIGHUP);
	pgrp_signal(pgid, &e);
	sig_entry_kernel(&e, SIGCONT);
	pgrp_signal(pgid, &e);
}

/* ---- telling the parent ---- */

static void child_entry(struct sig_entry *e, struct group *g, int code)
{
	nstime_t user, system;

	memset(e, 0, sizeof *e);
	e->info.si_signo = g->flags & GROUP_ZOMBIE ? g->exit_signal : SIGCHLD;
	e->info.si_code = code;
	e->info.si_pid = g->pid;
	e->info.si_uid = g->leader ? g->leader->cred->uid : 0;
	e->info.si_status = code == CLD_EXITED ? WEXITSTATUS(g->exit_status) : code == CLD_KILLED ? WTERMSIG(g->exit_status)
		: code == CLD_CONTINUED ? SIGCONT : g->stop_signo;
	group_times(g, &user, &system);
	e->info.si_utime = (clock_t)(user / 10000000);
	e->info.si_stime = (clock_t)(system / 10000000);
}

static bool parent_wants_no_zombies(const struct group *parent)
{
	const struct sig_actions *a = parent->actions;

	return (a->ignored & SIGBIT(SIGCHLD)) || (a->of[SIGCHLD].flags & SA_NOCLDWAIT);
}

/* The end of a group: reaped at once if nobody will wait. The waiting tasks look before the signal, so that they get the child. */
static void parent_notify_exit(struct group *g)
{
	struct group *parent = g->parent;
	struct sig_entry e;

	if (!parent) {
		group_reap(g);
		return;
	}
	child_entry(&e, g, WIFSIGNALED(g->exit_status) ? CLD_KILLED : CLD_EXITED);
	if (g->exit_signal == SIGCHLD && parent_wants_no_zombies(parent)) {
		bool silent = parent->actions->ignored & SIGBIT(SIGCHLD);
		group_reap(g);
		wait_retry(parent);
		if (!silent)
			signal_to_group(parent, &e);
		return;
	}
	wait_notify(g);
	if (e.info.si_signo > 0)
		signal_to_group(parent, &e);
}

/* code: CLD_STOPPED, CLD_CONTINUED, or 0 for the end of the group. */
void parent_notify(struct group *g, int code)
{
	struct sig_entry e;

	if (code == 0) {
		parent_notify_exit(g);
		return;
	}
	struct group *parent = g->parent;
	if (!parent)
		return;
	child_entry(&e, g, code);
	wait_notify(g);
	if (!(parent->actions->of[SIGCHLD].flags & SA_NOCLDSTOP))
		signal_to_group(parent, &e);
}

/* ---- stop and continue ---- */

void group_stop(struct group *g, int signo)
{
	g->stop_signo = signo;
	g->flags |= GROUP_STOPPED | GROUP_STOP_UNTOLD;
	g->flags &= ~(uint32_t)GROUP_CONT_UNTOLD;
	for (struct task *t = g->tasks; t; t = t->next)
		if (t->state == TASK_LIVE) {
			t->flags |= TASK_HALTED;
			sys_runctl(t->ep, RUNCTL_STOP, 0, 0);
		}
	parent_notify(g, CLD_STOPPED);
}

void group_continue(struct group *g)
{
	if (!(g->flags & GROUP_STOPPED))
		return;
	g->flags &= ~(uint32_t)(GROUP_STOPPED | GROUP_STOP_UNTOLD);
	g->flags |= GROUP_CONT_UNTOLD;
	for (struct task *t = g->tasks; t; t = t->next)
		if (t->state == TASK_LIVE && (t->flags & TASK_HALTED)) {
			t->flags &= ~(uint32_t)TASK_HALTED;
			sys_runctl(t->ep, RUNCTL_RESUME, 0, 0);
		}
	parent_notify(g, CLD_CONTINUED);
}

/* ---- system calls ---- */

static struct group *group_named(struct task *t, int32_t pid)
{
	if (pid == 0)
		return t->group;
	struct task *other = task_of_tid(pid);
	return other ? other->group : 0;
}

int64_t call_getpgid(struct task *t, const uint64_t a[6])
{
	struct group *g = group_named(t, (int32_t)a[0]);

	return g ? g->pgid : -ESRCH;
}

int64_t call_getsid(struct task *t, const uint64_t a[6])
{
	struct group *g = group_named(t, (int32_t)a[0]);

	return g ? g->sid : -ESRCH;
}

static err_t setpgid_check(struct task *t, struct group *g, int32_t pgid)
{
	if (g->parent == t->group) {
		if (g->sid != t->group->sid)
			return -EPERM;
		if (g->flags & GROUP_EXECED)
			return -EACCES;
	} else if (g != t->group) {
		return -ESRCH;
	}
	if (g->sid == g->pid)
		return -EPERM;
	return pgid == g->pid || pgrp_exists(pgid, t->group->sid) ? 0 : -EPERM;
}

int64_t call_setpgid(struct task *t, const uint64_t a[6])
{
	int32_t pid = (int32_t)a[0] ? (int32_t)a[0] : t->group->pid;
	int32_t pgid = (int32_t)a[1] ? (int32_t)a[1] : pid;

	if (pgid < 0)
		return -EINVAL;
	struct group *g = group_of_pid(pid);
	if (!g)
		return task_of_tid(pid) ? -EINVAL : -ESRCH;
	err_t r = setpgid_check(t, g, pgid);
	if (r != 0 || g->pgid == pgid)
		return r;
	group_set_pgid(g, pgid);
	group_set_answers(g);
	peer_vfs_setids(g);
	return 0;
}

int64_t call_setsid(struct task *t, const uint64_t a[6])
{
	struct group *g = t->group;

	(void)a;
	if (pgrp_exists(g->pid, 0))
		return -EPERM;
	group_set_sid(g, g->pid);
	group_set_pgid(g, g->pid);
	group_set_answers(g);
	peer_vfs_setids(g);
	return g->sid;
}

int64_t call_vhangup(struct task *t, const uint64_t a[6])
{
	(void)a;
	return cred_is_root(t->cred) ? 0 : -EPERM;
}

/* ---- requests of the terminal driver and of VFS ---- */

/* May a background process use its terminal? Linux: a process that cannot be stopped for it reads nothing (EIO), but may write. */
static enum pm_tty_verdict tty_judge(struct task *t, int signo, const struct sig_entry *e)
{
	if (signal_is_deaf(t, signo))
		return signo == SIGTTIN ? PM_TTY_EIO : PM_TTY_PROCEED;
	if (pgrp_is_orphaned(t->group->pgid, 0))
		return PM_TTY_EIO;
	pgrp_signal(t->group->pgid, e);
	return PM_TTY_SENT;
}

void job_tty_signal(const struct message *m)
{
	struct pm_tty_signal_req req = *MSG_BODY(const struct pm_tty_signal_req, m);
	struct message reply = { .type = PM_TTY_SIGNAL + 1 };
	enum pm_tty_verdict verdict = PM_TTY_SENT;
	struct task *t = task_of(req.ep);
	struct sig_entry e;

	if (m->source != EP_TTY) {
		log_refused(m->source, "a signal of a terminal", -EPERM);
		return;
	}
	if (!signo_is_valid(req.signo) || req.pgid < 0)
		return;
	sig_entry_kernel(&e, req.signo);
	if ((req.ep == EP_NONE || req.ep == 0) && req.pgid > 0)
		pgrp_signal(req.pgid, &e);
	else if (t && t->state == TASK_LIVE)
		verdict = tty_judge(t, req.signo, &e);
	if (!req.id)
		return;
	*MSG_BODY(struct pm_tty_signal_rep, &reply) = (struct pm_tty_signal_rep){ req.id, verdict };
	sef_send(m->source, &reply, IPC_NOREPLY);
}

/* PM_KILL: SIGPIPE and SIGXFSZ mean the thread whose call failed, others its process. */
void job_kill_message(const struct message *m)
{
	struct pm_kill_req req = *MSG_BODY(const struct pm_kill_req, m);
	struct task *t = task_of(req.ep);
	struct sig_entry e;

	if (m->source != EP_VFS) {
		log_refused(m->source, "a signal for a program", -EPERM);
		return;
	}
	if (!t || t->state != TASK_LIVE || !signo_is_valid(req.signo))
		return;
	sig_entry_user(&e, req.signo, req.code, t);
	e.info.si_value.sival_ptr = (void *)(uintptr_t)req.value;
	if (req.signo == SIGPIPE || req.signo == SIGXFSZ)
		signal_to_task(t, &e);
	else
		signal_to_group(t->group, &e);
}

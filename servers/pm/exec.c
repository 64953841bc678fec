/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execve. PM asks VFS to load the program and goes on with other work; VFS tells how far it is:
 *
 *	user -> PM   execve               PM -> VFS   VFS_EXEC (the caller waits: TASK_WAIT_EXEC)
 *	                                  VFS -> PM   FAILED            the caller goes on with the error
 *	             several threads:     VFS -> PM   READY             all is checked; PM ends the other threads
 *	                                  PM -> VFS   VFS_EXEC_COMMIT
 *	                                  VFS -> PM   DONE              new memory is there: fresh registers, run
 *	                                  VFS -> PM   LOST              the old memory is gone, the new failed: killed
 *
 * Signals for the caller stay pending meanwhile, except those that end it; ending it makes VFS forget the exec (VFS_EXIT).
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/vfs.h>
#include <string.h>

static int64_t exec_start(struct task *t, const struct vfs_exec_req *req)
{
	struct message m = { .type = VFS_EXEC };

	if (t->group->exec_task)
		return -EAGAIN;
	*MSG_BODY(struct vfs_exec_req, &m) = *req;
	t->wait = TASK_WAIT_EXEC;
	sef_send(EP_VFS, &m, IPC_NOREPLY);
	return 0;
}

static uint32_t exec_flags(const struct group *g)
{
	return (g->nr_live == 1 ? VFS_EXEC_COMMIT_NOW : 0) | (g->flags & GROUP_NO_NEW_PRIVS ? VFS_EXEC_NO_SETID : 0);
}

int64_t call_execve(struct task *t, const uint64_t a[6])
{
	return exec_start(t, &(struct vfs_exec_req){ .ep = t->ep, .flags = exec_flags(t->group),
		.dirfd = -100 /* AT_FDCWD */, .path = a[0], .argv = a[1], .envp = a[2] });
}

int64_t call_execveat(struct task *t, const uint64_t a[6])
{
	return exec_start(t, &(struct vfs_exec_req){ .ep = t->ep, .flags = exec_flags(t->group),
		.dirfd = (int32_t)a[0], .at_flags = (uint32_t)a[4], .path = a[1], .argv = a[2], .envp = a[3] });
}

static void exec_commit(struct task *t)
{
	struct message m = { .type = VFS_EXEC_COMMIT };

	MSG_BODY(struct vfs_exec_commit_req, &m)->ep = t->ep;
	t->group->exec_task = t;
	group_kill_others(t->group, t);
	sef_send(EP_VFS, &m, IPC_NOREPLY);
}

/* The new program starts with the credentials that VFS found for it. */
static void exec_set_cred(struct task *t, const struct vfs_exec_rep *rep)
{
	struct cred *c = cred_copy(t->cred);

	if (!c)
		return;
	if (!cred_rule_exec(c, rep->euid, rep->egid)) {
		cred_put(c);
		return;
	}
	cred_put(t->cred);
	t->cred = c;
	if (rep->secure)
		t->pdeathsig = 0;
	peer_vfs_setcred(t);
}

static void exec_reset_task(struct task *t, const char *name)
{
	struct group *g = t->group;

	g->exec_task = 0;
	g->exit_signal = g->parent ? SIGCHLD : g->exit_signal;
	g->flags |= GROUP_EXECED;
	g->flags &= ~(uint32_t)(GROUP_KEEPCAPS | GROUP_NOT_DUMPABLE);
	actions_reset(g);
	posix_timers_delete(g);
	t->altstack = (struct altstack){ .flags = SS_DISABLE };
	t->clear_tid = t->robust_list = t->robust_len = 0;
	t->flags &= ~(uint32_t)TASK_SHARES_SPACE;
	memcpy(t->name, name, sizeof t->name);
	t->name[sizeof t->name - 1] = 0;
}

static void exec_done(struct task *t, const struct vfs_exec_rep *rep)
{
	exec_reset_task(t, rep->name);
	exec_set_cred(t, rep);
	vfork_release(t->group);
	t->wait = TASK_WAIT_NONE;
	t->flags &= ~(uint32_t)TASK_IN_CALL;
	task_set_answers(t);
	/* From here on it may run. */
	if (sys_exec(t->ep, rep->pc, rep->sp, t->name) != 0) {
		group_exit(t->group, SIGKILL);
		return;
	}
	if (!(t->flags & TASK_HALTED))
		sys_runctl(t->ep, RUNCTL_RESUME, 0, 0);
	signal_deliver(t);
}

static void exec_failed(struct task *t, int32_t error)
{
	if (t->group->flags & GROUP_IS_INIT && !(t->flags & TASK_IN_CALL)) {
		boot_exec_failed(t, error);
		return;
	}
	wait_end(t, error);
	signal_deliver(t);
}

void exec_on_reply(const struct message *m)
{
	struct vfs_exec_rep rep = *MSG_BODY(const struct vfs_exec_rep, m);
	struct task *t = task_of(rep.ep);

	if (!t || t->wait != TASK_WAIT_EXEC)
		return;
	switch ((enum vfs_exec_phase)rep.phase) {
	case VFS_EXEC_FAILED:
		exec_failed(t, rep.result);
		break;
	case VFS_EXEC_READY:
		exec_commit(t);
		break;
	case VFS_EXEC_DONE:
		exec_done(t, &rep);
		break;
	case VFS_EXEC_LOST:
		group_exit(t->group, SIGKILL);
		break;
	}
}

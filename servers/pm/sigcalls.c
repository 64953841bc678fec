/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls about signals. What signals do is in signal.c. */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <limits.h>
#include <string.h>

enum { SIGSET_BYTES = 8, MINSIGSTKSZ_LINUX = 2048 };
#define SS_AUTODISARM_LINUX 0x80000000u

/* ---- actions ---- */

static void action_set(struct group *g, int signo, const struct sig_action *act)
{
	struct sig_actions *all = g->actions;

	all->of[signo] = *act;
	all->of[signo].mask &= ~SIGSET_UNBLOCKABLE;
	all->ignored &= ~SIGBIT(signo);
	all->caught &= ~SIGBIT(signo);
	if (act->handler == (uint64_t)(uintptr_t)SIG_IGN)
		all->ignored |= SIGBIT(signo);
	else if (act->handler != (uint64_t)(uintptr_t)SIG_DFL)
		all->caught |= SIGBIT(signo);
}

/* What became ignored is no longer pending. */
static void action_drop_ignored(struct group *g, int signo)
{
	enum sig_default d = sig_default_action(signo);

	if (g->actions->caught & SIGBIT(signo))
		return;
	if (!(g->actions->ignored & SIGBIT(signo)) && d != SIG_DEFAULT_IGNORE && d != SIG_DEFAULT_CONTINUE)
		return;
	sigqueue_drop(&g->pending, &pm.sigentry_pool, SIGBIT(signo));
	for (struct task *t = g->tasks; t; t = t->next)
		sigqueue_drop(&t->pending, &pm.sigentry_pool, SIGBIT(signo));
}

int64_t call_rt_sigaction(struct task *t, const uint64_t a[6])
{
	int signo = (int)a[0];
	struct sig_action act, old;

	if (a[3] != SIGSET_BYTES || !signo_is_valid(signo))
		return -EINVAL;
	if (a[1] && user_read(t, a[1], &act, sizeof act) != 0)
		return -EFAULT;
	if (a[1] && (SIGBIT(signo) & SIGSET_UNBLOCKABLE))
		return -EINVAL;
	old = t->group->actions->of[signo];
	if (a[1]) {
		action_set(t->group, signo, &act);
		action_drop_ignored(t->group, signo);
	}
	return a[2] ? user_write(t, a[2], &old, sizeof old) : 0;
}

/* ---- pending, waiting ---- */

int64_t call_rt_sigpending(struct task *t, const uint64_t a[6])
{
	uint64_t set = (t->pending.set | t->group->pending.set) & task_sigmask(t);

	if (a[1] > SIGSET_BYTES)
		return -EINVAL;
	return user_write(t, a[0], &set, a[1]);
}

int64_t call_pause(struct task *t, const uint64_t a[6])
{
	(void)a;
	t->wait = TASK_WAIT_PAUSE;
	if (t->pending.set | t->group->pending.set)
		signal_deliver(t);
	return 0;
}

int64_t call_rt_sigsuspend(struct task *t, const uint64_t a[6])
{
	uint64_t mask;

	if (a[1] != SIGSET_BYTES)
		return -EINVAL;
	if (user_read(t, a[0], &mask, sizeof mask) != 0)
		return -EFAULT;
	t->wait = TASK_WAIT_PAUSE;
	sys_sigmask(t->ep, SIGMASK_TEMP, mask & ~SIGSET_UNBLOCKABLE, 0);
	if (t->pending.set | t->group->pending.set)
		signal_deliver(t);
	return 0;
}

/* Takes one pending signal of the set: its number, or 0 if there is none. */
static int64_t sigwait_take(struct task *t, const struct signal_wait *w)
{
	int signo = sigset_next((t->pending.set | t->group->pending.set) & w->set);
	struct sig_entry e;

	if (!signo)
		return 0;
	sigqueue_pop(t->pending.set & SIGBIT(signo) ? &t->pending : &t->group->pending, &pm.sigentry_pool, signo, &e);
	if (e.info.si_code == SI_TIMER)
		posix_timer_taken(t->group, &e.info);
	if (w->siginfo && user_write(t, w->siginfo, &e.info, sizeof e.info) != 0)
		return -EFAULT;
	return signo;
}

bool signal_take_waited(struct task *t)
{
	if (t->wait != TASK_WAIT_SIGNAL)
		return false;
	int64_t r = sigwait_take(t, &t->w.signal);
	if (r == 0)
		return false;
	wait_end(t, r);
	return true;
}

int64_t call_rt_sigtimedwait(struct task *t, const uint64_t a[6])
{
	struct signal_wait w = { .siginfo = a[1] };
	nstime_t timeout = 0;

	if (a[3] != SIGSET_BYTES)
		return -EINVAL;
	if (user_read(t, a[0], &w.set, sizeof w.set) != 0)
		return -EFAULT;
	w.set &= ~SIGSET_UNBLOCKABLE;
	err_t r = a[2] ? timespec_read(t, a[2], &timeout) : 0;
	if (r != 0)
		return r;
	int64_t got = sigwait_take(t, &w);
	if (got != 0)
		return got;
	if (a[2] && timeout == 0)
		return -EAGAIN;
	t->wait = TASK_WAIT_SIGNAL;
	t->w.signal = w;
	if (a[2])
		timer_start(&t->timer, time_now() + timeout);
	return 0;
}

/* ---- alternate stack ---- */

static bool task_is_on_altstack(struct task *t)
{
	struct info_proc info;

	if (t->altstack.flags & SS_DISABLE)
		return false;
	if (sys_getinfo(GETINFO_PROC, &info, sizeof info, (uint64_t)endpoint_slot(t->ep), 0) != 0)
		return false;
	return info.sp > t->altstack.sp && info.sp - t->altstack.sp <= t->altstack.size;
}

static err_t altstack_check(const stack_t *ss)
{
	uint32_t mode = (uint32_t)ss->ss_flags & ~SS_AUTODISARM_LINUX;

	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -EINVAL;
	if (mode != SS_DISABLE && ss->ss_size < MINSIGSTKSZ_LINUX)
		return -ENOMEM;
	return 0;
}

int64_t call_sigaltstack(struct task *t, const uint64_t a[6])
{
	bool on = task_is_on_altstack(t);
	stack_t ss, old;
	err_t r;

	memset(&old, 0, sizeof old);
	old.ss_sp = (void *)(uintptr_t)t->altstack.sp;
	old.ss_size = t->altstack.size;
	old.ss_flags = (int)(t->altstack.flags | (on ? SS_ONSTACK : 0));
	if (a[0]) {
		if (user_read(t, a[0], &ss, sizeof ss) != 0)
			return -EFAULT;
		if (on)
			return -EPERM;
		r = altstack_check(&ss);
		if (r != 0)
			return r;
		bool off = (uint32_t)ss.ss_flags & SS_DISABLE;
		t->altstack = (struct altstack){ .sp = off ? 0 : (vaddr_t)(uintptr_t)ss.ss_sp, .size = off ? 0 : ss.ss_size,
			.flags = (uint32_t)ss.ss_flags & (SS_DISABLE | SS_AUTODISARM_LINUX) };
	}
	return a[1] ? user_write(t, a[1], &old, sizeof old) : 0;
}

/* ---- sending ---- */

static bool kill_allowed(struct task *sender, struct group *g, int signo)
{
	if (g->leader && cred_may_kill(sender->cred, g->leader->cred))
		return true;
	return signo == SIGCONT && g->sid == sender->group->sid;
}

err_t kill_group_checked(struct task *sender, struct group *g, const struct sig_entry *e)
{
	if (!kill_allowed(sender, g, e->info.si_signo))
		return -EPERM;
	return e->info.si_signo ? signal_to_group(g, e) : 0;
}

static bool may_kill_service(const struct cred *c, uint32_t owner)
{
	return cred_is_root(c) || c->euid == owner || c->uid == owner;
}

/* Services: root and the user whose service it is (`uid` in system.conf) may; the manager decides what becomes of it. What looks like a
 * fault may not be forged. */
static err_t kill_service(struct task *sender, const struct task *service, int signo)
{
	const uint64_t lethal = SIGBIT(SIGILL) | SIGBIT(SIGBUS) | SIGBIT(SIGFPE) | SIGBIT(SIGSEGV) | SIGBIT(SIGABRT);

	if (!may_kill_service(sender->cred, service->service_uid) || (signo && (lethal & SIGBIT(signo))))
		return -EPERM;
	return signo ? sys_kill(service->ep, signo, SI_USER, 0) : 0;
}

static err_t kill_pid(struct task *sender, int32_t pid, const struct sig_entry *e)
{
	if (pid >= 2 && pid < PID_FIRST_USER) {
		struct task *s = &pm.tasks[pid - 1];
		return s->state == TASK_SERVICE ? kill_service(sender, s, e->info.si_signo) : -ESRCH;
	}
	struct task *t = task_of_tid(pid);
	return t ? kill_group_checked(sender, t->group, e) : -ESRCH;
}

/* A process group (pgid) or, for 0, everybody but init and the sender's own group. The groups are collected first, because a
 * signal may end groups and so change the list. */
static err_t kill_many(struct task *sender, int32_t pgid, const struct sig_entry *e)
{
	int32_t pids[NR_PROCS];
	uint32_t n = 0, reached = 0;
	err_t refused = 0, r;

	for (struct group *g = group_first(); g && n < NR_PROCS; g = g->all_next)
		if (pgid ? g->pgid == pgid : !(g->flags & GROUP_IS_INIT) && g != sender->group)
			pids[n++] = g->pid;
	for (uint32_t i = 0; i < n; i++) {
		struct group *g = group_of_pid(pids[i]);
		r = g ? kill_group_checked(sender, g, e) : -ESRCH;
		if (r == 0)
			reached++;
		else if (r != -ESRCH)
			refused = r;
	}
	if (n == 0)
		return -ESRCH;
	return reached || pgid == 0 ? 0 : refused;	/* -1 spares silently those it may not reach */
}

int64_t call_kill(struct task *t, const uint64_t a[6])
{
	int32_t pid = (int32_t)a[0];
	int signo = (int)a[1];
	struct sig_entry e;

	if (signo != 0 && !signo_is_valid(signo))
		return -EINVAL;
	if (pid == INT_MIN)
		return -ESRCH;
	sig_entry_user(&e, signo, SI_USER, t);
	if (pid > 0)
		return kill_pid(t, pid, &e);
	return kill_many(t, pid == 0 ? t->group->pgid : pid == -1 ? 0 : -pid, &e);
}

static err_t kill_task(struct task *sender, int32_t tgid, int32_t tid, const struct sig_entry *e)
{
	struct task *t = task_of_tid(tid);

	if (!t || (tgid > 0 && t->group->pid != tgid))
		return -ESRCH;
	if (!kill_allowed(sender, t->group, e->info.si_signo))
		return -EPERM;
	return e->info.si_signo ? signal_to_task(t, e) : 0;
}

int64_t call_tgkill(struct task *t, const uint64_t a[6])
{
	int32_t tgid = (int32_t)a[0], tid = (int32_t)a[1];
	int signo = (int)a[2];
	struct sig_entry e;

	if (tgid <= 0 || tid <= 0 || (signo != 0 && !signo_is_valid(signo)))
		return -EINVAL;
	sig_entry_user(&e, signo, SI_TKILL, t);
	return kill_task(t, tgid, tid, &e);
}

int64_t call_tkill(struct task *t, const uint64_t a[6])
{
	int32_t tid = (int32_t)a[0];
	int signo = (int)a[1];
	struct sig_entry e;

	if (tid <= 0 || (signo != 0 && !signo_is_valid(signo)))
		return -EINVAL;
	sig_entry_user(&e, signo, SI_TKILL, t);
	return kill_task(t, 0, tid, &e);
}

/* Details given by the sender: only to itself may they look like the kernel's or kill's. */
static err_t queued_entry(struct task *t, int32_t target_tgid, int signo, vaddr_t info, struct sig_entry *e)
{
	memset(e, 0, sizeof *e);
	if (user_read(t, info, &e->info, sizeof e->info) != 0)
		return -EFAULT;
	e->info.si_signo = signo;
	if ((e->info.si_code >= 0 || e->info.si_code == SI_TKILL) && target_tgid != t->group->pid)
		return -EPERM;
	return signo == 0 || signo_is_valid(signo) ? 0 : -EINVAL;
}

int64_t call_rt_sigqueueinfo(struct task *t, const uint64_t a[6])
{
	int32_t pid = (int32_t)a[0];
	struct sig_entry e;
	err_t r = queued_entry(t, pid, (int)a[1], a[2], &e);

	if (r != 0)
		return r;
	return pid > 0 ? kill_pid(t, pid, &e) : -ESRCH;
}

int64_t call_rt_tgsigqueueinfo(struct task *t, const uint64_t a[6])
{
	int32_t tgid = (int32_t)a[0], tid = (int32_t)a[1];
	struct sig_entry e;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	err_t r = queued_entry(t, tgid, (int)a[2], a[3], &e);
	return r ? r : kill_task(t, tgid, tid, &e);
}

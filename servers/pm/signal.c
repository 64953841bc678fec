/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals: generation, selection, delivery.
 *
 *	send      signal_to_group, signal_to_task: ignored ones vanish, the rest is queued at the group or the task
 *	choose    a task that does not block it (one in rt_sigtimedwait for it first, then the leader, then any)
 *	deliver   signal_deliver: the default action is taken here; for a handler the kernel is given a frame to build when the
 *	          task next runs (KC_SIGSEND). Its wait is ended: here if it waits for us, by COMMON_CANCEL if for another server
 *
 * The mask is in the kernel. For what stays pending because it is blocked, the kernel is given a hint (SIGMASK_HINT) and tells us when
 * the task unblocks it: signal_manager with signo 0. One frame at a time: with more to deliver SIGSEND_MORE makes the
 * kernel tell us when it has built the first, and they stack as on Linux.
 *
 * Stopped groups (job control) deliver nothing but SIGKILL and SIGCONT. A task whose vfork child or exec is under way keeps signals for
 * handlers pending until that is over; signals that end it are not kept.
 */
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <string.h>

/* ---- actions ---- */

struct sig_actions *actions_share(struct sig_actions *a)
{
	a->refs++;
	return a;
}

struct sig_actions *actions_copy(const struct sig_actions *a)
{
	struct sig_actions *n = pool_get(&pm.actions_pool);

	if (!n)
		return 0;
	if (a)
		*n = *a;
	n->refs = 1;
	return n;
}

void actions_put(struct sig_actions *a)
{
	if (--a->refs == 0)
		pool_put(&pm.actions_pool, a);
}

/* exec: handlers are gone with the program, what is ignored stays ignored. */
void actions_reset(struct group *g)
{
	if (g->actions->refs > 1) {
		struct sig_actions *own = actions_copy(g->actions);
		if (!own)
			return;
		actions_put(g->actions);
		g->actions = own;
	}
	struct sig_actions *a = g->actions;
	for (int s = 1; s <= SIG_COUNT; s++) {
		bool ignored = a->ignored & SIGBIT(s);
		a->of[s] = (struct sig_action){ .handler = ignored ? (uint64_t)(uintptr_t)SIG_IGN : 0 };
	}
	a->caught = 0;
}

static bool action_is_default(const struct group *g, int signo)
{
	return !((g->actions->ignored | g->actions->caught) & SIGBIT(signo));
}

static bool action_ignores(const struct group *g, int signo)
{
	enum sig_default d = sig_default_action(signo);

	if (g->actions->ignored & SIGBIT(signo))
		return true;
	return action_is_default(g, signo) && (d == SIG_DEFAULT_IGNORE || d == SIG_DEFAULT_CONTINUE);
}

static bool action_ends(const struct group *g, int signo)
{
	enum sig_default d = sig_default_action(signo);

	return action_is_default(g, signo) && (d == SIG_DEFAULT_TERMINATE || d == SIG_DEFAULT_CORE);
}

/* ---- entries ---- */

void sig_entry_user(struct sig_entry *e, int signo, int code, struct task *sender)
{
	memset(e, 0, sizeof *e);
	e->info.si_signo = signo;
	e->info.si_code = code;
	e->info.si_pid = sender ? sender->group->pid : 0;
	e->info.si_uid = sender ? sender->cred->uid : 0;
}

void sig_entry_kernel(struct sig_entry *e, int signo)
{
	memset(e, 0, sizeof *e);
	e->info.si_signo = signo;
	e->info.si_code = SI_KERNEL;
}

/* ---- masks ---- */

uint64_t task_sigmask(struct task *t)
{
	uint64_t mask = 0;

	sys_sigmask(t->ep, SIGMASK_GET, 0, &mask);
	return mask & ~SIGSET_UNBLOCKABLE;
}

bool signal_is_deaf(struct task *t, int signo)
{
	return (t->group->actions->ignored & SIGBIT(signo)) || (task_sigmask(t) & SIGBIT(signo));
}

static uint64_t task_pending(const struct task *t)
{
	return t->pending.set | t->group->pending.set;
}

/* Only what is blocked now: the rest waits for something that we shall see ourselves. */
static void task_tell_hint(struct task *t)
{
	uint64_t pending = task_pending(t);
	uint64_t blocked = pending ? pending & task_sigmask(t) : 0;

	if (blocked == t->hint)
		return;
	t->hint = blocked;
	sys_sigmask(t->ep, SIGMASK_HINT, blocked, 0);
}

/* ---- delivery ---- */

static struct sig_queue *queue_of(struct task *t, int signo)
{
	return t->pending.set & SIGBIT(signo) ? &t->pending : &t->group->pending;
}

static void signal_pop(struct task *t, int signo, struct sig_entry *e)
{
	sigqueue_pop(queue_of(t, signo), &pm.sigentry_pool, signo, e);
	if (e->info.si_code == SI_TIMER)
		posix_timer_taken(t->group, &e->info);
}

/* The task has a frame to build: what it waits for ends, whoever it is. */
static void task_interrupt(struct task *t, endpoint_t waits_for)
{
	switch ((enum task_wait)t->wait) {
	case TASK_WAIT_CHILD:
		wait_end(t, -ERESTARTSYS);
		return;
	case TASK_WAIT_PAUSE:
		wait_end(t, -ERESTARTNOHAND);
		return;
	case TASK_WAIT_SIGNAL:
		wait_end(t, -EINTR);
		return;
	case TASK_WAIT_SLEEP:
		sleep_interrupted(t, time_now());
		return;
	case TASK_WAIT_VFORK: case TASK_WAIT_EXEC:
		return;
	case TASK_WAIT_NONE:
		break;
	}
	/* Of calls to us there are none that are neither waiting nor answered: what we had not taken the kernel took back. */
	if (waits_for > 0 && waits_for != EP_PM && waits_for != EP_VM)
		peer_cancel(waits_for, t->ep);
}

static void frame_fill(struct sigsend *f, struct task *t, const struct sig_action *act, const struct sig_entry *e)
{
	memset(f, 0, sizeof *f);
	f->signo = e->info.si_signo;
	f->flags = act->flags & SA_RESTART ? SIGSEND_RESTART : 0;
	if ((act->flags & SA_ONSTACK) && !(t->altstack.flags & SS_DISABLE))
		f->flags |= SIGSEND_ONSTACK;
	f->handler = act->handler;
	f->restorer = act->restorer;
	f->mask = act->mask | (act->flags & SA_NODEFER ? 0 : SIGBIT(e->info.si_signo));
	f->altstack_sp = t->altstack.sp;
	f->altstack_size = t->altstack.size;
	f->altstack_flags = t->altstack.flags;
	f->trapno = e->fault_trapno;
	f->error = e->fault_error;
	f->fault_addr = e->fault_trapno ? (uint64_t)(uintptr_t)e->info.si_addr : 0;
	memcpy(f->siginfo, &e->info, sizeof f->siginfo);
}

static err_t frame_post(struct task *t, const struct sig_entry *e, bool more)
{
	struct sig_actions *all = t->group->actions;
	struct sig_action *act = &all->of[e->info.si_signo];
	endpoint_t waits_for = EP_NONE;
	struct sigsend f;

	frame_fill(&f, t, act, e);
	if (more)
		f.flags |= SIGSEND_MORE;
	err_t r = sys_sigsend(t->ep, &f, &waits_for);
	if (r != 0)
		return r;
	t->last_frame = (uint8_t)e->info.si_signo;
	if (act->flags & SA_RESETHAND) {
		act->handler = 0;
		all->caught &= ~SIGBIT(e->info.si_signo);
	}
	task_interrupt(t, waits_for);
	return 0;
}

enum act_result { ACT_NEXT, ACT_DONE, ACT_ENDED };

static enum act_result act_default(struct task *t, int signo)
{
	struct group *g = t->group;

	if (g->flags & GROUP_IS_INIT)	/* no signal ends or stops init that it does not ask for */
		return ACT_NEXT;
	switch (sig_default_action(signo)) {
	case SIG_DEFAULT_TERMINATE: case SIG_DEFAULT_CORE:
		group_exit(g, signo);
		return ACT_ENDED;
	case SIG_DEFAULT_STOP:
		if (signo != SIGSTOP && pgrp_is_orphaned(g->pgid, 0))
			return ACT_NEXT;
		group_stop(g, signo);
		return ACT_DONE;
	case SIG_DEFAULT_IGNORE: case SIG_DEFAULT_CONTINUE:
		break;
	}
	return ACT_NEXT;
}

/* `ready`: pending and not blocked, signo among them. */
static enum act_result signal_act(struct task *t, int signo, uint64_t ready)
{
	struct group *g = t->group;
	struct sig_entry e;

	signal_pop(t, signo, &e);
	if (g->actions->ignored & SIGBIT(signo))
		return ACT_NEXT;
	if (action_is_default(g, signo))
		return act_default(t, signo);
	ready &= ~SIGBIT(signo) | task_pending(t);
	/* Also for what this handler blocks: the hint about it can only be given when the frame is built. */
	err_t r = frame_post(t, &e, ready != 0);
	if (r == -EBUSY) {	/* a frame waits already; the kernel tells when it is built */
		sigqueue_push(queue_of(t, signo), &pm.sigentry_pool, &e, true);
		return ACT_DONE;
	}
	return ACT_DONE;
}

static uint64_t signals_ready(struct task *t)
{
	uint64_t ready = task_pending(t);

	if (!ready)
		return 0;
	ready &= ~task_sigmask(t);
	if (t->wait != TASK_WAIT_VFORK && t->wait != TASK_WAIT_EXEC)
		return ready;
	for (int s = 1; s <= SIG_COUNT; s++)
		if ((ready & SIGBIT(s)) && !action_ends(t->group, s))
			ready &= ~SIGBIT(s);
	return ready;
}

bool signal_deliver(struct task *t)
{
	struct group *g = t->group;
	uint64_t ready;

	if (t->state != TASK_LIVE || (g->flags & GROUP_EXITING))
		return false;
	if (task_pending(t) & SIGBIT(SIGKILL)) {
		group_exit(g, SIGKILL);
		return false;
	}
	signal_take_waited(t);
	while (!(g->flags & GROUP_STOPPED) && (ready = signals_ready(t)) != 0) {
		enum act_result r = signal_act(t, sigset_next(ready), ready);
		if (r == ACT_ENDED)
			return false;
		if (r == ACT_DONE)
			break;
	}
	task_tell_hint(t);
	return true;
}

void signal_deliver_group(struct group *g)
{
	for (struct task *t = g->tasks; t; t = t->next)
		if (t->state == TASK_LIVE && !signal_deliver(t))
			return;
}

/* ---- generation ---- */

static struct task *group_any_live(struct group *g)
{
	if (g->leader && g->leader->state == TASK_LIVE)
		return g->leader;
	for (struct task *t = g->tasks; t; t = t->next)
		if (t->state == TASK_LIVE)
			return t;
	return 0;
}

/* The task of the group that is to get a signal for the group. */
static struct task *group_choose(struct group *g, int signo)
{
	struct task *first = group_any_live(g);

	if (g->nr_live == 1)
		return first;
	for (struct task *t = g->tasks; t; t = t->next)
		if (t->wait == TASK_WAIT_SIGNAL && (t->w.signal.set & SIGBIT(signo)))
			return t;
	if (!first || !(task_sigmask(first) & SIGBIT(signo)))
		return first;
	for (struct task *t = g->tasks; t; t = t->next)
		if (t->state == TASK_LIVE && !(task_sigmask(t) & SIGBIT(signo)))
			return t;
	return first;
}

static void group_drop_pending(struct group *g, uint64_t set)
{
	sigqueue_drop(&g->pending, &pm.sigentry_pool, set);
	for (struct task *t = g->tasks; t; t = t->next)
		sigqueue_drop(&t->pending, &pm.sigentry_pool, set);
}

static bool task_waits_for_signal(const struct task *t, int signo)
{
	return t->wait == TASK_WAIT_SIGNAL && (t->w.signal.set & SIGBIT(signo));
}

/* Is it without any effect on this target? A blocked one is kept: its action may have changed when it is unblocked. */
static bool signal_vanishes(struct group *g, struct task *t, int signo)
{
	if (task_waits_for_signal(t, signo) || (task_sigmask(t) & SIGBIT(signo)))
		return false;
	return action_ignores(g, signo) || ((g->flags & GROUP_IS_INIT) && action_is_default(g, signo));
}

static err_t signal_queue(struct sig_queue *q, struct group *g, const struct sig_entry *e)
{
	bool counted = e->info.si_code < 0 && e->info.si_code != SI_TKILL;

	if (counted && e->info.si_signo >= SIG_RT_FIRST && q->count >= g->limits[RLIMIT_SIGPENDING].rlim_cur)
		return -EAGAIN;
	if (sigqueue_push(q, &pm.sigentry_pool, e, !counted) == SIG_PUSH_NO_MEMORY)
		return -EAGAIN;
	return 0;
}

/* The effects of SIGCONT and stop signals on each other come at the sending, whatever their actions are. */
static void signal_prepare(struct group *g, int signo)
{
	if (SIGBIT(signo) & SIGSET_STOP)
		group_drop_pending(g, SIGBIT(SIGCONT));
	if (signo == SIGCONT) {
		group_drop_pending(g, SIGSET_STOP);
		group_continue(g);
	}
}

static err_t signal_send(struct group *g, struct task *t, const struct sig_entry *e)
{
	int signo = e->info.si_signo;
	struct task *target = t ? t : group_any_live(g);

	if ((g->flags & (GROUP_ZOMBIE | GROUP_EXITING)) || !target || target->state != TASK_LIVE)
		return 0;
	if (signo == SIGKILL && !(g->flags & GROUP_IS_INIT)) {
		group_exit(g, SIGKILL);
		return 0;
	}
	signal_prepare(g, signo);
	if (signal_vanishes(g, target, signo)) {
		if (signo == SIGCONT)
			signal_deliver_group(g);
		return 0;
	}
	err_t r = signal_queue(t ? &t->pending : &g->pending, g, e);
	if (r != 0)
		return r;
	signalfd_posted(g, signo);
	if (signo == SIGCONT)
		signal_deliver_group(g);
	else
		signal_deliver(t ? t : group_choose(g, signo));
	return 0;
}

err_t signal_to_group(struct group *g, const struct sig_entry *e) { return signal_send(g, 0, e); }
err_t signal_to_task(struct task *t, const struct sig_entry *e) { return signal_send(t->group, t, e); }

/* ---- from the kernel ---- */

/* A fault happens now: when the program cannot take it, it ends. */
void signal_force(struct task *t, const struct sig_entry *e)
{
	struct group *g = t->group;
	int signo = e->info.si_signo;

	if (action_is_default(g, signo) || signal_is_deaf(t, signo)) {
		log_debug("pid %d (%s): signal %d at %#lx", g->pid, t->name, signo, (unsigned long)(uintptr_t)e->info.si_addr);
		group_exit(g, signo);
		return;
	}
	if (frame_post(t, e, false) != 0)
		group_exit(g, signo);
}

/* The kernel could not write the frame: the program is told by SIGSEGV, unless that is what could not be written. */
static bool fault_is_lost_frame(struct task *t, int signo, const struct ksig_info *info)
{
	return signo == SIGSEGV && info->fault_code == SI_KERNEL && info->fault_trapno == 0 && t->last_frame == SIGSEGV;
}

static void fault_entry(struct sig_entry *e, int signo, const struct ksig_info *info)
{
	memset(e, 0, sizeof *e);
	e->info.si_signo = signo;
	e->info.si_code = info->fault_code;
	e->info.si_addr = (void *)(uintptr_t)info->fault_addr;
	e->fault_trapno = info->fault_trapno;
	e->fault_error = info->fault_error;
}

static void kernel_signal(struct task *t, int signo, const struct ksig_info *info)
{
	struct sig_entry e;

	if (signo == 0) {
		t->hint = ~0ull;	/* tell it again, whatever it is now */
		signal_deliver(t);
	} else if (info->fault_signo == signo) {
		fault_entry(&e, signo, info);
		if (fault_is_lost_frame(t, signo, info))
			group_exit(t->group, SIGSEGV);
		else
			signal_force(t, &e);
	} else if (signo == SIGVTALRM || signo == SIGPROF) {
		itimer_cpu_expired(t, signo);
	} else {
		sig_entry_kernel(&e, signo);
		signal_to_group(t->group, &e);
	}
}

err_t signal_manager(endpoint_t target, int signo, const struct ksig_info *info)
{
	struct task *t = task_of(target);

	if (!t || t->state != TASK_LIVE)
		return -EDEADEPT;
	t->flags |= TASK_FAULTED;
	kernel_signal(t, signo, info);
	timers_rearm();
	if (task_of(target) != t || t->state != TASK_LIVE)
		return -EDEADEPT;
	t->flags &= ~(uint32_t)TASK_FAULTED;
	return 0;
}

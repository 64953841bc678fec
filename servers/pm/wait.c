/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait4 and waitid. The caller looks through its group's children; without an event it waits in TASK_WAIT_CHILD, and every event of a
 * child lets the waiting tasks of its parent look again (wait_notify).
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>

enum { WAIT4_OPTIONS = WNOHANG | WUNTRACED | WCONTINUED, WAITID_OPTIONS = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED };
#define WAIT_LINUX_OPTIONS 0xe0000000u	/* __WNOTHREAD, __WALL, __WCLONE */

static struct wait_child wait_view(const struct group *g)
{
	return (struct wait_child){ .pid = g->pid, .pgid = g->pgid, .exit_signal = g->exit_signal,
		.zombie = g->flags & GROUP_ZOMBIE, .stopped = (g->flags & GROUP_STOP_UNTOLD) && (g->flags & GROUP_STOPPED),
		.continued = g->flags & GROUP_CONT_UNTOLD };
}

/* What the parent learns about a child. */
struct wait_news { int32_t pid, status, code, value; uint32_t uid; struct rusage usage; };

static void wait_describe(struct group *child, enum wait_event event, struct wait_news *n)
{
	*n = (struct wait_news){ .pid = child->pid, .uid = child->leader ? child->leader->cred->uid : 0 };
	rusage_of_group(child, &n->usage, true);
	switch (event) {
	case WAIT_EVENT_NONE:
		break;
	case WAIT_EVENT_EXITED:
		n->status = child->exit_status;
		n->code = WIFEXITED(n->status) ? CLD_EXITED : CLD_KILLED;
		n->value = WIFEXITED(n->status) ? WEXITSTATUS(n->status) : WTERMSIG(n->status);
		break;
	case WAIT_EVENT_STOPPED:
		n->status = child->stop_signo << 8 | 0x7f;
		n->code = CLD_STOPPED;
		n->value = child->stop_signo;
		break;
	case WAIT_EVENT_CONTINUED:
		n->status = 0xffff;
		n->code = CLD_CONTINUED;
		n->value = SIGCONT;
		break;
	}
}

static void wait_consume(struct group *parent, struct group *child, enum wait_event event)
{
	nstime_t user, system;

	switch (event) {
	case WAIT_EVENT_NONE:
		break;
	case WAIT_EVENT_EXITED:
		group_times(child, &user, &system);
		parent->children_user += user + child->children_user;
		parent->children_system += system + child->children_system;
		group_reap(child);
		break;
	case WAIT_EVENT_STOPPED:
		child->flags &= ~(uint32_t)GROUP_STOP_UNTOLD;
		break;
	case WAIT_EVENT_CONTINUED:
		child->flags &= ~(uint32_t)GROUP_CONT_UNTOLD;
		break;
	}
}

static int64_t wait4_tell(struct task *t, const struct child_wait *w, const struct wait_news *n)
{
	int32_t status = n->status;

	if (w->status && user_write(t, w->status, &status, sizeof status) != 0)
		return -EFAULT;
	if (w->rusage && user_write(t, w->rusage, &n->usage, sizeof(struct rusage) - sizeof n->usage.__reserved) != 0)
		return -EFAULT;
	return n->pid;
}

/* Linux writes these fields of the siginfo_t, zeros when there is no news. */
static int64_t waitid_tell(struct task *t, const struct child_wait *w, const struct wait_news *n, int64_t result)
{
	int32_t words[7] = { n->pid ? SIGCHLD : 0, 0, n->code, 0, n->pid, (int32_t)n->uid, n->value };

	if (n->pid && w->rusage
	    && user_write(t, w->rusage, &n->usage, sizeof(struct rusage) - sizeof n->usage.__reserved) != 0)
		return -EFAULT;
	if (w->siginfo && user_write(t, w->siginfo, words, sizeof words) != 0)
		return -EFAULT;
	return result;
}

/* An event, or what else to answer: *result; true: answer now. */
static bool wait_try(struct task *t, const struct child_wait *w, int64_t *result)
{
	struct group *g = t->group;
	bool any = false;
	struct wait_news n;

	for (struct group *child = g->children; child; child = child->sibling_next) {
		struct wait_child view = wait_view(child);
		if (!wait_query_matches(&w->query, &view))
			continue;
		any = true;
		enum wait_event event = wait_event_of(&w->query, &view);
		if (event == WAIT_EVENT_NONE)
			continue;
		wait_describe(child, event, &n);
		if (!(w->query.options & WNOWAIT))
			wait_consume(g, child, event);
		*result = w->is_waitid ? waitid_tell(t, w, &n, 0) : wait4_tell(t, w, &n);
		return true;
	}
	if (any && !(w->query.options & WNOHANG))
		return false;
	*result = any ? 0 : -ECHILD;
	if (w->is_waitid)
		*result = waitid_tell(t, w, &(struct wait_news){ 0 }, *result);
	return true;
}

static int64_t wait_start(struct task *t, const struct child_wait *w)
{
	int64_t result = 0;

	if (wait_try(t, w, &result))
		return result;
	t->wait = TASK_WAIT_CHILD;
	t->w.child = *w;
	return 0;
}

int64_t call_wait4(struct task *t, const uint64_t a[6])
{
	int32_t pid = (int32_t)a[0];
	uint32_t options = (uint32_t)a[2];
	struct child_wait w = { .status = a[1], .rusage = a[3], .query.options = options | WEXITED };

	if (options & ~(WAIT4_OPTIONS | WAIT_LINUX_OPTIONS))
		return -EINVAL;
	if (pid == INT_MIN)
		return -ESRCH;
	w.query.who = pid == -1 ? WAIT_WHO_ANY : pid > 0 ? WAIT_WHO_PID : WAIT_WHO_PGID;
	w.query.id = pid > 0 ? pid : pid == 0 ? t->group->pgid : -pid;
	return wait_start(t, &w);
}

int64_t call_waitid(struct task *t, const uint64_t a[6])
{
	int32_t id = (int32_t)a[1];
	uint32_t options = (uint32_t)a[3];
	struct child_wait w = { .is_waitid = true, .siginfo = a[2], .rusage = a[4], .query = { .id = id, .options = options } };

	if ((options & ~(WAITID_OPTIONS | WAIT_LINUX_OPTIONS)) || !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	switch (a[0]) {
	case P_ALL:
		w.query.who = WAIT_WHO_ANY;
		break;
	case P_PID:
		w.query.who = WAIT_WHO_PID;
		if (id <= 0)
			return -EINVAL;
		break;
	case P_PGID:
		w.query.who = WAIT_WHO_PGID;
		if (id < 0)
			return -EINVAL;
		if (id == 0)
			w.query.id = t->group->pgid;
		break;
	default:
		return -EINVAL;
	}
	return wait_start(t, &w);
}

/* Something changed among the children: the waiting tasks look again. */
void wait_retry(struct group *parent)
{
	int64_t result;

	for (struct task *t = parent->tasks; t; t = t->next)
		if (t->wait == TASK_WAIT_CHILD && wait_try(t, &t->w.child, &result))
			wait_end(t, result);
}

void wait_notify(struct group *child)
{
	if (child->parent)
		wait_retry(child->parent);
}

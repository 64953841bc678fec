/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signalfd, the part of PM: VFS has the descriptor and asks here what is pending. A process that was told "nothing" is remembered with the
 * set it asked for; the first signal of the set is told to VFS, which asks again. No state but that set, in the group.
 */
#include "pm.h"

#include <libsef/sef.h>
#include <proto/vfs.h>

static int signal_find(struct task *t, const struct pm_signalfd_req *q)
{
	uint64_t set = q->set & ~SIGSET_UNBLOCKABLE;
	int signo = sigset_next((t->pending.set | t->group->pending.set) & set);
	struct sig_entry e;

	if (!signo) {
		t->group->signalfd_set |= set;
		return 0;
	}
	if (!q->take)
		return signo;
	sigqueue_pop(t->pending.set & SIGBIT(signo) ? &t->pending : &t->group->pending, &pm.sigentry_pool, signo, &e);
	if (e.info.si_code == SI_TIMER)
		posix_timer_taken(t->group, &e.info);
	sys_safecopyto(EP_VFS, q->info_grant, 0, &e.info, sizeof e.info);
	return signo;
}

void signalfd_request(const struct message *m)
{
	struct pm_signalfd_req q = *MSG_BODY(const struct pm_signalfd_req, m);
	struct task *t = task_of(q.ep);
	struct message reply = { .type = PM_SIGNALFD + 1 };
	struct pm_signalfd_rep *r = MSG_BODY(struct pm_signalfd_rep, &reply);

	if (m->source != EP_VFS)
		return;
	r->id = q.id;
	r->signo = t && t->state == TASK_LIVE ? signal_find(t, &q) : 0;
	sef_send(EP_VFS, &reply, IPC_NOREPLY);
	if (r->signo && q.take)
		signal_deliver(t);	/* the kernel's hint about blocked signals changes */
}

void signalfd_posted(struct group *g, int signo)
{
	struct message m = { .type = VFS_SIGNALS };

	if (!(g->signalfd_set & SIGBIT(signo)))
		return;
	g->signalfd_set = 0;
	MSG_BODY(struct vfs_signals_req, &m)->pid = g->pid;
	sef_send(EP_VFS, &m, IPC_NOREPLY);
}

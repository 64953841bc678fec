/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KC_SIGSEND: a signal frame to be built when the process runs next. Its wait for a futex is ended; a system call that its server has not
 * taken yet is taken back and made again after the handler; waits for servers are not ours. While one frame waits to be built another is
 * refused, and the manager told when it is built.
 */
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/route.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

static void sigsend_take_back_call(struct proc *p)
{
	ipc_unlink_sender(p);
	ipc_routed_result(p, -ERESTARTNOINTR);
	rts_unset(p, RTS_SENDING);
}

err_t kcall_SIGSEND(struct proc *caller, struct kcall *c)
{
	static struct sigsend s;	/* large; the kernel lock is held */
	struct proc *p = kcall_target(caller, c, 0);
	err_t err;

	if (!p)
		return -EDEADEPT;
	err = mem_read(caller, &s, c->w[1], sizeof(s));
	if (err)
		return err;
	if (!proc_is_user(p) || s.signo < 1 || s.signo > SIG_MAX)
		return -EINVAL;
	if (p->misc & MF_SIGSEND) {
		p->sigsend.flags |= SIGSEND_MORE;
		return -EBUSY;
	}
	sched_take_off(p);
	p->sigsend = s;
	p->misc |= MF_SIGSEND;
	futex_cancel(p, -ERESTARTSYS);
	if ((p->rts & RTS_SENDING) && (p->flags & PROC_ROUTED))
		sigsend_take_back_call(p);
	c->w[1] = (uint64_t)(int64_t)ipc_waits_for(p);
	return 0;
}

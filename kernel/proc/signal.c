/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals. The kernel raises them, stops the process and tells the manager named in its privilege slot; what a signal means is the
 * manager's business.
 *
 *   (none)            --signal_raise-->  SIGNALED|SIG_PENDING, in the list
 *   SIGNALED|PENDING  --KC_GETKSIG-->    SIG_PENDING          (a further signal makes it SIGNALED again)
 *   SIG_PENDING       --KC_ENDKSIG-->    (none)               unless SIGNALED again
 *
 * A process that manages itself keeps its set and gets KSIG_SELF, except for a signal that it cannot survive, which goes to the backup
 * manager; there being none, the system cannot go on. If the manager dies: signals stay pending until a successor fetches them.
 *
 * Before a process goes back to user mode its misc work is done here: interrupted calls restarted or ended with EINTR, temporary masks
 * undone, signal frames built.
 */
#include <abi/limits.h>
#include <arch/sigframe.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/mem.h>
#include <kernel/priv.h>
#include <kernel/route.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

#define SIGSET_LETHAL (SIGBIT(SIG_ILL) | SIGBIT(SIG_BUS) | SIGBIT(SIG_FPE) | SIGBIT(SIG_SEGV) | SIGBIT(SIG_ABRT))
#define SIGSET_TRACE (SIGSET_LETHAL & ~SIGBIT(SIG_ABRT))
#define SIGSET_UNMASKABLE (SIGBIT(SIG_KILL) | SIGBIT(19))

static struct list_node signalled = LIST_HEAD_INIT(signalled);	/* processes with RTS_SIGNALED */

endpoint_t signal_manager(const struct proc *p)
{
	endpoint_t m = p->priv->spec.sig_mgr;

	return m == EP_SELF ? p->endpoint : m;
}

static void signal_tell(struct proc *p, endpoint_t manager)
{
	struct proc *m = proc_of_endpoint(manager);

	rts_set(p, RTS_SIGNALED | RTS_SIG_PENDING);
	if (!list_linked(&p->sig_node))
		list_add_tail(&signalled, &p->sig_node);
	if (m)
		notify_ksig(m, KSIG_PENDING);
}

static void signal_to_self(struct proc *p, int signo)
{
	if (!(SIGBIT(signo) & SIGSET_LETHAL)) {
		notify_ksig(p, KSIG_SELF);
		return;
	}
	if (p->priv->spec.bak_sig_mgr == EP_NONE || !proc_of_endpoint(p->priv->spec.bak_sig_mgr))
		panic("%s(%d) manages its own signals and got signal %d at pc %lx", p->name, p->endpoint, signo,
			arch_frame_pc(&p->frame));
	signal_tell(p, p->priv->spec.bak_sig_mgr);
}

void signal_raise(struct proc *p, int signo, const struct sig_detail *d)
{
	uint64_t bit = SIGBIT(signo);
	endpoint_t manager = signal_manager(p);

	if (d) {
		p->sig_fault.signo = signo;
		p->sig_fault.code = d->code;
		p->sig_fault.addr = d->addr;
		p->sig_fault.trapno = d->trapno;
		p->sig_fault.error = d->error;
		p->sig_fault.ip = d->ip;
	}
	if (proc_is_user(p))
		log_debug("%s(%d): signal %d code %d at %lx, address %lx, error %lx\n", p->name, p->endpoint, signo, d ? d->code : 0,
			arch_frame_pc(&p->frame), d ? d->addr : 0, d ? d->error : 0);
	if ((bit & SIGSET_TRACE) && !proc_is_user(p)) {
		log_printf("%s(%d): signal %d at %lx, address %lx\n", p->name, p->endpoint, signo, arch_frame_pc(&p->frame),
			d ? d->addr : 0);
		debug_stack_trace(p);
	}
	if (p->sig_pending & bit)
		return;
	p->sig_pending |= bit;
	if (manager == p->endpoint)
		signal_to_self(p, signo);
	else
		signal_tell(p, manager);
}

void signal_trace_stop(struct proc *p)
{
	struct sig_detail d = { .code = SIG_TRAP | 0x80, .ip = arch_frame_pc(&p->frame) };

	signal_raise(p, SIG_TRAP, &d);
}

void signal_recheck(struct proc *p)
{
	p->flags |= PROC_RECHECK;
	signal_tell(p, signal_manager(p));
}

bool signal_is_managed_by(const struct proc *p, const struct proc *manager)
{
	return signal_manager(p) == manager->endpoint || p->priv->spec.bak_sig_mgr == manager->endpoint;
}

static void signal_describe(const struct proc *p, struct ksig_info *out)
{
	*out = (struct ksig_info){ .endpoint = p->endpoint, .signals = p->sig_pending };
	out->flags = p->flags & PROC_RECHECK ? KSIG_F_RECHECK : 0;
	if (!p->sig_fault.signo || !(p->sig_pending & SIGBIT(p->sig_fault.signo)))
		return;
	out->fault_signo = p->sig_fault.signo;
	out->fault_code = p->sig_fault.code;
	out->fault_addr = p->sig_fault.addr;
	out->fault_trapno = p->sig_fault.trapno;
	out->fault_error = p->sig_fault.error;
	out->fault_ip = p->sig_fault.ip;
}

bool signal_fetch(struct proc *manager, struct ksig_info *out)
{
	if (manager->sig_pending && signal_manager(manager) == manager->endpoint) {
		signal_describe(manager, out);
		return true;
	}
	for (struct list_node *n = signalled.next; n != &signalled; n = n->next) {
		struct proc *p = list_entry(n, struct proc, sig_node);

		if (!signal_is_managed_by(p, manager))
			continue;
		signal_describe(p, out);
		return true;
	}
	return false;
}

void signal_fetched(struct proc *p)
{
	p->sig_pending = 0;
	p->flags &= ~PROC_RECHECK;
	p->sig_fault.signo = 0;
	list_unlink(&p->sig_node);
	rts_unset(p, RTS_SIGNALED);
}

err_t signal_end(struct proc *manager, struct proc *p)
{
	if (!signal_is_managed_by(p, manager))
		return -EPERM;
	if (!(p->rts & RTS_SIG_PENDING))
		return -EINVAL;
	if (!(p->rts & RTS_SIGNALED))
		rts_unset(p, RTS_SIG_PENDING);
	return 0;
}

void signal_attach(struct proc *p)
{
	if (p->rts & RTS_SIGNALED)
		signal_tell(p, signal_manager(p));
}

void signal_forget(struct proc *p)
{
	list_unlink(&p->sig_node);
	p->sig_pending = 0;
}

void signal_mask_set(struct proc *p, uint64_t mask)
{
	p->sig_mask = mask & ~SIGSET_UNMASKABLE;
	if ((p->sig_hint & ~p->sig_mask) && !(p->flags & PROC_RECHECK)) {
		p->sig_hint &= p->sig_mask;
		signal_recheck(p);
	}
}

/* ---- before user mode ---- */

/* An interrupted system call: with a handler about to run its fate depends on the code and SA_RESTART, without one it is made again. */
static void signal_resolve_restart(struct proc *p)
{
	int64_t result = (int64_t)arch_frame_result(&p->frame);
	bool again = true;

	p->misc &= ~MF_RESTART;
	if (p->misc & MF_SIGSEND) {
		again = result == -ERESTARTNOINTR
			|| (result == -ERESTARTSYS && (p->sigsend.flags & SIGSEND_RESTART));
	}
	if (again)
		arch_frame_restart(&p->frame);
	else
		arch_frame_result_set(&p->frame, -EINTR);
}

/* The frame saves the mask that was in force before SIGMASK_TEMP. False: VM was asked, or the stack is unusable. */
static bool signal_build_frame(struct proc *p)
{
	bool temp = p->flags & PROC_TEMP_MASK;
	uint64_t old = temp ? p->saved_mask : p->sig_mask;
	err_t err = arch_sigframe_build(p, &p->frame, &p->fpu, &p->sigsend, old);
	uint32_t flags = p->sigsend.flags;

	if (err == -EAGAIN)
		return false;
	p->misc &= ~(uint32_t)(MF_SIGSEND | MF_TEMP_MASK);
	p->flags &= ~PROC_TEMP_MASK;
	if (err) {
		struct sig_detail d = { .code = SI_KERNEL, .ip = arch_frame_pc(&p->frame), .addr = arch_frame_sp(&p->frame) };

		signal_raise(p, SIG_SEGV, &d);
		return false;
	}
	p->sig_mask = (p->sig_mask | p->sigsend.mask) & ~SIGSET_UNMASKABLE;
	if (flags & SIGSEND_MORE)
		signal_recheck(p);
	return p->rts == 0;
}

static void signal_end_temp_mask(struct proc *p)
{
	p->misc &= ~MF_TEMP_MASK;
	p->flags &= ~PROC_TEMP_MASK;
	signal_mask_set(p, p->saved_mask);
}

/* The parked call of p is made again. If VM could not help it fails where it asked for memory. */
static void signal_resume_call(struct proc *p)
{
	p->misc &= ~(uint32_t)MF_CALL_RESUME;
	syscall_resume(p);
	if (!(p->rts & RTS_VMREQUEST))
		p->wait.result = 0;
}

/* p is current. The order matters: a call must have its result before a frame can save it. */
bool signal_exit_work(struct proc *p)
{
	if (p->misc & MF_CALL_RESUME)
		signal_resume_call(p);
	if (p->rts)
		return false;
	if (p->misc & MF_RESTART)
		signal_resolve_restart(p);
	if (p->misc & MF_TRACE_EXIT) {
		p->misc &= ~(uint32_t)MF_TRACE_EXIT;
		signal_trace_stop(p);
		return false;
	}
	if ((p->misc & MF_SIGSEND) && !signal_build_frame(p))
		return false;
	if (p->misc & MF_TEMP_MASK)
		signal_end_temp_mask(p);
	return p->rts == 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_EXEC: another program: fresh registers and FPU state, no pending call. Whether it may run again is decided by RUNCTL. */
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/route.h>
#include <kernel/sched.h>

static void exec_forget_call(struct proc *p)
{
	futex_cancel(p, -EINTR);
	ipc_unlink_sender(p);
	rts_unset(p, RTS_SENDING | RTS_RECEIVING);
	p->flags &= ~(PROC_ROUTED | PROC_SENDREC | PROC_TEMP_MASK | PROC_SEND_FAILED);
	p->misc &= ~(uint32_t)(MF_RESTART | MF_CALL_RESUME | MF_TEMP_MASK | MF_SIGSEND);
}

err_t kcall_EXEC(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);
	char name[PROC_NAME_LEN] = "";
	struct arch_frame fresh;
	err_t err;

	if (!p)
		return -EDEADEPT;
	if (p == caller || !arch_frame_init(&fresh, c->w[1], c->w[2]))
		return -EINVAL;
	err = c->w[3] ? mem_read(caller, name, c->w[3], sizeof(name)) : 0;
	if (err)
		return err;
	name[PROC_NAME_LEN - 1] = 0;
	sched_take_off(p);
	/* Held while its wait is undone: it must not run with the old registers. */
	rts_set(p, RTS_NO_ENDPOINT);
	exec_forget_call(p);
	p->frame = fresh;
	arch_fpu_init(&p->fpu);
	p->robust_list = p->robust_len = p->clear_tid = 0;
	if (c->w[3])
		proc_set_name(p, name);
	rts_unset(p, RTS_NO_ENDPOINT);
	return 0;
}

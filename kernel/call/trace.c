/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KC_TRACE: the mechanism of ptrace(2). Which process is traced and when it stops is the business of its signal manager: a traced process
 * stops by a signal (SIGTRAP after a step, at a system call) whose manager does not end it until the tracer says so.
 *
 *   GETREGS, SETREGS   addr = Linux's user_regs_struct in the caller's memory
 *   PEEK, POKE         the word at addr of the process; data or w[1]
 *   STEP, CONT         run one instruction, or on, when the process is resumed
 *   SYSCALL            as CONT, but stop before and after the next system call
 */
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/sched.h>

static err_t trace_get_registers(struct proc *caller, struct proc *p, vaddr_t to)
{
	uint8_t regs[ARCH_REGS_BYTES];

	arch_frame_get_regs(&p->frame, regs);
	return mem_write(caller, to, regs, sizeof(regs));
}

static err_t trace_set_registers(struct proc *caller, struct proc *p, vaddr_t from)
{
	uint8_t regs[ARCH_REGS_BYTES];
	err_t err = mem_read(caller, regs, from, sizeof(regs));

	if (err)
		return err;
	return arch_frame_set_regs(&p->frame, regs) ? 0 : -EIO;
}

static err_t trace_word(struct proc *caller, struct proc *p, struct kcall *c, bool write)
{
	uint64_t word = c->w[3], done;
	struct mem_range mine = { 0, (vaddr_t)&word }, its = { p, c->w[2] };
	err_t err = mem_copy(caller, write ? its : mine, write ? mine : its, sizeof(word), 0, &done);

	if (!err)
		c->w[1] = word;
	return err;
}

static err_t trace_run(struct proc *p, uint64_t op)
{
	arch_frame_step_set(&p->frame, op == TRACE_STEP);
	if (op == TRACE_SYSCALL)
		p->flags |= PROC_TRACE_CALLS;
	else
		p->flags &= ~(uint32_t)(PROC_TRACE_CALLS | PROC_TRACE_ENTERED);
	return 0;
}

err_t kcall_TRACE(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);

	if (!p)
		return -EDEADEPT;
	if (p == caller || !p->rts)
		return -EBUSY;		/* it must stand still, with complete registers */
	sched_take_off(p);
	switch (c->w[1]) {
	case TRACE_GETREGS: return trace_get_registers(caller, p, c->w[2]);
	case TRACE_SETREGS: return trace_set_registers(caller, p, c->w[2]);
	case TRACE_PEEK: return trace_word(caller, p, c, false);
	case TRACE_POKE: return trace_word(caller, p, c, true);
	case TRACE_STEP: case TRACE_CONT: case TRACE_SYSCALL: return trace_run(p, c->w[1]);
	default: return -EINVAL;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SCHEDULE: priority, quantum and CPUs of a process. */
#include <arch/cpu.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/sched.h>

err_t kcall_SCHEDULE(struct proc *caller, struct kcall *c)
{
	enum { QUANTUM_MAX_US = 1000000 };
	struct proc *p = kcall_target(caller, c, 0);
	uint64_t online = ~0ull >> (64 - arch_cpu_count()), mask = c->w[3] ? c->w[3] : ~0ull;

	if (!p)
		return -EDEADEPT;
	if (c->w[1] >= NR_PRIORITIES || c->w[2] > QUANTUM_MAX_US)
		return -EINVAL;
	if (!(mask & online))
		return -EBADCPU;
	sched_set(p, (int)c->w[1], (uint32_t)c->w[2], mask);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_ABORT: the end of the session. */
#include <arch/cpu.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>

err_t kcall_ABORT(struct proc *caller, struct kcall *c)
{
	if (c->w[0] > ABORT_PANIC)
		return -EINVAL;
	log_debug("%s(%d) ends the session: %lu, status %ld\n", caller->name, caller->endpoint, c->w[0], (long)c->w[1]);
	if (c->w[0] == ABORT_PANIC)
		panic("asked for by %s(%d)", caller->name, caller->endpoint);
	arch_cpu_halt_others();
	if (c->w[0] == ABORT_POWEROFF)
		arch_poweroff((int)c->w[1]);
	if (c->w[0] == ABORT_REBOOT)
		arch_reboot();
	arch_halt();
}

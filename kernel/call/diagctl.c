/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_DIAGCTL: the kernel's log, stack traces. */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/priv.h>
#include <kernel/signal.h>

enum { DIAG_CHUNK = 4096 };

static err_t diag_write(struct proc *caller, const struct kcall *c)
{
	char text[512];
	uint64_t n = c->w[2];
	err_t err;

	if (n > sizeof(text))
		return -E2BIG;
	err = mem_read(caller, text, c->w[1], n);
	if (!err)
		log_write_of(caller, text, n);
	return err;
}

static err_t diag_read(struct proc *caller, struct kcall *c)
{
	static char text[DIAG_CHUNK];
	uint64_t pos = c->w[3];
	size_t n = log_read(&pos, text, min_u64(c->w[2], sizeof(text)));
	err_t err = mem_write(caller, c->w[1], text, n);

	if (err)
		return err;
	c->w[1] = n;
	c->w[2] = pos;
	return 0;
}

static err_t diag_register(struct proc *caller)
{
	if (caller->priv->id == PRIV_ID_USER)
		return -EPERM;
	return log_register(caller);
}

static err_t diag_stack(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 1);

	if (!p)
		return -EDEADEPT;
	if (p != caller && !signal_is_managed_by(p, caller))
		return -EPERM;
	debug_stack_trace(p);
	return 0;
}

err_t kcall_DIAGCTL(struct proc *caller, struct kcall *c)
{
	switch (c->w[0]) {
	case DIAG_WRITE: return diag_write(caller, c);
	case DIAG_READ: return diag_read(caller, c);
	case DIAG_STACKTRACE: return diag_stack(caller, c);
	case DIAG_REGISTER: return diag_register(caller);
	default: return -EINVAL;
	}
}

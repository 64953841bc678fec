/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_PRIVCTL: privileges of services. RS has this call, and VM the two questions of it. */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/priv.h>
#include <kernel/sched.h>

/* The parts of a specification that could lead the kernel astray. */
static err_t spec_check(const struct priv_spec *s)
{
	if (s->nr_io > NR_IO_RANGES || s->nr_mem > NR_MEM_RANGES || s->nr_irq > NR_IRQS_PER_SERVICE || s->priority >= NR_PRIORITIES)
		return -EINVAL;
	return 0;
}

static const struct priv_spec default_spec = {
	.flags = PRIV_SYS_PROC | PRIV_PREEMPTIBLE | PRIV_CHECK_IO | PRIV_CHECK_MEM | PRIV_CHECK_IRQ,
	.trap_mask = IPC_TRAP_ALL, .sig_mgr = EP_RS, .bak_sig_mgr = EP_NONE, .priority = PRIORITY_SERVICE,
};

static err_t spec_read(struct proc *caller, const struct kcall *c, struct priv_spec *spec)
{
	err_t err;

	*spec = default_spec;
	if (!c->w[2])
		return 0;
	if (c->w[3] != sizeof(*spec))
		return -EINVAL;
	err = mem_read(caller, spec, c->w[2], sizeof(*spec));
	return err ? err : spec_check(spec);
}

static void spec_apply(struct proc *p, const struct priv_spec *spec)
{
	p->priv->spec = *spec;
	p->priv->spec.flags |= PRIV_SYS_PROC;
	p->priv->granted = true;
	sched_set(p, (int)spec->priority, 0, p->cpu_mask);
}

static err_t privctl_set_sys(struct proc *caller, struct proc *p, struct kcall *c)
{
	struct priv_spec spec;
	err_t err = spec_read(caller, c, &spec);

	if (err)
		return err;
	if (!(p->rts & RTS_NO_PRIV))
		return -EPERM;
	if (p->priv->id == PRIV_ID_USER) {
		struct priv *v = priv_alloc(p, -1);

		if (!v)
			return -ENOSPC;
		p->priv = v;
		p->flags &= ~PROC_USER;
	}
	spec_apply(p, &spec);
	c->w[1] = p->priv->id;
	return 0;
}

static err_t privctl_set_user(struct proc *p)
{
	if (!(p->rts & RTS_NO_PRIV))
		return -EPERM;
	if (p->priv->id != PRIV_ID_USER)
		priv_free(p->priv);
	p->priv = &priv_table[PRIV_ID_USER];
	p->flags |= PROC_USER;
	return 0;
}

static err_t privctl_update(struct proc *caller, struct proc *p, struct kcall *c)
{
	struct priv_spec spec;
	err_t err = spec_read(caller, c, &spec);

	if (err)
		return err;
	if (p->priv->id == PRIV_ID_USER)
		return -EPERM;
	spec_apply(p, &spec);
	c->w[1] = p->priv->id;
	return 0;
}

static err_t spec_add_io(struct priv_spec *s, const struct priv_io_range *r)
{
	if (r->last < r->first)
		return -EINVAL;
	for (uint32_t i = 0; i < s->nr_io; i++)
		if (s->io[i].first == r->first && s->io[i].last == r->last)
			return 0;
	if (s->nr_io == NR_IO_RANGES)
		return -ENOMEM;
	s->io[s->nr_io++] = *r;
	return 0;
}

static err_t spec_add_mem(struct priv_spec *s, const struct priv_mem_range *r)
{
	if (r->last < r->first)
		return -EINVAL;
	for (uint32_t i = 0; i < s->nr_mem; i++)
		if (s->mem[i].first == r->first && s->mem[i].last == r->last)
			return 0;
	if (s->nr_mem == NR_MEM_RANGES)
		return -ENOMEM;
	s->mem[s->nr_mem++] = *r;
	return 0;
}

static err_t spec_add_irq(struct priv_spec *s, uint8_t irq)
{
	for (uint32_t i = 0; i < s->nr_irq; i++)
		if (s->irq[i] == irq)
			return 0;
	if (s->nr_irq == NR_IRQS_PER_SERVICE)
		return -ENOMEM;
	s->irq[s->nr_irq++] = irq;
	return 0;
}

static err_t privctl_add(struct proc *caller, struct proc *p, enum privctl_op op, const struct kcall *c)
{
	union { struct priv_io_range io; struct priv_mem_range mem; uint8_t irq; } arg;
	uint64_t bytes = op == PRIVCTL_ADD_IO ? sizeof(arg.io) : op == PRIVCTL_ADD_IRQ ? sizeof(arg.irq) : sizeof(arg.mem);
	err_t err;

	if (p->priv->id == PRIV_ID_USER)
		return -EPERM;
	err = mem_read(caller, &arg, c->w[2], bytes);
	if (err)
		return err;
	if (op == PRIVCTL_ADD_IO)
		return spec_add_io(&p->priv->spec, &arg.io);
	if (op == PRIVCTL_ADD_IRQ)
		return spec_add_irq(&p->priv->spec, arg.irq);
	if (op == PRIVCTL_ADD_MEM)
		return spec_add_mem(&p->priv->spec, &arg.mem);
	return priv_mem_allowed(p->priv, arg.mem.first, arg.mem.last) && arg.mem.last >= arg.mem.first ? 0 : -EPERM;
}

static err_t privctl_allow(struct proc *p)
{
	if (!p->priv->granted)
		return -EPERM;
	rts_unset(p, RTS_NO_PRIV);
	return 0;
}

static err_t privctl_disallow(struct proc *p)
{
	rts_set(p, RTS_NO_PRIV);
	sched_take_off(p);
	return 0;
}

err_t kcall_PRIVCTL(struct proc *caller, struct kcall *c)
{
	struct proc *p = kcall_target(caller, c, 0);

	if (!p)
		return -EDEADEPT;
	/* VM asks what a service may map; the rest is RS's. */
	if (caller->endpoint == EP_VM && c->w[1] != PRIVCTL_QUERY_MEM && c->w[1] != PRIVCTL_GET_ID)
		return -EPERM;
	switch (c->w[1]) {
	case PRIVCTL_ALLOW: return privctl_allow(p);
	case PRIVCTL_DISALLOW: return p == caller ? -EINVAL : privctl_disallow(p);
	case PRIVCTL_SET_SYS: return privctl_set_sys(caller, p, c);
	case PRIVCTL_SET_USER: return privctl_set_user(p);
	case PRIVCTL_UPDATE_SYS: return privctl_update(caller, p, c);
	case PRIVCTL_ADD_IO: case PRIVCTL_ADD_MEM: case PRIVCTL_ADD_IRQ: case PRIVCTL_QUERY_MEM:
		return privctl_add(caller, p, (enum privctl_op)c->w[1], c);
	case PRIVCTL_CLEAR_IPC_REFS: ipc_clear_refs(p, -EDEADSRCDST); return 0;
	case PRIVCTL_GET_ID: c->w[1] = p->priv->id; return 0;
	default: return -EINVAL;
	}
}

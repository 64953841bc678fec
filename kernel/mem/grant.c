/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants: what abi/grant.h says, in the order of checks given there. The table lies in the granter's memory and is read at each use, so
 * nothing here can be out of date. Reading it may suspend the caller like any copy.
 */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/mem.h>
#include <kernel/priv.h>

_Static_assert(sizeof(struct grant_entry) == 40, "grant entries are 40 bytes");

static err_t grant_entry_address(struct proc *granter, grant_t grant, vaddr_t *addr)
{
	struct priv *v = granter->priv;

	if (grant < 0)
		return -EINVAL;
	if (v->id == PRIV_ID_USER || !v->grant_entries)
		return -EPERM;
	if (v->grant_endpoint != granter->endpoint)
		return -ENOTREADY;
	if ((uint64_t)grant_index(grant) >= v->grant_entries)
		return -EPERM;
	*addr = v->grant_table + (uint64_t)grant_index(grant) * sizeof(struct grant_entry);
	return 0;
}

static err_t grant_read(struct proc *caller, struct proc *granter, grant_t grant, struct grant_entry *e)
{
	vaddr_t addr;
	uint64_t done;
	err_t err = grant_entry_address(granter, grant, &addr);

	if (!err)
		err = mem_copy(caller, (struct mem_range){ 0, (vaddr_t)e }, (struct mem_range){ granter, addr }, sizeof(*e), 0, &done);
	if (err == -EFAULT)
		return -EPERM;
	if (err)
		return err;
	if ((e->flags & (GRANT_USED | GRANT_VALID)) != (GRANT_USED | GRANT_VALID) || e->seq != grant_seq(grant))
		return -EPERM;
	return 0;
}

static bool grant_is_for(const struct grant_entry *e, endpoint_t who)
{
	return e->grantee == who || e->grantee == EP_ANY;
}

/* Whose memory a final entry means. */
static err_t grant_owner(struct proc *granter, const struct grant_entry *e, struct proc **owner)
{
	*owner = granter;
	if (e->flags & GRANT_DIRECT)
		return 0;
	if (!(e->flags & GRANT_MAGIC) || !(granter->priv->spec.flags & PRIV_MAGIC_GRANTS))
		return -EPERM;
	*owner = proc_of_endpoint(e->owner);
	return *owner ? 0 : -EDEADEPT;
}

err_t grant_resolve(struct proc *caller, endpoint_t granter_ep, grant_t grant, uint32_t access, struct grant_range *out)
{
	endpoint_t grantee = caller->endpoint;
	struct proc *granter = granter_ep == EP_SELF ? caller : proc_of_endpoint(granter_ep);
	struct grant_entry e;
	uint32_t try = 0;
	err_t err;

	for (int hops = 0;; hops++) {
		if (!granter)
			return -EDEADEPT;
		err = grant_read(caller, granter, grant, &e);
		if (err)
			return err;
		if ((access & e.flags) != access || !grant_is_for(&e, grantee))
			return -EPERM;
		try |= e.flags & GRANT_TRY;
		if (!(e.flags & GRANT_INDIRECT))
			break;
		if (hops >= GRANT_MAX_HOPS)
			return -ELOOP;
		/* The next granter must have given it to the one that passed it on. */
		grantee = granter->endpoint;
		granter = proc_of_endpoint(e.owner);
		grant = e.from;
	}
	*out = (struct grant_range){ 0, e.addr, e.len, try };
	return grant_owner(granter, &e, &out->owner);
}

err_t grant_part(const struct grant_range *g, uint64_t offset, uint64_t len, vaddr_t *addr)
{
	if (offset > g->len || len > g->len - offset || g->addr + g->len < g->addr)
		return -EPERM;
	*addr = g->addr + offset;
	return 0;
}

void grant_mark_faulted(struct proc *caller, endpoint_t granter_ep, grant_t grant)
{
	struct proc *granter = granter_ep == EP_SELF ? caller : proc_of_endpoint(granter_ep);
	struct grant_entry *e;
	uint32_t *flags;
	vaddr_t addr;

	if (!granter || !granter->space || grant_entry_address(granter, grant, &addr))
		return;
	/* The flags lie at the start of the entry; an entry may straddle two pages, a flags word does not. */
	flags = arch_user_range(addr, sizeof(*e)) && !(addr & 3) ? arch_space_walk(granter->space, addr, true) : 0;
	if (flags)
		__atomic_fetch_or(flags, GRANT_FAULTED, __ATOMIC_SEQ_CST);
}

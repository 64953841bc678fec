/* SPDX-License-Identifier: BSD-2-Clause */
/* Privilege slots. Ids of boot services equal their slots; later services get the rest. A freed id vanishes from all masks, so that
 * its next owner inherits no rights and no callers. */
#include <kernel/debug.h>
#include <kernel/priv.h>

struct priv priv_table[NR_SYS_PROCS];

void priv_init(void)
{
	for (uint32_t i = 0; i < NR_SYS_PROCS; i++)
		priv_table[i].id = i;
	priv_table[PRIV_ID_USER].spec.sig_mgr = EP_PM;
	priv_table[PRIV_ID_USER].spec.bak_sig_mgr = EP_NONE;
	priv_table[PRIV_ID_USER].granted = true;
}

static int priv_find_free(void)
{
	for (int id = PRIV_ID_DYNAMIC; id < NR_SYS_PROCS; id++)
		if (!priv_table[id].owner)
			return id;
	return -1;
}

struct priv *priv_alloc(struct proc *owner, int id)
{
	struct priv *v;

	if (id < 0)
		id = priv_find_free();
	if (id < 0)
		return 0;
	v = &priv_table[id];
	memset(v, 0, sizeof(*v));
	v->id = (uint32_t)id;
	v->owner = owner;
	v->grant_endpoint = EP_NONE;
	v->spec.sig_mgr = EP_RS;
	v->spec.bak_sig_mgr = EP_NONE;
	return v;
}

void priv_free(struct priv *v)
{
	timer_cancel(&v->alarm);
	log_limit_end(v);
	v->owner = 0;
	v->granted = false;
	for (int i = 0; i < NR_SYS_PROCS; i++) {
		mask_clear(priv_table[i].spec.send_mask, v->id);
		mask_clear(priv_table[i].pending_notify, v->id);
	}
}

uint32_t priv_count(void)
{
	uint32_t n = 0;

	for (int i = 1; i < NR_SYS_PROCS; i++)
		n += priv_table[i].owner != 0;
	return n;
}

bool priv_io_allowed(const struct priv *v, uint32_t first, uint32_t last)
{
	if (!(v->spec.flags & PRIV_CHECK_IO))
		return true;
	for (uint32_t i = 0; i < v->spec.nr_io; i++)
		if (first >= v->spec.io[i].first && last <= v->spec.io[i].last)
			return true;
	return false;
}

bool priv_mem_allowed(const struct priv *v, paddr_t first, paddr_t last)
{
	if (!(v->spec.flags & PRIV_CHECK_MEM))
		return true;
	for (uint32_t i = 0; i < v->spec.nr_mem; i++)
		if (first >= v->spec.mem[i].first && last <= v->spec.mem[i].last)
			return true;
	return false;
}

bool priv_irq_allowed(const struct priv *v, uint32_t irq)
{
	if (!(v->spec.flags & PRIV_CHECK_IRQ))
		return true;
	for (uint32_t i = 0; i < v->spec.nr_irq; i++)
		if (v->spec.irq[i] == irq)
			return true;
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileges. A service gets the basic kernel calls and what its description names. Whom it may send to is given as labels and as
 * classes, which mean all services that say in their own descriptions that they belong to them; the kernel wants privilege ids, so the
 * mask is computed at each start, and again for everybody whose list means a service that has just got a new id: who runs already may
 * talk to a new member from its first moment on. Both descriptions are root's. Whoever may be asked may answer: that the kernel sees to.
 */
#include "rs.h"

uint64_t rs_basic_calls(void)
{
#define X(name, basic, what) | ((uint64_t)(basic) << KC_INDEX_##name)
	return 0 KCALLS(X);
#undef X
}
_Static_assert(KC_COUNT <= 64, "the call masks here are one word");

static void rs_mask_add(uint64_t *mask, uint32_t id)
{
	if (id < NR_SYS_PROCS)
		mask[id / 64] |= 1ull << id % 64;
}

/* Id 0 stands for all users: what has no process (a template, or s itself before its first start) has no id. */
static void rs_mask_add_service(uint64_t *mask, const struct rs_slot *s)
{
	if (s && s->pub->in_use && s->pub->endpoint != EP_NONE && s->priv_id != 0)
		rs_mask_add(mask, s->priv_id);
}

static void rs_mask_add_all(uint64_t *mask)
{
	for RS_EACH_SLOT(s)
		rs_mask_add_service(mask, s);
}

/* SYSTEM, the kernel, needs no permission but the call mask. A label that nobody has yet is filled in when it comes up. A class in
 * the list of one of its members means the others. */
static void rs_mask_add_name(uint64_t *mask, const struct rs_slot *s, const char *name)
{
	if (strcmp(name, "ALL") == 0 || strcmp(name, "USER") == 0)
		rs_mask_add(mask, 0);
	if (strcmp(name, "ALL") == 0 || strcmp(name, "ALL_SYS") == 0)
		rs_mask_add_all(mask);
	rs_mask_add_service(mask, rs_slot_of_label(name));
	for RS_EACH_SLOT(member)
		if (member != s && rs_image_belongs(member->image, name))
			rs_mask_add_service(mask, member);
}

/* True if the mask is another one than before. */
static bool rs_mask_compute(struct rs_slot *s)
{
	uint64_t mask[PRIV_MASK_WORDS] = { 0 };
	const char *p = s->image->send_names, *end = p + s->image->send_names_len;
	bool changed;

	if (!p)
		return false;
	rs_mask_add(mask, EP_RS);
	rs_mask_add(mask, EP_VM);
	for (; p < end; p += strlen(p) + 1)
		rs_mask_add_name(mask, s, p);
	changed = memcmp(mask, s->priv.send_mask, sizeof(mask)) != 0;
	memcpy(s->priv.send_mask, mask, sizeof(mask));
	return changed;
}

/* -EAGAIN: as many services run as there can be. */
err_t rs_priv_set(endpoint_t ep, const struct priv_spec *spec, enum privctl_op op, uint32_t *id)
{
	uint64_t out = 0;
	err_t r = sys_privctl(ep, op, spec, sizeof(*spec), &out);

	if (r == 0 && id)
		*id = (uint32_t)out;
	return r == -ENOSPC ? -EAGAIN : r;
}

void rs_priv_prepare(struct rs_slot *s)
{
	rs_mask_compute(s);
}

void rs_priv_complete(struct priv_spec *priv)
{
	priv->flags &= PRIV_CHECK_IO | PRIV_CHECK_MEM | PRIV_CHECK_IRQ | PRIV_MAGIC_GRANTS;
	priv->flags |= PRIV_SYS_PROC | PRIV_PREEMPTIBLE | PRIV_CHECK_IO | PRIV_CHECK_MEM | PRIV_CHECK_IRQ;
	priv->call_mask[0] |= rs_basic_calls();
	if (priv->trap_mask == 0)
		priv->trap_mask = IPC_TRAP_ALL;
	if (priv->sig_mgr == 0)
		priv->sig_mgr = EP_RS;
	priv->bak_sig_mgr = EP_RS;
	if (priv->priority == 0)
		priv->priority = 4;
}

static bool rs_mask_has(const struct rs_slot *s, uint32_t id)
{
	return id < NR_SYS_PROCS && s->priv.send_mask[id / 64] >> id % 64 & 1;
}

/* The kernel has taken a freed id out of all masks, so one that s has got again has to be put back, though our masks know it. */
void rs_priv_refresh_others(const struct rs_slot *s)
{
	for RS_EACH_SLOT(other) {
		bool changed;

		if (other == s || !other->pub->in_use || other->pub->endpoint == EP_NONE)
			continue;
		changed = other->image && rs_mask_compute(other);
		if (changed || rs_mask_has(other, s->priv_id))
			rs_priv_set(other->pub->endpoint, &other->priv, PRIVCTL_UPDATE_SYS, 0);
	}
}

void rs_vm_priv_set(endpoint_t ep, const struct rs_slot *s)
{
	struct message m;
	struct vm_set_priv_req *req = MSG_BODY(struct vm_set_priv_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = VM_SET_PRIV;
	req->ep = ep;
	req->mask = s->pub->vm_call_mask;
	req->contig_max = s->contig_max;
	if (sef_call(EP_VM, &m) != 0)
		log_warn("VM does not take the rights of %d", ep);
}

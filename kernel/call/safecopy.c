/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SAFECOPYFROM, KC_SAFECOPYTO, KC_VSAFECOPY, KC_SAFEMEMSET: memory that its owner has granted. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>

/* access GRANT_READ: from the granter to the caller; GRANT_WRITE: the other way. */
struct safe_request { endpoint_t granter; grant_t grant; uint32_t access; uint64_t offset, len; vaddr_t addr; };
/* A grant that was looked up, for the elements of a vector that name it one after the other. */
struct safe_grant { bool known; struct safe_request by; struct grant_range range; };

static err_t safe_grant_find(struct proc *caller, const struct safe_request *r, struct safe_grant *g)
{
	err_t err;

	if (g->known && g->by.granter == r->granter && g->by.grant == r->grant && g->by.access == r->access)
		return 0;
	g->by = *r;
	err = grant_resolve(caller, r->granter, r->grant, r->access, &g->range);
	g->known = !err;
	return err;
}

static err_t safecopy(struct proc *caller, const struct safe_request *r, struct safe_grant *g, uint64_t *done)
{
	struct mem_range own = { caller, r->addr }, granted;
	err_t err = safe_grant_find(caller, r, g);

	if (!err)
		err = grant_part(&g->range, r->offset, r->len, &granted.addr);
	if (err)
		return err;
	granted.p = g->range.owner;
	err = mem_copy(caller, r->access == GRANT_READ ? own : granted, r->access == GRANT_READ ? granted : own, r->len,
		g->range.try ? MEM_TRY : 0, done);
	if (err == -ESOFTFAULT)
		grant_mark_faulted(caller, r->granter, r->grant);
	return err;
}

static err_t safecopy_call(struct proc *caller, struct kcall *c, uint32_t access)
{
	struct safe_request r = { (endpoint_t)c->w[0], (grant_t)c->w[1], access, c->w[2], c->w[4], c->w[3] };
	struct safe_grant g = { .known = false };
	uint64_t done;
	err_t err = safecopy(caller, &r, &g, &done);

	if (err == -EUNFINISHED) {
		c->w[2] += done;
		c->w[3] += done;
		c->w[4] -= done;
	}
	return err;
}

err_t kcall_SAFECOPYFROM(struct proc *caller, struct kcall *c)
{
	return safecopy_call(caller, c, GRANT_READ);
}

err_t kcall_SAFECOPYTO(struct proc *caller, struct kcall *c)
{
	return safecopy_call(caller, c, GRANT_WRITE);
}

/* What is left of an element of which `skip` bytes are done. Exactly one side is the caller. */
static bool vsafecopy_decode(const struct vsafecopy *v, uint64_t skip, struct safe_request *r)
{
	if ((v->src == EP_SELF) == (v->dst == EP_SELF) || skip > v->len)
		return false;
	*r = (struct safe_request){ v->src == EP_SELF ? v->dst : v->src, v->grant, v->src == EP_SELF ? GRANT_WRITE : GRANT_READ,
				    v->offset + skip, v->len - skip, v->addr + skip };
	return true;
}

static err_t vsafecopy_read(struct proc *caller, vaddr_t from, struct vsafecopy *v, uint64_t n)
{
	struct safe_request r;
	err_t err = n > VSAFECOPY_MAX ? -EINVAL : mem_read(caller, v, from, n * sizeof(v[0]));

	for (uint64_t i = 0; !err && i < n; i++)
		if (!vsafecopy_decode(&v[i], 0, &r))
			err = -EINVAL;
	return err;
}

/* Goes on behind *next elements and *skip bytes; the lengths of one turn add up to no more than those of two copies. */
static err_t vsafecopy_turn(struct proc *caller, const struct vsafecopy *v, uint64_t n, uint64_t *next, uint64_t *skip)
{
	struct safe_grant g = { .known = false };
	uint64_t turn = 0, done = 0;
	struct safe_request r;

	for (; *next < n; ++*next, *skip = 0, turn += r.len) {
		err_t err;

		if (turn >= MEM_TURN)
			return -EUNFINISHED;
		if (!vsafecopy_decode(&v[*next], *skip, &r))
			return -EINVAL;
		err = safecopy(caller, &r, &g, &done);
		if (err == -EUNFINISHED)
			*skip += done;
		if (err)
			return err;
	}
	return 0;
}

/* w[2] elements and w[3] bytes of the one after them were done in earlier turns. */
err_t kcall_VSAFECOPY(struct proc *caller, struct kcall *c)
{
	static struct vsafecopy v[VSAFECOPY_MAX];
	uint64_t n = c->w[1];
	err_t err = vsafecopy_read(caller, c->w[0], v, n);

	if (!err)
		err = vsafecopy_turn(caller, v, n, &c->w[2], &c->w[3]);
	if (err != -EUNFINISHED)
		c->w[1] = c->w[2];
	return err;
}

err_t kcall_SAFEMEMSET(struct proc *caller, struct kcall *c)
{
	struct grant_range g;
	uint64_t done;
	vaddr_t addr;
	err_t err = grant_resolve(caller, (endpoint_t)c->w[0], (grant_t)c->w[1], GRANT_WRITE, &g);

	if (!err)
		err = grant_part(&g, c->w[2], c->w[4], &addr);
	if (err)
		return err;
	err = mem_fill(caller, (struct mem_range){ g.owner, addr }, (uint8_t)c->w[3], c->w[4], g.try ? MEM_TRY : 0, &done);
	if (err == -ESOFTFAULT)
		grant_mark_faulted(caller, (endpoint_t)c->w[0], (grant_t)c->w[1]);
	if (err == -EUNFINISHED) {
		c->w[2] += done;
		c->w[4] -= done;
	}
	return err;
}

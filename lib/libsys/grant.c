/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grant table of this process. The kernel reads an entry each time a grantee uses it, so an entry must be complete before its
 * id is told to anybody, and the table may move only when the kernel has been told the new place before the old one is freed.
 *
 * Free entries form a list through `unused` (index + 1 of the next, 0 = end); their sequence number stays and is raised at the next
 * use. If this process dies here the table dies with it: grantees see EDEADEPT or EPERM.
 */
#include <errno.h>
#include <libsys/grant.h>
#include <libsys/kcall.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct grant_table {
	struct grant_entry *entries;
	uint32_t size;		/* entries in the table */
	uint32_t used_up;	/* entries below this were used at least once */
	uint32_t free_head;	/* index + 1, 0 = none */
	uint32_t count;		/* in use */
	bool registered;
	struct grant_entry initial[GRANT_STATIC];
} grants = { .entries = grants.initial, .size = GRANT_STATIC };

static void grant_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

err_t grant_register(void)
{
	err_t r = sys_setgrant(grants.entries, grants.size);

	grants.registered = r == 0;
	return r;
}

/* Twice the size, elsewhere. The old table is freed only after the kernel knows the new one. */
static bool grant_table_grow(void)
{
	uint32_t size = grants.size * 2;
	struct grant_entry *old = grants.entries, *bigger;

	if (size > 1u << GRANT_INDEX_BITS)
		return false;
	bigger = calloc(size, sizeof(*bigger));
	if (!bigger)
		return false;
	memcpy(bigger, old, grants.size * sizeof(*old));
	if (sys_setgrant(bigger, size) != 0) {
		free(bigger);
		return false;
	}
	grants.entries = bigger;
	grants.size = size;
	grants.registered = true;
	if (old != grants.initial)
		free(old);
	return true;
}

static struct grant_entry *grant_alloc(void)
{
	struct grant_entry *e;

	if (!grants.registered && grant_register() != 0)
		return 0;
	if (grants.free_head) {
		e = &grants.entries[grants.free_head - 1];
		grants.free_head = (uint32_t)e->unused;
	} else {
		if (grants.used_up == grants.size && !grant_table_grow())
			return 0;
		e = &grants.entries[grants.used_up++];
	}
	grants.count++;
	e->seq = e->seq >= GRANT_SEQ_MAX ? 1 : e->seq + 1;
	e->unused = 0;
	return e;
}

static grant_t grant_fill(uint32_t kind, endpoint_t grantee, endpoint_t owner, uint64_t where, uint64_t len, int flags)
{
	struct grant_entry *e = grant_alloc();

	if (!e)
		return GRANT_INVALID;
	e->grantee = grantee;
	e->owner = owner;
	e->addr = where;
	e->len = len;
	grant_barrier();
	e->flags = kind | GRANT_USED | GRANT_VALID | (uint32_t)(flags & (GRANT_READ | GRANT_WRITE | GRANT_TRY));
	grant_barrier();
	return grant_make(e->seq, (int)(e - grants.entries));
}

grant_t grant_direct(endpoint_t grantee, const void *p, size_t len, int flags)
{
	return grant_fill(GRANT_DIRECT, grantee, EP_SELF, (uintptr_t)p, len, flags);
}

grant_t grant_magic(endpoint_t grantee, endpoint_t owner, vaddr_t addr, size_t len, int flags)
{
	return grant_fill(GRANT_MAGIC, grantee, owner, addr, len, flags);
}

/* The access rights of an indirect grant are those of the grant behind it. */
grant_t grant_indirect(endpoint_t grantee, endpoint_t granter, grant_t from)
{
	return grant_fill(GRANT_INDIRECT, grantee, granter, (uint32_t)from, 0, GRANT_READ | GRANT_WRITE);
}

static struct grant_entry *grant_lookup(grant_t g)
{
	uint32_t index = (uint32_t)grant_index(g);
	struct grant_entry *e;

	if (g < 0 || index >= grants.used_up)
		return 0;
	e = &grants.entries[index];
	return (e->flags & GRANT_USED) && e->seq == grant_seq(g) ? e : 0;
}

int grant_revoke(grant_t g)
{
	struct grant_entry *e = grant_lookup(g);
	int faulted;

	if (!e)
		return -EINVAL;
	faulted = (int)(e->flags & GRANT_FAULTED);
	e->flags = 0;
	grant_barrier();
	e->unused = grants.free_head;
	grants.free_head = (uint32_t)grant_index(g) + 1;
	grants.count--;
	return faulted;
}

err_t grant_reuse_direct(grant_t g, endpoint_t grantee, const void *p, size_t len, int flags)
{
	struct grant_entry *e = grant_lookup(g);

	if (!e)
		return -EINVAL;
	e->grantee = grantee;
	e->addr = (uintptr_t)p;
	e->len = len;
	e->flags = GRANT_DIRECT | GRANT_USED | GRANT_VALID | (uint32_t)(flags & (GRANT_READ | GRANT_WRITE | GRANT_TRY));
	grant_barrier();
	return 0;
}

uint32_t grant_count(void)
{
	return grants.count;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_ROUTE: entries of a system-call route table. */
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/lib.h>
#include <kernel/mem.h>
#include <kernel/route.h>

err_t kcall_ROUTE(struct proc *caller, struct kcall *c)
{
	static struct route_entry entries[ROUTE_NR];
	uint64_t table = c->w[0], first = c->w[1], count = c->w[2];
	err_t err;

	if (table > ROUTE_TABLE_SERVICE || first > ROUTE_NR || count > ROUTE_NR - first)
		return -EINVAL;
	err = mem_read(caller, entries, c->w[3], count * sizeof(entries[0]));
	if (err)
		return err;
	for (uint64_t i = 0; i < count; i++)
		if (!route_entry_valid(&entries[i]))
			return -EINVAL;
	memcpy(&route_tables[table][first], entries, count * sizeof(entries[0]));
	return 0;
}

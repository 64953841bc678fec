/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_SETGRANT: where the caller's grant table is. */
#include <abi/grant.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/priv.h>

err_t kcall_SETGRANT(struct proc *caller, struct kcall *c)
{
	struct priv *v = caller->priv;
	uint64_t entries = c->w[1];

	if (v->id == PRIV_ID_USER)
		return -EPERM;
	if (entries > 1u << GRANT_INDEX_BITS || !arch_user_range(c->w[0], entries * sizeof(struct grant_entry)))
		return -EINVAL;
	v->grant_endpoint = caller->endpoint;
	v->grant_table = c->w[0];
	v->grant_entries = entries;
	return 0;
}

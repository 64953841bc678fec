/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM_UPDATE: a dead service and its successor exchange their memory, while endpoint and everything that hangs on it stay where they
 * are. The kernel goes first (KC_UPDATE): if it refuses, nothing has happened. Then the records here follow.
 *
 * What the dead one waited for is forgotten without an answer, for its successor would get it. Who waits for memory of the dead
 * one (a copy into it) is told that it is gone; the successor's memory has nothing to do with that.
 */
#include "calls.h"
#include "pagein.h"
#include "space.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <proto/vm.h>

static bool update_possible(const struct process *p)
{
	return p && p->space && !p->space->user && p->space->refs == 1;
}

static void update_swap(struct process *a, struct process *b)
{
	struct process first = *a, second = *b;

	*a = second;
	*b = first;
	a->space->ep = a->ep = first.ep;
	b->space->ep = b->ep = second.ep;
}

int64_t rq_update(const struct message *m)
{
	const struct vm_update_req *rq = MSG_BODY(const struct vm_update_req, m);
	struct process *dead = process_of(rq->src), *successor = process_of(rq->dst);
	err_t err;

	if (!update_possible(dead) || !update_possible(successor) || dead == successor || rq->flags)
		return -EINVAL;
	err = sys_update(rq->src, rq->dst);
	if (err)
		return err;
	pageins_purge(rq->src);
	pageins_void(rq->src);
	mmaps_purge(rq->src);
	update_swap(dead, successor);
	return 0;
}

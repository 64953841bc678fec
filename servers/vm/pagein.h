/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages on their way from a file system: asked for by FS_GETPAGE, answered some time later, with those who wait for them. */
#pragma once
#include "object.h"
#include "wait.h"

struct pagein;

/* The page-in of that page, started if there is none. NULL: no memory. */
struct pagein *pagein_start(struct object *o, uint64_t page);
void pagein_wait(struct pagein *in, struct waiter *w);	/* takes over w (of kmem) */

void pagein_reply(const struct message *m);		/* FS_GETPAGE + 1 from a file system */
void pagein_undeliverable(endpoint_t fs, const struct message *m);
void pageins_forget(struct object *o, uint64_t first);	/* answers on their way are out of date: ask again */
void pageins_void(endpoint_t fs);		/* its answers on their way are those of a dead one */
void pageins_fail(struct object *o);			/* its file system died */
void pageins_check_alive(void);				/* a message of ours found its target dead: which? */
void pageins_purge(endpoint_t dead);			/* a process died: it waits no more */
bool pageins_tick(void);				/* time-outs; true while any is under way */

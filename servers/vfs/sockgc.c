/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets in messages of sockets. A descriptor under way in a message holds a reference of its file; sockets sent over each other (or over
 * themselves) and then closed would hold each other for ever. When the last reference from outside goes, we look:
 *
 *   reached:     sockets with a reference that is not a message's (a descriptor, a call in progress), and sockets not yet accepted
 *   also:        sockets in unread messages of those, and so on
 *   the others:  garbage; their unread messages are thrown away, which closes them
 */
#include "sock.h"

#include <stddef.h>

static struct sock_gc { struct list all; bool ready, started; struct job job; } gc;

static void gc_prepare(void)
{
	if (!gc.ready)
		list_init(&gc.all);
	gc.ready = true;
}

void sock_gc_add(struct usock *s)
{
	gc_prepare();
	list_append(&gc.all, &s->all_link);
}

void sock_gc_remove(struct usock *s) { list_remove(&s->all_link); }

void packet_hold_files(struct packet *p)
{
	for (unsigned i = 0; i < p->nfiles; i++)
		p->files[i]->inflight++;
}

void packet_release_files(struct packet *p)
{
	for (unsigned i = 0; i < p->nfiles; i++)
		p->files[i]->inflight--;
	p->nfiles = 0;
}

/* ---- marking ---------------------------------------------------------------------------------------------------- */

static bool held_from_outside(const struct usock *s)
{
	return !s->file || s->file->refs > s->file->inflight;
}

/* Mark what the unread messages of s carry. True: something new was marked. */
static bool mark_messages(const struct usock *s)
{
	bool any = false;
	for (const struct list *l = s->rx.next; l != &s->rx; l = l->next) {
		const struct packet *p = list_entry(l, const struct packet, link);
		for (unsigned i = 0; i < p->nfiles; i++) {
			struct usock *inner = file_usock(p->files[i]);
			if (!inner || inner->reached)
				continue;
			inner->reached = true;
			any = true;
		}
	}
	return any;
}

/* A connection waiting in the queue of a reached listener is as good as reached. */
static bool mark_round(void)
{
	bool any = false;
	for (struct list *l = gc.all.next; l != &gc.all; l = l->next) {
		struct usock *s = list_entry(l, struct usock, all_link);
		if (s->reached)
			any |= mark_messages(s);
	}
	return any;
}

static struct usock *garbage_find(void)
{
	for (struct list *l = gc.all.next; l != &gc.all; l = l->next) {
		struct usock *s = list_entry(l, struct usock, all_link);
		if (!s->reached && !list_empty(&s->rx))
			return s;
	}
	return NULL;
}

/* Emptying a queue may close other sockets, so begin anew after each. */
static void gc_run(struct job *job)
{
	(void)job;
	struct usock *s;
	gc.started = false;
	for (struct list *l = gc.all.next; l != &gc.all; l = l->next) {
		s = list_entry(l, struct usock, all_link);
		s->reached = held_from_outside(s);
	}
	while (mark_round())
		;
	while ((s = garbage_find())) {
		usock_get(s);
		while (!list_empty(&s->rx))
			usock_dequeue(s, list_entry(s->rx.next, struct packet, link));
		usock_put(s);
	}
}

void sock_gc_start(void)
{
	gc_prepare();
	if (gc.started)
		return;
	gc.started = true;
	gc.job.fn = gc_run;
	job_start(&gc.job);
}

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
#include <stdlib.h>

enum { GC_DELAY_NS = 100000000 };	/* many may go at once: look when they have */

static struct sock_gc {
	struct list all, graves;		/* sockets; packets whose files are still to be put */
	bool ready, started, burying;
	struct timer timer;
	struct job bury_job;
} gc;

static void gc_prepare(void)
{
	if (gc.ready)
		return;
	list_init(&gc.all);
	list_init(&gc.graves);
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

/* Putting a file may bury further packets: they are appended and their turn comes in this loop. */
static void graves_empty(struct job *job)
{
	(void)job;
	while (!list_empty(&gc.graves)) {
		struct packet *p = list_entry(gc.graves.next, struct packet, link);
		list_remove(&p->link);
		for (unsigned i = 0; i < p->nfiles; i++) {
			p->files[i]->inflight--;
			file_put(p->files[i]);
		}
		free(p);
	}
	gc.burying = false;
}

void packet_bury(struct packet *p)
{
	gc_prepare();
	list_append(&gc.graves, &p->link);
	if (gc.burying)
		return;
	gc.burying = true;
	gc.bury_job.fn = graves_empty;
	job_start(&gc.bury_job);
}

/* ---- marking ---------------------------------------------------------------------------------------------------- */

static bool held_from_outside(const struct usock *s)
{
	return !s->file || s->file->refs > s->file->inflight;
}

static void mark(struct usock *s, struct list *todo)
{
	s->reached = true;
	list_append(todo, &s->mark_link);
}

/* What the unread messages of s carry is reached too. */
static void mark_messages(const struct usock *s, struct list *todo)
{
	for (const struct list *l = s->rx.next; l != &s->rx; l = l->next) {
		const struct packet *p = list_entry(l, const struct packet, link);
		for (unsigned i = 0; i < p->nfiles; i++) {
			struct usock *inner = file_usock(p->files[i]);
			if (inner && !inner->reached)
				mark(inner, todo);
		}
	}
}

static void mark_all(void)
{
	struct list todo;
	list_init(&todo);
	for (struct list *l = gc.all.next; l != &gc.all; l = l->next)
		list_entry(l, struct usock, all_link)->reached = false;
	for (struct list *l = gc.all.next; l != &gc.all; l = l->next) {
		struct usock *s = list_entry(l, struct usock, all_link);
		if (!s->reached && held_from_outside(s))
			mark(s, &todo);
	}
	while (!list_empty(&todo)) {
		struct usock *s = list_entry(todo.next, struct usock, mark_link);
		list_remove(&s->mark_link);
		mark_messages(s, &todo);
	}
}

/* Their files go to the graves, so nothing is closed and no list changes while we walk. */
static void garbage_empty(void)
{
	for (struct list *l = gc.all.next; l != &gc.all; l = l->next) {
		struct usock *s = list_entry(l, struct usock, all_link);
		while (!s->reached && !list_empty(&s->rx))
			usock_dequeue(s, list_entry(s->rx.next, struct packet, link));
	}
}

static void gc_run(struct timer *t)
{
	(void)t;
	gc.started = false;
	mark_all();
	garbage_empty();
}

void sock_gc_start(void)
{
	gc_prepare();
	if (gc.started)
		return;
	gc.started = true;
	timer_init(&gc.timer, gc_run);
	timer_set(&gc.timer, time_now() + GC_DELAY_NS);
}

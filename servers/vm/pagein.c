/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See pagein.h.
 *
 *   pagein_start -> SENT --reply--> page enters the object's map, waiters go on
 *                    |  \--forget--> asked once more, under a new id
 *                    \--error, death, time-out--> waiters fail with that error (a fault becomes SIGBUS)
 *
 * The page is where the file system says in its own memory; VM knows the frame there. VM never waits: a file system that does not
 * answer within PAGEIN_TICKS costs those who need the page, nobody else.
 */
#include "pagein.h"
#include "kmem.h"
#include "resolve.h"
#include "space.h"
#include "tick.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/fs.h>
#include <stdio.h>
#include <string.h>

enum { PAGEIN_TICKS = 20, PAGEINS_MAX = 256 };

struct pagein {
	struct pagein *next;
	struct object *object;		/* one reference held */
	uint64_t page, id;
	uint32_t ticks;
	struct waiter *waiters;
};

static struct pageins {
	struct pagein *list;
	uint32_t count;
	uint64_t next_id;
} pageins;

static void pagein_send(struct pagein *in)
{
	struct message m = { .type = FS_GETPAGE };

	in->id = ++pageins.next_id;
	*MSG_BODY(struct fs_getpage_req, &m) = (struct fs_getpage_req){
		.id = in->id, .node = in->object->node, .page = in->page, .write = in->object->writable };
	sef_send(in->object->fs, &m, IPC_NOTIFY_ERR);
	tick_needed();
}

struct pagein *pagein_start(struct object *o, uint64_t page)
{
	struct pagein *in;

	for (in = pageins.list; in; in = in->next)
		if (in->object == o && in->page == page)
			return in;
	in = pageins.count < PAGEINS_MAX ? kmem_zalloc(sizeof *in) : NULL;
	if (!in)
		return NULL;
	object_get(o);
	in->object = o;
	in->page = page;
	in->next = pageins.list;
	pageins.list = in;
	pageins.count++;
	pagein_send(in);
	return in;
}

void pagein_wait(struct pagein *in, struct waiter *w)
{
	w->next = in->waiters;
	in->waiters = w;
}

static void pagein_unlink(struct pagein *in)
{
	struct pagein **at = &pageins.list;

	while (*at != in)
		at = &(*at)->next;
	*at = in->next;
	pageins.count--;
}

/* The end of a page-in: it is out of all lists before its waiters go on, for they may start others. */
static void pagein_finish(struct pagein *in, err_t err)
{
	struct waiter *waiters = in->waiters;

	pagein_unlink(in);
	wait_resume(waiters, err);
	object_put(in->object);
	kmem_free(in, sizeof *in);
}

static struct pagein *pagein_find(uint64_t id)
{
	struct pagein *in = pageins.list;

	while (in && in->id != id)
		in = in->next;
	return in;
}

/* The frame behind an address of the file system; made present if it is not. */
static frame_t frame_behind(endpoint_t fs, vaddr_t addr)
{
	struct space *s = space_of(fs);
	frame_t f;

	if (!s || !page_aligned(addr) || addr >= SPACE_LAST)
		return FRAME_NONE;
	f = pagemap_get(&s->pages, page_of(addr));
	if (f == FRAME_NONE && page_resolve(s, addr, MAP_WRITE, FRAME_FOR_SERVICE, NULL) == 0 && map_flush() == 0)
		f = pagemap_get(&s->pages, page_of(addr));
	return f;
}

static err_t pagein_accept(struct pagein *in, const struct fs_getpage_rep *rep)
{
	struct object *o = in->object;
	frame_t f, old;

	if (rep->result != 0)
		return rep->result == -ENOMEM ? -ENOMEM : -EIO;	/* a full disk is a SIGBUS, as on Linux */
	f = frame_behind(o->fs, rep->addr);
	if (f == FRAME_NONE)
		return -EIO;
	old = pagemap_get(&o->pages, in->page);
	if (pagemap_set(&o->pages, in->page, f) != 0)
		return -ENOMEM;
	frame_get(f);
	if (old != FRAME_NONE)
		frame_put(old);
	return 0;
}

void pagein_reply(const struct message *m)
{
	const struct fs_getpage_rep *rep = MSG_BODY(const struct fs_getpage_rep, m);
	struct pagein *in = pagein_find(rep->id);

	if (!in || in->object->fs != m->source)
		return;
	pagein_finish(in, pagein_accept(in, rep));
}

void pagein_undeliverable(endpoint_t fs, const struct message *m)
{
	struct pagein *in = pagein_find(MSG_BODY(const struct fs_getpage_req, m)->id);

	if (in && in->object->fs == fs)
		pagein_finish(in, -EIO);
}

/* Asked again at once: the file system may be the successor of one that took the question with it. The answer to the first is ignored. */
void pageins_forget(struct object *o, uint64_t first)
{
	for (struct pagein *in = pageins.list; in; in = in->next)
		if (in->object == o && in->page >= first)
			pagein_send(in);
}

/* Its memory is another one's now: an answer that is on its way means nothing. They are sent again when the successor forgets its pages. */
void pageins_void(endpoint_t fs)
{
	for (struct pagein *in = pageins.list; in; in = in->next)
		if (in->object->fs == fs)
			in->id = ++pageins.next_id;
}

void pageins_check_alive(void)
{
	struct pagein *in = pageins.list;

	while (in) {
		if (sys_times(in->object->fs, NULL, NULL, NULL) != 0) {
			objects_fs_died(in->object->fs);
			pageins_fail(in->object);
			in = pageins.list;
		} else {
			in = in->next;
		}
	}
}

void pageins_fail(struct object *o)
{
	struct pagein *in = pageins.list;

	/* Waiters that go on may change the list: begin again after each. */
	while (in) {
		if (in->object == o) {
			pagein_finish(in, -EIO);
			in = pageins.list;
		} else {
			in = in->next;
		}
	}
}

void pageins_purge(endpoint_t dead)
{
	for (struct pagein *in = pageins.list; in; in = in->next)
		in->waiters = wait_purge(in->waiters, dead);
}

bool pageins_tick(void)
{
	struct pagein *in = pageins.list;

	while (in) {
		if (++in->ticks < PAGEIN_TICKS) {
			in = in->next;
			continue;
		}
		printf("vm: file system %d did not deliver page %llu of node %llu in time\n", in->object->fs,
			(unsigned long long)in->page, (unsigned long long)in->object->node);
		pagein_finish(in, -EIO);
		in = pageins.list;
	}
	return pageins.list != NULL;
}

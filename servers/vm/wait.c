/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See wait.h. What is kept here is lost if VM dies; the kernel offers faults and memory requests again to VM's successor, and services
 * repeat VM_PREFAULT.
 */
#include "wait.h"
#include "kmem.h"
#include "oom.h"
#include "pagein.h"
#include "resolve.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/vm.h>
#include <string.h>

static void prefault_reply(const struct waiter *w, err_t err)
{
	struct message m = { .type = VM_PREFAULT + 1 };

	*MSG_BODY(struct vm_prefault_rep, &m) = (struct vm_prefault_rep){ .result = err ? -EFAULT : 0, .id = w->id };
	sef_reply(w->who, &m);
}

static void wait_answer(const struct waiter *w, err_t err)
{
	switch (w->kind) {
	case WAIT_FAULT:
		if (err)
			fault_kill(w->who, w->addr, err);
		sys_vmctl(VMCTL_CLEAR_PAGEFAULT, (uint64_t)(int64_t)w->who, 0, 0, 0, 0);
		return;
	case WAIT_MEMREQ:
		sys_vmctl(VMCTL_REPLY_MEMREQ, (uint64_t)(int64_t)w->who, (uint64_t)(int64_t)err, 0, 0, 0);
		return;
	case WAIT_PREFAULT:
		prefault_reply(w, err);
		return;
	case WAIT_CALL_LOCK:
		sef_reply_result(w->who, w->id, err ? (err == -EFAULT || err == -EACCES ? -ENOMEM : -EAGAIN) : w->result);
		return;
	case WAIT_CALL:
		sef_reply_result(w->who, w->id, w->result);
		return;
	}
}

/* A service parked for memory must not wait for a process to die, which might need that very service: it draws on the reserve. */
static enum frame_level level_for(const struct waiter *w, const struct space *s)
{
	return s->user && (w->kind == WAIT_FAULT || w->kind == WAIT_CALL || w->kind == WAIT_CALL_LOCK)
		? FRAME_FOR_USER : FRAME_FOR_SERVICE;
}

/* The file system that must deliver the page is itself the one that waits: it can never come. */
static bool waits_for_itself(const struct waiter *w, const struct space *s)
{
	const struct region *r = regions_at(&((struct space *)s)->regions, w->addr);

	return r && r->object && r->object->kind == OBJECT_FILE && r->object->fs == w->who;
}

/* 0: all present (once flushed); -EAGAIN and *in: stopped at w->addr; else failed there. */
static err_t wait_run(struct waiter *w, struct pagein **in)
{
	struct space *s = space_of(w->target);
	err_t err;

	while (w->addr < w->last) {
		if (!s)
			return -EFAULT;
		err = page_resolve(s, w->addr, w->access, level_for(w, s), in);
		if (err == -EAGAIN && waits_for_itself(w, s))
			return -EFAULT;
		if (err == -ENOMEM && oom_relieve(s))
			continue;
		if (err)
			return err;
		w->addr = page_down(w->addr) + PAGE_BYTES;
	}
	return 0;
}

/* True: answered. False: it has to wait for *in. */
static bool wait_go_on(struct waiter *w, struct pagein **in)
{
	err_t err = wait_run(w, in), flushed = map_flush();

	if (err == -EAGAIN && *in)
		return false;
	if (!err)
		err = flushed;
	if (w->kind == WAIT_FAULT && !err) {
		page_resolve_around(space_of(w->target), w->addr - PAGE_BYTES, w->access);
		map_flush();
	}
	wait_answer(w, err);
	return true;
}

void wait_start(const struct waiter *given)
{
	struct waiter w = *given, *kept;
	struct pagein *in = NULL;

	if (wait_go_on(&w, &in))
		return;
	kept = kmem_alloc(sizeof *kept);
	if (!kept) {
		wait_answer(&w, -ENOMEM);
		return;
	}
	*kept = w;
	pagein_wait(in, kept);
}

void wait_resume(struct waiter *list, err_t err)
{
	struct pagein *in;

	for (struct waiter *w = list, *next; w; w = next) {
		next = w->next;
		in = NULL;
		if (err)
			wait_answer(w, err);
		else if (!wait_go_on(w, &in)) {
			pagein_wait(in, w);
			continue;
		}
		kmem_free(w, sizeof *w);
	}
}

struct waiter *wait_purge(struct waiter *list, endpoint_t dead)
{
	struct waiter *kept = NULL;

	for (struct waiter *w = list, *next; w; w = next) {
		next = w->next;
		if (w->who != dead && w->target != dead) {
			w->next = kept;
			kept = w;
			continue;
		}
		if (w->who != dead)
			wait_answer(w, -EFAULT);
		kmem_free(w, sizeof *w);
	}
	return kept;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Outstanding requests. The table is indexed by the low half of the id; the high half counts uses of the entry, so that a reply which
 * comes after its request was given up, or from a process that was never asked, is recognised and ignored.
 *
 * A service that dies without answering: whoever learns it (failed send, device map, a notification about an undeliverable message)
 * calls requests_fail() or requests_check_peers(), and the fibers concerned go on with EIO. While requests are outstanding a timer
 * looks every CHECK_PERIOD whether those asked are still alive, so that no fiber can hang for ever.
 *
 * A service may also live, answer RS's heartbeats, and have forgotten a request. Drivers may take as long as they like for most of
 * theirs (a key is pressed when it is pressed); a file system is asked after PATIENCE whether it still works on it (FS_PENDING). If
 * not, RS is told, which replaces it, and the request is made again as after any death. Where that does not help it ends with EIO.
 */
#include "request.h"

#include <libfiber/fiber.h>
#include <libsef/sef.h>
#include <libsys/kcall.h>
#include <proto/common.h>
#include <proto/fs.h>
#include <proto/vm.h>
#include <stdlib.h>

#include "report.h"

enum { ID_INDEX_BITS = 12, ID_INDEX_MASK = (1 << ID_INDEX_BITS) - 1, ID_SEQ_MASK = (1 << 19) - 1 };
static const nstime_t CHECK_PERIOD = 1000000000, PATIENCE = 2000000000, PATIENCE_FOR_AN_ANSWER = 10000000000;

static struct requests {
	struct request **table;		/* by index; never moves an entry */
	unsigned size, in_use;
	struct request *free;
	struct list vm_queue;		/* at-once requests to VM, in the order sent */
	struct timer check;
} requests;

static void lost_check(void);

static void check_expired(struct timer *t)
{
	(void)t;
	requests_check_peers();
	lost_check();
	if (requests.in_use || !list_empty(&requests.vm_queue))
		timer_set(&requests.check, time_now() + CHECK_PERIOD);
}

static bool table_ready(void)
{
	if (requests.table)
		return true;
	requests.table = calloc(ID_INDEX_MASK + 1, sizeof *requests.table);
	list_init(&requests.vm_queue);
	timer_init(&requests.check, check_expired);
	return requests.table != NULL;
}

static struct request *entry_new(void)
{
	if (requests.size > ID_INDEX_MASK)
		return NULL;
	struct request *rq = calloc(1, sizeof *rq);
	if (!rq)
		return NULL;
	rq->id = requests.size;
	requests.table[requests.size++] = rq;
	return rq;
}

struct request *request_new(endpoint_t to)
{
	if (!table_ready())
		return NULL;
	struct request *rq = requests.free;
	if (rq)
		requests.free = rq->next_free;
	else if (!(rq = entry_new()))
		return NULL;
	uint32_t seq = ((rq->id >> ID_INDEX_BITS) + 1) & ID_SEQ_MASK;
	rq->id = (seq ? seq : 1) << ID_INDEX_BITS | (rq->id & ID_INDEX_MASK);
	rq->to = to;
	rq->fiber = NULL;
	rq->done = rq->abandoned = false;
	rq->error = 0;
	rq->progress = 0;
	rq->may_be_lost = rq->lost = rq->in_question = false;
	rq->next_free = NULL;
	requests.in_use++;
	return rq;
}

void request_free(struct request *rq)
{
	rq->to = EP_NONE;
	rq->next_free = requests.free;
	requests.free = rq;
	requests.in_use--;
}

static void check_later(void)
{
	if (!requests.check.armed)
		timer_set(&requests.check, time_now() + CHECK_PERIOD);
}

void request_send(struct request *rq, const struct message *m)
{
	rq->asked = time_now();
	sef_send(rq->to, m, IPC_NOTIFY_ERR);
}

void request_step(struct request *rq)
{
	rq->fiber = fiber_self();
	check_later();
	fiber_yield();
	rq->fiber = NULL;
}

int request_wait(struct request *rq)
{
	while (!rq->done)
		request_step(rq);
	return rq->error;
}

void request_abandon(struct request *rq)
{
	if (rq->done)
		request_free(rq);
	else
		rq->abandoned = true;
}

static void request_finish(struct request *rq)
{
	rq->done = true;
	if (rq->abandoned)
		request_free(rq);
	else if (rq->fiber)
		fiber_wake(rq->fiber);
}

/* The request in progress with this id, made to that process; or NULL. */
static struct request *request_find(uint32_t id, endpoint_t to)
{
	unsigned index = id & ID_INDEX_MASK;
	struct request *rq = index < requests.size ? requests.table[index] : NULL;
	return rq && rq->id == id && rq->to == to && !rq->done ? rq : NULL;
}

/* An id that was never given out, or to another service. What is merely old may have been on its way when its request was given up. */
static bool id_is_invented(uint32_t id, endpoint_t from)
{
	unsigned index = id & ID_INDEX_MASK;
	const struct request *rq = index < requests.size ? requests.table[index] : NULL;
	if (!rq || id >> ID_INDEX_BITS > rq->id >> ID_INDEX_BITS)
		return true;
	return rq->id == id && rq->to != from && rq->to > 0 && !rq->done;
}

bool request_reply(uint32_t id, const struct message *m)
{
	struct request *rq = request_find(id, m->source);
	if (!rq && id_is_invented(id, m->source))
		report_broken(m->source, "", RS_BROKEN_ID);
	if (!rq)
		return false;
	rq->reply = *m;
	request_finish(rq);
	return true;
}

/* ---- requests that were forgotten -------------------------------------------------------------------------------- */

static void question_send(struct request *rq)
{
	struct message m = { .type = FS_PENDING };
	MSG_BODY(struct fs_node_req, &m)->id = rq->id;
	rq->in_question = true;
	rq->asked = time_now();
	peer_send(rq->to, &m);
}

static void request_lost(struct request *rq)
{
	rq->in_question = false;
	rq->asked = time_now();
	if (!rq->lost) {
		rq->lost = true;
		report_broken(rq->to, "", RS_BROKEN_LOST);
		return;
	}
	rq->error = -EIO;
	request_finish(rq);
}

void request_pending(uint32_t id, endpoint_t from, bool pending)
{
	struct request *rq = request_find(id, from);
	if (!rq || !rq->in_question)
		return;
	if (!pending) {
		request_lost(rq);
		return;
	}
	rq->in_question = rq->lost = false;
	rq->asked = time_now();
}

static void lost_check(void)
{
	nstime_t now = time_now();
	for (unsigned i = 0; i < requests.size; i++) {
		struct request *rq = requests.table[i];
		if (rq->to <= 0 || rq->done || !rq->may_be_lost)
			continue;
		if (rq->in_question && now - rq->asked > PATIENCE_FOR_AN_ANSWER)
			request_lost(rq);
		else if (!rq->in_question && now - rq->asked > PATIENCE)
			question_send(rq);
	}
}

void request_progress(uint32_t id, endpoint_t from, uint64_t bytes)
{
	struct request *rq = request_find(id, from);
	if (rq)
		rq->progress = bytes;
}

static void vm_fail(void)
{
	for (struct list *l = requests.vm_queue.next; l != &requests.vm_queue; l = requests.vm_queue.next) {
		struct vm_request *v = list_entry(l, struct vm_request, link);
		list_remove(l);
		v->done = true;
		v->reply.w[0] = (uint64_t)(int64_t)-EIO;
		fiber_wake(v->fiber);
	}
}

void requests_fail(endpoint_t to)
{
	for (unsigned i = 0; i < requests.size; i++) {
		struct request *rq = requests.table[i];
		if (rq->to != to || rq->done)
			continue;
		rq->error = -EIO;
		request_finish(rq);
	}
	if (to == EP_VM && requests.table)
		vm_fail();
}

void requests_check_peers(void)
{
	for (unsigned i = 0; i < requests.size; i++) {
		struct request *rq = requests.table[i];
		if (rq->to > 0 && !rq->done && sys_times(rq->to, NULL, NULL, NULL) != 0)
			requests_fail(rq->to);
	}
}

void requests_check_soon(void)
{
	enum { SOON = 10000000 };
	if (requests.check.armed && requests.check.when > time_now() + SOON)
		timer_set(&requests.check, time_now() + SOON);
}

void peer_send(endpoint_t to, const struct message *m)
{
	sef_send(to, m, 0);
}

/* ---- VM -------------------------------------------------------------------------------------------------------- */

int vm_prefault(endpoint_t ep, vaddr_t addr, uint64_t len, bool write)
{
	struct request *rq = request_new(EP_VM);
	if (!rq)
		return -ENOMEM;
	struct message m = { .type = VM_PREFAULT };
	*MSG_BODY(struct vm_prefault_req, &m) = (struct vm_prefault_req){
		.ep = ep == EP_SELF ? sef_self() : ep, .write = write, .addr = addr, .len = len, .id = rq->id };
	request_send(rq, &m);
	int r = request_wait(rq);
	if (r == 0)
		r = (int)MSG_BODY(struct vm_prefault_rep, &rq->reply)->result;
	request_free(rq);
	return r;
}

void vm_begin(struct vm_request *rq, struct message *m)
{
	table_ready();
	rq->fiber = fiber_self();
	rq->done = false;
	list_append(&requests.vm_queue, &rq->link);
	sef_send(EP_VM, m, IPC_NOTIFY_ERR);
}

int64_t vm_wait(struct vm_request *rq)
{
	check_later();
	while (!rq->done)
		fiber_yield();
	return (int64_t)rq->reply.w[0];
}

void vm_release(endpoint_t fs)
{
	struct vm_request rq;
	struct message m = { .type = VM_RELEASE };

	*MSG_BODY(struct vm_release_req, &m) = (struct vm_release_req){ .fs = fs };
	vm_begin(&rq, &m);
	vm_wait(&rq);
}

bool vm_reply(const struct message *m)
{
	if (!requests.table || list_empty(&requests.vm_queue))
		return false;
	struct vm_request *rq = list_entry(requests.vm_queue.next, struct vm_request, link);
	list_remove(&rq->link);
	rq->reply = *m;
	rq->done = true;
	fiber_wake(rq->fiber);
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of VFS to other services: file systems, drivers, VM. They leave asynchronously and the fiber that made one waits for the
 * reply with its id. Ids carry a sequence number, so a late reply to a request that was given up finds nobody.
 */
#pragma once
#include "vfs.h"

struct request {
	uint32_t id;
	endpoint_t to;
	struct fiber *fiber;		/* NULL: nobody waits (yet) */
	bool done;
	int error;			/* -EIO: the other side died */
	bool abandoned;			/* nobody will wait: free at the reply */
	struct message reply;
	uint64_t progress;		/* told by CDEV_PROGRESS */
	bool may_be_lost;		/* to a file system: it is asked now and then whether it still works on it */
	bool lost;			/* it does not; reported, and given up when it says so again */
	nstime_t asked;			/* for how long we know nothing */
	bool in_question;		/* FS_PENDING is under way, since `asked` */
	struct request *next_free;
};

/* A request with its id, or NULL when memory is short. */
struct request *request_new(endpoint_t to);
/* Send; the message must carry rq->id where its protocol wants it. */
void request_send(struct request *rq, const struct message *m);
/* Wait until it is done. 0 and rq->reply valid, or -EIO. Not ended by signals. */
int request_wait(struct request *rq);
/* One return of the waiting fiber, for waits that watch something else too; look at rq->done. */
void request_step(struct request *rq);
void request_free(struct request *rq);
/* Let it finish alone; its reply is thrown away. */
void request_abandon(struct request *rq);
/* A reply has come. False: nobody waits for this id from this sender. */
bool request_reply(uint32_t id, const struct message *m);
/* A file system says whether it works on the request with this id (FS_PENDING). */
void request_pending(uint32_t id, endpoint_t from, bool pending);
/* How far it is; from anybody but who was asked: ignored. */
void request_progress(uint32_t id, endpoint_t from, uint64_t bytes);
/* All requests to a dead process end with EIO. */
void requests_fail(endpoint_t to);
/* Find out who died (after a notification that a message could not be delivered). */
void requests_check_peers(void);
/* The same in a moment: somebody is about to be removed. */
void requests_check_soon(void);

/* A message that has no reply, in order with the requests to the same service. */
void peer_send(endpoint_t to, const struct message *m);

/* ---- VM ---- */
int vm_prefault(endpoint_t ep, vaddr_t addr, uint64_t len, bool write);
void vm_release(endpoint_t fs);		/* VM gives back what it remembers of files that nobody maps any more */

/* Requests that VM answers at once and in order, so that several may be under way: begin all, then wait for each in turn. */
struct vm_request { struct list link; struct fiber *fiber; bool done; struct message reply; };
void vm_begin(struct vm_request *rq, struct message *m);
int64_t vm_wait(struct vm_request *rq);
bool vm_reply(const struct message *m);

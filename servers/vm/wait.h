/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Somebody who waits until a range of pages is present. Most ranges are done at once; only when a page must come from a file
 * system is the waiter kept, with the page-in it waits for, and goes on from there when the page has come.
 */
#pragma once
#include <abi/message.h>

enum wait_kind {
	WAIT_FAULT,	/* `who` had a page fault */
	WAIT_MEMREQ,	/* `who` is parked in a kernel call */
	WAIT_PREFAULT,	/* service `who` asked by VM_PREFAULT with `id` */
	WAIT_CALL,	/* `who` is in a system call whose answer is `result` */
	WAIT_CALL_LOCK,	/* the same, but a failure is the answer (mlock) */
};

struct waiter {
	struct waiter *next;
	enum wait_kind kind;
	endpoint_t who, target;
	vaddr_t addr, last;	/* next page to see to; exclusive end */
	uint32_t access;	/* MAP_READ, MAP_WRITE */
	uint64_t id;		/* PREFAULT; CALL: message type of the request */
	int64_t result;
};

/* Does what can be done; answers if that is all, else keeps a copy. */
void wait_start(const struct waiter *w);
/* Goes on with a list of waiters whose page-in is over; err 0, or why it failed. */
void wait_resume(struct waiter *list, err_t err);
/* Takes out those who are or whose target is a dead process; answers those who are not. */
struct waiter *wait_purge(struct waiter *list, endpoint_t dead);

/* A fault that cannot be resolved: the signal for `err` is raised. Log in words for services. */
void fault_kill(endpoint_t ep, vaddr_t addr, err_t err);

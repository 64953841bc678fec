/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every part of VFS shares: a call in progress, waiting, time.
 *
 * A request runs on a fiber from its first line to its reply. Between two waits nothing else runs, so data structures need no locks;
 * after a wait everything that was not pinned (a reference taken) must be looked up again.
 */
#pragma once
#include <abi/endpoint.h>
#include <abi/errno.h>
#include <abi/message.h>
#include <abi/types.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct client;
struct fiber;

/* ---- calls ---------------------------------------------------------------------------------------------------- */

/* A system call of a user process in progress. Lives on its fiber's stack. */
struct call {
	struct client *client;	/* who calls: a reference is held */
	endpoint_t ep;
	const uint64_t *a;	/* the six arguments */
	struct fiber *sleeper;	/* set while it waits in a way that a signal may end */
	bool cancelled;		/* a signal or the end of the process: interruptible waits end at once */
};

enum { NO_DEADLINE = 0 };

/* The error for a bad descriptor, flag, ... is an int64_t result; results >= 0 are values. */
typedef int64_t call_handler(struct call *c);

/* ---- waiting (wait.c) ------------------------------------------------------------------------------------------ */

/* Who waits for a change of an object. `wake` is called at each change; it may remove the waiter and must not switch fibers. */
struct waiter {
	struct list link;
	void (*wake)(struct waiter *w, unsigned events);
};
struct waitq { struct list waiters; };

static inline void waitq_init(struct waitq *q) { list_init(&q->waiters); }
static inline bool waitq_empty(const struct waitq *q) { return list_empty(&q->waiters); }
static inline void waitq_add(struct waitq *q, struct waiter *w) { list_append(&q->waiters, &w->link); }
void waitq_wake(struct waitq *q, unsigned events);	/* events: POLL* that may have become true, 0 = any */

/*
 * Wait for a wake-up of q. 0 = woken (look again whether what was wanted is true), -EINTR = cancelled, -ETIMEDOUT = the deadline (ns since
 * boot, 0 = none) has passed.
 */
int call_wait(struct call *c, struct waitq *q, nstime_t deadline);
/* The same without a queue: until call_wake() by whoever knows c. */
int call_pause(struct call *c, nstime_t deadline);
void call_wake(struct call *c);
void call_cancel(struct call *c);
/* Waits that no signal ends. With a deadline: -ETIMEDOUT when it has passed. */
void waitq_wait(struct waitq *q);
int waitq_wait_until(struct waitq *q, nstime_t deadline);

/* A lock for fibers: held across waits. */
struct fiber_lock { bool held; struct waitq q; };
static inline void fiber_lock_init(struct fiber_lock *l) { l->held = false; waitq_init(&l->q); }
void fiber_lock_get(struct fiber_lock *l);
void fiber_lock_put(struct fiber_lock *l);

/* ---- time (timer.c) -------------------------------------------------------------------------------------------- */

struct timer {
	struct list link;	/* ordered by time */
	nstime_t when;		/* ns since boot */
	void (*expired)(struct timer *t);
	bool armed;
};
void timer_init(struct timer *t, void (*expired)(struct timer *t));
void timer_set(struct timer *t, nstime_t when);
void timer_stop(struct timer *t);
void timers_init(void);
void timers_run(void);		/* the alarm notification has come */
nstime_t time_now(void);	/* ns since boot */
int64_t time_of_day(void);	/* ns since 1970 */

/* ---- background work (main.c) ---------------------------------------------------------------------------------- */

/* Run fn(arg) on a fiber soon, after the present request. The caller must have memory to spare: it cannot fail. */
struct job { struct job *next; void (*fn)(struct job *job); };
void job_start(struct job *job);

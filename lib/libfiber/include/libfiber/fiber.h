/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fibers: stackful coroutines for a service whose requests wait for other services.
 *
 * Every fiber runs the service's main loop. A request is a plain function call in that loop, so one that does not wait costs no switch
 * at all. When a request must wait, fiber_yield() parks its fiber, and an idle fiber (or a new one) goes on with the main loop.
 * fiber_wake() marks a parked fiber ready; the loop calls fiber_run_ready(), which parks the looping fiber as idle and continues the
 * woken one: it finishes its request and then is the looping fiber itself.
 *
 *   running --fiber_yield--> parked --fiber_wake--> ready --fiber_run_ready of the looping fiber--> running
 *   running --fiber_run_ready--> idle (last in, first out) --fiber_yield of another--> running
 *
 * One fiber runs at a time and switches happen in fiber_yield and fiber_run_ready only, so data needs no locks between them.
 * Stacks end in a guard page, and a canary above it is checked at every switch. Not for use by several threads.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct fiber;

/* Run `loop` (which must never return) on the first fiber. Does not return unless there is no memory for one stack. */
void fibers_run(size_t stack_bytes, void (*loop)(void));

struct fiber *fiber_self(void);

/* Make sure that fiber_yield will find a fiber to go on with. To be called before a request is begun; false: no memory, refuse it. */
bool fiber_reserve(void);

/* Park the caller until fiber_wake(). A wake-up that came before is not lost: then it returns at once. */
void fiber_yield(void);

/* Mark f ready. Any number of times; one return of fiber_yield answers all. */
void fiber_wake(struct fiber *f);

/* Let all ready fibers run until each waits again or has finished its request. For the main loop only. */
void fiber_run_ready(void);

unsigned fiber_count(void);	/* fibers made so far: none is ever freed */
unsigned fiber_idle_count(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block requests for services that run requests as fibers: the fiber parks until the answer is there, the main loop (which feeds
 * bdev_message() and calls fiber_run_ready()) serves others meanwhile. fiber_reserve() must have been called for the request.
 */
#pragma once
#include <libbdev/bdev.h>
#include <libfiber/fiber.h>

struct bdev_wait { struct fiber *fiber; int64_t result; bool done; };

static inline void bdev_wait_done(struct bdev_io *io, int64_t result)
{
	struct bdev_wait *w = io->owner;

	w->result = result;
	w->done = true;
	fiber_wake(w->fiber);
}

/* Submit and wait; the result as for done(). Uses io's done and owner. */
static inline int64_t bdev_transfer(struct bdev_io *io)
{
	struct bdev_wait w = { .fiber = fiber_self() };

	io->done = bdev_wait_done;
	io->owner = &w;
	bdev_submit(io);
	while (!w.done)
		fiber_yield();
	return w.result;
}

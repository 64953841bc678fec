/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main loop of a file-system server whose requests wait. Every fiber runs the loop; see libfiber. A message is taken only when
 * there is a fiber to go on with, so that the request may wait: without memory for one the loop itself has to wait, as all others do.
 */
#include <libfs/fs.h>

#include <stdlib.h>

#include <abi/endpoint.h>
#include <libfiber/fiber.h>
#include <libsef/sef.h>
#include <libsys/ipc.h>

enum { STACK_DEFAULT = 65536 };

static struct fs_fibers {
	const struct fs_ops *ops;
	struct fs_loop loop;
} fibers;

static void on_message(const struct message *m, uint32_t status)
{
	if (fibers.loop.message && fibers.loop.message(m, status))
		return;
	if (!ipc_is_notify(status) && !fs_serve(fibers.ops, m))
		fs_refuse(m, status);
}

static void loop_run(void)
{
	for (;;) {
		struct message m;
		uint32_t status;
		fiber_run_ready();
		if (!fiber_reserve())
			abort();
		if (fibers.loop.before_receive)
			fibers.loop.before_receive();
		if (sef_receive(EP_ANY, &m, &status) == 0)
			on_message(&m, status);
	}
}

_Noreturn void fs_task_fibers(const struct fs_ops *ops, const struct fs_loop *loop)
{
	fs_announce();
	fibers.ops = ops;
	fibers.loop = *loop;
	fibers_run(loop->stack_bytes ? loop->stack_bytes : STACK_DEFAULT, loop_run);
	abort();
}

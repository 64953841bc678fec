/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main loop of a file-system server whose requests wait. Every fiber runs the loop; see libfiber. A message is taken only when
 * there is a fiber to go on with, so that the request may wait: without memory for one the loop itself has to wait, as all others do.
 */
#include <libfs/fs.h>

#include <stdio.h>
#include <stdlib.h>

#include <abi/endpoint.h>
#include <libfiber/fiber.h>
#include <libsef/ds.h>
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

/* VFS hears of each new instance: what it asked of one before is not answered any more. */
static void announce(void)
{
	char label[LABEL_LEN], key[DS_KEY_LEN];
	err_t r = ds_retrieve_label_name(label, sef_self());
	if (r == 0) {
		snprintf(key, sizeof key, "drv.blk.%s", label);
		r = ds_publish_u64(key, DS_DRIVER_UP, DSF_OVERWRITE);
	}
	if (r)
		fail_stop("cannot announce: %s", err_text(r));
}

_Noreturn void fs_task_fibers(const struct fs_ops *ops, const struct fs_loop *loop)
{
	announce();
	fibers.ops = ops;
	fibers.loop = *loop;
	fibers_run(loop->stack_bytes ? loop->stack_bytes : STACK_DEFAULT, loop_run);
	abort();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS: descriptors, paths, permissions, pipes, sockets, polling, for user processes; file systems and drivers below it.
 *
 * Every system call about files arrives as one message and is answered by one. The main loop runs on whichever fiber is at hand
 * (lib/libfiber); a handler that must wait parks its fiber, and the loop goes on in another. Requests to file systems and drivers are
 * asynchronous, so one slow device delays nobody else, and VFS itself never waits for anyone but the kernel and DS, which answers at once.
 *
 *   user process --MSG_LINUX+n--> call_dispatch -> rq_NAME -> reply
 *   fs, driver, VM --reply with id--> request_reply -> the fiber that waits
 *   PM, VM, RS, procfs --VFS_*--> on_vfs_request
 *
 * If this process dies, open files are lost with it: its callers get EIO, and init starts the user's programs anew.
 */
#include "vfs.h"

#include <libfiber/fiber.h>
#include <libsef/sef.h>
#include <proto/cdev.h>
#include <proto/common.h>
#include <proto/fs.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <string.h>

#include "calls.h"
#include "blkdev.h"
#include "cdev.h"
#include "client.h"
#include "dmap.h"
#include "exec.h"
#include "mount.h"
#include "pmcalls.h"
#include "request.h"
#include "vnode.h"

enum { FIBER_STACK = 64 * 1024, CALLS_NR = 512 };

static struct vfs {
	struct job *jobs_first, *jobs_last;
	struct job mount_job;
} vfs;

static call_handler *const call_table[CALLS_NR] = {
#define X(number, name) [number] = rq_##name,
	VFS_CALLS(X)
#undef X
};

static void call_answer(endpoint_t ep, uint32_t type, int64_t result)
{
	struct message m = { .type = type + 1 };
	m.w[0] = (uint64_t)result;
	sef_reply(ep, &m);
}

static void call_dispatch(const struct message *m)
{
	uint32_t nr = m->type - MSG_LINUX;
	struct client *cl = client_find(m->source);
	call_handler *handler = nr < CALLS_NR ? call_table[nr] : NULL;
	if (!handler || !cl || !cl->fds || cl->call || !fiber_reserve()) {
		call_answer(m->source, m->type, !handler ? -ENOSYS : !cl || cl->call ? -EPERM : -ENOMEM);
		return;
	}
	uint64_t args[6];
	memcpy(args, m->w, sizeof args);
	struct call c = { .client = client_get(cl), .ep = cl->ep, .a = args };
	uint32_t type = m->type;
	cl->call = &c;
	int64_t result = handler(&c);
	cl->call = NULL;
	if (!cl->gone)
		call_answer(c.ep, type, result);
	client_put(cl);
}

static void on_reply(const struct message *m)
{
	if (m->source == EP_VM) {
		if (m->type == VM_PREFAULT + 1)
			request_reply((uint32_t)((const struct vm_prefault_rep *)m->w)->id, m);
		else
			vm_reply(m);
	} else if (m->type == CDEV_READY) {
		cdev_ready(m);
	} else if (m->type == CDEV_PROGRESS) {
		cdev_progress(m);
	} else if (m->type == FS_PENDING + 1) {
		request_pending((uint32_t)m->w[0], m->source, MSG_BODY(const struct fs_rep, m)->result != 0);
	} else {
		request_reply((uint32_t)m->w[0], m);
	}
}

static void on_notify(const struct message *m)
{
	if (m->source == EP_CLOCK)
		timers_run();
	else if (m->source == EP_ASYNCM)
		requests_check_peers();
	else if (m->source == EP_DS)
		dmap_notified();
}

static void on_message(const struct message *m, uint32_t status)
{
	if (ipc_is_notify(status))
		on_notify(m);
	else if (m->type >= MSG_LINUX && status & IPC_STATUS_USER)
		call_dispatch(m);
	else if (m->type == COMMON_CANCEL && m->source == EP_PM)
		on_cancel(m);
	else if (m->type >= MSG_VFS && m->type < MSG_VFS + 0x100)
		on_vfs_request(m, status & IPC_STATUS_CALL);
	else if (m->type == RS_FS_STARTED && m->source == EP_RS)
		request_reply(MSG_BODY(const struct rs_fs_started, m)->id, m);
	else if (m->type & 1)
		on_reply(m);
	else if (status & IPC_STATUS_CALL)
		call_answer(m->source, m->type, -EBADREQUEST);
}

/* ---- background work ------------------------------------------------------------------------------------------- */

void job_start(struct job *job)
{
	job->next = NULL;
	if (vfs.jobs_first)
		vfs.jobs_last->next = job;
	else
		vfs.jobs_first = job;
	vfs.jobs_last = job;
}

static void jobs_run(void)
{
	while (vfs.jobs_first && fiber_reserve()) {
		struct job *job = vfs.jobs_first;
		vfs.jobs_first = job->next;
		job->fn(job);
	}
}

/* ---- start ----------------------------------------------------------------------------------------------------- */

static void mount_first(struct job *job)
{
	(void)job;
	int r = mount_add(EP_TMPFS, "tmpfs", "tmpfs", "", 0, NULL);
	if (r)
		fail_stop("cannot mount the first file system: %s", err_text(r));
}

static void main_loop(void)
{
	for (;;) {
		struct message m;
		uint32_t status;
		do {
			fiber_run_ready();
			jobs_run();
		} while (vfs.jobs_first && fiber_reserve());
		fiber_run_ready();
		if (sef_receive(EP_ANY, &m, &status) == 0)
			on_message(&m, status);
	}
}

static void on_send_failed(endpoint_t dst, const struct message *m, err_t error)
{
	(void)m;
	(void)error;
	requests_fail(dst);
}

static err_t vfs_init(const struct sef_init_info *info)
{
	vnodes_init();
	mounts_init();
	blkdevs_init();
	timers_init();
	cdev_init(info);
	vfs.mount_job.fn = mount_first;
	job_start(&vfs.mount_job);
	return 0;
}

int main(void)
{
	static const struct sef_callbacks callbacks = {
		.init_fresh = vfs_init, .init_restart = vfs_init, .send_failed = on_send_failed,
	};
	sef_startup(&callbacks);
	fibers_run(FIBER_STACK, main_loop);
	fail_stop("no memory for the first fiber");
}

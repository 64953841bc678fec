/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first user process. PM makes it out of nothing (no parent), with root's credentials, and lets VFS load /init into it like any
 * exec. VFS and the root file system start after PM: as long as they say that there is no such file, the exec is tried again.
 */
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/vfs.h>
#include <string.h>

enum { BOOT_FIRST_NS = 1000000, BOOT_RETRY_NS = 20000000, BOOT_TRIES = 1000 };

static char *const boot_argv[] = { "/init", 0 };
static char *const boot_envp[] = { "HOME=/", "TERM=linux", 0 };

static void boot_exec(struct task *t)
{
	struct message m = { .type = VFS_EXEC };

	*MSG_BODY(struct vfs_exec_req, &m) = (struct vfs_exec_req){ .ep = t->ep,
		.flags = VFS_EXEC_COMMIT_NOW | VFS_EXEC_PM_POINTERS, .dirfd = -100 /* AT_FDCWD */,
		.path = (vaddr_t)(uintptr_t)boot_argv[0], .argv = (vaddr_t)(uintptr_t)boot_argv,
		.envp = (vaddr_t)(uintptr_t)boot_envp };
	t->wait = TASK_WAIT_EXEC;
	sef_send(EP_VFS, &m, IPC_NOREPLY);
}

static struct task *boot_make_init(void)
{
	endpoint_t ep;
	struct group *g = group_create(PID_INIT);

	if (!g || sys_fork(EP_NONE, KFORK_USER, 0, 0, &ep) != 0)
		fail_stop("no process for init");
	struct task *t = &pm.tasks[endpoint_slot(ep)];
	g->flags = GROUP_IS_INIT;
	g->actions = actions_copy(0);
	limits_default(g->limits);
	task_join(t, ep, PID_INIT, g);
	t->cred = cred_create_root();
	if (!g->actions || !t->cred)
		fail_stop("no memory for init");
	strcpy(t->name, "init");
	task_set_answers(t);
	return t;
}

/* VFS gives a fresh process the root directory it has at that moment, so each attempt begins there. */
static void boot_attempt(struct task *t)
{
	err_t r;

	if (pm.boot_tries)
		peer_vfs_exit(t->ep);
	r = peer_vfs_fork(EP_NONE, t->ep, PID_INIT, 0);
	if (r != 0)
		fail_stop("VFS refuses init: %s", err_text(r));
	boot_exec(t);
}

static void boot_later(nstime_t ns)
{
	pm.boot_timer.kind = TIMER_BOOT;
	timer_start(&pm.boot_timer, time_now() + ns);
}

void boot_start(void) { boot_later(BOOT_FIRST_NS); }

void boot_retry(void)
{
	struct group *init = group_of_pid(PID_INIT);

	boot_attempt(init ? init->leader : boot_make_init());
}

void boot_exec_failed(struct task *t, err_t error)
{
	t->wait = TASK_WAIT_NONE;
	if (++pm.boot_tries == BOOT_TRIES)
		fail_stop("cannot run %s: %s", boot_argv[0], err_text(error));
	if (pm.boot_tries % 50 == 0)
		log_warn("cannot run %s yet: %s", boot_argv[0], err_text(error));
	boot_later(BOOT_RETRY_NS);
}

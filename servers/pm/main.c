/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process manager: Linux processes and threads, their family tree, signals, credentials, limits and timers.
 *
 * PM is a loop around two tables: Linux calls of user processes, which the kernel routes here (calls.h), and requests of services
 * (proto/pm.h). A handler checks everything first and then acts; its answers leave when it is through. PM waits for nobody but the
 * kernel, VM and VFS, and for the last only in requests that it answers at once; programs are loaded asynchronously.
 *
 * If PM dies, all its state (struct pm and the pools it names) dies with it: no user process can be waited for or signalled any
 * more. Until PM can be reborn with its predecessor's memory, RS restarts the machine's user space.
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/vfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

struct pm pm;

typedef int64_t (*call_handler)(struct task *t, const uint64_t a[6]);

#define X(name) [SYS_##name] = call_##name,
static const call_handler calls[ROUTE_NR_LINUX] = { PM_CALLS(X) };
#undef X

static void on_linux_call(const struct message *m)
{
	uint32_t number = m->type - MSG_LINUX;
	struct task *t = task_of(m->source);

	if (!t || t->state != TASK_LIVE)
		return;		/* it was ended while its request was on the way */
	t->flags |= TASK_IN_CALL;
	pm.current = t;
	endpoint_t ep = t->ep;
	int64_t result = number < ROUTE_NR_LINUX && calls[number] ? calls[number](t, m->w) : -ENOSYS;
	if (t->ep == ep && t->state == TASK_LIVE && t->wait == TASK_WAIT_NONE)
		task_answer(t, result);
	pm.current = 0;
}

static void on_service_request(const struct message *m, uint32_t status)
{
	switch (m->type) {
	case PM_TTY_SIGNAL:
		job_tty_signal(m);
		return;
	case PM_KILL:
		job_kill_message(m);
		return;
	case PM_INFO:
		info_request(m);
		return;
	case PM_SIGNALFD:
		signalfd_request(m);
		return;
	case PM_SERVICE:
		service_request(m);
		return;
	case VFS_EXEC + 1:
		if (m->source == EP_VFS)
			exec_on_reply(m);
		return;
	}
	log_debug("request %#x of %d refused: unknown", m->type, m->source);
	if (status & IPC_STATUS_CALL)
		sef_reply_result(m->source, m->type, -EBADREQUEST);
}

static void dispatch(const struct message *m, uint32_t status)
{
	if (ipc_is_notify(status)) {
		if (m->source == EP_CLOCK)
			timers_on_alarm();
	} else if ((status & IPC_STATUS_USER) && m->type >= MSG_LINUX) {
		on_linux_call(m);
	} else {
		on_service_request(m, status);
	}
	timers_rearm();
}

/* The services of the boot image, as RS knows them. Later ones come by PM_SERVICE. */
static void services_learn(const struct sef_init_info *info)
{
	struct rs_pub pub;

	for (uint32_t i = 0; i < info->proctab_count; i++)
		if (sef_proctab_read(info, i, &pub, 1) == 0 && pub.in_use)
			service_known(pub.endpoint, pub.name, pub.uid);
}

static err_t pm_init(const struct sef_init_info *info)
{
	struct info_kernel kernel;

	memset(&kernel, 0, sizeof kernel);
	sys_getinfo(GETINFO_KERNEL, &kernel, sizeof kernel, 0, 0);
	pm.nr_cpus = kernel.nr_cpus ? kernel.nr_cpus : 1;
	pm.realtime_offset = kernel.boot_realtime;
	pm.pids.last = PID_FIRST_USER - 1;
	pm.cad_enabled = true;
	pm.group_pool = (struct pool){ .size = sizeof(struct group), .chunk = 8, .limit = 2 * NR_PROCS };
	pm.actions_pool = (struct pool){ .size = sizeof(struct sig_actions), .chunk = 8 };
	pm.cred_pool = (struct pool){ .size = sizeof(struct cred), .chunk = 16 };
	pm.sigentry_pool = (struct pool){ .size = sizeof(struct sig_entry), .chunk = 24, .limit = 16384 };
	strcpy(pm.hostname, "axolotl");
	strcpy(pm.domainname, "(none)");
	if (timer_heap_reserve(&pm.timers, 4 * NR_PROCS) != 0)
		return -ENOMEM;
	routes_install();
	services_learn(info);
	boot_start();
	load_tick();
	timers_rearm();
	return 0;
}

int main(void)
{
	static const struct sef_callbacks callbacks = { .init_fresh = pm_init, .signal_manager = signal_manager };
	struct message m;
	uint32_t status;

	sef_startup(&callbacks);
	for (;;)
		if (sef_receive(EP_ANY, &m, &status) == 0)
			dispatch(&m, status);
}

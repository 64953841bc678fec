/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM, the memory server: policy of memory. The kernel keeps page tables and does as VM says; VM owns all frames and decides which
 * page of which process gets which.
 *
 *   processes --> spaces --> regions   what addresses are for       (region.c, space.c)
 *                   |----> pagemap     which frame a page has       (pagemap.c)
 *                          objects     files and shared memory      (object.c, pagein.c)
 *   faults and memory requests: fault.c, wait.c, and resolve.c, which alone decides what a page gets
 *   system calls: mmap.c, protect.c, remap.c; requests of services: process.c, phys.c, info.c
 *
 * VM waits for nobody but the kernel. What needs VFS or a file system is sent by SENDA and goes on when the answer comes.
 *
 * If VM dies: page tables stay as they are, faults and memory requests stay listed in the kernel. What cannot be read back (regions
 * without pages, which regions are files) is lost.
 */
#include "boot.h"
#include "calls.h"
#include "fault.h"
#include "pagein.h"
#include "rest.h"
#include "tick.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/common.h>
#include <proto/fs.h>
#include <proto/vm.h>
#include <stdio.h>

/* ---- time ---- */

static struct tick { bool running; } tick;

void tick_needed(void)
{
	if (tick.running)
		return;
	tick.running = true;
	sys_setalarm(sys_uptime() + TICK_MS * 1000000ull, NULL);
}

static void on_tick(void)
{
	bool more = pageins_tick();

	more |= objects_tick();
	more |= rest_tick();
	tick.running = false;
	if (more)
		tick_needed();
}

/* ---- system calls ---- */

typedef int64_t call_fn(struct space *s, const struct message *m);
enum { CALL_NR_MAX = 326 };

static call_fn *const calls[CALL_NR_MAX] = {
	[9] = call_mmap, [10] = call_mprotect, [11] = call_munmap, [12] = call_brk, [25] = call_mremap, [26] = call_msync,
	[27] = call_mincore, [28] = call_madvise, [149] = call_mlock, [150] = call_munlock, [151] = call_mlockall,
	[152] = call_munlockall, [325] = call_mlock,
};

static int64_t call_dispatch(const struct message *m)
{
	uint32_t nr = m->type - MSG_LINUX;
	struct space *s = space_of(m->source);

	if (nr >= CALL_NR_MAX || !calls[nr])
		return -ENOSYS;
	return s ? calls[nr](s, m) : -ENOMEM;
}

/* ---- requests of services ---- */

enum {	/* who may ask without a word from RS */
	MAY_PM = 1, MAY_VFS = 2, MAY_RS = 4,
	NEVER_ANSWERED = 0x100,
};
typedef int64_t request_fn(const struct message *m);

static const struct request { request_fn *fn; uint32_t flags; } requests[] = {
#define REQUEST(name) [(VM_##name - MSG_VM) / 2]
	REQUEST(FORK) = { rq_fork, MAY_PM },
	REQUEST(EXIT) = { rq_exit, MAY_PM | MAY_RS },
	REQUEST(EXEC_NEW) = { rq_exec_new, MAY_VFS | MAY_RS },
	REQUEST(MMAP_FOR) = { rq_mmap_for, MAY_VFS | MAY_RS },
	REQUEST(PREFAULT) = { rq_prefault, MAY_VFS },
	REQUEST(MMAP_REPLY) = { rq_mmap_reply, MAY_VFS | NEVER_ANSWERED },
	REQUEST(FORGET) = { rq_forget, NEVER_ANSWERED },
	REQUEST(MAP_PHYS) = { rq_map_phys, 0 },	/* the kernel says which memory */
	REQUEST(MAP_ARCHIVE) = { rq_map_archive, MAY_RS },
	REQUEST(FREE_ARCHIVE) = { rq_free_archive, 0 },
	REQUEST(ALLOC_CONTIG) = { rq_alloc_contig, 0 },
	REQUEST(INFO) = { rq_info, MAY_PM | MAY_RS },
	REQUEST(SET_PRIV) = { rq_set_priv, MAY_RS },
	REQUEST(UPDATE) = { rq_update, MAY_RS },
	REQUEST(PROTECT_FOR) = { rq_protect_for, MAY_RS },
	REQUEST(RLIMIT) = { rq_rlimit, MAY_PM },
	REQUEST(RELEASE) = { rq_release, MAY_VFS },
#undef REQUEST
};
enum { NR_REQUESTS = sizeof requests / sizeof requests[0] };

static uint32_t role_of(endpoint_t ep)
{
	return ep == EP_PM ? MAY_PM : ep == EP_VFS ? MAY_VFS : ep == EP_RS ? MAY_RS : 0;
}

static bool request_permitted(const struct message *m, uint32_t index)
{
	const struct process *p = process_of(m->source);

	if (!p || (p->space && p->space->user))
		return false;
	if (requests[index].flags & role_of(m->source))
		return true;
	/* The first file system unpacks the boot archive. */
	if (m->source == EP_TMPFS && (index == (VM_MAP_ARCHIVE - MSG_VM) / 2 || index == (VM_FREE_ARCHIVE - MSG_VM) / 2))
		return true;
	return p->call_mask >> index & 1;
}

static void request_dispatch(const struct message *m, uint32_t status)
{
	uint32_t index = (m->type - MSG_VM) / 2;
	int64_t result = -ENOSYS;

	if (m->type % 2 == 0 && index < NR_REQUESTS && requests[index].fn) {
		result = request_permitted(m, index) ? requests[index].fn(m) : -EPERM;
		if (result == -EPERM)
			log_refused(m->source, "a request for memory", -EPERM);
		if (requests[index].flags & NEVER_ANSWERED)
			return;
	} else if (!(status & IPC_STATUS_CALL)) {
		return;
	}
	if (result != CALL_LATER)
		sef_reply_result(m->source, m->type, result);
}

static void dispatch(const struct message *m, uint32_t status)
{
	if (ipc_is_notify(status)) {
		if (m->source == EP_CLOCK)
			on_tick();
		else if (m->source == EP_ASYNCM)
			pageins_check_alive();
		return;
	}
	if (m->type >= MSG_LINUX) {
		if (status & IPC_STATUS_FROM_KERNEL) {
			int64_t result = call_dispatch(m);

			if (result != CALL_LATER)
				sef_reply_result(m->source, m->type, result);
		}
		return;
	}
	if (m->type == FS_GETPAGE + 1)
		pagein_reply(m);
	else if (m->type != COMMON_CANCEL)	/* nothing here can be interrupted */
		request_dispatch(m, status);
}

static void on_send_failed(endpoint_t dst, const struct message *m, err_t error)
{
	(void)error;
	if (m->type == FS_GETPAGE)
		pagein_undeliverable(dst, m);
}

static err_t init(const struct sef_init_info *info)
{
	(void)info;
	vm_take_over();
	printf("vm: %u MiB of memory, %u MiB free\n", frame_total() >> 8, frame_free_count() >> 8);
	return 0;
}

int main(void)
{
	static const struct sef_callbacks callbacks = {
		.init_fresh = init, .kernel_signals = on_kernel_signals, .send_failed = on_send_failed,
	};
	struct message m;
	uint32_t status;

	sef_startup(&callbacks);
	for (;;)
		if (sef_receive(EP_ANY, &m, &status) == 0)
			dispatch(&m, status);
}

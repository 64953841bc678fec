/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each service of the boot image may do, in the order of its start. It is the least each needs; everything that is not named
 * here is refused by the kernel and logged.
 *
 * The basic kernel calls (grants, copies through grants, alarm, times, information, log, own exit) are added for all. `sends` names
 * whom a service may send to on its own account; answering is always possible. Bit 0 stands for all user processes.
 */
#include "rs.h"
#include <proto/cdev.h>

#define CALL(name) (1ull << KC_INDEX_##name)
#define TO(ep) (1ull << (ep))
#define VM_MAY(request) (1ull << ((request) - MSG_VM) / 2)
#define NO_MAJORS { -1, -1, -1, -1 }

enum { TO_USERS = 1 };
#define UART_PORTS(first) { (first), (first) + 7 }

#define CORE (RS_PUB_CORE)
#define CORE_PERIOD (10 * RS_SECOND)	/* a wrong verdict on one of these ends the system: be patient */
#define PERIOD (2 * RS_SECOND)	/* those that come back; not less: a terminal that is replaced by mistake loses typed-ahead input */
#define TMPFS_PERIOD (5 * RS_SECOND)

const struct rs_boot_entry rs_boot_table[] = {
	{
		.ep = EP_RS, .name = "rs", .flags = CORE, .priv_flags = PRIV_MAGIC_GRANTS, .priority = 0, .majors = NO_MAJORS,
		.calls = CALL(FORK) | CALL(EXEC) | CALL(CLEAR) | CALL(PRIVCTL) | CALL(KILL) | CALL(RUNCTL) | CALL(VIRCOPY)
			| CALL(ABORT) | CALL(SCHEDULE),
		.sends = TO_USERS | TO(EP_VM) | TO(EP_DS) | TO(EP_PM) | TO(EP_VFS) | TO(EP_TTY) | TO(EP_MEMORY) | TO(EP_TMPFS)
			| TO(EP_PROCFS),
		.vm_calls = VM_MAY(VM_EXIT) | VM_MAY(VM_EXEC_NEW) | VM_MAY(VM_MMAP_FOR) | VM_MAY(VM_PROTECT_FOR)
			| VM_MAY(VM_SET_PRIV) | VM_MAY(VM_UPDATE) | VM_MAY(VM_INFO) | VM_MAY(VM_MAP_ARCHIVE),
	},
	{
		.ep = EP_VM, .name = "vm", .flags = CORE, .priority = 0, .period_ns = CORE_PERIOD, .majors = NO_MAJORS,
		.calls = CALL(SPACE) | CALL(MAP) | CALL(MAPREAD) | CALL(PTFRAMES) | CALL(VMCTL) | CALL(PHYSCOPY) | CALL(MEMSET)
			| CALL(UMAP) | CALL(VIRCOPY) | CALL(KILL) | CALL(UPDATE) | CALL(PRIVCTL),
		.sends = TO_USERS | TO(EP_RS) | TO(EP_DS) | TO(EP_PM) | TO(EP_VFS) | TO(EP_TMPFS) | TO(EP_PROCFS),
	},
	{
		.ep = EP_DS, .name = "ds", .flags = CORE, .priority = 1, .period_ns = CORE_PERIOD, .majors = NO_MAJORS,
		.sends = TO(EP_RS) | TO(EP_VM),
	},
	{
		.ep = EP_PM, .name = "pm", .flags = CORE, .priority = 1, .period_ns = CORE_PERIOD, .majors = NO_MAJORS,
		.calls = CALL(FORK) | CALL(EXEC) | CALL(CLEAR) | CALL(KILL) | CALL(SIGSEND) | CALL(SIGMASK) | CALL(RUNCTL)
			| CALL(SETANSWER) | CALL(ROUTE) | CALL(SCHEDULE) | CALL(VIRCOPY) | CALL(VTIMER)
			| CALL(SETTIME) | CALL(FUTEXWAKE) | CALL(ABORT),
		.sends = TO_USERS | TO(EP_RS) | TO(EP_VM) | TO(EP_DS) | TO(EP_VFS) | TO(EP_TTY),
		.vm_calls = VM_MAY(VM_FORK) | VM_MAY(VM_EXIT) | VM_MAY(VM_RLIMIT) | VM_MAY(VM_INFO),
	},
	{
		.ep = EP_VFS, .name = "vfs", .flags = CORE, .priv_flags = PRIV_MAGIC_GRANTS, .priority = 1,
		.period_ns = CORE_PERIOD, .majors = NO_MAJORS,
		.calls = CALL(VIRCOPY) | CALL(SIGMASK),
		.sends = TO_USERS | TO(EP_RS) | TO(EP_VM) | TO(EP_DS) | TO(EP_PM) | TO(EP_TTY) | TO(EP_MEMORY) | TO(EP_TMPFS)
			| TO(EP_PROCFS),
		.vm_calls = VM_MAY(VM_EXEC_NEW) | VM_MAY(VM_MMAP_FOR) | VM_MAY(VM_PREFAULT) | VM_MAY(VM_MMAP_REPLY)
			| VM_MAY(VM_RELEASE),
	},
	{
		.ep = EP_TTY, .name = "tty", .flags = RS_PUB_COPY, .priority = 3, .period_ns = PERIOD,
		.majors = { MAJOR_TTYS, MAJOR_TTYAUX, MAJOR_PTS, -1 },
		.calls = CALL(DEVIO) | CALL(SDEVIO) | CALL(IRQCTL),
		.sends = TO(EP_RS) | TO(EP_VM) | TO(EP_DS) | TO(EP_PM) | TO(EP_VFS),
		.nr_io = 4, .io = { UART_PORTS(0x3f8), UART_PORTS(0x2f8), UART_PORTS(0x3e8), UART_PORTS(0x2e8) },
		.nr_irq = 2, .irq = { 4, 3 },
	},
	{
		.ep = EP_MEMORY, .name = "memory", .flags = RS_PUB_COPY, .priority = 3, .period_ns = PERIOD,
		.majors = { MAJOR_MEM, -1, -1, -1 },
		.sends = TO(EP_RS) | TO(EP_VM) | TO(EP_DS) | TO(EP_VFS),
	},
	{
		.ep = EP_TMPFS, .name = "tmpfs", .priority = 2, .period_ns = TMPFS_PERIOD, .majors = NO_MAJORS,
		.sends = TO(EP_RS) | TO(EP_VM) | TO(EP_DS) | TO(EP_VFS),
		.vm_calls = VM_MAY(VM_MAP_ARCHIVE) | VM_MAY(VM_FREE_ARCHIVE) | VM_MAY(VM_FORGET) | VM_MAY(VM_INFO),
	},
	{
		.ep = EP_PROCFS, .name = "procfs", .flags = RS_PUB_COPY, .priority = 2, .period_ns = PERIOD, .majors = NO_MAJORS,
		.calls = CALL(VIRCOPY),		/* arguments and environment of processes */
		.sends = TO(EP_RS) | TO(EP_VM) | TO(EP_DS) | TO(EP_PM) | TO(EP_VFS),
		.vm_calls = VM_MAY(VM_INFO),
	},
};

const uint32_t rs_boot_count = sizeof(rs_boot_table) / sizeof(rs_boot_table[0]);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's tables. */
#include "ktest_rs.h"
#include <string.h>

static struct info_proc procs[NR_PROCS];
static char text[8192];

/* Variables that are each CPU's own: its number, and counters whose sum is the whole. */
static void cpu_local_variables(uint32_t nr_cpus)
{
	struct info_kernel before, after;
	struct info_cpu cpu;
	uint64_t irqs = 0;

	sys_getinfo(GETINFO_KERNEL, &before, sizeof(before), 0, 0);
	for (uint32_t i = 0; i < nr_cpus; i++) {
		CHECK_EQ(sys_getinfo(GETINFO_CPU, &cpu, sizeof(cpu), i, 0), 0, "a CPU");
		CHECK_EQ(cpu.id, i, "the number it stored itself");
		irqs += cpu.irqs;
	}
	sys_getinfo(GETINFO_KERNEL, &after, sizeof(after), 0, 0);
	CHECK(irqs >= before.interrupts && irqs <= after.interrupts, "the interrupts of all CPUs");
}

void check_info(void)
{
	struct info_whoami who;
	struct info_kernel k;
	struct info_cpu cpu;
	uint64_t n = 0, pos = 0, bytes = 0;

	CHECK_EQ(sys_getinfo(GETINFO_WHOAMI, &who, sizeof(who), 0, 0), 0, "whoami");
	CHECK(who.endpoint == EP_RS && !strcmp(who.name, "rs") && who.priv_id == EP_RS, "who we are");
	CHECK_EQ(sys_getinfo(GETINFO_KERNEL, &k, sizeof(k), 0, 0), 0, "kernel");
	CHECK(k.nr_cpus >= 1 && k.nr_procs == NR_PROCS && k.context_switches > 0 && k.ipc_messages > 0 && k.tsc_khz > 0, "its figures");
	CHECK_EQ(sys_getinfo(GETINFO_PROC, procs, sizeof(procs), 0, &n), 0, "processes");
	CHECK_EQ(n, sizeof(procs), "all slots");
	CHECK(procs[EP_DS].state == PROC_STATE_RECEIVING && procs[EP_DS].waits_for == EP_ANY
			&& procs[EP_RS].state == PROC_STATE_RUN, "states");
	CHECK(procs[0].state == PROC_STATE_FREE && procs[40].state == PROC_STATE_FREE, "free slots");
	CHECK_EQ(sys_getinfo(GETINFO_PROC, procs, sizeof(procs), NR_PROCS, &n), -K_EINVAL, "slot out of range");
	CHECK_EQ(sys_getinfo(GETINFO_PROC, procs, sizeof(procs[0]), NR_PROCS - 1, &n), 0, "the last slot");
	CHECK_EQ(n, sizeof(procs[0]), "its size");
	cpu_local_variables(k.nr_cpus);
	CHECK_EQ(sys_getinfo(GETINFO_CPU, &cpu, sizeof(cpu), k.nr_cpus, 0), -K_EINVAL, "a CPU that is not there");
	CHECK_EQ(sys_getinfo(GETINFO_CMDLINE, text, sizeof(text), 0, &n), 0, "command line");
	CHECK(n >= 1 && text[n - 1] == 0, "terminated");
	CHECK_EQ(sys_getinfo(GETINFO_IPCTRACE, text, sizeof(text), 0, &n), 0, "last messages");
	CHECK(strstr(text, "rs(1)") != 0, "we are in them");
	CHECK_EQ(sys_diag_read(text, sizeof(text), &pos, &bytes), 0, "the log");
	CHECK(bytes > 0 && strstr(text, "Axolotl") != 0, "from its beginning");
	CHECK_EQ(sys_diag_stacktrace(EP_DS), 0, "stack trace");
}

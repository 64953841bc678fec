/* SPDX-License-Identifier: BSD-2-Clause */
/* The script: all checks in turn, then the result line, then the machine is switched off. */
#include "ktest_rs.h"

unsigned checks_failed(unsigned *all);

static void start(const char *name, void (*run)(void))
{
	struct info_leaks before, after;

	sys_getinfo(GETINFO_LEAKS, &before, sizeof(before), 0, 0);
	run();
	sys_getinfo(GETINFO_LEAKS, &after, sizeof(after), 0, 0);
	CHECK_EQ(after.slots_used, before.slots_used, "slots leaked");
	CHECK_EQ(after.priv_used, before.priv_used, "privileges leaked");
	CHECK_EQ(after.spaces, before.spaces, "spaces leaked");
	CHECK_EQ(after.outbox_used, before.outbox_used, "asynchronous messages leaked");
	CHECK_EQ(after.irq_hooks, before.irq_hooks, "interrupt hooks leaked");
	CHECK_EQ(after.futex_waiters, before.futex_waiters, "futex waiters leaked");
	CHECK_EQ(after.alarms, before.alarms, "timers leaked");
	say("ok %s\n", name);
}

/* What threads need before anything else: arch_prctl and futex in the table of user processes. */
static void routes_for_threads(void)
{
	static const struct route_entry prctl = { ROUTE_KERNEL, MECH_ARCH_PRCTL }, futex = { ROUTE_KERNEL, MECH_FUTEX };

	CHECK_EQ(sys_route(ROUTE_TABLE_USER, 158, 1, &prctl), 0, "route of arch_prctl");
	CHECK_EQ(sys_route(ROUTE_TABLE_USER, 202, 1, &futex), 0, "route of futex");
}

int main(void)
{
	struct priv_spec all = spec_all();
	unsigned n, failed;

	routes_for_threads();
	sys_privctl(EP_DS, PRIVCTL_SET_SYS, &all, sizeof(all), 0);
	sys_privctl(EP_DS, PRIVCTL_ALLOW, 0, 0, 0);
	start("messages", check_ipc);
	start("asynchronous messages", check_async);
	start("death", check_death);
	start("kernel calls", check_kcalls);
	start("memory", check_memory);
	start("grants", check_grants);
	start("long copies", check_long);
	start("physical addresses", check_dma);
	start("futexes", check_futex);
	start("signals", check_signals);
	start("time", check_time);
	start("routes", check_routes);
	start("live update", check_update);
	start("tracing", check_trace);
	start("tables", check_info);
	start("stale translations", check_stale_tlb);
	start("random requests", check_fuzz);
	start("several CPUs", check_stress);
	start("measurements", measure);
	failed = checks_failed(&n);
	say("ktest: done, %u checks, %u failed\n", n, failed);
	sys_abort(ABORT_POWEROFF, failed != 0);
	return 0;
}

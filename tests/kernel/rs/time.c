/* SPDX-License-Identifier: BSD-2-Clause */
/* Alarms, clocks, CPU time and the timers on it, stopping processes. */
#include "ktest_rs.h"

struct timespec64 { int64_t sec, nsec; };

static void alarms(void)
{
	nstime_t left = 0, before = sys_uptime(), after;
	struct message m;
	uint32_t status;

	CHECK_EQ(sys_setalarm(before + 3600ull * 1000 * NS_PER_MS, &left), 0, "an alarm far away");
	CHECK_EQ(left, 0, "there was none");
	CHECK_EQ(sys_setalarm(before + 10 * NS_PER_MS, &left), 0, "another one");
	CHECK(left > 3599ull * 1000 * NS_PER_MS, "what was left of the first");
	CHECK_EQ(ipc_receive(EP_ANY, &m, &status), 0, "the alarm");
	after = sys_uptime();
	CHECK(m.source == EP_CLOCK && ipc_is_notify(status), "is a notification of the clock");
	check(after - before >= 10 * NS_PER_MS && after - before < 100 * NS_PER_MS, "in time", (int64_t)(after - before));
	CHECK_EQ(sys_setalarm(1, 0), 0, "an alarm in the past");
	CHECK_EQ(ipc_receive(EP_CLOCK, &m, 0), 0, "comes at once");
	CHECK_EQ(sys_setalarm(sys_uptime() + NS_PER_MS, 0), 0, "an alarm");
	CHECK_EQ(sys_setalarm(0, 0), 0, "taken back");
}

static void clocks(void)
{
	struct timespec64 a, b;

	for (int id = 0; id <= 7; id++)
		CHECK_EQ(linux_call(228, (uint64_t)id, (uint64_t)&a, 0, 0, 0, 0), 0, "clock_gettime");
	CHECK_EQ(linux_call(228, 77, (uint64_t)&a, 0, 0, 0, 0), -K_EINVAL, "unknown clock");
	CHECK_EQ(linux_call(228, 1, 0x10, 0, 0, 0, 0), -K_EFAULT, "bad pointer");
	linux_call(228, 1, (uint64_t)&a, 0, 0, 0, 0);
	for (int i = 0; i < 1000; i++) {
		linux_call(228, 1, (uint64_t)&b, 0, 0, 0, 0);
		CHECK(b.sec > a.sec || (b.sec == a.sec && b.nsec >= a.nsec), "time does not go back");
		a = b;
	}
	CHECK_EQ(sys_settime(1700000000ull * 1000000000), 0, "set the time");
	linux_call(228, 0, (uint64_t)&a, 0, 0, 0, 0);
	CHECK(a.sec == 1700000000, "the time set");
}

static void spin(struct thread *t)
{
	for (;;)
		t->r[0]++;
}

static void cpu_time(void)
{
	struct thread *t = spawn(USER, spin, 0, 0);
	nstime_t user = 0, system = 0;

	sleep_ms(100);
	CHECK_EQ(sys_times(t->ep, &user, &system, 0), 0, "times");
	check(user > 40 * NS_PER_MS && user <= 140 * NS_PER_MS, "user time of a loop", (int64_t)user);
	check(system < 20 * NS_PER_MS, "system time of a loop", (int64_t)system);
	reap(t);
}

static void virtual_timers(void)
{
	struct thread *t = spawn(SERVICE, spin, 0, 0);
	struct ksig_info k;
	struct message m;
	nstime_t left = 0;

	CHECK_EQ(sys_vtimer(t->ep, VTIMER_VIRTUAL, 10 * NS_PER_MS, &left), 0, "a CPU-time timer");
	CHECK_EQ(sys_vtimer(t->ep, VTIMER_VIRTUAL, ~0ull, &left), 0, "query");
	CHECK(left > 0 && left <= 10 * NS_PER_MS, "what is left");
	CHECK_EQ(sys_vtimer(t->ep, 2, 0, &left), -K_EINVAL, "unknown timer");
	CHECK_EQ(ipc_receive(EP_SYSTEM, &m, 0), 0, "its signal");
	sys_getksig(&k);
	CHECK(k.endpoint == t->ep && k.signals == SIGBIT(26), "is SIGVTALRM");
	reap(t);
}

static void stop_and_resume(void)
{
	struct thread *t = spawn(USER, spin, 0, 0);
	uint32_t flags = 0;
	endpoint_t waits = 0;

	for (int i = 0; i < 100; i++) {
		int64_t count;

		sleep_ms(1);
		CHECK_EQ(sys_runctl(t->ep, RUNCTL_STOP, &waits, &flags), 0, "stop");
		count = t->r[0];
		for (volatile int n = 0; n < 1000; n++)
			;
		CHECK_EQ(t->r[0], count, "stop returns when it is off every CPU");
		CHECK(waits == EP_NONE && (flags & RUNCTL_F_STOPPED), "what it did");
		CHECK_EQ(sys_runctl(t->ep, RUNCTL_RESUME, 0, 0), 0, "resume");
	}
	reap(t);
}

static void priorities(void)
{
	struct thread *high = spawn(SERVICE, spin, 0, 0), *low = spawn(SERVICE, spin, 0, 0);
	int64_t before;

	CHECK_EQ(sys_schedule(low->ep, 9, 0, 1), 0, "a low priority, on the first CPU");
	CHECK_EQ(sys_schedule(high->ep, 5, 0, 1), 0, "a high one, there too");
	sleep_ms(5);
	before = low->r[0];
	sleep_ms(20);
	CHECK_EQ(low->r[0], before, "the low one waits");
	CHECK_EQ(sys_schedule(high->ep, 9, 2000, 1), 0, "equal priorities");
	sleep_ms(100);
	CHECK(low->r[0] > before, "they take turns");
	reap(high);
	reap(low);
}

void check_time(void)
{
	alarms();
	clocks();
	cpu_time();
	virtual_timers();
	stop_and_resume();
	priorities();
}

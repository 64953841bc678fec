/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel calls that every service has: results, and the errors of bad endpoints, pointers, lengths and operations. */
#include "service_check.h"

static uint8_t buffer[8192];

static void times_of_self_and_others(void)
{
	nstime_t user = ~0ull, sys = ~0ull, up = 0, later = 0;

	CHECK_EQ(sys_times(EP_SELF, &user, &sys, &up), 0);
	CHECK(up > 0 && user <= up && sys <= up);
	CHECK_EQ(sys_times(EP_DS, 0, 0, &later), 0);
	CHECK(later >= up);
	for EACH_DEAD_ENDPOINT(e)
		CHECK_EQ(sys_times(*e, 0, 0, 0), -EDEADEPT);
}

static void info_checks_what_and_where(void)
{
	struct info_whoami me;
	uint64_t n = 0;

	CHECK_EQ(sys_getinfo(GETINFO_WHOAMI, &me, sizeof(me), 0, &n), 0);
	CHECK_EQ(n, sizeof(me));
	CHECK_EQ(me.endpoint, sef_self());
	CHECK_EQ(sys_getinfo(GETINFO_WHOAMI, &me, 4, 0, &n), 0);
	CHECK_EQ(n, 4);
	CHECK_EQ(sys_getinfo((enum getinfo_what)99, buffer, sizeof(buffer), 0, 0), -EINVAL);
	CHECK_EQ(sys_getinfo(GETINFO_CPU, buffer, sizeof(buffer), 1000000, 0), -EINVAL);
	CHECK_EQ(sys_getinfo(GETINFO_PROC, buffer, sizeof(buffer), ~0ull, 0), -EINVAL);
	for EACH_BAD_POINTER(p)
		CHECK_EQ(sys_getinfo(GETINFO_KERNEL, (void *)(uintptr_t)*p, sizeof(struct info_kernel), 0, 0), -EFAULT);
}

static void log_checks_length_and_pointer(void)
{
	uint64_t position = 0, n = 0;

	CHECK_EQ(sys_diag_write("", 0), 0);
	CHECK_EQ(sys_diag_write((char *)buffer, ~0ull), -E2BIG);
	for EACH_BAD_POINTER(p) {
		CHECK_EQ(sys_diag_write((char *)(uintptr_t)*p, 16), -EFAULT);
		CHECK_EQ(sys_diag_read((char *)(uintptr_t)*p, 16, &position, &n), -EFAULT);
	}
	CHECK_EQ(sys_diag_read((char *)buffer, sizeof(buffer), &position, &n), 0);
	CHECK(n > 0 && n <= sizeof(buffer));
	for EACH_DEAD_ENDPOINT(e)
		CHECK_EQ(sys_diag_stacktrace(*e), -EDEADEPT);
}

/* The alarm is a notification from the clock; a second setting replaces the first and tells what was left of it. */
static void alarm_is_set_replaced_and_taken_back(void)
{
	struct message m;
	uint32_t status = 0;
	nstime_t left = 0, now = sys_uptime();

	CHECK_EQ(sys_setalarm(now + 1000000000ull, 0), 0);
	CHECK_EQ(sys_setalarm(0, &left), 0);
	CHECK(left > 0 && left <= 1000000000ull);
	CHECK_EQ(sys_setalarm(now + 1000000, &left), 0);
	CHECK_EQ(left, 0);
	CHECK_EQ(ipc_receive(EP_CLOCK, &m, &status), 0);
	CHECK_EQ(m.source, EP_CLOCK);
	CHECK(ipc_is_notify(status));
	CHECK(sys_uptime() >= now + 1000000);
	CHECK_EQ(sys_setalarm(1, 0), 0); /* long past: at once */
	CHECK_EQ(ipc_receive(EP_CLOCK, &m, &status), 0);
}

static void signal_calls_know_their_manager(void)
{
	struct ksig_info info;

	CHECK_EQ(sys_getksig(&info), 0);
	CHECK_EQ(sys_endksig(EP_DS), -EPERM);
	CHECK(sys_endksig(sef_self()) < 0);
	for EACH_DEAD_ENDPOINT(e)
		CHECK_EQ(sys_endksig(*e), -EDEADEPT);
	CHECK_EQ(sys_statectl(99), -EINVAL);
}

static void ipc_checks_endpoints_and_rights(void)
{
	struct message m = { .type = MSG_TEST };

	for EACH_DEAD_ENDPOINT(e) {
		err_t want = *e < 0 ? -EINVAL : -EDEADSRCDST; /* a negative one names no process at all */

		CHECK_EQ(ipc_sendnb(*e, &m), want);
		CHECK_EQ(ipc_senda(*e, &m, 0), want);
		CHECK_EQ(ipc_notify(*e), want);
		m.type = MSG_TEST;
		CHECK_EQ(ipc_sendrec(*e, &m), want);
	}
	CHECK_EQ(ipc_receive(EP_DS + (5 << ENDPOINT_SLOT_BITS), &m, 0), -EDEADSRCDST);
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	RUN(times_of_self_and_others);
	RUN(info_checks_what_and_where);
	RUN(log_checks_length_and_pointer);
	RUN(alarm_is_set_replaced_and_taken_back);
	RUN(signal_calls_know_their_manager);
	RUN(ipc_checks_endpoints_and_rights);
	return check_end();
}

int main(void)
{
	check_service(run);
}

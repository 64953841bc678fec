/* SPDX-License-Identifier: BSD-2-Clause */
/* Process ids: never one in use as thread, group or session; late reuse; none left is told. */
#include <expect.h>
#include <pidmap.h>

static struct pidmap map;

int main(void)
{
	map.last = PID_FIRST_USER - 1;
	int32_t a = pid_alloc(&map), b;
	EXPECT_EQ(a, PID_FIRST_USER);
	pid_ref(&map, a);
	pid_bind(&map, a, 7);
	EXPECT_EQ(pid_slot(&map, a), 7);
	EXPECT_EQ(pid_slot(&map, -1), 0);
	EXPECT_EQ(pid_slot(&map, PID_MAX), 0);

	map.last = PID_MAX - 1;		/* wraps past those in use, also past a group whose founder is gone */
	pid_ref(&map, PID_FIRST_USER + 1);
	b = pid_alloc(&map);
	EXPECT_EQ(b, PID_FIRST_USER + 2);
	pid_unref(&map, a);
	pid_bind(&map, a, 0);
	EXPECT_EQ(pid_slot(&map, a), 0);
	map.last = PID_MAX - 1;
	EXPECT_EQ(pid_alloc(&map), a);

	for (int32_t p = PID_FIRST_USER; p < PID_MAX; p++)
		pid_ref(&map, p);
	EXPECT_EQ(pid_alloc(&map), 0);
	return expect_end();
}

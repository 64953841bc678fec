/* SPDX-License-Identifier: BSD-2-Clause */
/* Fibers on the host: requests that wait, wake-ups before and after the wait, reuse of idle fibers. */
#include <libfiber/fiber.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char trace[4096];
static struct fiber *waiting[64];
static int step, nwaiting;

static void note(const char *s) { strncat(trace, s, sizeof trace - strlen(trace) - 1); }

static void fail(const char *what)
{
	printf("FAIL %s: trace \"%s\"\n", what, trace);
	exit(1);
}

static void request_waits(void)
{
	char local[2000];
	memset(local, nwaiting, sizeof local);
	int mine = nwaiting++;
	waiting[mine] = fiber_self();
	note("w");
	fiber_yield();
	for (size_t i = 0; i < sizeof local; i++)
		if (local[i] != (char)mine)
			fail("stack of a parked fiber changed");
	note("d");
}

static void request_woken_early(void)
{
	fiber_wake(fiber_self());
	fiber_yield();
	note("e");
}

static void wake_all(void)
{
	for (int i = 0; i < nwaiting; i++) {
		fiber_wake(waiting[i]);
		fiber_wake(waiting[i]);
	}
}

static void finish(void)
{
	if (strcmp(trace, "wwwddd") != 0 && strcmp(trace, "ewwwddd") != 0)
		fail("order");
	if (fiber_count() != 5 || fiber_idle_count() != 4)
		fail("count of fibers");
	printf("ok fiber\n");
	exit(0);
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		if (!fiber_reserve())
			fail("reserve");
		switch (step++) {
		case 0: request_woken_early(); break;
		case 1: case 2: case 3: request_waits(); break;
		case 4: wake_all(); break;
		default: finish();
		}
	}
}

int main(void)
{
	fibers_run(65536, loop);
	fail("no memory");
}

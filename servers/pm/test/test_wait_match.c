/* SPDX-License-Identifier: BSD-2-Clause */
/* Which children a wait means and what they have to tell. */
#include <expect.h>
#include <signal.h>
#include <sys/wait.h>
#include <wait_match.h>

static struct wait_child child = { .pid = 10, .pgid = 5, .exit_signal = SIGCHLD };

static bool matches(enum wait_who who, int id, unsigned options)
{
	struct wait_query q = { who, id, options };

	return wait_query_matches(&q, &child);
}

static void who_is_meant(void)
{
	EXPECT(matches(WAIT_WHO_ANY, 0, WEXITED));
	EXPECT(matches(WAIT_WHO_PID, 10, WEXITED));
	EXPECT(!matches(WAIT_WHO_PID, 11, WEXITED));
	EXPECT(matches(WAIT_WHO_PGID, 5, WEXITED));
	EXPECT(!matches(WAIT_WHO_PGID, 10, WEXITED));
}

static void clone_children_need_a_flag(void)
{
	child.exit_signal = 0;
	EXPECT(!matches(WAIT_WHO_ANY, 0, WEXITED));
	EXPECT(matches(WAIT_WHO_ANY, 0, WEXITED | (unsigned)__WCLONE));
	EXPECT(matches(WAIT_WHO_ANY, 0, WEXITED | (unsigned)__WALL));
	child.exit_signal = SIGCHLD;
	EXPECT(!matches(WAIT_WHO_ANY, 0, WEXITED | (unsigned)__WCLONE));
}

static enum wait_event event(unsigned options, bool zombie, bool stopped, bool continued)
{
	struct wait_query q = { WAIT_WHO_ANY, 0, options };
	struct wait_child c = { 1, 1, SIGCHLD, zombie, stopped, continued };

	return wait_event_of(&q, &c);
}

static void what_is_told(void)
{
	EXPECT_EQ(event(WEXITED, true, false, false), WAIT_EVENT_EXITED);
	EXPECT_EQ(event(WSTOPPED, true, false, false), WAIT_EVENT_NONE);
	EXPECT_EQ(event(WEXITED, false, true, false), WAIT_EVENT_NONE);
	EXPECT_EQ(event(WEXITED | WUNTRACED, false, true, false), WAIT_EVENT_STOPPED);
	EXPECT_EQ(event(WEXITED | WUNTRACED, false, false, true), WAIT_EVENT_NONE);
	EXPECT_EQ(event(WCONTINUED, false, false, true), WAIT_EVENT_CONTINUED);
}

int main(void)
{
	who_is_meant();
	clone_children_need_a_flag();
	what_is_told();
	EXPECT_EQ(wait_status_exited(257), 0x100);
	return expect_end();
}

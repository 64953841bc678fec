/* SPDX-License-Identifier: BSD-2-Clause */
/* Pending signals: standard ones once, real-time ones in order; faults first; nothing is lost or kept on dropping. */
#include <expect.h>
#include <signal.h>
#include <sigqueue.h>
#include <string.h>

static struct pool entries = { .size = sizeof(struct sig_entry), .chunk = 4, .limit = 16 };
static struct sig_queue q;

static enum sig_push push(int signo, int value, int code)
{
	struct sig_entry e;

	memset(&e, 0, sizeof e);
	e.info.si_signo = signo;
	e.info.si_code = code;
	e.info.si_value.sival_int = value;
	return sigqueue_push(&q, &entries, &e, false);
}

static int pop(int signo)
{
	struct sig_entry e;

	sigqueue_pop(&q, &entries, signo, &e);
	EXPECT_EQ(e.info.si_signo, signo);
	return e.info.si_value.sival_int;
}

static void standard_signal_is_pending_once(void)
{
	EXPECT_EQ(push(SIGUSR1, 1, SI_QUEUE), SIG_PUSH_QUEUED);
	EXPECT_EQ(push(SIGUSR1, 2, SI_QUEUE), SIG_PUSH_ALREADY);
	EXPECT_EQ(pop(SIGUSR1), 1);
	EXPECT_EQ(q.set, 0);
}

static void realtime_signals_keep_their_order(void)
{
	push(40, 1, SI_QUEUE);
	push(35, 9, SI_QUEUE);
	push(40, 2, SI_QUEUE);
	push(40, 3, SI_QUEUE);
	EXPECT_EQ(sigset_next(q.set), 35);
	EXPECT_EQ(pop(35), 9);
	for (int i = 1; i <= 3; i++)
		EXPECT_EQ(pop(40), i);
	EXPECT_EQ(q.set, 0);
	EXPECT_EQ(q.count, 0);
}

static void timers_have_places_of_their_own(void)
{
	EXPECT_EQ(push(SIGALRM, 1, SI_TIMER), SIG_PUSH_QUEUED);
	EXPECT_EQ(push(SIGALRM, 2, SI_TIMER), SIG_PUSH_QUEUED);
	EXPECT_EQ(pop(SIGALRM), 1);
	EXPECT(q.set & SIGBIT(SIGALRM));
	EXPECT_EQ(pop(SIGALRM), 2);
	EXPECT_EQ(q.set, 0);
}

static void dropping_gives_memory_back(void)
{
	for (int i = 0; i < 10; i++)
		push(34 + i % 3, i, SI_QUEUE);
	sigqueue_drop(&q, &entries, SIGBIT(34) | SIGBIT(36));
	EXPECT_EQ(q.set, SIGBIT(35));
	EXPECT_EQ(pop(35), 1);
	push(36, 77, SI_QUEUE);
	EXPECT_EQ(pop(35), 4);
	EXPECT_EQ(pop(35), 7);
	EXPECT_EQ(pop(36), 77);
	EXPECT_EQ(entries.used, 0);
}

static void limit_refuses_details_only(void)
{
	struct sig_entry e = { .info.si_signo = SIGTERM };

	for (int i = 0; i < 16; i++)
		EXPECT_EQ(push(50, i, SI_QUEUE), SIG_PUSH_QUEUED);
	EXPECT_EQ(push(50, 16, SI_QUEUE), SIG_PUSH_NO_MEMORY);
	EXPECT_EQ(sigqueue_push(&q, &entries, &e, true), SIG_PUSH_QUEUED);
	EXPECT_EQ(pop(SIGTERM), 0);
	sigqueue_drop(&q, &entries, ~0ull);
	EXPECT_EQ(entries.used, 0);
}

static void faults_come_first(void)
{
	EXPECT_EQ(sigset_next(SIGBIT(SIGHUP) | SIGBIT(SIGSEGV)), SIGSEGV);
	EXPECT_EQ(sigset_next(SIGBIT(SIGTERM) | SIGBIT(SIGUSR1)), SIGUSR1);
	EXPECT_EQ(sigset_next(0), 0);
	EXPECT_EQ(sig_default_action(SIGWINCH), SIG_DEFAULT_IGNORE);
	EXPECT_EQ(sig_default_action(SIGTSTP), SIG_DEFAULT_STOP);
	EXPECT_EQ(sig_default_action(SIGSEGV), SIG_DEFAULT_CORE);
	EXPECT_EQ(sig_default_action(40), SIG_DEFAULT_TERMINATE);
}

int main(void)
{
	standard_signal_is_pending_once();
	realtime_signals_keep_their_order();
	timers_have_places_of_their_own();
	dropping_gives_memory_back();
	limit_refuses_details_only();
	faults_come_first();
	return expect_end();
}

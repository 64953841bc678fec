/* SPDX-License-Identifier: BSD-2-Clause */
/* Masks, pending signals, queued real-time signals in order with values, sigtimedwait, sigsuspend, and errors. */
#include "check.h"

static volatile int calls, order[100];
static volatile long values[100];
static siginfo_t si;
static sigset_t set, old;

static void note(int sig, siginfo_t *i, void *ctx)
{
	(void)ctx;
	if (calls < 100) {
		order[calls] = sig;
		values[calls] = (long)i->si_value.sival_ptr;
	}
	calls++;
}

/* Both libraries improve on the call (restart, other codes): the raw one is what is tested. */
static long take(const sigset_t *from, siginfo_t *out, const struct timespec *limit)
{
	return syscall(SYS_rt_sigtimedwait, from, out, limit, 8);
}

static void only(int sig)
{
	sigemptyset(&set);
	sigaddset(&set, sig);
}

static void queue(int sig, long value)
{
	union sigval v = { .sival_ptr = (void *)value };
	CHECK_EQ(sigqueue(getpid(), sig, v), 0);
}

static void block_pend_unblock(void)
{
	sigset_t pend;
	on_siginfo(SIGUSR1, note, 0);
	only(SIGUSR1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
	raise(SIGUSR1), raise(SIGUSR1), raise(SIGUSR1);
	CHECK_EQ(calls, 0);
	CHECK_EQ(sigpending(&pend), 0);
	CHECK(sigismember(&pend, SIGUSR1) && !sigismember(&pend, SIGUSR2));
	CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	CHECK_EQ(calls, 1); /* an ordinary signal pends once */
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, &set), 0);
	CHECK(!sigismember(&set, SIGUSR1));
}

static void real_time_queue(void)
{
	sigset_t all;
	calls = 0;
	for (int s = SIGRTMIN; s <= SIGRTMIN + 3; s++)
		on_siginfo(s, note, 0);
	on_siginfo(SIGUSR2, note, 0);
	sigfillset(&all);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &all, &old), 0);
	queue(SIGRTMIN + 2, 1);
	queue(SIGRTMIN, 2);
	queue(SIGRTMIN + 2, 3);
	queue(SIGRTMIN, 0x7fff12345678);
	queue(SIGRTMIN + 1, 5);
	raise(SIGUSR2);
	/* taken one by one: lower numbers first, equal ones in order */
	int want_sig[] = { SIGUSR2, SIGRTMIN, SIGRTMIN, SIGRTMIN + 1, SIGRTMIN + 2, SIGRTMIN + 2 };
	long want_val[] = { 0, 2, 0x7fff12345678, 5, 1, 3 };
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(take(&all, &si, NULL), want_sig[i]);
		if (i > 0) {
			CHECK_EQ((long)si.si_value.sival_ptr, want_val[i]);
			CHECK_EQ(si.si_code, SI_QUEUE);
			CHECK_EQ(si.si_pid, getpid());
			CHECK_EQ(si.si_uid, 0);
		}
	}
	/* delivered to handlers: each handler runs before the next lower one was stacked, so all arrive */
	for (int i = 0; i < 50; i++)
		queue(SIGRTMIN + 3, i);
	CHECK_EQ(calls, 0);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	CHECK_EQ(calls, 50);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(values[i], i);
}

static void many_at_once_run_lowest_last(void)
{
	sigset_t all;
	calls = 0;
	on_siginfo(SIGRTMIN, note, 0), on_siginfo(SIGRTMIN + 1, note, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	queue(SIGRTMIN + 1, 1), queue(SIGRTMIN, 2);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK_EQ(calls, 2);
	/* frames are stacked in order of delivery: the one stacked last runs first */
	CHECK(order[0] == SIGRTMIN + 1 && order[1] == SIGRTMIN);
}

static void timed_wait(void)
{
	struct timespec t = { 0, 50000000 }, zero = { 0, 0 }, bad = { 0, 1000000000 };
	only(SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	long long start = now_ms();
	CHECK_ERR(take(&set, &si, &t), EAGAIN);
	CHECK(now_ms() - start >= 49);
	CHECK_ERR(take(&set, &si, &zero), EAGAIN);
	CHECK_ERR(take(&set, &si, &bad), EINVAL);
	raise(SIGUSR1);
	CHECK_EQ(take(&set, &si, &zero), SIGUSR1);
	CHECK(si.si_signo == SIGUSR1 && si.si_code == SI_TKILL && si.si_pid == getpid());
	CHECK_ERR(take(&set, &si, &zero), EAGAIN);
	pid_t pid, me = getpid();
	CHILD(pid)
	{
		wait_asleep(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	CHECK_EQ(take(&set, &si, NULL), SIGUSR1);
	CHECK_EQ(si.si_pid, pid);
	CHECK_EXIT(pid, 0);
	raise(SIGUSR1);
	CHECK_EQ(take(&set, NULL, NULL), SIGUSR1);
	CHECK_ERR(syscall(SYS_rt_sigtimedwait, bad_unmapped(), &si, &zero, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigtimedwait, &set, &si, bad_unmapped(), 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigtimedwait, &set, &si, &zero, 3), EINVAL);
	raise(SIGUSR1);
	CHECK_ERR(syscall(SYS_rt_sigtimedwait, &set, bad_readonly(), &zero, 8), EFAULT);
}

static void wait_interrupted_by_another(void)
{
	calls = 0;
	on_siginfo(SIGALRM, note, SA_RESTART);
	only(SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	struct itimerval it = { .it_value.tv_usec = 30000 };
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(take(&set, &si, NULL), EINTR);
	CHECK_EQ(calls, 1);
}

static void suspend(void)
{
	sigset_t none, now;
	calls = 0;
	on_siginfo(SIGUSR1, note, 0);
	only(SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	sigemptyset(&none);
	CHECK_ERR(sigsuspend(&none), EINTR); /* opens, takes the pending one, closes: no window */
	CHECK_EQ(calls, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1));
	pid_t pid, me = getpid();
	CHILD(pid)
	{
		wait_asleep(me);
		kill(me, SIGUSR1);
	}
	CHECK_ERR(sigsuspend(&none), EINTR);
	CHECK_EQ(calls, 2);
	CHECK_EXIT(pid, 0);
	CHECK_ERR(syscall(SYS_rt_sigsuspend, bad_unmapped(), 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigsuspend, &none, 7), EINVAL);
}

static void kill_and_stop_cannot_be_blocked(void)
{
	sigset_t all, now;
	sigfillset(&all);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &all, NULL), 0);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(!sigismember(&now, SIGKILL) && !sigismember(&now, SIGSTOP) && sigismember(&now, SIGTERM));
	pid_t pid;
	int st;
	CHILD(pid) for (;;) pause();
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK(WIFSTOPPED(st));
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_KILLED(pid, SIGKILL);
}

static void errors(void)
{
	only(SIGUSR1);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8), EINVAL);
	CHECK_EQ(syscall(SYS_rt_sigprocmask, 77, NULL, &old, 8), 0); /* how does not matter without a set */
	CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad_unmapped(), NULL, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad_readonly(), 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigpending, bad_unmapped(), 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigpending, &old, 9), EINVAL);
	union sigval v = { 0 };
	CHECK_ERR(sigqueue(1 << 30, SIGUSR1, v), ESRCH);
	CHECK_ERR(sigqueue(getpid(), 65, v), EINVAL);
	CHECK_EQ(sigqueue(getpid(), 0, v), 0);
	siginfo_t fake;
	memset(&fake, 0, sizeof fake);
	fake.si_code = SI_USER; /* pretending to come from kill is for oneself only */
	CHECK_EQ(syscall(SYS_rt_sigqueueinfo, getpid(), 0, &fake), 0);
	CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &fake), EPERM);
	CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getpid(), 0, bad_unmapped()), EFAULT);
}

int main(void)
{
	RUN(block_pend_unblock);
	RUN(real_time_queue);
	RUN(many_at_once_run_lowest_last);
	RUN(timed_wait);
	RUN(wait_interrupted_by_another);
	RUN(suspend);
	RUN(kill_and_stop_cannot_be_blocked);
	RUN(errors);
	return check_end();
}

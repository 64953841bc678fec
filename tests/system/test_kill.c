/* SPDX-License-Identifier: BSD-2-Clause */
/* kill to one, to a group, to all; tgkill and tkill; permission; stop and continue; default action of each signal. */
#include "check.h"
#include <pthread.h>

static void one_and_probe(void)
{
	pid_t pid;
	CHILD(pid) pause();
	CHECK_EQ(kill(pid, 0), 0);
	CHECK_ERR(kill(pid, 65), EINVAL);
	CHECK_ERR(kill(pid, -1), EINVAL);
	CHECK_ERR(kill(1 << 30, SIGTERM), ESRCH);
	CHECK_ERR(kill(INT32_MIN, SIGTERM), ESRCH);
	CHECK_EQ(kill(pid, SIGTERM), 0);
	siginfo_t si;
	CHECK_EQ(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	CHECK_EQ(kill(pid, SIGTERM), 0); /* a zombie still has its number */
	CHECK_KILLED(pid, SIGTERM);
	CHECK_ERR(kill(pid, 0), ESRCH);
}

static void groups(void)
{
	pid_t a, b, c;
	CHILD(a) pause();
	CHILD(b) pause();
	CHILD(c) pause();
	NEED(setpgid(a, a) == 0 && setpgid(b, a) == 0);
	CHECK_EQ(kill(-a, SIGUSR1), 0);
	CHECK_KILLED(a, SIGUSR1);
	CHECK_KILLED(b, SIGUSR1);
	CHECK_EQ(waitpid(c, NULL, WNOHANG), 0);
	CHECK_ERR(kill(-a, SIGUSR1), ESRCH);
	on_signal(SIGHUP, SIG_IGN, 0);
	CHECK_EQ(kill(0, SIGHUP), 0); /* the own group, itself included */
	CHECK_KILLED(c, SIGHUP);
}

static void everybody(void)
{
	int fds[2];
	char c;
	NEED(pipe(fds) == 0);
	IN_CHILD
	{
		become_user(60001); /* all it may reach: itself and its likes */
		pid_t a, b;
		CHILD(a)
		{
			setpgid(0, 0);
			NEED(write(fds[1], "x", 1) == 1);
			pause();
		}
		CHILD(b)
		{
			setsid();
			NEED(write(fds[1], "x", 1) == 1);
			pause();
		}
		NEED(read(fds[0], &c, 1) == 1 && read(fds[0], &c, 1) == 1);
		CHECK_EQ(kill(-1, SIGTERM), 0); /* Linux leaves out the caller */
		CHECK_KILLED(a, SIGTERM);
		CHECK_KILLED(b, SIGTERM);
	}
	IN_CHILD
	{
		become_user(60002);
		CHECK_EQ(kill(-1, SIGTERM), 0); /* nobody it may reach: no error while others exist */
	}
}

static void permission(void)
{
	pid_t root_owned, other, me = getpid();
	CHILD(root_owned) pause();
	CHILD(other)
	{
		become_user(1000);
		pause();
	}
	IN_CHILD
	{
		become_user(1001);
		CHECK_ERR(kill(root_owned, SIGTERM), EPERM);
		CHECK_ERR(kill(root_owned, 0), EPERM);
		CHECK_ERR(kill(1, 0), EPERM);
		CHECK_EQ(kill(me, SIGCONT), 0); /* within the session everybody may continue others */
	}
	sleep_ms(20);
	for (int i = 0; i < 100 && proc_state(other) == 'R'; i++)
		sleep_ms(5);
	IN_CHILD
	{
		NEED(syscall(SYS_setresuid, 1000, 5, 5) == 0); /* the sender's real id fits the target's */
		CHECK_EQ(kill(other, SIGTERM), 0);
	}
	CHECK_KILLED(other, SIGTERM);
	kill(root_owned, SIGKILL);
	CHECK_KILLED(root_owned, SIGKILL);
}

static volatile int hits;
static volatile pid_t hit_tid;
static void hit(int sig)
{
	(void)sig;
	hits++;
	hit_tid = (pid_t)syscall(SYS_gettid);
}

static volatile pid_t tids[3];
static volatile int stop;
static void *sleeper(void *arg)
{
	tids[(intptr_t)arg] = (pid_t)syscall(SYS_gettid);
	while (!stop)
		sleep_ms(5);
	return NULL;
}

static void directed_at_a_thread(void)
{
	pthread_t t[3];
	on_signal(SIGUSR1, hit, 0);
	for (intptr_t i = 0; i < 3; i++)
		NEED(pthread_create(&t[i], NULL, sleeper, (void *)i) == 0);
	for (int i = 0; i < 3; i++)
		while (!tids[i])
			sleep_ms(2);
	for (int i = 0; i < 3; i++) {
		hits = 0;
		CHECK_EQ(syscall(SYS_tgkill, getpid(), tids[i], SIGUSR1), 0);
		for (int k = 0; k < 400 && !hits; k++)
			sleep_ms(5);
		CHECK_EQ(hits, 1);
		CHECK_EQ(hit_tid, tids[i]);
	}
	CHECK_EQ(syscall(SYS_tkill, tids[0], 0), 0);
	CHECK_ERR(syscall(SYS_tgkill, getppid(), tids[0], SIGUSR1), ESRCH); /* not of that process */
	CHECK_ERR(syscall(SYS_tgkill, getpid(), 1 << 30, SIGUSR1), ESRCH);
	CHECK_ERR(syscall(SYS_tgkill, getpid(), -1, SIGUSR1), EINVAL);
	CHECK_ERR(syscall(SYS_tgkill, -1, tids[0], SIGUSR1), EINVAL);
	CHECK_ERR(syscall(SYS_tgkill, getpid(), tids[0], 65), EINVAL);
	CHECK_ERR(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
	/* one that main blocks goes to a thread that does not */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	hits = 0;
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	for (int k = 0; k < 400 && !hits; k++)
		sleep_ms(5);
	CHECK_EQ(hits, 1);
	CHECK(hit_tid != getpid());
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}

static void stop_and_continue(void)
{
	int fds[2], st;
	pid_t pid;
	char c;
	NEED(pipe2(fds, O_NONBLOCK) == 0);
	CHILD(pid) for (;;)
	{
		NEED(write(fds[1], "t", 1) == 1 || errno == EAGAIN);
		sleep_ms(2);
	}
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK_EQ(proc_state(pid), 'T');
	while (read(fds[0], &c, 1) == 1)
		;
	sleep_ms(40);
	CHECK_ERR(read(fds[0], &c, 1), EAGAIN); /* it stands still */
	CHECK_EQ(kill(pid, SIGUSR1), 0); /* kept until it goes on */
	CHECK_EQ(waitpid(pid, &st, WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	CHECK_KILLED(pid, SIGUSR1);
}

static void stop_signals_cancel_continue_and_back(void)
{
	sigset_t set, pend;
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP), sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTSTP);
	sigpending(&pend);
	CHECK(sigismember(&pend, SIGTSTP));
	raise(SIGCONT);
	sigpending(&pend);
	CHECK(sigismember(&pend, SIGCONT) && !sigismember(&pend, SIGTSTP));
	raise(SIGTSTP);
	sigpending(&pend);
	CHECK(!sigismember(&pend, SIGCONT) && sigismember(&pend, SIGTSTP));
	raise(SIGCONT);
}

static void default_actions(void)
{
	static const int kills[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGUSR1, SIGSEGV,
				     SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF,
				     SIGIO, SIGPWR, SIGSYS, 34, 50, 64 };
	static const int ignored[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	static const int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
	pid_t pid;
	int st;
	for (size_t i = 0; i < sizeof kills / sizeof *kills; i++) {
		CHILD(pid) syscall(SYS_kill, getpid(), kills[i]);
		CHECK_KILLED(pid, kills[i]);
	}
	for (size_t i = 0; i < 4; i++) {
		CHILD(pid)
		{
			raise(ignored[i]);
			_exit(3);
		}
		CHECK_EXIT(pid, 3);
	}
	for (size_t i = 0; i < 4; i++) {
		CHILD(pid)
		{
			raise(stops[i]);
			_exit(3);
		}
		CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
		CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == stops[i]);
		kill(pid, SIGCONT);
		CHECK_EXIT(pid, 3);
	}
}

int main(void)
{
	RUN(one_and_probe);
	RUN(groups);
	RUN(everybody);
	RUN(permission);
	RUN(directed_at_a_thread);
	RUN(stop_and_continue);
	RUN(stop_signals_cancel_continue_and_back);
	RUN(default_actions);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* wait4 and waitid: which child, which event, what is reported, and what is refused. */
#include "check.h"
#include <sys/resource.h>

static void statuses(void)
{
	pid_t pid;
	CHILD(pid) _exit(300); /* only the low byte arrives */
	CHECK_EQ(wait_status(pid), (300 & 255) << 8);
	CHILD(pid) raise(SIGTERM);
	CHECK_EQ(wait_status(pid), SIGTERM);
	CHILD(pid) raise(SIGKILL);
	CHECK_EQ(wait_status(pid), SIGKILL);
}

static void choice_of_child(void)
{
	pid_t a, b, c;
	CHILD(a) pause();
	CHILD(b)
	{
		setpgid(0, 0);
		_exit(2);
	}
	CHILD(c) _exit(3);
	setpgid(b, b);
	CHECK_EQ(waitpid(a, NULL, WNOHANG), 0);
	int st;
	CHECK_EQ(waitpid(-b, &st, 0), b); /* by group */
	CHECK_EQ(WEXITSTATUS(st), 2);
	CHECK_EQ(waitpid(0, &st, 0), c); /* by own group */
	CHECK_EQ(WEXITSTATUS(st), 3);
	CHECK_ERR(waitpid(-b, &st, 0), ECHILD);
	CHECK_ERR(waitpid(b, &st, 0), ECHILD);
	CHECK_ERR(waitpid(getppid(), &st, 0), ECHILD);
	CHECK_ERR(waitpid(getpid(), &st, WNOHANG), ECHILD);
	kill(a, SIGKILL);
	CHECK_EQ(waitpid(-1, &st, 0), a);
	CHECK_ERR(waitpid(-1, &st, 0), ECHILD);
	CHECK_ERR(waitpid(-1, &st, WNOHANG), ECHILD);
}

static void stop_and_continue(void)
{
	pid_t pid;
	int st;
	CHILD(pid) for (;;) pause();
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
	CHECK_EQ(st, SIGSTOP << 8 | 0x7f);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED | WNOHANG), 0); /* reported once */
	CHECK_EQ(kill(pid, SIGCONT), 0);
	CHECK_EQ(waitpid(pid, &st, WCONTINUED), pid);
	CHECK(WIFCONTINUED(st));
	CHECK_EQ(st, 0xffff);
	CHECK_EQ(waitpid(pid, &st, WCONTINUED | WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	siginfo_t si;
	memset(&si, 0, sizeof si);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOWAIT), 0);
	CHECK_EQ(si.si_code, CLD_STOPPED);
	CHECK_EQ(si.si_status, SIGSTOP);
	CHECK_EQ(waitpid(pid, &st, 0 | WNOHANG), 0); /* without WUNTRACED a stop is no event */
	CHECK_EQ(waitid(P_PID, (id_t)pid, &si, WSTOPPED), 0); /* WNOWAIT left it there */
	CHECK_EQ(kill(pid, SIGKILL), 0); /* ends a stopped process at once */
	CHECK_KILLED(pid, SIGKILL);
}

static void waitid_reports(void)
{
	pid_t pid;
	siginfo_t si;
	CHILD(pid) _exit(0x1234567);
	memset(&si, 0xff, sizeof si);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	CHECK_EQ(si.si_signo, SIGCHLD);
	CHECK_EQ(si.si_code, CLD_EXITED);
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_uid, getuid());
	CHECK_EQ(si.si_status, 0x67);
	CHECK_EQ(si.si_errno, 0);
	memset(&si, 0, sizeof si);
	CHECK_EQ(waitid(P_ALL, 0, &si, WEXITED), 0);
	CHECK_EQ(si.si_pid, pid);
	CHECK_ERR(waitid(P_PID, (id_t)pid, &si, WEXITED), ECHILD);
	CHILD(pid)
	{
		become_user(1000);
		raise(SIGTERM);
	}
	CHECK_EQ(waitid(P_PGID, (id_t)getpgrp(), &si, WEXITED), 0);
	CHECK_EQ(si.si_code, CLD_KILLED);
	CHECK_EQ(si.si_status, SIGTERM);
	CHECK_EQ(si.si_uid, 1000);
	CHILD(pid) pause();
	memset(&si, 0xff, sizeof si);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG), 0); /* nothing yet: zeroed */
	CHECK_EQ(si.si_pid, 0);
	CHECK_EQ(si.si_signo, 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitid(P_PGID, 0, &si, WEXITED), 0); /* 0: the own group */
	CHECK_EQ(si.si_pid, pid);
}

static void refusals(void)
{
	siginfo_t si;
	struct rusage ru;
	int st;
	CHECK_ERR(syscall(SYS_wait4, -1, &st, 0x100, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_wait4, -1, &st, WEXITED, NULL), EINVAL);
	CHECK_ERR(waitid(P_ALL, 0, &si, 0), EINVAL); /* no event named */
	CHECK_ERR(waitid(P_ALL, 0, &si, WEXITED | 0x100), EINVAL);
	CHECK_ERR(waitid((idtype_t)77, 0, &si, WEXITED), EINVAL);
	CHECK_ERR(waitid(P_PID, 0, &si, WEXITED), EINVAL);
	CHECK_ERR(waitid(P_PID, (id_t)-5, &si, WEXITED), EINVAL);
	CHECK_ERR(waitpid(-1, &st, 0), ECHILD);
	CHECK_ERR(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
	CHECK_ERR(waitpid(INT32_MIN, &st, 0), ESRCH);
	pid_t pid;
	CHILD(pid) _exit(1);
	siginfo_t seen;
	NEED(waitid(P_PID, (id_t)pid, &seen, WEXITED | WNOWAIT) == 0);
	CHECK_ERR(syscall(SYS_waitid, P_PID, pid, bad_unmapped(), WEXITED | WNOWAIT, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_waitid, P_PID, pid, &si, WEXITED | WNOWAIT, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_wait4, pid, bad_readonly(), 0, &ru), EFAULT); /* the child is gone nevertheless */
	CHECK_ERR(syscall(SYS_wait4, pid, &st, 0, NULL), ECHILD);
	CHILD(pid) _exit(1);
	CHECK_EQ(syscall(SYS_wait4, pid, NULL, 0, NULL), pid); /* null is allowed */
	CHILD(pid) _exit(1);
	CHECK_EQ(syscall(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL), 0);
	CHILD(pid) _exit(1);
	CHECK_ERR(syscall(SYS_wait4, pid, &st, 0, bad_unmapped()), EFAULT);
}

static void usage_of_a_child(void)
{
	struct rusage ru, kids;
	pid_t pid;
	CHILD(pid)
	{
		struct rusage me;
		volatile unsigned n = 0;
		do {
			for (int i = 0; i < 100000; i++)
				n++;
			getrusage(RUSAGE_SELF, &me);
		} while (me.ru_utime.tv_sec == 0 && me.ru_utime.tv_usec + me.ru_stime.tv_usec < 60000);
	}
	int st;
	CHECK_EQ(wait4(pid, &st, 0, &ru), pid);
	long us = ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec + ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec;
	CHECK(us >= 50000);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &kids), 0);
	us = kids.ru_utime.tv_sec * 1000000 + kids.ru_utime.tv_usec + kids.ru_stime.tv_sec * 1000000 + kids.ru_stime.tv_usec;
	CHECK(us >= 50000); /* a waited child counts for its parent */
}

static volatile int chld;
static void count(int sig)
{
	(void)sig;
	chld++;
}

static void ignoring_sigchld_reaps(void)
{
	pid_t pid;
	on_signal(SIGCHLD, SIG_IGN, 0);
	CHILD(pid) _exit(1);
	CHECK_ERR(waitpid(pid, NULL, 0), ECHILD); /* waits until the end, then has nothing to tell */
	for (int i = 0; i < 100 && kill(pid, 0) == 0; i++)
		sleep_ms(5);
	CHECK_ERR(kill(pid, 0), ESRCH);
	on_signal(SIGCHLD, count, SA_NOCLDWAIT);
	CHILD(pid) _exit(1);
	errno = 0; /* the SIGCHLD of the end itself may interrupt the wait once */
	int r = waitpid(pid, NULL, 0);
	if (r == -1 && errno == EINTR)
		r = waitpid(pid, NULL, 0);
	CHECK(r == -1 && errno == ECHILD);
	CHECK_EQ(chld, 1); /* NOCLDWAIT still signals */
}

static void nocldstop(void)
{
	pid_t pid;
	int st;
	chld = 0;
	on_signal(SIGCHLD, count, SA_NOCLDSTOP | SA_RESTART);
	CHILD(pid) for (;;) pause();
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK_EQ(chld, 0);
	on_signal(SIGCHLD, count, SA_RESTART);
	kill(pid, SIGCONT);
	CHECK_EQ(waitpid(pid, &st, WCONTINUED), pid);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK(chld == 1 || chld == 2);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static siginfo_t last;
static void keep(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	last = *si;
	chld++;
}

static void sigchld_info(void)
{
	sigset_t set, old;
	pid_t pid;
	on_siginfo(SIGCHLD, keep, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	chld = 0;
	CHILD(pid) _exit(9);
	sigsuspend(&old);
	CHECK_EQ(chld, 1);
	CHECK_EQ(last.si_code, CLD_EXITED);
	CHECK_EQ(last.si_pid, pid);
	CHECK_EQ(last.si_status, 9);
	CHECK_EXIT(pid, 9);
	CHILD(pid) for (;;) pause();
	kill(pid, SIGSTOP);
	sigsuspend(&old);
	CHECK_EQ(last.si_code, CLD_STOPPED);
	CHECK_EQ(last.si_status, SIGSTOP);
	kill(pid, SIGCONT);
	sigsuspend(&old);
	CHECK_EQ(last.si_code, CLD_CONTINUED);
	CHECK_EQ(last.si_status, SIGCONT);
	kill(pid, SIGTERM);
	sigsuspend(&old);
	CHECK_EQ(last.si_code, CLD_KILLED);
	CHECK_EQ(last.si_status, SIGTERM);
	CHECK_KILLED(pid, SIGTERM);
}

static void interrupted_wait(void)
{
	pid_t pid;
	CHILD(pid) pause();
	on_signal(SIGALRM, count, 0);
	struct itimerval it = { .it_value.tv_usec = 30000 };
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(waitpid(pid, NULL, 0), EINTR);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

int main(void)
{
	RUN(statuses);
	RUN(choice_of_child);
	RUN(stop_and_continue);
	RUN(waitid_reports);
	RUN(refusals);
	RUN(usage_of_a_child);
	RUN(ignoring_sigchld_reaps);
	RUN(nocldstop);
	RUN(sigchld_info);
	RUN(interrupted_wait);
	return check_end();
}

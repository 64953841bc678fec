/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions and process groups: who may make, join and leave them; orphans; and the hang-up of a stopped orphaned group. */
#include "check.h"

static const char *self;

static void setsid_makes_all_new(void)
{
	pid_t pid;
	CHECK_ERR(setsid(), EPERM); /* the test's process leads a group */
	CHILD(pid)
	{
		pid_t me = getpid();
		CHECK_EQ(setsid(), me);
		CHECK_EQ(getsid(0), me);
		CHECK_EQ(getpgrp(), me);
		CHECK_EQ(getpgid(0), me);
		CHECK_ERR(setsid(), EPERM);
		CHECK_ERR(setpgid(0, 0), EPERM); /* a session leader stays in its group */
		CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
		IN_CHILD
		{
			CHECK_EQ(getsid(0), me);
			CHECK_EQ(getsid(getppid()), me);
		}
	}
	CHECK_EXIT(pid, 0);
}

static void groups(void)
{
	pid_t a, b, me = getpid();
	CHECK_EQ(getpgrp(), me);
	CHILD(a) pause();
	CHILD(b) pause();
	CHECK_EQ(getpgid(a), me);
	CHECK_EQ(setpgid(a, 0), 0);
	CHECK_EQ(getpgid(a), a);
	CHECK_EQ(setpgid(b, a), 0);
	CHECK_EQ(getpgid(b), a);
	CHECK_EQ(setpgid(b, a), 0); /* again: no harm */
	CHECK_EQ(setpgid(a, me), 0); /* back; the group lives on in b */
	CHECK_EQ(getpgid(b), a);
	CHECK_EQ(setpgid(a, a), 0);
	CHECK_EQ(kill(-a, SIGTERM), 0);
	CHECK_KILLED(a, SIGTERM);
	CHECK_KILLED(b, SIGTERM);
	CHECK_ERR(kill(-a, 0), ESRCH);
}

static void refusals(void)
{
	pid_t kid, grand = 0, other;
	int fds[2];
	NEED(pipe(fds) == 0);
	CHECK_ERR(setpgid(0, -1), EINVAL);
	CHECK_ERR(setpgid(-1, 0), EINVAL); /* the group 0 stands for -1 here */
	CHECK_ERR(setpgid(1 << 30, 0), ESRCH);
	CHECK_ERR(setpgid(0, 1 << 30), EPERM); /* no such group */
	CHECK_ERR(setpgid(getppid(), 0), ESRCH); /* neither itself nor a child */
	CHECK_ERR(getpgid(-1), ESRCH);
	CHECK_ERR(getpgid(1 << 30), ESRCH);
	CHECK_ERR(getsid(-1), ESRCH);
	CHECK_ERR(getsid(1 << 30), ESRCH);
	CHILD(kid)
	{
		CHILD(grand) pause();
		NEED(write(fds[1], &grand, sizeof grand) == sizeof grand);
		pause();
	}
	NEED(read(fds[0], &grand, sizeof grand) == sizeof grand);
	CHECK_ERR(setpgid(grand, grand), ESRCH); /* a grandchild is none of ours */
	CHILD(other)
	{
		setsid();
		NEED(write(fds[1], "x", 1) == 1);
		pause();
	}
	char c;
	NEED(read(fds[0], &c, 1) == 1);
	CHECK_ERR(setpgid(other, getpgrp()), EPERM); /* a child in another session */
	CHECK_ERR(setpgid(kid, other), EPERM); /* a group in another session */
	kill(grand, SIGKILL), kill(kid, SIGKILL), kill(other, SIGKILL);
	CHECK_KILLED(kid, SIGKILL);
	CHECK_KILLED(other, SIGKILL);
}

static void not_after_exec(void)
{
	pid_t pid;
	int fds[2];
	char c;
	NEED(pipe(fds) == 0);
	CHILD(pid)
	{
		dup2(fds[1], 1);
		execl(self, "x", "--say-and-wait", (char *)NULL);
	}
	NEED(read(fds[0], &c, 1) == 1);
	CHECK_ERR(setpgid(pid, pid), EACCES);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static void orphan_goes_to_the_subreaper(void)
{
	int fds[2], st;
	pid_t middle, orphan = 0, ppid = 0;
	NEED(pipe(fds) == 0);
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	middle = fork();
	if (middle == 0) {
		pid_t me = getpid();
		orphan = fork();
		if (orphan == 0) {
			while (getppid() == me)
				sleep_ms(2);
			pid_t ids[2] = { getpid(), getppid() };
			NEED(write(fds[1], ids, sizeof ids) == sizeof ids);
			_exit(7);
		}
		_exit(0);
	}
	CHECK_EXIT(middle, 0);
	pid_t ids[2] = { 0, 0 };
	CHECK_EQ(read(fds[0], ids, sizeof ids), sizeof ids);
	orphan = ids[0], ppid = ids[1];
	CHECK_EQ(ppid, getpid());
	CHECK_EQ(waitpid(orphan, &st, 0), orphan);
	CHECK_EQ(WEXITSTATUS(st), 7);
}

static void orphan_goes_to_init(void)
{
	int fds[2];
	NEED(pipe(fds) == 0);
	IN_CHILD
	{
		pid_t me = getpid();
		if (fork() == 0) {
			while (getppid() == me)
				sleep_ms(2);
			pid_t ppid = getppid();
			NEED(write(fds[1], &ppid, sizeof ppid) == sizeof ppid);
			_exit(0);
		}
	}
	pid_t ppid = 0;
	CHECK_EQ(read(fds[0], &ppid, sizeof ppid), sizeof ppid);
	CHECK(ppid == 1 || ppid != getpid()); /* 1, unless a subreaper is above this test */
	CHECK(ppid > 0);
}

static volatile sig_atomic_t hup, cont;
static void on_hup(int sig)
{
	(void)sig;
	hup = 1;
}
static void on_cont(int sig)
{
	(void)sig;
	cont = 1;
}

/*
 * A group is orphaned when no member has a parent outside the group but in the session. If that happens while a
 * member is stopped, all members get SIGHUP and SIGCONT.
 */
static void stopped_orphaned_group_is_hung_up(void)
{
	int fds[2];
	char got[3] = "";
	NEED(pipe(fds) == 0);
	pid_t leader;
	CHILD(leader)
	{
		setsid();
		pid_t job;
		int st;
		prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
		job = fork();
		if (job == 0) {
			setpgid(0, 0);
			on_signal(SIGHUP, on_hup, 0);
			on_signal(SIGCONT, on_cont, 0);
			raise(SIGSTOP);
			for (int i = 0; i < 400 && !(hup && cont); i++)
				sleep_ms(5);
			got[0] = hup ? 'h' : '-';
			got[1] = cont ? 'c' : '-';
			NEED(write(fds[1], got, 2) == 2);
			_exit(0);
		}
		CHECK_EQ(waitpid(job, &st, WUNTRACED), job);
		CHECK(WIFSTOPPED(st));
	} /* its end orphans the job's group */
	CHECK_EXIT(leader, 0);
	close(fds[1]);
	CHECK_EQ(read(fds[0], got, 2), 2);
	CHECK_STR(got, "hc");
}

static void running_orphaned_group_is_left_alone(void)
{
	int fds[2];
	char got[2] = "";
	NEED(pipe(fds) == 0);
	pid_t leader;
	CHILD(leader)
	{
		setsid();
		pid_t me = getpid();
		if (fork() == 0) {
			setpgid(0, 0);
			on_signal(SIGHUP, on_hup, 0);
			while (getppid() == me)
				sleep_ms(2);
			sleep_ms(30);
			NEED(write(fds[1], hup ? "h" : "-", 1) == 1);
			_exit(0);
		}
	}
	CHECK_EXIT(leader, 0);
	close(fds[1]);
	CHECK_EQ(read(fds[0], got, 1), 1);
	CHECK_STR(got, "-");
}

/* Stop signals of the terminal do nothing in an orphaned group; SIGSTOP does. */
static void orphaned_group_ignores_tstp(void)
{
	pid_t pid;
	int st;
	CHILD(pid)
	{
		setsid(); /* a session leader's group is orphaned: its parent is in another session */
		raise(SIGTSTP);
		raise(SIGTTIN);
		raise(SIGTTOU);
		_exit(5);
	}
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 5);
	CHILD(pid)
	{
		setsid();
		raise(SIGSTOP);
		_exit(6);
	}
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK(WIFSTOPPED(st));
	kill(pid, SIGCONT);
	CHECK_EXIT(pid, 6);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return write(1, "x", 1) + pause();
	self = self_path(argv[0]);
	RUN(setsid_makes_all_new);
	RUN(groups);
	RUN(refusals);
	RUN(not_after_exec);
	RUN(orphan_goes_to_the_subreaper);
	RUN(orphan_goes_to_init);
	RUN(stopped_orphaned_group_is_hung_up);
	RUN(running_orphaned_group_is_left_alone);
	RUN(orphaned_group_ignores_tstp);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A session on a terminal: ^C ^\ ^Z to the foreground group, SIGTTIN, SIGTTOU, SIGWINCH, hang-up, /dev/tty. */
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master;
static char slave_path[40];

static void open_master(void)
{
	int n = -1, unlock = 0;
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(master >= 0 && ioctl(master, 0x80045430, &n) == 0 && ioctl(master, 0x40045431, &unlock) == 0);
	snprintf(slave_path, sizeof slave_path, "/dev/pts/%d", n);
}

/* In a child: a new session with the slave as its terminal; returns the slave. */
static int take_terminal(void)
{
	NEED(setsid() == getpid());
	int tty = open(slave_path, O_RDWR); /* a session leader without one gets it by opening */
	NEED(tty >= 0);
	return tty;
}

/* Report one byte through a pipe and wait for one from it. */
static int to_parent[2], to_child[2];
static void pipes(void)
{
	NEED(pipe(to_parent) == 0 && pipe(to_child) == 0);
}
static void tell(char c)
{
	NEED(write(to_parent[1], &c, 1) == 1);
}
static char hear(void)
{
	char c = 0;
	struct pollfd f = { to_parent[0], POLLIN, 0 };
	if (poll(&f, 1, 10000) != 1 || read(to_parent[0], &c, 1) != 1)
		return 0;
	return c;
}

static volatile int got;
static void note(int sig)
{
	got = sig;
}

static void controlling_terminal(void)
{
	pid_t pid;
	open_master();
	CHILD(pid)
	{
		NEED(setsid() == getpid());
		CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
		int tty = open(slave_path, O_RDWR);
		NEED(tty >= 0);
		CHECK_EQ(tcgetpgrp(tty), getpid());
		CHECK_EQ(tcgetsid(tty), getpid());
		int again = open("/dev/tty", O_RDWR);
		NEED(again >= 0);
		CHECK_EQ(write(again, "via tty", 7), 7);
		char buf[20] = "";
		CHECK_EQ(read(master, buf, 20), 7);
		CHECK_STR(buf, "via tty");
		CHECK_EQ(ioctl(tty, TIOCNOTTY), 0); /* gives it up; the leader's group would get SIGHUP */
	}
	int st = wait_status(pid);
	CHECK((WIFEXITED(st) && WEXITSTATUS(st) == 0) || (WIFSIGNALED(st) && WTERMSIG(st) == SIGHUP));
	open_master();
	CHILD(pid)
	{
		setsid();
		int tty = open(slave_path, O_RDWR | O_NOCTTY);
		CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
		CHECK_ERR(tcgetpgrp(tty), ENOTTY);
		CHECK_EQ(ioctl(tty, TIOCSCTTY, 0), 0);
		CHECK_EQ(tcgetpgrp(tty), getpid());
	}
	CHECK_EXIT(pid, 0);
}

static void keys_signal_the_foreground(void)
{
	static const struct {
		char key;
		int sig;
	} keys[] = { { 3, SIGINT }, { 28, SIGQUIT } };
	for (int i = 0; i < 2; i++) {
		pid_t pid, job;
		char buf[20];
		open_master(), pipes();
		CHILD(pid)
		{
			int tty = take_terminal();
			on_signal(keys[i].sig, note, 0);
			CHILD(job)
			{
				setpgid(0, 0);
				on_signal(keys[i].sig, SIG_DFL, 0);
				tell('r');
				for (;;)
					pause();
			}
			setpgid(job, job);
			CHECK_EQ(tcsetpgrp(tty, job), 0);
			CHECK_EQ(tcgetpgrp(tty), job);
			tell('s');
			CHECK_KILLED(job, keys[i].sig); /* the job dies, the shell does not notice */
			CHECK_EQ(got, 0);
			CHECK_EQ(kill(job, 0), -1);
		}
		CHECK(hear() && hear());
		NEED(write(master, &keys[i].key, 1) == 1);
		CHECK_EXIT(pid, 0);
		CHECK_EQ(read(master, buf, 2), 2); /* echoed */
		CHECK(buf[0] == '^' && buf[1] == (keys[i].key ^ 64));
		close(master);
	}
}

static void suspend_and_resume(void)
{
	pid_t pid, job;
	open_master(), pipes();
	CHILD(pid)
	{
		int st, tty = take_terminal();
		on_signal(SIGTTOU, SIG_IGN, 0);
		CHILD(job)
		{
			setpgid(0, 0);
			on_signal(SIGCONT, note, 0);
			tell('r');
			while (!got)
				sleep_ms(5);
			_exit(9);
		}
		setpgid(job, job);
		CHECK_EQ(tcsetpgrp(tty, job), 0);
		tell('s');
		CHECK_EQ(waitpid(job, &st, WUNTRACED), job);
		CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGTSTP);
		CHECK_EQ(tcsetpgrp(tty, getpgrp()), 0); /* take the terminal back, as a shell */
		CHECK_EQ(kill(-job, SIGCONT), 0);
		CHECK_EXIT(job, 9);
	}
	CHECK(hear() && hear());
	NEED(write(master, "\032", 1) == 1);
	CHECK_EXIT(pid, 0);
}

static void background_reading_stops(void)
{
	pid_t pid, job;
	open_master(), pipes();
	CHILD(pid)
	{
		int st, tty = take_terminal();
		CHILD(job)
		{
			char c;
			setpgid(0, 0);
			CHECK_EQ(read(tty, &c, 1), 1); /* stops here, then reads on */
			CHECK_EQ(c, 'k');
			_exit(5);
		}
		setpgid(job, job);
		CHECK_EQ(waitpid(job, &st, WUNTRACED), job);
		CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGTTIN);
		NEED(tcsetpgrp(tty, job) == 0);
		tell('w'); /* the parent types */
		CHECK_EQ(kill(-job, SIGCONT), 0);
		CHECK_EXIT(job, 5);
	}
	CHECK_EQ(hear(), 'w');
	NEED(write(master, "k\n", 2) == 2);
	CHECK_EXIT(pid, 0);
}

static void background_change_stops(void)
{
	pid_t pid, job;
	open_master();
	CHILD(pid)
	{
		int st, tty = take_terminal();
		struct termios t;
		CHILD(job)
		{
			setpgid(0, 0);
			NEED(tcgetattr(tty, &t) == 0);
			CHECK_EQ(write(tty, "out", 3), 3);
			t.c_lflag |= TOSTOP;
			CHECK_EQ(tcsetattr(tty, TCSANOW, &t), 0); /* stops once, succeeds after the foreground is ours */
			_exit(6);
		}
		setpgid(job, job);
		CHECK_EQ(waitpid(job, &st, WUNTRACED), job);
		CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGTTOU);
		CHECK_EQ(tcsetpgrp(tty, job), 0);
		CHECK_EQ(kill(-job, SIGCONT), 0);
		CHECK_EXIT(job, 6);
		on_signal(SIGTTOU, SIG_IGN, 0);
		CHECK_EQ(tcsetpgrp(tty, getpgrp()), 0);
		CHILD(job)
		{
			setpgid(0, 0);
			on_signal(SIGTTOU, SIG_DFL, 0);
			CHECK_EQ(write(tty, "now", 3), 3); /* TOSTOP is set */
			_exit(7);
		}
		setpgid(job, job);
		CHECK_EQ(waitpid(job, &st, WUNTRACED), job);
		CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGTTOU);
		CHECK_EQ(tcsetpgrp(tty, job), 0);
		CHECK_EQ(kill(-job, SIGCONT), 0);
		CHECK_EXIT(job, 7);
		CHECK_EQ(tcsetpgrp(tty, getpgrp()), 0);
		CHILD(job)
		{
			char c;
			setpgid(0, 0);
			on_signal(SIGTTIN, SIG_IGN, 0);
			CHECK_ERR(read(tty, &c, 1), EIO); /* ignoring the signal: refused instead */
			CHECK_EQ(write(tty, "ign", 3), 3); /* SIGTTOU is ignored here: written */
		}
		CHECK_EXIT(job, 0);
	}
	CHECK_EXIT(pid, 0);
}

static void window_change(void)
{
	pid_t pid;
	open_master(), pipes();
	CHILD(pid)
	{
		struct winsize w;
		int tty = take_terminal();
		sigset_t set, old;
		sigemptyset(&set), sigaddset(&set, SIGWINCH);
		sigprocmask(SIG_BLOCK, &set, &old);
		on_signal(SIGWINCH, note, 0);
		tell('r');
		while (!got)
			sigsuspend(&old);
		CHECK_EQ(ioctl(tty, TIOCGWINSZ, &w), 0);
		CHECK(w.ws_row == 33 && w.ws_col == 77);
		got = 0;
		CHECK_EQ(ioctl(tty, TIOCSWINSZ, &w), 0); /* the same again: no signal */
		sigset_t pend;
		sigpending(&pend);
		CHECK(!sigismember(&pend, SIGWINCH));
	}
	CHECK_EQ(hear(), 'r');
	struct winsize w = { 33, 77, 0, 0 };
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &w), 0);
	CHECK_EXIT(pid, 0);
}

static void closing_the_master_hangs_up(void)
{
	pid_t pid;
	open_master(), pipes();
	CHILD(pid)
	{
		close(master);
		int tty = take_terminal();
		sigset_t set, old;
		sigemptyset(&set), sigaddset(&set, SIGHUP);
		sigprocmask(SIG_BLOCK, &set, &old);
		on_signal(SIGHUP, note, 0);
		tell('r');
		while (!got)
			sigsuspend(&old);
		char c;
		CHECK_EQ(read(tty, &c, 1), 0);
		CHECK_ERR(write(tty, "x", 1), EIO);
		CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
		_exit(8);
	}
	CHECK_EQ(hear(), 'r');
	close(master);
	CHECK_EXIT(pid, 8);
}

static void leaders_end_hangs_up_the_foreground(void)
{
	pid_t pid;
	open_master(), pipes();
	CHILD(pid)
	{
		int tty = take_terminal();
		pid_t job;
		prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
		job = fork();
		if (job == 0) {
			close(master);
			setpgid(0, 0);
			sigset_t set, old;
			sigemptyset(&set), sigaddset(&set, SIGHUP);
			sigprocmask(SIG_BLOCK, &set, &old);
			on_signal(SIGHUP, note, 0);
			tell('r');
			struct timespec t = { 5, 0 };
			siginfo_t si;
			long sig = sigtimedwait(&set, &si, &t);
			tell(sig == SIGHUP ? 'h' : 'n');
			_exit(0);
		}
		setpgid(job, job);
		NEED(tcsetpgrp(tty, job) == 0);
		char c;
		NEED(read(to_child[0], &c, 1) == 1);
	} /* the session leader exits */
	CHECK_EQ(hear(), 'r');
	NEED(write(to_child[1], "x", 1) == 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(hear(), 'h');
}

static void foreign_groups_refused(void)
{
	pid_t pid;
	open_master();
	CHILD(pid)
	{
		pid_t outside = getppid();
		int tty = take_terminal();
		CHECK_ERR(tcsetpgrp(tty, outside), EPERM); /* a group of another session */
		CHECK_ERR(tcsetpgrp(tty, 1 << 30), ESRCH);
		CHECK_ERR(tcsetpgrp(tty, -1), EINVAL);
		CHECK_ERR(ioctl(tty, TIOCSPGRP, bad_unmapped()), EFAULT);
		CHECK_ERR(ioctl(tty, TIOCGPGRP, bad_unmapped()), EFAULT);
		IN_CHILD
		{
			setsid();
			CHECK_ERR(ioctl(tty, TIOCSCTTY, 0), EPERM); /* taken by another session */
			CHECK_ERR(tcgetpgrp(tty), ENOTTY);
		}
	}
	CHECK_EXIT(pid, 0);
	int null = open("/dev/null", O_RDWR);
	CHECK_ERR(tcgetpgrp(null), ENOTTY);
	CHECK_ERR(tcsetpgrp(null, getpgrp()), ENOTTY);
}

int main(void)
{
	RUN(controlling_terminal);
	RUN(keys_signal_the_foreground);
	RUN(suspend_and_resume);
	RUN(background_reading_stops);
	RUN(background_change_stops);
	RUN(window_change);
	RUN(closing_the_master_hangs_up);
	RUN(leaders_end_hangs_up_the_foreground);
	RUN(foreign_groups_refused);
	return check_end();
}

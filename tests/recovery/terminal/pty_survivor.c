/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session on a pseudo-terminal whose driver is killed again and again: pty_survivor PID-OF-TTY ROUNDS. Prints "ok" at the end, or what
 * was wrong, and the status says which.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static pid_t driver;

#define MUST(condition) do { if (!(condition)) { printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno); exit(1); } } while (0)

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* While another process is in its call. */
static pid_t kill_soon(void)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	pause_ms(60);
	_exit(kill(driver, SIGKILL) != 0);
}

static void reap(pid_t pid)
{
	int status;
	MUST(waitpid(pid, &status, 0) == pid && status == 0);
	pause_ms(600);	/* a service that lives for less is started again later each time */
}

static void expect(int fd, const char *text)
{
	char buf[256];
	size_t want = strlen(text), got = 0;
	while (got < want) {
		ssize_t n = read(fd, buf + got, want - got);
		MUST(n > 0);
		got += (size_t)n;
	}
	MUST(!memcmp(buf, text, want));
}

static volatile sig_atomic_t interrupts;
static void on_interrupt(int signo) { interrupts += signo == SIGINT; }

/* The session's side: a line is read and written back in capitals; "end" ends it. An interrupt is told. */
static void session(const char *name)
{
	char line[128];
	setsid();
	int fd = open(name, O_RDWR);
	struct sigaction act = { .sa_handler = on_interrupt };
	sigaction(SIGINT, &act, NULL);
	if (fd < 0)
		_exit(9);
	for (;;) {
		ssize_t n = read(fd, line, sizeof line);
		if (n < 0 && errno == EINTR)
			n = snprintf(line, sizeof line, "interrupt %d\n", (int)interrupts);
		if (n <= 0)
			_exit(n ? 8 : 7);
		for (ssize_t i = 0; i < n; i++)
			line[i] = line[i] >= 'a' && line[i] <= 'z' ? line[i] - 32 : line[i];
		if (!memcmp(line, "END", 3))
			_exit(0);
		if (write(fd, line, (size_t)n) != n)
			_exit(6);
	}
}

static void settings_set(int slave)
{
	struct termios t;
	MUST(tcgetattr(slave, &t) == 0);
	t.c_lflag &= ~(tcflag_t)ECHO;
	t.c_oflag &= ~(tcflag_t)OPOST;
	t.c_cc[VINTR] = 'X' - 64;
	MUST(tcsetattr(slave, TCSANOW, &t) == 0);
	MUST(ioctl(slave, TIOCSWINSZ, &(struct winsize){ 11, 77, 0, 0 }) == 0);
}

static void settings_check(int slave, int master, pid_t leader, const char *name)
{
	struct termios t;
	struct winsize w;
	struct stat st;
	pid_t sid, group;
	MUST(tcgetattr(slave, &t) == 0 && !(t.c_lflag & ECHO) && (t.c_lflag & ICANON) && t.c_cc[VINTR] == 'X' - 64);
	MUST(ioctl(master, TIOCGWINSZ, &w) == 0 && w.ws_row == 11 && w.ws_col == 77);
	MUST(ioctl(master, TIOCGSID, &sid) == 0 && sid == leader);
	MUST(ioctl(master, TIOCGPGRP, &group) == 0 && group == leader);
	MUST(stat(name, &st) == 0 && (st.st_mode & 07777) == 0640);
}

/* Whoever waits for the answer is woken by it, though he began to wait before the death. */
static void poll_across(int master, int epoll)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	struct epoll_event e;
	pid_t killer = kill_soon();
	MUST(poll(&p, 1, 200) == 0);
	reap(killer);
	killer = fork();
	if (!killer) {
		pause_ms(50);
		kill(driver, SIGKILL);
		pause_ms(50);
		_exit(write(master, "polled\n", 7) != 7);
	}
	MUST(poll(&p, 1, 10000) == 1 && p.revents == POLLIN);
	MUST(epoll_wait(epoll, &e, 1, 10000) == 1 && e.events == EPOLLIN);
	reap(killer);
	expect(master, "POLLED\n");
	MUST(epoll_wait(epoll, &e, 1, 0) == 0);
}

static void round_trip(int master, int round)
{
	char sent[64], back[64];
	pid_t killer = kill_soon();	/* the session waits in read */
	reap(killer);
	snprintf(sent, sizeof sent, "round %d\n", round);
	snprintf(back, sizeof back, "ROUND %d\n", round);
	MUST(write(master, sent, strlen(sent)) == (ssize_t)strlen(sent));
	killer = kill_soon();		/* we wait in read, or are through */
	expect(master, back);
	reap(killer);
	snprintf(back, sizeof back, "INTERRUPT %d\n", round);
	MUST(write(master, "\030", 1) == 1);
	expect(master, back);
}

int main(int argc, char **argv)
{
	int unlock = 0, number, rounds = argc > 2 ? atoi(argv[2]) : 3;
	char name[32];
	driver = argc > 1 ? atoi(argv[1]) : 0;
	MUST(driver > 0);
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	MUST(master >= 0 && ioctl(master, TIOCSPTLCK, &unlock) == 0 && ioctl(master, TIOCGPTN, &number) == 0);
	snprintf(name, sizeof name, "/dev/pts/%d", number);
	int slave = open(name, O_RDWR | O_NOCTTY), epoll = epoll_create1(0);
	MUST(slave >= 0 && chmod(name, 0640) == 0);
	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, master, &(struct epoll_event){ .events = EPOLLIN }) == 0);
	settings_set(slave);
	pid_t leader = fork();
	if (leader == 0) {
		close(master);
		close(slave);
		session(name);
	}
	pause_ms(100);
	for (int round = 1; round <= rounds; round++) {
		round_trip(master, round);
		poll_across(master, epoll);
		settings_check(slave, master, leader, name);
	}
	close(slave);
	MUST(write(master, "end\n", 4) == 4);
	reap(leader);
	close(master);
	reap(kill_soon());
	MUST(access(name, F_OK) != 0);
	puts("ok");
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every system test shares: groups of checks, bad pointers, child processes, and a deadline.
 *
 * A test is a list of groups, each a function without arguments, run by RUN(name) from main(). A group runs in a
 * process (and process group) of its own, so that a crash, a leaked descriptor or a signal handler of one group
 * cannot spoil the next, and so that the parent can enforce the deadline without using any timer of the tested
 * process: when a group hangs, the parent kills it and reports the last check it passed. Failures are counted on
 * a page shared by all descendants; therefore CHECK works in any child or thread of a group.
 *
 * Whoever started the program may have left it ignored signals, limits, a terminal, descriptors: the first RUN() begins by
 * putting all that is inherited into one known state, so that groups find the same everywhere.
 *
 * Output: "ok NAME" for a group without failure, "FAIL file:line: what (got ..., want ...)" for each failed
 * check, "skip NAME: reason" where the machine cannot do it. Exit status 0 or 1.
 */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
#ifndef CHECK_DEADLINE_S
#define CHECK_DEADLINE_S 120 /* far above what any group needs even on a slow, shared emulator; only a hang reaches it */
#endif

struct check_page {
	int failures;
	int skipped;
	const char *file; /* last check reached, for the report of a hang; string constants, same in all children */
	int line;
};

static struct check_page check_private;
static struct check_page *check_page = &check_private;
static int check_failed_groups;
static volatile sig_atomic_t check_expired;

/* One write per line, so that lines of several processes never mix and no stdio buffer is copied by fork. */
UNUSED __attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	char line[1200];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof line - 1)
		n = sizeof line - 1;
	ssize_t ignored = write(1, line, (size_t)n);
	(void)ignored;
}

UNUSED static void check_at(const char *file, int line)
{
	check_page->file = file;
	check_page->line = line;
}

UNUSED static void check_fail(const char *file, int line, const char *what, const char *got, const char *want)
{
	__atomic_add_fetch(&check_page->failures, 1, __ATOMIC_SEQ_CST);
	say("FAIL %s:%d: %s (got %s, want %s)\n", file, line, what, got, want);
}

UNUSED static int check_true(const char *file, int line, const char *what, int yes)
{
	int e = errno;
	char got[80];
	check_at(file, line);
	if (yes)
		return 1;
	snprintf(got, sizeof got, "false, errno %d", e);
	check_fail(file, line, what, got, "true");
	errno = e;
	return 0;
}

UNUSED static int check_eq(const char *file, int line, const char *what, long long got, long long want)
{
	int e = errno;
	char g[100], w[60];
	check_at(file, line);
	if (got == want)
		return 1;
	snprintf(g, sizeof g, "%lld = 0x%llx, errno %d", got, got, e);
	snprintf(w, sizeof w, "%lld = 0x%llx", want, want);
	check_fail(file, line, what, g, w);
	errno = e;
	return 0;
}

UNUSED static int check_err(const char *file, int line, const char *what, long ret, int e, int want)
{
	char g[100], w[80];
	check_at(file, line);
	if (ret == -1 && e == want)
		return 1;
	snprintf(g, sizeof g, "%ld, errno %d %s", ret, ret == -1 ? e : 0, ret == -1 ? strerror(e) : "");
	snprintf(w, sizeof w, "-1, errno %d %s", want, strerror(want));
	check_fail(file, line, what, g, w);
	return 0;
}

UNUSED static long check_ok(const char *file, int line, const char *what, long ret)
{
	int e = errno;
	char g[100];
	check_at(file, line);
	if (ret >= 0)
		return ret;
	snprintf(g, sizeof g, "%ld, errno %d %s", ret, e, strerror(e));
	check_fail(file, line, what, g, "success");
	errno = e;
	return ret;
}

UNUSED static int check_str(const char *file, int line, const char *what, const char *got, const char *want)
{
	check_at(file, line);
	if (strcmp(got, want) != 0)
		check_fail(file, line, what, got, want);
	return strcmp(got, want) == 0;
}

#define CHECK(cond) check_true(__FILE__, __LINE__, #cond, !!(cond))
#define CHECK_EQ(got, want) check_eq(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))
#define CHECK_STR(got, want) check_str(__FILE__, __LINE__, #got, (got), (want))
/* The call must not fail; the value is handed through. */
#define CHECK_OK(call) check_ok(__FILE__, __LINE__, #call, (long)(call))
/* The call must return -1 with this errno (a library or raw syscall()). */
#define CHECK_ERR(call, err)                                                   \
	({                                                                     \
		check_at(__FILE__, __LINE__);                                  \
		errno = 0;                                                     \
		long ret_ = (long)(call);                                      \
		check_err(__FILE__, __LINE__, #call, ret_, errno, (err));      \
	})
/* A precondition: without it the rest of the process makes no sense. */
#define NEED(cond)                                                             \
	({                                                                     \
		if (!check_true(__FILE__, __LINE__, #cond, !!(cond)))          \
			_exit(1);                                              \
	})
#define SKIP(reason)                                                           \
	({                                                                     \
		check_page->skipped = 1;                                       \
		say("skip %s: %s\n", __func__, reason);                        \
	})

/* ---- bad pointers ---- */

enum {
	PAGE = 4096,
	LOW_BASE = 0x200000 /* low addresses that no allocator hands out by itself: a hole there stays a hole */
};

UNUSED static void *bad_unmapped(void)
{
	return (void *)(uintptr_t)(LOW_BASE - 8 * PAGE);
}

UNUSED static void *bad_kernel(void)
{
	return (void *)(uintptr_t)0xffff880000001000ULL;
}

/* An address that is no address: bits 63..47 differ. */
UNUSED static void *bad_noncanonical(void)
{
	return (void *)(uintptr_t)0x8000000000001000ULL;
}

UNUSED static void *low_page(int prot)
{
	static int next;
	void *at = (void *)(uintptr_t)(LOW_BASE + 2 * PAGE * (uintptr_t)next++);
	void *p = mmap(at, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	NEED(p == at);
	return p;
}

/* A page that can be read and not written. */
UNUSED static void *bad_readonly(void)
{
	static void *page;
	if (!page)
		page = low_page(PROT_READ);
	return page;
}

UNUSED static void *bad_none(void)
{
	static void *page;
	if (!page)
		page = low_page(PROT_NONE);
	return page;
}

/* The last n bytes of a writable page that is followed by a hole. */
UNUSED static void *page_end(size_t n)
{
	static char *page;
	if (!page)
		page = low_page(PROT_READ | PROT_WRITE);
	return page + PAGE - n;
}

/* A string that ends with the page, its terminator lying in the hole. */
UNUSED static char *unterminated(const char *s)
{
	char *p = page_end(strlen(s));
	memcpy(p, s, strlen(s));
	return p;
}

/* ---- time ---- */

UNUSED static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

UNUSED static void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

/* ---- children ---- */

/* fork; the child dies with its parent, so that a failed test leaves nothing behind. */
UNUSED static pid_t child_start(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(1);
	}
	NEED(pid >= 0);
	return pid;
}

/* The path of the running program, usable after chdir: call it first thing in main(). */
UNUSED static const char *self_path(const char *argv0)
{
	static char path[4096];
	if (!path[0] && (!argv0 || !strchr(argv0, '/') || !realpath(argv0, path)))
		strcpy(path, "/proc/self/exe");
	return path;
}

UNUSED static int wait_status(pid_t pid)
{
	int status = -1;
	pid_t got;
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	return got == pid ? status : -1;
}

UNUSED static void check_exit(const char *file, int line, pid_t pid, int code)
{
	char g[60], w[40];
	check_at(file, line);
	int st = wait_status(pid);
	snprintf(g, sizeof g, "status 0x%x", (unsigned)st);
	snprintf(w, sizeof w, "exit code %d", code);
	if (!WIFEXITED(st) || WEXITSTATUS(st) != code)
		check_fail(file, line, "child's end", g, w);
}

UNUSED static void check_killed(const char *file, int line, pid_t pid, int sig)
{
	char g[60], w[40];
	check_at(file, line);
	int st = wait_status(pid);
	snprintf(g, sizeof g, "status 0x%x", (unsigned)st);
	snprintf(w, sizeof w, "killed by signal %d", sig);
	if (!WIFSIGNALED(st) || WTERMSIG(st) != sig)
		check_fail(file, line, "child's end", g, w);
}

#define CHECK_EXIT(pid, code) check_exit(__FILE__, __LINE__, (pid), (code))
#define CHECK_KILLED(pid, sig) check_killed(__FILE__, __LINE__, (pid), (sig))

UNUSED static int child_enter(const char *file, int line)
{
	pid_t pid = child_start();
	if (pid)
		check_exit(file, line, pid, 0);
	return pid == 0;
}

/* IN_CHILD { ... }: the block runs in a child, which must reach the end of the block. */
#define IN_CHILD for (int in_ = child_enter(__FILE__, __LINE__); in_; _exit(0))
/* CHILD(pid) { ... }: the same, not waited for. */
#define CHILD(pid) for (pid_t in_ = (pid) = child_start(); in_ == 0; _exit(0))

UNUSED static void become_user(uid_t uid)
{
	gid_t gid = uid;
	NEED(syscall(SYS_setgroups, 0, NULL) == 0);
	NEED(syscall(SYS_setresgid, gid, gid, gid) == 0);
	NEED(syscall(SYS_setresuid, uid, uid, uid) == 0);
}

/* The letter of /proc/PID/stat (R running, S asleep, T stopped, Z dead), or 0. */
UNUSED static char proc_state(pid_t pid)
{
	char path[40], buf[400];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, buf, sizeof buf - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	char *p = strrchr(buf, ')');
	return p ? p[2] : 0;
}

/* Wait until the process blocks. A bounded aid to reach the interesting order of events, no proof of it. */
UNUSED static void wait_asleep(pid_t pid)
{
	for (int i = 0; i < 300; i++) {
		sleep_ms(i < 20 ? 2 : 10);
		char c = proc_state(pid);
		if (c == 'S' || c == 'Z' || c == 0)
			break;
	}
	sleep_ms(20);
}

/* ---- small file helpers ---- */

UNUSED static int file_make(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0644);
	NEED(fd >= 0);
	NEED(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	NEED(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

UNUSED static void file_put(const char *path, const char *text)
{
	close(file_make(path, text));
}

/* The content of a small file as a string; static buffer. */
UNUSED static const char *file_get(const char *path)
{
	static char buf[8192];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return "(unreadable)";
	buf[n] = 0;
	return buf;
}

UNUSED static void on_signal(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa;
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = handler;
	sa.sa_flags = flags;
	NEED(sigaction(sig, &sa, NULL) == 0);
}

UNUSED static void on_siginfo(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa;
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = handler;
	sa.sa_flags = flags | SA_SIGINFO;
	NEED(sigaction(sig, &sa, NULL) == 0);
}

/* ---- groups ---- */

static void check_on_alarm(int sig)
{
	(void)sig;
	check_expired = 1;
}

static void reset_signals(void)
{
	static const long defaults[4]; /* of the raw call: handler, flags, restorer, mask */
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	sigset_t none;
	for (int timer = ITIMER_REAL; timer <= ITIMER_PROF; timer++)
		setitimer(timer, &off, NULL);
	for (int sig = 1; sig < 65; sig++)
		syscall(SYS_rt_sigaction, sig, defaults, NULL, 8); /* the library's sigaction() refuses the signals it uses itself */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The soft limit, as far as the hard one allows. */
static void reset_limit(int what, rlim_t soft)
{
	struct rlimit rl;
	if (getrlimit(what, &rl) != 0)
		return;
	rl.rlim_cur = soft < rl.rlim_max ? soft : rl.rlim_max;
	setrlimit(what, &rl);
}

/* No controlling terminal. A leader of a process group cannot begin a session, but it can give the terminal up. */
static void reset_terminal(void)
{
	if (setsid() >= 0)
		return;
	int fd = open("/dev/tty", O_RDWR);
	if (fd >= 0) {
		ioctl(fd, TIOCNOTTY);
		close(fd);
	}
}

/* Standard input, output and error are kept. */
static void reset_inherited(void)
{
	reset_signals();
	reset_limit(RLIMIT_NOFILE, 1024);
	reset_limit(RLIMIT_STACK, 8 << 20);
	reset_limit(RLIMIT_CORE, 0);
	for (int what = RLIMIT_CPU; what <= RLIMIT_DATA; what++) /* CPU, FSIZE, DATA */
		reset_limit(what, RLIM_INFINITY);
	reset_limit(RLIMIT_AS, RLIM_INFINITY);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	umask(022);
	setpriority(PRIO_PROCESS, 0, 0);
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	reset_terminal();
}

UNUSED static void check_begin(void)
{
	reset_inherited();
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED)
		check_page = p;
	struct sigaction sa = { .sa_handler = check_on_alarm }; /* no SA_RESTART: waitpid must return */
	sigaction(SIGALRM, &sa, NULL);
}

UNUSED static void check_group_end(const char *name, pid_t pid, int status)
{
	int bad = check_page->failures;
	if (check_expired) {
		say("FAIL %s:%d: %s hangs, this was the last check reached (got a hang, want an end)\n",
		    check_page->file ? check_page->file : "?", check_page->line, name);
		bad = 1;
	} else if (!bad && status != 0) {
		say("FAIL %s:%d: %s ended early, this was the last check reached (got status 0x%x, want 0)\n",
		    check_page->file ? check_page->file : "?", check_page->line, name, (unsigned)status);
		bad = 1;
	}
	kill(-pid, SIGKILL); /* stragglers */
	if (bad)
		check_failed_groups++;
	else if (!check_page->skipped)
		say("ok %s\n", name);
}

UNUSED static void check_group(const char *name, void (*group)(void))
{
	int status = 0;
	if (check_page == &check_private)
		check_begin();
	memset(check_page, 0, sizeof *check_page);
	check_expired = 0;
	pid_t pid = fork();
	if (pid == 0) {
		struct sigaction sa = { .sa_handler = SIG_DFL };
		sigaction(SIGALRM, &sa, NULL);
		setpgid(0, 0);
		group();
		_exit(0);
	}
	if (pid < 0) {
		say("FAIL %s:0: fork for group %s (got errno %d, want a process)\n", __FILE__, name, errno);
		check_failed_groups++;
		return;
	}
	setpgid(pid, pid);
	alarm(CHECK_DEADLINE_S);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		if (check_expired)
			kill(-pid, SIGKILL), kill(pid, SIGKILL);
	alarm(0);
	check_group_end(name, pid, status);
}

#define RUN(name) check_group(#name, name)

UNUSED static int check_end(void)
{
	return check_failed_groups ? 1 : 0;
}

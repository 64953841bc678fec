/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Using up what there is: the process table, descriptors, memory, file space, pipes, sockets, timers, mappings. Each
 * call must fail with the errno made for it, the offender or nobody dies, and afterwards everything works as before.
 * On a machine with much of everything a cap ends each exhaustion; then only the recovery is checked.
 */
#define CHECK_DEADLINE_S 240
#include "check.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

enum { PROCESS_CAP = 3000, USER = 60020 };

static void works(void)
{
	int p[2];
	char c = 0;
	pid_t pid;
	CHILD(pid)
	{
		char *m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		NEED(m != MAP_FAILED);
		memset(m, 1, 1 << 20);
		NEED(pipe(p) == 0);
		CHECK_EQ(write(p[1], "x", 1), 1);
		CHECK_EQ(read(p[0], &c, 1), 1);
		file_put("check", "works");
		CHECK_STR(file_get("check"), "works");
		CHECK_EQ(unlink("check"), 0);
	}
	CHECK_EXIT(pid, 0);
}

/* What could be had, caches included. */
static unsigned long free_kb(void)
{
	const char *at = strstr(file_get("/proc/meminfo"), "MemAvailable:");
	NEED(at != NULL);
	return strtoul(at + strlen("MemAvailable:"), NULL, 10);
}

static int big_machine(void)
{
	struct sysinfo si;
	NEED(sysinfo(&si) == 0);
	return si.totalram * si.mem_unit > 4UL << 30;
}

/* As many sleeping children as the table takes; returns their number. The caller is in a group of its own. */
static int fill_the_table(pid_t *pid)
{
	int n = 0, e = 0;
	while (n < PROCESS_CAP) {
		pid[n] = fork();
		if (pid[n] == 0)
			for (;;)
				pause();
		if (pid[n] < 0) {
			e = errno;
			break;
		}
		n++;
	}
	if (n < PROCESS_CAP)
		CHECK(e == EAGAIN || e == ENOMEM);
	return n;
}

static void process_table(void)
{
	static pid_t pid[PROCESS_CAP];
	int first = 0;
	for (int round = 0; round < 2; round++) {
		int n = fill_the_table(pid);
		if (n < PROCESS_CAP)
			CHECK_ERR(fork(), EAGAIN); /* still full, and still polite */
		CHECK(n > 20);
		for (int i = 0; i < n; i++)
			NEED(kill(pid[i], SIGKILL) == 0);
		for (int i = 0; i < n; i++)
			CHECK_KILLED(pid[i], SIGKILL);
		if (round == 0)
			first = n;
		CHECK(n >= first - 2 && n <= first + 2); /* no slot is lost */
		works();
	}
}

static void zombies_fill_it_too(void)
{
	static pid_t pid[PROCESS_CAP];
	int n = 0;
	while (n < PROCESS_CAP && (pid[n] = fork()) >= 0) {
		if (pid[n] == 0)
			_exit(n & 127);
		n++;
	}
	for (int i = 0; i < n; i++)
		CHECK_EXIT(pid[i], i & 127);
	works();
}

/* Every process forks for ever; an ordinary user's, limited to a number. SIGKILL to all of the user ends it. */
static void bomb(void)
{
	pid_t pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		struct rlimit rl = { 400, 400 };
		setrlimit(RLIMIT_NPROC, &rl);
		become_user(USER);
		for (;;)
			if (fork() < 0)
				sleep_ms(1);
	}
	sleep_ms(1500);
	works(); /* root goes on working meanwhile */
	int left = 1;
	for (int i = 0; i < 200 && left; i++) {
		pid_t killer = fork();
		NEED(killer >= 0);
		if (killer == 0) { /* of the same user, so that -1 means the bomb */
			struct rlimit two = { 2, 2 };
			if (syscall(SYS_setresuid, USER, USER, USER) != 0)
				_exit(2);
			for (int k = 0; k < 20; k++)
				kill(-1, SIGSTOP);
			kill(-1, SIGKILL);
			sleep_ms(20);
			setrlimit(RLIMIT_NPROC, &two); /* a second process is possible only when no other is left */
			pid_t second = fork();
			if (second == 0)
				_exit(0);
			_exit(second < 0);
		}
		left = wait_status(killer) != 0;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	CHECK(!left);
	works();
}

static void threads_to_the_limit(void)
{
	pid_t pid;
	CHILD(pid)
	{
		struct rlimit rl = { 60, 60 };
		pthread_t t;
		pthread_attr_t attr;
		int n = 0, e = 0;
		become_user(USER + 1);
		NEED(setrlimit(RLIMIT_NPROC, &rl) == 0);
		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, 65536);
		while (n < 200 && (e = pthread_create(&t, &attr, (void *(*)(void *))(void (*)(void))pause, NULL)) == 0)
			n++;
		CHECK_EQ(n, 59); /* threads count, with the first one sixty */
		CHECK_EQ(e, EAGAIN);
	}
	CHECK_EXIT(pid, 0);
	works();
}

static int make_null(void)
{
	return open("/dev/null", O_RDONLY);
}
static int make_pipe(void)
{
	int p[2];
	return pipe(p);
}
static int make_pair(void)
{
	int s[2];
	return socketpair(AF_UNIX, SOCK_STREAM, 0, s);
}
static int make_epoll(void)
{
	return epoll_create1(0);
}
static int make_event(void)
{
	return eventfd(0, 0);
}
static int make_timer(void)
{
	return timerfd_create(CLOCK_MONOTONIC, 0);
}
static int make_file(void)
{
	static int n;
	char name[30];
	snprintf(name, sizeof name, "file%d", n++ % 100);
	return open(name, O_CREAT | O_RDWR, 0600);
}
static int make_pty(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

/* Several processes take as many of one kind as they get, hold them until all have, and die with them. */
static void take_all(const char *what, int (*make)(void), int processes)
{
	int ready[2], go[2], total = 0;
	pid_t pid[8];
	NEED(pipe(ready) == 0 && pipe(go) == 0);
	for (int i = 0; i < processes; i++)
		CHILD(pid[i])
		{
			int n = 0;
			char c;
			while (n < 2000 && make() >= 0)
				n++;
			int e = errno;
			if (n < 2000 && e != EMFILE && e != ENFILE && e != ENOMEM && e != ENOSPC && e != EAGAIN)
				check_fail(__FILE__, __LINE__, what, strerror(e), "EMFILE, ENFILE, ENOMEM, ENOSPC or EAGAIN");
			NEED(write(ready[1], &n, sizeof n) == sizeof n);
			close(go[1]);
			CHECK_EQ(read(go[0], &c, 1), 0);
		}
	for (int i = 0; i < processes; i++) {
		int n = 0;
		NEED(read(ready[0], &n, sizeof n) == sizeof n);
		total += n;
	}
	close(go[1]);
	for (int i = 0; i < processes; i++)
		CHECK_EXIT(pid[i], 0);
	close(go[0]), close(ready[0]), close(ready[1]);
	CHECK(total > 16);
	for (int i = 0; i < 100; i++) {
		char name[30];
		snprintf(name, sizeof name, "file%d", i);
		unlink(name);
	}
	works();
}

static void descriptors(void)
{
	take_all("open /dev/null", make_null, 8);
	take_all("pipe", make_pipe, 4);
	take_all("socketpair", make_pair, 4);
	take_all("epoll_create", make_epoll, 3);
	take_all("eventfd", make_event, 3);
	take_all("timerfd_create", make_timer, 3);
	take_all("open a file", make_file, 3);
	take_all("open /dev/ptmx", make_pty, 2);
}

/* A child eats memory until it is refused or killed. */
static void eat(int touch)
{
	if (big_machine()) {
		struct rlimit rl = { 1 << 30, 1 << 30 };
		NEED(setrlimit(RLIMIT_AS, &rl) == 0);
	}
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(errno == ENOMEM ? 0 : 1);
		if (touch)
			for (int i = 0; i < 1 << 20; i += PAGE)
				p[i] = 1;
	}
}

static void memory(void)
{
	unsigned long before = free_kb();
	for (int round = 0; round < 2; round++) {
		pid_t pid = fork();
		NEED(pid >= 0);
		if (pid == 0)
			eat(1);
		int st = wait_status(pid);
		CHECK((WIFEXITED(st) && WEXITSTATUS(st) == 0) ||
		      (WIFSIGNALED(st) && (WTERMSIG(st) == SIGKILL || WTERMSIG(st) == SIGSEGV || WTERMSIG(st) == SIGBUS)));
		works();
	}
	for (int i = 0; i < 50 && free_kb() + 8192 < before; i++)
		sleep_ms(20);
	CHECK(big_machine() || free_kb() + 16384 >= before); /* all of it came back */
}

static void several_eaters_at_once(void)
{
	pid_t pid[4];
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		NEED(pid[i] >= 0);
		if (pid[i] == 0)
			eat(1);
	}
	for (int i = 0; i < 4; i++) {
		int st = wait_status(pid[i]);
		CHECK(WIFEXITED(st) || WIFSIGNALED(st));
	}
	works();
}

static void many_small_mappings(void)
{
	pid_t pid;
	CHILD(pid)
	{
		int n = 0;
		while (n < 100000) { /* every other page of different protection: nothing can be merged */
			void *p = mmap(NULL, PAGE, n % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (p == MAP_FAILED)
				break;
			n++;
		}
		CHECK(n > 1000);
		if (n < 100000)
			CHECK_EQ(errno, ENOMEM);
	}
	CHECK_EXIT(pid, 0);
	works();
}

static void file_space(void)
{
	static char block[65536];
	unsigned long before = free_kb();
	NEED(mkdir("m", 0755) == 0 && mount("none", "m", "tmpfs", 0, "size=32m") == 0);
	for (int round = 0; round < 2; round++) {
		long sum = 0;
		ssize_t n;
		int fd = open("m/big", O_CREAT | O_RDWR, 0600);
		NEED(fd >= 0);
		while ((n = write(fd, block, sizeof block)) > 0)
			sum += n;
		CHECK(n == -1 && errno == ENOSPC);
		CHECK(sum > 30 << 20 && sum <= 32 << 20);
		works();
		close(fd);
		CHECK_EQ(unlink("m/big"), 0);
	}
	CHECK_EQ(umount("m"), 0);
	rmdir("m");
	for (int i = 0; i < 50 && free_kb() + 8192 < before; i++)
		sleep_ms(20);
	CHECK(big_machine() || free_kb() + 16384 >= before);
}

static void pending_signals(void)
{
	pid_t pid;
	CHILD(pid)
	{
		sigset_t set;
		struct rlimit rl = { 50, 50 };
		union sigval v = { 0 };
		int n = 0;
		sigemptyset(&set), sigaddset(&set, SIGRTMIN);
		sigprocmask(SIG_BLOCK, &set, NULL);
		NEED(setrlimit(RLIMIT_SIGPENDING, &rl) == 0);
		become_user(USER + 2);
		while (n < 1000 && sigqueue(getpid(), SIGRTMIN, v) == 0)
			n++;
		CHECK_EQ(errno, EAGAIN);
		CHECK_EQ(n, 50);
		kill(getpid(), SIGUSR1);
	}
	int st = wait_status(pid);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGUSR1); /* ordinary signals need no room */
	works();
}

int main(void)
{
	RUN(process_table);
	RUN(zombies_fill_it_too);
	RUN(bomb);
	RUN(threads_to_the_limit);
	RUN(descriptors);
	RUN(memory);
	RUN(several_eaters_at_once);
	RUN(many_small_mappings);
	RUN(file_space);
	RUN(pending_signals);
	return check_end();
}

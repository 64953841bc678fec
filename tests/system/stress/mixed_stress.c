/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything at once: forks, pipes, mappings, signals, threads, file churn and exec run side by side for some time, each
 * worker verifying what it does. Usage: mixed_stress [SECONDS [COPIES]], default 10 seconds, two copies of each worker.
 */
static int deadline_s = 60;
#define CHECK_DEADLINE_S deadline_s
#include "check.h"
#include <pthread.h>
#include <sys/socket.h>

static int seconds = 10, copies = 2;
static long long end_ms;
static const char *self;
static unsigned seed;

enum { WORKERS = 8, MAX_COPIES = 16 };
static volatile unsigned long (*rounds)[MAX_COPIES]; /* shared: rounds done by each worker */

static unsigned rnd(void)
{
	return (seed = seed * 1103515245u + 12345u) >> 8;
}

static int going(void)
{
	return now_ms() < end_ms;
}

static void fill(unsigned char *p, size_t n, unsigned key)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(key + i * 31 + (i >> 8));
}

static int filled(const unsigned char *p, size_t n, unsigned key)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != (unsigned char)(key + i * 31 + (i >> 8)))
			return 0;
	return 1;
}

/* Children in generations change their copies of memory; every parent finds its own unchanged. */
static void forks(void)
{
	static unsigned char block[16 * PAGE];
	unsigned key = rnd();
	pid_t pid[4];
	fill(block, sizeof block, key);
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		NEED(pid[i] >= 0);
		if (pid[i] == 0) {
			int ok = filled(block, sizeof block, key);
			fill(block, sizeof block, key + 1 + (unsigned)i);
			pid_t deeper = fork();
			if (deeper == 0)
				_exit(filled(block, sizeof block, key + 1 + (unsigned)i) ? 17 : 1);
			int st = wait_status(deeper);
			_exit(ok && filled(block, sizeof block, key + 1 + (unsigned)i) && WEXITSTATUS(st) == 17 ? 40 + i : 1);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(pid[i], 40 + i);
	CHECK(filled(block, sizeof block, key));
}

/* A child sends a known stream in odd pieces through a pipe or socket; the parent checks each byte. */
static void pipes(void)
{
	static unsigned char out[5000], in[5000];
	int p[2];
	size_t total = 100000 + rnd() % 50000, at = 0;
	unsigned key = rnd();
	int is_pipe = rnd() % 2 != 0;
	if (is_pipe)
		NEED(pipe(p) == 0);
	else
		NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
	pid_t pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		close(p[0]);
		while (at < total) {
			size_t n = 1 + rnd() % sizeof out;
			n = n > total - at ? total - at : n;
			for (size_t i = 0; i < n; i++)
				out[i] = (unsigned char)((key + at + i) * 7 >> 2);
			for (size_t done = 0; done < n;) {
				ssize_t w = write(p[1], out + done, n - done);
				if (w <= 0)
					_exit(1);
				done += (size_t)w;
			}
			at += n;
		}
		_exit(0);
	}
	close(p[1]);
	for (ssize_t n; (n = read(p[0], in, 1 + rnd() % sizeof in)) > 0; at += (size_t)n)
		for (ssize_t i = 0; i < n; i++) {
			unsigned char want = (unsigned char)((key + at + (size_t)i) * 7 >> 2);
			if (in[i] == want)
				continue;
			char got[120], should[40];
			snprintf(got, sizeof got, "0x%02x at byte %zu, %zd of %zd of this read", in[i], at + (size_t)i, i, n);
			snprintf(should, sizeof should, "0x%02x", want);
			check_fail(__FILE__, __LINE__, is_pipe ? "pipe" : "socket pair", got, should);
			_exit(1);
		}
	CHECK_EQ(at, total);
	close(p[0]);
	CHECK_EXIT(pid, 0);
}

/* Map, touch, protect, move, unmap; private and shared, memory and file. */
static void mappings(void)
{
	char name[40];
	size_t n = (1 + rnd() % 60) * PAGE;
	unsigned key = rnd();
	unsigned char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	fill(p, n, key);
	p = mremap(p, n, 2 * n, MREMAP_MAYMOVE);
	NEED(p != MAP_FAILED);
	CHECK(filled(p, n, key));
	for (size_t i = n; i < 2 * n; i += PAGE)
		NEED(p[i] == 0);
	NEED(mprotect(p, n, PROT_READ) == 0);
	CHECK(filled(p, n, key));
	NEED(munmap(p + n, n) == 0 && munmap(p, n) == 0);
	snprintf(name, sizeof name, "map.%d", (int)getpid());
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
	NEED(fd >= 0 && ftruncate(fd, (off_t)n) == 0);
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	pid_t pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		fill(p, n, key + 9);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK(filled(p, n, key + 9));
	unsigned char *copy = malloc(n);
	CHECK_EQ(pread(fd, copy, n, 0), n);
	CHECK(filled(copy, n, key + 9));
	free(copy);
	NEED(munmap(p, n) == 0 && close(fd) == 0 && unlink(name) == 0);
}

static volatile int sum, sent;
static void add(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	sum += si->si_value.sival_int;
	sent++;
}

/* Queued signals with values from a child, none lost; an interval timer disturbs. */
static void signals(void)
{
	struct itimerval it = { { 0, 1000 }, { 0, 1000 } }, off = { { 0, 0 }, { 0, 0 } };
	int want = 0;
	sum = sent = 0;
	on_siginfo(SIGRTMIN, add, SA_RESTART);
	on_signal(SIGALRM, SIG_IGN, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	pid_t me = getpid(), pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		for (int i = 1; i <= 50; i++) {
			union sigval v = { .sival_int = i };
			while (sigqueue(me, SIGRTMIN, v) != 0)
				sleep_ms(1);
		}
		_exit(0);
	}
	for (int i = 1; i <= 50; i++)
		want += i;
	CHECK_EXIT(pid, 0);
	for (int i = 0; i < 2000 && sent < 50; i++)
		sleep_ms(1);
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK_EQ(sent, 50);
	CHECK_EQ(sum, want);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static void *count_up(void *arg)
{
	double x = 1;
	for (int i = 0; i < 300; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		x = x * 1.0000001 + 0.5;
		if (i % 100 == 0)
			free(malloc(100000));
	}
	*(double *)arg = x;
	return NULL;
}

/* Threads count under a lock and compute the same floating-point series. */
static void threads(void)
{
	pthread_t t[5];
	double x[5];
	counter = 0;
	for (int i = 0; i < 5; i++)
		NEED(pthread_create(&t[i], NULL, count_up, &x[i]) == 0);
	for (int i = 0; i < 5; i++)
		NEED(pthread_join(t[i], NULL) == 0);
	CHECK_EQ(counter, 1500);
	for (int i = 1; i < 5; i++)
		CHECK(x[i] == x[0]);
}

/* A directory of its own: write, rename, link, read back, remove. */
static void files(void)
{
	static unsigned char data[30000], back[30000];
	char dir[40], a[80], b[80];
	snprintf(dir, sizeof dir, "dir.%d", (int)getpid());
	NEED(mkdir(dir, 0700) == 0);
	for (unsigned i = 0; i < 20; i++) {
		size_t n = rnd() % sizeof data;
		snprintf(a, sizeof a, "%s/f%u", dir, i);
		snprintf(b, sizeof b, "%s/g%u", dir, i);
		int fd = open(a, O_CREAT | O_EXCL | O_RDWR, 0600);
		NEED(fd >= 0);
		fill(data, n, i);
		NEED(write(fd, data, n) == (ssize_t)n && close(fd) == 0);
		NEED(rename(a, b) == 0 && link(b, a) == 0 && unlink(b) == 0);
		fd = open(a, O_RDONLY);
		NEED(fd >= 0);
		CHECK_EQ(read(fd, back, sizeof back), n);
		CHECK(filled(back, n, i));
		close(fd);
	}
	for (unsigned i = 0; i < 20; i++) {
		snprintf(a, sizeof a, "%s/f%u", dir, i);
		NEED(unlink(a) == 0);
	}
	NEED(rmdir(dir) == 0);
}

static void execs(void)
{
	char number[20], want[30], got[20] = "";
	int p[2];
	snprintf(number, sizeof number, "%u", rnd() % 100000);
	snprintf(want, sizeof want, "<%s>", number);
	NEED(pipe(p) == 0);
	pid_t pid = vfork();
	NEED(pid >= 0);
	if (pid == 0) {
		dup2(p[1], 1);
		execl(self, "x", "--echo", number, (char *)NULL);
		_exit(1);
	}
	close(p[1]);
	for (ssize_t n = 0, k; (k = read(p[0], got + n, sizeof got - 1 - (size_t)n)) > 0;)
		n += k;
	close(p[0]);
	CHECK_STR(got, want);
	CHECK_EXIT(pid, 0);
}

/* Processes that hold much and are killed in the middle of it: what they held must come back. */
static void kills(void)
{
	pid_t pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		int p[2];
		unsigned char *m = mmap(NULL, 200 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		for (;;) {
			if (pipe(p) == 0 && write(p[1], m, 100) == 100)
				memset(m, (int)rnd(), 200 * PAGE);
			if (rnd() % 4 == 0)
				for (int fd = 20; fd < 200; fd++)
					close(fd);
			pid_t kid = fork();
			if (kid == 0)
				_exit(0);
			if (kid > 0)
				waitpid(kid, NULL, 0);
		}
	}
	sleep_ms((int)(rnd() % 20));
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static void (*const worker[WORKERS])(void) = { forks, pipes, mappings, signals, threads, files, execs, kills };
static const char *const worker_name[WORKERS] = { "forks", "pipes", "mappings", "signals", "threads", "files", "execs",
						  "kills" };

static void all_at_once(void)
{
	pid_t pid[WORKERS][MAX_COPIES];
	end_ms = now_ms() + seconds * 1000LL;
	for (int w = 0; w < WORKERS; w++)
		for (int c = 0; c < copies; c++)
			CHILD(pid[w][c])
			{
				seed = (unsigned)(w * 100 + c + 1);
				while (going() && check_page->failures == 0) {
					worker[w]();
					rounds[w][c]++;
				}
			}
	unsigned long all_before = 0;
	while (going() && check_page->failures == 0) {
		long long line_ms = now_ms() + 10000;
		while (going() && now_ms() < line_ms)
			sleep_ms(100);
		char line[300];
		unsigned long all = 0;
		int n = snprintf(line, sizeof line, "at %lld s:", seconds - (end_ms - now_ms()) / 1000);
		for (int w = 0; w < WORKERS; w++) {
			unsigned long done = 0;
			for (int c = 0; c < copies; c++)
				done += rounds[w][c];
			all += done;
			n += snprintf(line + n, sizeof line - (size_t)n, " %s %lu", worker_name[w], done);
		}
		say("%s\n", line);
		CHECK(all > all_before || !going()); /* ten seconds in which nobody got anywhere are a hang */
		all_before = all;
	}
	for (int w = 0; w < WORKERS; w++)
		for (int c = 0; c < copies; c++) {
			CHECK_EXIT(pid[w][c], 0);
			CHECK(rounds[w][c] > 0);
		}
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "--echo") == 0)
		return printf("<%s>", argv[2]) < 0;
	self = self_path(argv[0]);
	seconds = argc > 1 ? atoi(argv[1]) : 10;
	copies = argc > 2 ? atoi(argv[2]) : 2;
	if (seconds < 1 || copies < 1 || copies > MAX_COPIES)
		return 2;
	deadline_s = seconds + 240;
	rounds = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	RUN(all_at_once);
	return check_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads through the C library: start, join, locks, thread-local data, cancel, and how exit and exec end them all. */
#include "check.h"
#include <pthread.h>

static void *plus_one(void *arg)
{
	return (char *)arg + 1;
}

static void create_and_join(void)
{
	for (long i = 0; i < 100; i++) {
		pthread_t t;
		void *ret;
		NEED(pthread_create(&t, NULL, plus_one, (void *)i) == 0);
		NEED(pthread_join(t, &ret) == 0);
		CHECK_EQ((long)ret, i + 1);
	}
}

enum { THREADS = 6, ROUNDS = 2000 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter;
static __thread long own = 5;

static void *locked_counting(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		long c = counter;
		if (i % 64 == 0)
			sched_yield();
		counter = c + 1;
		own++;
		pthread_mutex_unlock(&mutex);
	}
	CHECK_EQ(own, 5 + ROUNDS);
	return arg;
}

static void mutex_excludes(void)
{
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		NEED(pthread_create(&t[i], NULL, locked_counting, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		NEED(pthread_join(t[i], NULL) == 0);
	CHECK_EQ(counter, THREADS * ROUNDS);
	CHECK_EQ(own, 5);
}

static int turn;

static void *take_turns(void *arg)
{
	int me = (int)(intptr_t)arg;
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % 3 != me)
			pthread_cond_wait(&cond, &mutex);
		turn++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void condition_hands_turns_round(void)
{
	pthread_t t[3];
	for (intptr_t i = 0; i < 3; i++)
		NEED(pthread_create(&t[i], NULL, take_turns, (void *)i) == 0);
	for (int i = 0; i < 3; i++)
		NEED(pthread_join(t[i], NULL) == 0);
	CHECK_EQ(turn, 600);
}

static void timed_wait_times_out(void)
{
	struct timespec t;
	pthread_mutex_lock(&mutex);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 50000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	long long start = now_ms();
	CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT);
	CHECK(now_ms() - start >= 45);
	pthread_mutex_unlock(&mutex);
}

static void *report_ids(void *arg)
{
	pid_t *ids = arg;
	ids[0] = getpid();
	ids[1] = (pid_t)syscall(SYS_gettid);
	ids[2] = getppid();
	ids[3] = getpgrp();
	return NULL;
}

static void ids_in_threads(void)
{
	pthread_t a, b;
	pid_t x[4], y[4];
	pthread_create(&a, NULL, report_ids, x);
	pthread_join(a, NULL);
	pthread_create(&b, NULL, report_ids, y);
	pthread_join(b, NULL);
	CHECK_EQ(x[0], getpid());
	CHECK_EQ(y[0], getpid());
	CHECK(x[1] != getpid() && y[1] != getpid());
	CHECK_EQ(x[2], getppid());
	CHECK_EQ(x[3], getpgrp());
}

static void *change_process_state(void *arg)
{
	(void)arg;
	NEED(mkdir("td", 0755) == 0);
	NEED(chdir("td") == 0);
	umask(077);
	return (void *)(intptr_t)open("/dev/null", O_RDONLY);
}

static void process_state_is_shared(void)
{
	pthread_t t;
	void *fd;
	char cwd[400];
	pthread_create(&t, NULL, change_process_state, NULL);
	pthread_join(t, &fd);
	CHECK_EQ(fcntl((int)(intptr_t)fd, F_GETFD), 0);
	CHECK(getcwd(cwd, sizeof cwd) && strcmp(cwd + strlen(cwd) - 3, "/td") == 0);
	CHECK_EQ(umask(022), 077);
	CHECK_EQ(chdir(".."), 0);
	CHECK_EQ(rmdir("td"), 0);
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void cancel_a_blocked_thread(void)
{
	pthread_t t;
	void *ret;
	int fds[2];
	NEED(pipe(fds) == 0);
	NEED(pthread_create(&t, NULL, sleep_for_ever, NULL) == 0);
	sleep_ms(20);
	CHECK_EQ(pthread_cancel(t), 0);
	CHECK_EQ(pthread_join(t, &ret), 0);
	CHECK(ret == PTHREAD_CANCELED);
}

static void *exit_process(void *arg)
{
	sleep_ms(20);
	exit((int)(intptr_t)arg);
}

static void exit_in_a_thread_ends_all(void)
{
	pid_t pid;
	CHILD(pid)
	{
		pthread_t t;
		pthread_create(&t, NULL, sleep_for_ever, NULL);
		pthread_create(&t, NULL, exit_process, (void *)55);
		pause();
	}
	CHECK_EXIT(pid, 55);
}

static void *speak_later(void *arg)
{
	sleep_ms(50);
	return write(1, "x", 1) == 1 ? arg : NULL;
}

static void main_ends_first(void)
{
	pthread_t t;
	pthread_create(&t, NULL, speak_later, NULL);
	pthread_exit(NULL);
}

static const char *self;
static void threads_outlive_main(void)
{
	pid_t pid;
	char c;
	int fds[2];
	NEED(pipe(fds) == 0);
	CHILD(pid) /* a fresh program: musl's pthread_exit blocks in the first thread of a forked child */
	{
		dup2(fds[1], 1);
		execl(self, "x", "--main-ends", (char *)NULL);
	}
	close(fds[1]);
	sleep_ms(20);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0); /* the leader is dead, the process is not */
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EXIT(pid, 0);
}

static void *exec_self(void *arg)
{
	sleep_ms(10);
	execl(self, "x", "--exit", arg, (char *)NULL);
	return NULL;
}

static void exec_in_a_thread_replaces_all(void)
{
	pid_t pid;
	CHILD(pid)
	{
		pthread_t t;
		char text[20];
		snprintf(text, sizeof text, "%d", (int)getpid()); /* the thread takes over the leader's pid */
		pthread_create(&t, NULL, sleep_for_ever, NULL);
		pthread_create(&t, NULL, exec_self, text);
		pause();
	}
	CHECK_EXIT(pid, 21);
}

static void *kill_self(void *arg)
{
	kill(getpid(), SIGKILL);
	return arg;
}

static void fatal_signal_ends_all(void)
{
	pid_t pid;
	CHILD(pid)
	{
		pthread_t t;
		pthread_create(&t, NULL, sleep_for_ever, NULL);
		pthread_create(&t, NULL, kill_self, NULL);
		pause();
	}
	CHECK_KILLED(pid, SIGKILL);
}

static void *fork_in_thread(void *arg)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(getpid() == syscall(SYS_gettid) ? 4 : 5);
	CHECK_EXIT(pid, 4);
	return arg;
}

static void fork_copies_only_the_caller(void)
{
	pthread_t t, sleeper;
	pthread_create(&sleeper, NULL, sleep_for_ever, NULL);
	pthread_create(&t, NULL, fork_in_thread, NULL);
	pthread_join(t, NULL);
}

static void *wait_child(void *arg)
{
	CHECK_EXIT((pid_t)(intptr_t)arg, 6);
	return NULL;
}

static void any_thread_may_wait(void)
{
	pthread_t t;
	pid_t pid = fork();
	if (pid == 0) {
		sleep_ms(30);
		_exit(6);
	}
	pthread_create(&t, NULL, wait_child, (void *)(intptr_t)pid);
	pthread_join(t, NULL);
}

static pthread_barrier_t barrier;
static int serial;
static void *at_barrier(void *arg)
{
	for (int i = 0; i < 50; i++)
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void barriers(void)
{
	pthread_t t[4];
	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, at_barrier, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(serial, 50);
}

static void *touch_deep_stack(void *arg)
{
	(void)arg;
	volatile char deep[200000];
	for (size_t i = 0; i < sizeof deep; i += 1000)
		deep[i] = (char)i;
	return deep[1000] == (char)1000 ? (void *)pthread_self() : NULL;
}

static void big_stacks_and_many(void)
{
	pthread_t t[40];
	pthread_attr_t attr;
	void *ret;
	pthread_attr_init(&attr);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 1 << 20), 0);
	for (int i = 0; i < 40; i++)
		NEED(pthread_create(&t[i], &attr, touch_deep_stack, NULL) == 0);
	for (int i = 0; i < 40; i++) {
		CHECK_EQ(pthread_join(t[i], &ret), 0);
		CHECK(ret == (void *)t[i]);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "--exit") == 0)
		return atoi(argv[2]) == getpid() && syscall(SYS_gettid) == getpid() ? 21 : 22;
	if (argc > 1)
		main_ends_first();
	self = self_path(argv[0]);
	RUN(create_and_join);
	RUN(mutex_excludes);
	RUN(condition_hands_turns_round);
	RUN(timed_wait_times_out);
	RUN(ids_in_threads);
	RUN(process_state_is_shared);
	RUN(cancel_a_blocked_thread);
	RUN(exit_in_a_thread_ends_all);
	RUN(threads_outlive_main);
	RUN(exec_in_a_thread_replaces_all);
	RUN(fatal_signal_ends_all);
	RUN(fork_copies_only_the_caller);
	RUN(any_thread_may_wait);
	RUN(barriers);
	RUN(big_stacks_and_many);
	return check_end();
}

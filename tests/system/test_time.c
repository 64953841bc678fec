/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, sleeping relative and absolute, interval timers of three kinds, POSIX timers, alarm, and getrandom. */
#include "check.h"
#include <sys/random.h>

#define SIGEV_THREAD_ID_NUMBER 4

static volatile int hits;
static siginfo_t last;
static void count(int sig)
{
	(void)sig;
	hits++;
}
static void keep(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	last = *si;
	hits++;
}

static long long ns(clockid_t c)
{
	struct timespec t = { -1, -1 };
	CHECK_EQ(clock_gettime(c, &t), 0);
	CHECK(t.tv_sec >= 0 && t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void clocks(void)
{
	struct timespec r;
	static const clockid_t all[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
					 CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		ns(all[i]);
		CHECK_EQ(clock_getres(all[i], &r), 0);
		CHECK(r.tv_sec == 0 && r.tv_nsec > 0);
		CHECK_EQ(syscall(SYS_clock_getres, all[i], NULL), 0);
		struct timespec t; /* the call itself, without the library's shortcut */
		CHECK_EQ(syscall(SYS_clock_gettime, all[i], &t), 0);
	}
	long long last_ns = ns(CLOCK_MONOTONIC);
	for (int i = 0; i < 20000; i++) {
		struct timespec t;
		clock_gettime(CLOCK_MONOTONIC, &t);
		long long now = t.tv_sec * 1000000000LL + t.tv_nsec;
		NEED(now >= last_ns); /* never backwards */
		last_ns = now;
	}
	CHECK(llabs(ns(CLOCK_REALTIME) - ns(CLOCK_REALTIME_COARSE)) < 50000000);
	CHECK(ns(CLOCK_BOOTTIME) >= ns(CLOCK_MONOTONIC) - 1000000);
	struct timeval tv;
	CHECK_EQ(gettimeofday(&tv, NULL), 0);
	CHECK(llabs(ns(CLOCK_REALTIME) / 1000 - (tv.tv_sec * 1000000LL + tv.tv_usec)) < 500000);
	time_t t1 = (time_t)syscall(SYS_time, NULL);
	CHECK(labs(t1 - tv.tv_sec) <= 1);
	CHECK_ERR(syscall(SYS_clock_gettime, 77, &r), EINVAL);
	CHECK_ERR(syscall(SYS_clock_getres, 77, &r), EINVAL);
	CHECK_ERR(syscall(SYS_clock_gettime, CLOCK_REALTIME, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_gettimeofday, bad_unmapped(), NULL), EFAULT);
	CHECK_ERR(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &r), EINVAL);
	IN_CHILD
	{
		become_user(1000);
		clock_gettime(CLOCK_REALTIME, &r);
		CHECK_ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, &r), EPERM);
	}
}

static void cpu_time_is_not_wall_time(void)
{
	long long cpu = ns(CLOCK_PROCESS_CPUTIME_ID), thread = ns(CLOCK_THREAD_CPUTIME_ID);
	sleep_ms(80);
	CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 60000000);
	CHECK(ns(CLOCK_THREAD_CPUTIME_ID) - thread < 60000000);
	cpu = ns(CLOCK_PROCESS_CPUTIME_ID);
	while (ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 30000000)
		;
	CHECK(ns(CLOCK_THREAD_CPUTIME_ID) - thread >= 25000000);
}

static void sleeping(void)
{
	struct timespec t = { 0, 50000000 }, bad = { 0, 1000000000 }, neg = { -1, 0 }, zero = { 0, 0 };
	long long start = ns(CLOCK_MONOTONIC);
	CHECK_EQ(nanosleep(&t, NULL), 0);
	CHECK(ns(CLOCK_MONOTONIC) - start >= 50000000); /* never too short */
	CHECK_EQ(nanosleep(&zero, NULL), 0);
	CHECK_ERR(nanosleep(&bad, NULL), EINVAL);
	CHECK_ERR(nanosleep(&neg, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_nanosleep, bad_unmapped(), NULL), EFAULT);
	start = ns(CLOCK_REALTIME);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 60000000;
	t.tv_sec += t.tv_nsec / 1000000000, t.tv_nsec %= 1000000000;
	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0);
	CHECK(ns(CLOCK_REALTIME) - start >= 60000000);
	t.tv_sec -= 100;
	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0); /* past: at once */
	t = (struct timespec){ 0, 30000000 };
	start = ns(CLOCK_MONOTONIC);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL), 0);
	CHECK(ns(CLOCK_MONOTONIC) - start >= 30000000);
	CHECK_ERR(syscall(SYS_clock_nanosleep, 77, 0, &t, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EOPNOTSUPP);
	CHECK_ERR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, bad_unmapped(), NULL), EFAULT);
}

static void interrupted_sleep(void)
{
	struct timespec t, rest = { 77, 77 };
	struct itimerval it = { .it_value.tv_usec = 40000 };
	on_signal(SIGALRM, count, 0);
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 10;
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &rest), EINTR);
	CHECK(rest.tv_sec == 77); /* an absolute sleep tells no rest */
	t = (struct timespec){ 10, 0 };
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &rest), EINTR);
	CHECK(rest.tv_sec == 9);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(syscall(SYS_nanosleep, &t, bad_readonly()), EFAULT);
}

static void alarms(void)
{
	hits = 0;
	on_signal(SIGALRM, count, 0);
	CHECK_EQ(alarm(100), 0);
	CHECK(alarm(1) >= 99);
	pause();
	CHECK_EQ(hits, 1);
	CHECK_EQ(alarm(0), 0);
}

static void real_interval_timer(void)
{
	struct itimerval it = { { 0, 20000 }, { 0, 30000 } }, got;
	hits = 0;
	on_signal(SIGALRM, count, 0);
	CHECK_EQ(setitimer(ITIMER_REAL, &it, NULL), 0);
	CHECK_EQ(getitimer(ITIMER_REAL, &got), 0);
	CHECK(got.it_interval.tv_usec == 20000 && got.it_value.tv_sec == 0 && got.it_value.tv_usec <= 30000);
	while (hits < 4)
		pause();
	memset(&it, 0, sizeof it);
	CHECK_EQ(setitimer(ITIMER_REAL, &it, &got), 0);
	CHECK_EQ(got.it_interval.tv_usec, 20000);
	int n = hits;
	sleep_ms(50);
	CHECK_EQ(hits, n);
	it.it_value.tv_usec = 1000000;
	CHECK_ERR(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_setitimer, 7, &got, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_getitimer, 7, &got), EINVAL);
	CHECK_ERR(syscall(SYS_getitimer, ITIMER_REAL, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_setitimer, ITIMER_REAL, bad_unmapped(), NULL), EFAULT);
}

static void cpu_interval_timers(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 50000 } };
	hits = 0;
	on_signal(SIGVTALRM, count, 0);
	on_signal(SIGPROF, count, 0);
	CHECK_EQ(setitimer(ITIMER_VIRTUAL, &it, NULL), 0);
	sleep_ms(90);
	CHECK_EQ(hits, 0); /* sleeping costs no processor time */
	volatile unsigned spin = 0;
	long long start = ns(CLOCK_PROCESS_CPUTIME_ID);
	while (!hits)
		spin++;
	CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - start >= 30000000);
	hits = 0;
	CHECK_EQ(setitimer(ITIMER_PROF, &it, NULL), 0);
	while (!hits)
		spin++;
	CHECK_EQ(hits, 1);
}

static void posix_timers(void)
{
	timer_t t;
	struct sigevent se;
	struct itimerspec its = { { 0, 15000000 }, { 0, 20000000 } }, got;
	memset(&se, 0, sizeof se);
	se.sigev_notify = SIGEV_SIGNAL;
	se.sigev_signo = SIGRTMIN + 2;
	se.sigev_value.sival_int = 99;
	on_siginfo(SIGRTMIN + 2, keep, 0);
	hits = 0;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &se, &t), 0);
	CHECK_EQ(timer_gettime(t, &got), 0);
	CHECK(got.it_value.tv_sec == 0 && got.it_value.tv_nsec == 0);
	CHECK_EQ(timer_settime(t, 0, &its, NULL), 0);
	while (hits < 3)
		pause();
	CHECK(last.si_code == SI_TIMER && last.si_value.sival_int == 99);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sleep_ms(100);
	hits = 0;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK(hits >= 1);
	CHECK(last.si_overrun >= 3 || timer_getoverrun(t) >= 0); /* one signal stands for many expirations */
	memset(&its, 0, sizeof its);
	CHECK_EQ(timer_settime(t, 0, &its, &got), 0);
	CHECK_EQ(got.it_interval.tv_nsec, 15000000);
	CHECK_EQ(timer_delete(t), 0);
	/* the numbers of the raw call; the libraries hand out pointers */
	int id = -1;
	CHECK_EQ(syscall(SYS_timer_create, CLOCK_REALTIME, NULL, &id), 0);
	CHECK(id >= 0);
	IN_CHILD
	{
		CHECK_ERR(syscall(SYS_timer_gettime, id, &got), EINVAL); /* not inherited */
	}
	CHECK_EQ(syscall(SYS_timer_delete, id), 0);
	CHECK_ERR(syscall(SYS_timer_delete, id), EINVAL);
	CHECK_ERR(syscall(SYS_timer_settime, 12345, 0, &its, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_timer_gettime, 12345, &got), EINVAL);
	CHECK_ERR(syscall(SYS_timer_getoverrun, 12345), EINVAL);
	CHECK_ERR(syscall(SYS_timer_create, 77, NULL, &id), EINVAL);
	se.sigev_signo = 99;
	CHECK_ERR(syscall(SYS_timer_create, CLOCK_MONOTONIC, &se, &id), EINVAL);
	CHECK_ERR(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, bad_unmapped()), EFAULT);
	NEED(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0);
	CHECK_ERR(syscall(SYS_timer_settime, id, 0, bad_unmapped(), NULL), EFAULT);
	CHECK_ERR(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_timer_gettime, id, bad_unmapped()), EFAULT);
	its.it_value.tv_nsec = -1;
	CHECK_ERR(syscall(SYS_timer_settime, id, 0, &its, NULL), EINVAL);
}

static void posix_timer_forms(void)
{
	timer_t t;
	struct sigevent se;
	struct itimerspec its = { { 0, 0 }, { 0, 0 } };
	on_siginfo(SIGALRM, keep, 0);
	hits = 0;
	CHECK_EQ(timer_create(CLOCK_REALTIME, NULL, &t), 0); /* default: SIGALRM */
	clock_gettime(CLOCK_REALTIME, &its.it_value);
	its.it_value.tv_nsec += 30000000;
	its.it_value.tv_sec += its.it_value.tv_nsec / 1000000000, its.it_value.tv_nsec %= 1000000000;
	CHECK_EQ(timer_settime(t, TIMER_ABSTIME, &its, NULL), 0);
	while (!hits)
		pause();
	CHECK_EQ(last.si_signo, SIGALRM);
	CHECK_EQ(timer_delete(t), 0);
	memset(&se, 0, sizeof se);
	se.sigev_notify = SIGEV_NONE;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &se, &t), 0);
	its.it_value = (struct timespec){ 100, 0 };
	CHECK_EQ(timer_settime(t, 0, &its, NULL), 0);
	CHECK_EQ(timer_gettime(t, &its), 0);
	CHECK(its.it_value.tv_sec >= 98 && its.it_value.tv_sec <= 100);
	CHECK_EQ(timer_delete(t), 0);
}

static void many_sleepers_wake_in_order(void)
{
	int fds[2];
	pid_t pid[8];
	char got[9] = "";
	struct timespec start;
	NEED(pipe(fds) == 0 && clock_gettime(CLOCK_MONOTONIC, &start) == 0);
	for (int i = 0; i < 8; i++) {
		int k = i * 5 % 8; /* started in another order, but all towards times of one clock */
		CHILD(pid[i])
		{
			char c = (char)('0' + k);
			struct timespec until = { start.tv_sec + 1 + k / 5, start.tv_nsec + k % 5 * 190000000L };
			until.tv_sec += until.tv_nsec / 1000000000;
			until.tv_nsec %= 1000000000;
			NEED(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
			NEED(write(fds[1], &c, 1) == 1);
		}
	}
	for (int i = 0; i < 8; i++)
		CHECK_EXIT(pid[i], 0);
	CHECK_EQ(read(fds[0], got, 8), 8);
	CHECK_STR(got, "01234567");
}

static void randomness(void)
{
	unsigned char a[64] = "", b[64] = "";
	static unsigned char big[5000];
	int counts[256] = { 0 }, worst = 0;
	CHECK_EQ(syscall(SYS_getrandom, a, 64, 0), 64);
	CHECK_EQ(syscall(SYS_getrandom, b, 64, 0), 64);
	CHECK(memcmp(a, b, 64) != 0);
	CHECK_EQ(syscall(SYS_getrandom, big, sizeof big, 0), sizeof big);
	for (size_t i = 0; i < sizeof big; i++)
		counts[big[i]]++;
	for (int i = 0; i < 256; i++)
		worst = counts[i] > worst ? counts[i] : worst;
	CHECK(worst < 60); /* 20 expected of each */
	CHECK_EQ(syscall(SYS_getrandom, a, 0, 0), 0);
	CHECK_EQ(syscall(SYS_getrandom, a, 10, 1 /* NONBLOCK */), 10);
	CHECK_ERR(syscall(SYS_getrandom, a, 10, 0x100), EINVAL);
	CHECK_ERR(syscall(SYS_getrandom, bad_unmapped(), 10, 0), EFAULT);
	IN_CHILD
	{
		CHECK_EQ(syscall(SYS_getrandom, b, 64, 0), 64);
		CHECK(memcmp(a, b, 64) != 0);
	}
}

int main(void)
{
	RUN(clocks);
	RUN(cpu_time_is_not_wall_time);
	RUN(sleeping);
	RUN(interrupted_sleep);
	RUN(alarms);
	RUN(real_interval_timer);
	RUN(cpu_interval_timers);
	RUN(posix_timers);
	RUN(posix_timer_forms);
	RUN(many_sleepers_wake_in_order);
	RUN(randomness);
	return check_end();
}

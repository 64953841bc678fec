/* SPDX-License-Identifier: BSD-2-Clause */
/* futex: wait and wake, time limits, bit sets, requeue, wake-op, words shared between processes, and robust lists. */
#include "check.h"
#include "futex.h"
#include <pthread.h>

static long futex(void *addr, int op, unsigned val, void *timeout, void *addr2, unsigned val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static unsigned word, word2;
static int awake;

static void plain_errors(void)
{
	struct timespec t = { 0, 1000 }, bad = { 0, 1000000000 }, neg = { -1, 0 };
	word = 5;
	CHECK_ERR(futex(&word, FUTEX_WAIT, 6, NULL, NULL, 0), EAGAIN);
	CHECK_ERR(futex(&word, FUTEX_WAIT, 6, &t, NULL, 0), EAGAIN);
	CHECK_ERR(futex(&word, FUTEX_WAIT, 5, &t, NULL, 0), ETIMEDOUT);
	CHECK_ERR(futex(&word, FUTEX_WAIT, 5, &bad, NULL, 0), EINVAL);
	CHECK_ERR(futex(&word, FUTEX_WAIT, 5, &neg, NULL, 0), EINVAL);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	CHECK_ERR(futex((char *)&word + 1, FUTEX_WAIT, 5, NULL, NULL, 0), EINVAL);
	CHECK_ERR(futex((char *)&word + 2, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERR(futex(bad_unmapped(), FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERR(futex(bad_kernel(), FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERR(futex(bad_unmapped(), FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERR(futex(&word, FUTEX_WAIT, 5, bad_unmapped(), NULL, 0), EFAULT);
	CHECK_ERR(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET, 5, NULL, NULL, 0), EINVAL); /* empty set */
	CHECK_ERR(futex(&word, FUTEX_WAKE_BITSET, 5, NULL, NULL, 0), EINVAL);
	CHECK_ERR(futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 5, &t, NULL, 0), ENOSYS);
}

static void timeouts_last(void)
{
	struct timespec t = { 0, 60000000 };
	long long start = now_ms();
	word = 0;
	CHECK_ERR(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &t, NULL, 0), ETIMEDOUT);
	CHECK(now_ms() - start >= 58);
	/* the bitset form takes an absolute time */
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 60000000;
	t.tv_sec += t.tv_nsec / 1000000000, t.tv_nsec %= 1000000000;
	start = now_ms();
	CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET, 0, &t, NULL, ~0u), ETIMEDOUT);
	CHECK(now_ms() - start >= 55);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec -= 10;
	CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, NULL, ~0u), ETIMEDOUT);
}

static void *waiter(void *arg)
{
	unsigned set = (unsigned)(uintptr_t)arg;
	long r = set ? futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, set)
		     : futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
	CHECK_EQ(r, 0);
	__atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Sleepers cannot be seen from outside, but waking counts them; a bounded number of tries collects all. */
static long wake_until(unsigned *w, int op, unsigned n, unsigned set, long want)
{
	long sum = 0;
	for (int i = 0; i < 500 && sum < want; i++) {
		long r = futex(w, op | FUTEX_PRIVATE_FLAG, n, NULL, NULL, set);
		NEED(r >= 0);
		sum += r;
		if (sum < want)
			sleep_ms(5);
	}
	return sum;
}

static void wake_counts(void)
{
	pthread_t t[5];
	word = 0, awake = 0;
	for (int i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, waiter, NULL);
	sleep_ms(100);
	CHECK_EQ(wake_until(&word, FUTEX_WAKE, 1, 0, 1), 1);
	for (int i = 0; i < 100 && awake < 1; i++)
		sleep_ms(5);
	sleep_ms(30);
	CHECK_EQ(awake, 1); /* exactly one */
	CHECK_EQ(wake_until(&word, FUTEX_WAKE, 2, 0, 2), 2);
	CHECK_EQ(wake_until(&word, FUTEX_WAKE, 1000, 0, 2), 2);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(awake, 5);
}

static void bitsets_select(void)
{
	pthread_t a, b;
	word = 0, awake = 0;
	pthread_create(&a, NULL, waiter, (void *)1);
	pthread_create(&b, NULL, waiter, (void *)6);
	sleep_ms(50);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 8), 0);
	CHECK_EQ(wake_until(&word, FUTEX_WAKE_BITSET, 10, 4, 1), 1);
	pthread_join(b, NULL);
	CHECK_EQ(awake, 1);
	CHECK_EQ(wake_until(&word, FUTEX_WAKE, 10, 0, 1), 1); /* plain wake matches every set */
	pthread_join(a, NULL);
}

static void requeue_moves_sleepers(void)
{
	pthread_t t[4];
	word = word2 = 0, awake = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, waiter, NULL);
	sleep_ms(200);
	CHECK_ERR(futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)10, &word2, 77), EAGAIN);
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)10, &word2, 0), 4);
	for (int i = 0; i < 100 && awake < 1; i++)
		sleep_ms(5);
	sleep_ms(20);
	CHECK_EQ(awake, 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 0), 0); /* none left here */
	CHECK_EQ(futex(&word2, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0, (void *)1, &word, 0), 1); /* plain form counts both too */
	CHECK_EQ(futex(&word2, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 0), 2);
	CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 0), 1);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_ERR(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, bad_unmapped(), 0), EFAULT);
	CHECK_ERR(futex(&word, FUTEX_REQUEUE, 1, (void *)1, (char *)&word2 + 1, 0), EINVAL);
}

static void wake_op(void)
{
	pthread_t t;
	word = 0, word2 = 5, awake = 0;
	pthread_create(&t, NULL, waiter, NULL);
	sleep_ms(60);
	/* word2 += 3; wake on word; and on word2 too if its old value was 5 */
	unsigned op = 1u << 28 | 0u << 24 | 3u << 12 | 5u;
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, (void *)1, &word2, op), 1);
	CHECK_EQ(word2, 8);
	pthread_join(t, NULL);
	CHECK_ERR(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, bad_unmapped(), op), EFAULT);
}

static void shared_between_processes(void)
{
	unsigned *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(w != MAP_FAILED);
	pid_t pid;
	CHILD(pid)
	{
		while (*(volatile unsigned *)w == 0) {
			long r = futex(w, FUTEX_WAIT, 0, NULL, NULL, 0);
			CHECK(r == 0 || errno == EAGAIN);
		}
		_exit(4);
	}
	wait_asleep(pid);
	__atomic_store_n(w, 1, __ATOMIC_SEQ_CST);
	CHECK_EQ(futex(w, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	CHECK_EXIT(pid, 4);
}

static void shared_through_a_file_at_two_addresses(void)
{
	int fd = open("w", O_CREAT | O_RDWR, 0644);
	NEED(fd >= 0 && ftruncate(fd, PAGE) == 0);
	unsigned *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned *b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(a != MAP_FAILED && b != MAP_FAILED && a != b);
	pid_t pid;
	CHILD(pid)
	{
		futex(a + 9, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(5);
	}
	wait_asleep(pid);
	CHECK_EQ(futex(b + 8, FUTEX_WAKE, 1, NULL, NULL, 0), 0); /* another word */
	CHECK_EQ(futex(b + 9, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	CHECK_EXIT(pid, 5);
	unlink("w");
}

static void private_words_do_not_meet(void)
{
	pid_t pid;
	word = 0;
	CHILD(pid)
	{
		struct timespec t = { 0, 150000000 };
		CHECK_ERR(futex(&word, FUTEX_WAIT, 0, &t, NULL, 0), ETIMEDOUT);
	}
	wait_asleep(pid);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0); /* the same address, another page since fork */
	CHECK_EXIT(pid, 0);
}

static void nothing(int sig)
{
	(void)sig;
}

static void interrupted(void)
{
	struct itimerval it = { .it_value.tv_usec = 40000 };
	struct timespec t = { 5, 0 };
	on_signal(SIGALRM, nothing, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(futex(&word, FUTEX_WAIT, word, &t, NULL, 0), EINTR);
}

struct robust_head { /* the kernel's layout */
	void *next;
	long offset;
	void *pending;
};

static void robust_list_marks_owner_died(void)
{
	struct lock {
		void *next;
		unsigned word;
	} *l = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct robust_head *head = (void *)(l + 4), *got = NULL;
	size_t len = 0;
	pid_t pid;
	CHILD(pid)
	{
		head->next = &l->next;
		l->next = head;
		head->offset = (long)((char *)&l->word - (char *)l);
		l->word = (unsigned)getpid() | (unsigned)FUTEX_WAITERS;
		CHECK_EQ(syscall(SYS_set_robust_list, head, sizeof *head), 0);
		CHECK_EQ(syscall(SYS_get_robust_list, 0, &got, &len), 0);
		CHECK(got == head && len == sizeof *head);
		CHECK_ERR(syscall(SYS_set_robust_list, head, 1), EINVAL);
		CHECK_ERR(syscall(SYS_get_robust_list, 0, bad_unmapped(), &len), EFAULT);
		CHECK_ERR(syscall(SYS_get_robust_list, 0, &got, bad_unmapped()), EFAULT);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(l->word, (unsigned)FUTEX_WAITERS | FUTEX_OWNER_DIED);
}

/* Two threads hand a word to and fro: a lost wake-up would hang. */
static void *pong(void *arg)
{
	for (unsigned i = 0; i < 2000; i++) {
		while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) != 1)
			futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
		__atomic_store_n(&word, 0, __ATOMIC_SEQ_CST);
		futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	}
	return arg;
}

static void no_wake_is_lost(void)
{
	pthread_t t;
	word = 0;
	pthread_create(&t, NULL, pong, NULL);
	for (unsigned i = 0; i < 2000; i++) {
		__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
		futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
		while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) != 0)
			futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	}
	pthread_join(t, NULL);
}

int main(void)
{
	RUN(plain_errors);
	RUN(timeouts_last);
	RUN(wake_counts);
	RUN(bitsets_select);
	RUN(requeue_moves_sleepers);
	RUN(wake_op);
	RUN(shared_between_processes);
	RUN(shared_through_a_file_at_two_addresses);
	RUN(private_words_do_not_meet);
	RUN(interrupted);
	RUN(robust_list_marks_owner_died);
	RUN(no_wake_is_lost);
	return check_end();
}

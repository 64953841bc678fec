/* SPDX-License-Identifier: BSD-2-Clause */
/* Futexes, as user processes that share memory see them. */
#include "ktest_rs.h"

enum { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET = 9, WAKE_BITSET = 10, PRIVATE = 128, REALTIME = 256 };
struct timespec64 { int64_t sec, nsec; };

static volatile uint32_t word, word2;

static int64_t futex(volatile uint32_t *addr, int op, uint32_t val, uint64_t arg, volatile uint32_t *addr2, uint32_t val3)
{
	return linux_call(202, (uint64_t)addr, (uint64_t)op, val, arg, (uint64_t)addr2, val3);
}

static void waiter(struct thread *t)
{
	t->r[0] = futex(&word, (int)t->a[0], (uint32_t)t->a[1], 0, 0, (uint32_t)(t->a[0] & 0x7f ? 4 : 0));
}

static struct thread *start_waiter(int op, uint32_t value)
{
	struct thread *t = spawn(USER, waiter, op, value);

	sleep_ms(2);
	return t;
}

static void wait_and_wake(void)
{
	struct thread *t[3];

	word = 5;
	t[0] = start_waiter(WAIT, 4);
	CHECK(wait_done(t[0]) && t[0]->r[0] == -K_EAGAIN, "another value");
	reap(t[0]);
	for (int i = 0; i < 3; i++)
		t[i] = start_waiter(i ? WAIT | PRIVATE : WAIT, 5);
	CHECK_EQ(futex(&word, WAKE, 2, 0, 0, 0), 2, "wake two");
	CHECK(wait_done(t[0]) && wait_done(t[1]) && !t[2]->done, "the two that came first");
	CHECK_EQ(futex(&word2, WAKE, 2, 0, 0, 0), 0, "nobody waits there");
	CHECK_EQ(sys_futexwake(t[2]->ep, (vaddr_t)&word, 5), 0, "wake in the name of a process");
	CHECK(wait_done(t[2]) && t[2]->r[0] == 0, "the last one");
	for (int i = 0; i < 3; i++)
		reap(t[i]);
	CHECK_EQ(futex((volatile uint32_t *)((char *)&word + 1), WAKE, 1, 0, 0, 0), -K_EINVAL, "unaligned word");
	CHECK_EQ(futex((volatile uint32_t *)0x10, WAKE, 1, 0, 0, 0), -K_EFAULT, "a word that is not there");
	CHECK_EQ(futex(&word, 77, 1, 0, 0, 0), -K_ENOSYS, "unknown operation");
}

static void bitsets(void)
{
	struct thread *t = start_waiter(WAIT_BITSET, 5);

	CHECK_EQ(futex(&word, WAKE_BITSET, 9, 0, 0, 3), 0, "other bits");
	CHECK_EQ(futex(&word, WAKE_BITSET, 9, 0, 0, 0), -K_EINVAL, "no bits");
	CHECK_EQ(futex(&word, WAKE_BITSET, 9, 0, 0, 6), 1, "a common bit");
	CHECK(wait_done(t) && t->r[0] == 0, "woken");
	reap(t);
}

static void requeues(void)
{
	struct thread *t[3];

	for (int i = 0; i < 3; i++)
		t[i] = start_waiter(WAIT, 5);
	CHECK_EQ(futex(&word, CMP_REQUEUE, 1, 1, &word2, 4), -K_EAGAIN, "requeue with another value");
	CHECK_EQ(futex(&word, CMP_REQUEUE, 1, 1, &word2, 5), 2, "wake one, move one");
	CHECK(wait_done(t[0]), "woken");
	CHECK_EQ(futex(&word2, WAKE, 9, 0, 0, 0), 1, "the moved one");
	CHECK(wait_done(t[1]) && !t[2]->done, "not the one that stayed");
	CHECK_EQ(futex(&word, WAKE, 9, 0, 0, 0), 1, "the one that stayed");
	for (int i = 0; i < 3; i++)
		reap(t[i]);
}

static void wake_op(void)
{
	struct thread *t = start_waiter(WAIT, 5);

	word2 = 7;
	/* word2 += 3; wake a waiter of word, and one of word2 if it was 7. */
	CHECK_EQ(futex(&word, WAKE_OP, 1, 1, &word2, 1u << 28 | 3u << 12 | 7), 1, "wake with an operation");
	CHECK_EQ(word2, 10, "the operation");
	CHECK(wait_done(t), "the waiter");
	CHECK_EQ(futex(&word, WAKE_OP, 1, 1, &word2, 9u << 24), -K_ENOSYS, "unknown comparison");
	reap(t);
}

static void timed_wait(struct thread *t)
{
	struct timespec64 ts = { 0, 20 * NS_PER_MS }, bad = { 0, 2000000000 }, now;
	nstime_t before = sys_uptime();

	word = 5;
	t->r[0] = futex(&word, WAIT, 5, (uint64_t)&ts, 0, 0);
	t->r[1] = (int64_t)(sys_uptime() - before);
	t->r[2] = futex(&word, WAIT, 5, (uint64_t)&bad, 0, 0);
	linux_call(228, 1, (uint64_t)&now, 0, 0, 0, 0);
	now.nsec += 10 * NS_PER_MS;
	if (now.nsec >= 1000000000)
		now.sec++, now.nsec -= 1000000000;
	t->r[3] = futex(&word, WAIT_BITSET, 5, (uint64_t)&now, 0, ~0u);
	linux_call(228, 0, (uint64_t)&now, 0, 0, 0, 0);
	now.sec--;
	t->r[4] = futex(&word, WAIT_BITSET | REALTIME, 5, (uint64_t)&now, 0, ~0u);
}

static void time_outs(void)
{
	struct thread *t = spawn(SERVICE, timed_wait, 0, 0);

	CHECK(wait_done(t), "time-outs come");
	CHECK_EQ(t->r[0], -K_ETIMEDOUT, "relative time-out");
	check(t->r[1] >= 20 * NS_PER_MS && t->r[1] < 200 * NS_PER_MS, "after the time asked for", t->r[1]);
	CHECK_EQ(t->r[2], -K_EINVAL, "bad time");
	CHECK_EQ(t->r[3], -K_ETIMEDOUT, "absolute time-out");
	CHECK_EQ(t->r[4], -K_ETIMEDOUT, "absolute real time in the past");
	reap(t);
}

/* The same frame at two addresses is one futex if mapped as shared. */
static void shared_by_frame(void)
{
	vaddr_t a = 0x340000000, b = 0x350000000;
	paddr_t f = frames_from_vm(1);
	struct thread *t;

	vm_map(MAP_ZERO, EP_RS, a, 1, f, 0, MAP_READ | MAP_WRITE | MAP_SHARED_FRAME);
	vm_map(MAP_FRAMES, EP_RS, b, 1, f, 0, MAP_READ | MAP_WRITE | MAP_SHARED_FRAME);
	*(volatile uint32_t *)a = 5;
	word = 5;
	t = start_waiter(WAIT, 5);
	reap(t);	/* dies while it waits */
	CHECK_EQ(futex((volatile uint32_t *)b, WAKE, 1, 0, 0, 0), 0, "nobody yet");
	CHECK_EQ(futex(&word, WAKE, 1, 0, 0, 0), 0, "the dead do not wait");
	vm_map(MAP_UNMAP, EP_RS, a, 1, 0, 0, 0);
	vm_map(MAP_UNMAP, EP_RS, b, 1, 0, 0, 0);
}

void check_futex(void)
{
	wait_and_wake();
	bitsets();
	requeues();
	wake_op();
	time_outs();
	shared_by_frame();
}

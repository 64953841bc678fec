/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap gives timers back in the order of their deadlines, however they were started, moved and stopped. */
#include <expect.h>
#include <stdlib.h>
#include <timer_heap.h>

enum { N = 500 };
static struct timer timers[N];
static struct timer_heap heap;

static void expired_in_order(void)
{
	nstime_t last = 0;
	int n = 0;

	for (int i = 0; i < N; i++)
		timer_heap_start(&heap, &timers[i], (nstime_t)(rand() % 1000 + 1));
	for (int i = 0; i < N; i += 3)
		timer_heap_start(&heap, &timers[i], (nstime_t)(rand() % 1000 + 1));
	for (int i = 0; i < N; i += 5)
		timer_heap_stop(&heap, &timers[i]);
	EXPECT_EQ(heap.count, N - N / 5);
	for (struct timer *t; (t = timer_heap_due(&heap, 2000)) != 0; n++) {
		EXPECT(t->deadline >= last);
		EXPECT(!timer_is_running(t));
		last = t->deadline;
	}
	EXPECT_EQ(n, N - N / 5);
	EXPECT_EQ(timer_heap_next(&heap), 0);
}

static void nothing_is_due_early(void)
{
	timer_heap_start(&heap, &timers[0], 100);
	EXPECT(timer_heap_due(&heap, 99) == 0);
	EXPECT_EQ(timer_heap_next(&heap), 100);
	EXPECT(timer_heap_due(&heap, 100) == &timers[0]);
	timer_heap_stop(&heap, &timers[0]);	/* stopping a stopped timer is fine */
	EXPECT_EQ(heap.count, 0);
}

int main(void)
{
	EXPECT_EQ(timer_heap_reserve(&heap, N), 0);
	for (int round = 0; round < 20; round++)
		expired_in_order();
	nothing_is_due_early();
	free(heap.slots);
	return expect_end();
}

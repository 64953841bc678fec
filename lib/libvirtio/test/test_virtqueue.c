/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtqueue with a device that does its work, and with one that lies. */
#include <expect.h>
#include <libvirtio/virtqueue.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 8, ROUNDS = 100000 };

static struct { struct virtqueue q; void *memory; uint16_t seen, used; } f;

static void set_up(void)
{
	free(f.memory);
	f.memory = malloc(virtqueue_bytes(SIZE));
	memset(f.memory, 0xa5, virtqueue_bytes(SIZE));
	virtqueue_init(&f.q, f.memory, SIZE);
	f.seen = f.used = 0;
}

/* The device takes the next available head; -1 none. */
static int device_take(void)
{
	if (f.q.avail->idx == f.seen)
		return -1;
	return f.q.avail->ring[f.seen++ % SIZE];
}

static void device_give(uint32_t id, uint32_t len)
{
	f.q.used->ring[f.used % SIZE].id = id;
	f.q.used->ring[f.used % SIZE].len = len;
	f.q.used->idx = ++f.used;
}

static void requests_come_back_in_any_order(void)
{
	uint16_t head;
	uint32_t len;

	set_up();
	for (int i = 0; i < 70000; i++) {	/* the indices wrap */
		EXPECT(virtqueue_submit(&f.q, 2));
		EXPECT(virtqueue_submit(&f.q, 5));
		EXPECT_EQ(virtqueue_take(&f.q, &head, &len), 0);
		EXPECT_EQ(device_take(), 2);
		EXPECT_EQ(device_take(), 5);
		device_give(5, 100);
		device_give(2, 200);
		EXPECT(virtqueue_take(&f.q, &head, &len) == 1 && head == 5 && len == 100);
		EXPECT(virtqueue_take(&f.q, &head, &len) == 1 && head == 2 && len == 200);
		EXPECT_EQ(virtqueue_take(&f.q, &head, &len), 0);
	}
	f.q.used->flags = VIRTQ_USED_NO_NOTIFY;
	EXPECT(!virtqueue_submit(&f.q, 0));
}

static void lie(uint32_t id, uint16_t ahead)
{
	uint16_t head;
	uint32_t len;

	set_up();
	virtqueue_submit(&f.q, 3);
	device_take();
	device_give(id, 1);
	f.q.used->idx = (uint16_t)(f.q.used->idx + ahead);
	EXPECT_EQ(virtqueue_take(&f.q, &head, &len), -1);
	EXPECT(f.q.broken);
	EXPECT_EQ(virtqueue_take(&f.q, &head, &len), -1);
	virtqueue_init(&f.q, f.memory, SIZE);
	EXPECT_EQ(virtqueue_take(&f.q, &head, &len), 0);
}

static void lies_break_the_queue(void)
{
	lie(4, 0);		/* nothing begins there */
	lie(SIZE, 0);		/* no descriptor */
	lie(0xffffffff, 0);
	lie(3, 1);		/* more than was asked */
	lie(3, 0x8000);
	lie(3, 0xfffe);		/* an index that goes back */
}

static void an_answer_given_twice_is_a_lie(void)
{
	uint16_t head;
	uint32_t len;

	set_up();
	virtqueue_submit(&f.q, 3);
	virtqueue_submit(&f.q, 4);
	device_give(3, 1);
	device_give(3, 1);
	EXPECT_EQ(virtqueue_take(&f.q, &head, &len), 1);
	EXPECT_EQ(virtqueue_take(&f.q, &head, &len), -1);
}

/* Whatever the shared memory says: each head that comes back was in progress. */
static void random_memory_does_no_harm(void)
{
	bool busy[SIZE] = { false };
	uint16_t head;
	uint32_t len;

	set_up();
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint16_t h = (uint16_t)rand() % SIZE;

		if (!busy[h]) {
			virtqueue_submit(&f.q, h);
			busy[h] = true;
		}
		f.q.used->ring[rand() % SIZE].id = (uint32_t)rand() % (SIZE + 1);
		f.q.used->idx = (uint16_t)(f.q.used->idx + rand() % 3);
		while (virtqueue_take(&f.q, &head, &len) > 0) {
			EXPECT(head < SIZE && busy[head]);
			busy[head] = false;
		}
		if (f.q.broken) {
			virtqueue_init(&f.q, f.memory, SIZE);
			memset(busy, 0, sizeof(busy));
		}
	}
}

int main(void)
{
	requests_come_back_in_any_order();
	lies_break_the_queue();
	an_answer_given_twice_is_a_lie();
	random_memory_does_no_harm();
	free(f.memory);
	return expect_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* One order of events after the other: what the owner of a request hears, and when. */
#include "world.h"
#include <abi/endpoint.h>
#include <errno.h>
#include <expect.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
static uint8_t arena[8 * 512];
static struct bdev *dev;
static err_t opened_result;
static uint32_t opened_count, done_count, events;
static int64_t last_result;

static void opened(struct bdev *d, err_t r) { EXPECT(d == dev); opened_result = r; opened_count++; }
static void on_event(struct bdev *d, int e) { EXPECT(d == dev); events |= 1u << e; }
static void done(struct bdev_io *io, int64_t result) { (void)io; last_result = result; done_count++; }
static bool told(int event) { bool t = events >> event & 1; events = 0; return t; }

static const struct bdev_options options = { .opened = opened, .event = on_event };

static void set_up(void)
{
	world_init();
	opened_count = done_count = events = 0;
	memset(arena, 0, sizeof(arena));
	EXPECT_EQ(bdev_memory_add(arena, sizeof(arena)), 0);
	EXPECT_EQ(bdev_open("disk", 1, BDEV_ACCESS_READ | BDEV_ACCESS_WRITE, &options, &dev), 0);
}

static void set_up_open(void)
{
	set_up();
	world_start(100);
	world_deliver();
	world_serve();
	world_deliver();
	EXPECT_EQ(opened_count, 1);
}

static void tear_down(void)
{
	bool up = bdev_is_up(dev);

	bdev_close(dev);
	for (int i = 0; i < 3; i++) {
		world_serve();
		world_deliver();
	}
	if (up)
		EXPECT_EQ(world.opens[1], 0);
	for (struct bdev_peer *p = bdev_core.peers, *next; p; p = next) {
		EXPECT(!p->devs);
		next = p->next;
		free(p->slots);
		free(p->segs);
		free(p);
	}
}

static struct bdev_io *io_make(uint32_t op, uint64_t pos, uint64_t len)
{
	static struct bdev_io ios[8];
	static int next;
	struct bdev_io *io = &ios[next++ % 8];

	*io = (struct bdev_io){ .dev = dev, .op = op, .pos = pos, .len = len, .data = arena, .done = done };
	return io;
}

/* ---- */

static void open_waits_for_the_driver(void)
{
	set_up();
	EXPECT_EQ(opened_count, 0);
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_pass(60000 * MS);
	EXPECT_EQ(opened_count, 0);
	world_start(100);
	world_deliver();
	world_serve();
	world_deliver();
	EXPECT_EQ(opened_count, 1);
	EXPECT_EQ(opened_result, 0);
	EXPECT_EQ(bdev_size(dev), WORLD_DISK);
	world_serve();
	world_deliver();
	EXPECT_EQ(done_count, 1);
	EXPECT_EQ(last_result, 512);
	EXPECT_EQ(bdev_stats(dev)->recoveries, 0);
	tear_down();
}

static void open_of_no_such_minor_is_told(void)
{
	struct bdev *other;
	const struct bdev_options o = { .opened = opened };

	set_up_open();
	other = dev;
	EXPECT_EQ(bdev_open("disk", 9, BDEV_ACCESS_READ, &o, &dev), 0);
	world_serve();
	world_deliver();
	EXPECT_EQ(opened_result, -ENXIO);
	bdev_submit(io_make(BDEV_READ, 0, 512));
	EXPECT_EQ(done_count, 0);
	world_pass(1);
	EXPECT_EQ(last_result, -EIO);
	bdev_close(dev);
	dev = other;
	tear_down();
}

/* The clients' sum tells of their requests; that a minor is opened again is libbdev's own business. */
static void open_that_is_sent_again_is_no_request(void)
{
	struct message m;

	set_up();
	world_start(100);
	world_deliver();
	m = world_take(0);	/* OPEN */
	world_answer(&m, -ERESTARTSYS);
	world_deliver();
	world_pass(20 * MS);
	world_serve();
	world_deliver();
	EXPECT_EQ(opened_count, 1);
	EXPECT_EQ(bdev_stats(dev)->repeated, 0);
	tear_down();
}

static void death_before_the_answer_repeats(endpoint_t successor)
{
	set_up_open();
	arena[0] = 77;
	bdev_submit(io_make(BDEV_WRITE, 1024, 512));
	world_die(true);
	world_start(successor);
	world_deliver();
	world_serve();	/* OPEN */
	world_deliver();
	world_serve();
	world_deliver();
	EXPECT_EQ(done_count, 1);
	EXPECT_EQ(last_result, 512);
	EXPECT_EQ(world.disk[1024], 77);
	EXPECT_EQ(bdev_stats(dev)->repeated, 1);
	EXPECT_EQ(bdev_stats(dev)->recoveries, 1);
	EXPECT(told(BDEV_EVENT_UP));
	tear_down();
}

static void late_answer_is_dropped(void)
{
	struct message m;

	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	m = world_take(0);
	world_die(true);
	world_start(100);
	world_deliver_news();
	world_answer(&m, -EIO);		/* of the dead one, as it happens */
	world_deliver();
	EXPECT_EQ(done_count, 0);
	EXPECT_EQ(bdev_stats(dev)->late, 1);
	EXPECT_EQ(world.rs_requests, 0);
	for (int i = 0; i < 2; i++) {
		world_serve();
		world_deliver();
	}
	EXPECT_EQ(last_result, 512);
	tear_down();
}

static void restart_answer_waits_for_the_event(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_die(false);
	world_start(100);
	world.key_up = false;		/* the news is late */
	world_serve();
	world_deliver();
	EXPECT_EQ(done_count, 0);
	world.key_up = true;
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	EXPECT_EQ(done_count, 1);
	EXPECT_EQ(last_result, 512);
	tear_down();
}

static void restart_answer_without_event_opens_again(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	memset(world.opens, 0, sizeof(world.opens));
	for (int i = 0; i < 3; i++) {
		world_serve();
		world_deliver();
		world_pass(20 * MS);
	}
	EXPECT_EQ(done_count, 1);
	tear_down();
}

static void two_deaths_in_a_row(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_WRITE, 0, 512));
	bdev_submit(io_make(BDEV_WRITE, 512, 512));
	world_die(true);
	world_start(101);
	world_deliver();
	world_die(true);	/* OPEN is lost with it */
	world_start(102);
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	world_deliver();
	EXPECT_EQ(done_count, 2);
	EXPECT_EQ(bdev_stats(dev)->recoveries, 2);
	tear_down();
}

static void given_up_by_rs_fails_at_once_until_up(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_give_up();
	world_deliver();
	EXPECT_EQ(last_result, -EIO);
	EXPECT(told(BDEV_EVENT_FAILED));
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_pass(0);
	EXPECT_EQ(done_count, 2);
	EXPECT_EQ(last_result, -EIO);
	world_start(100);
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_pass(0);
	EXPECT_EQ(done_count, 3);
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_serve();
	world_deliver();
	EXPECT_EQ(last_result, 512);
	tear_down();
}

static void taken_down_is_told_at_once_and_waited_for_a_while(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_WRITE, 0, 512));
	world_take_down();
	world_deliver();
	EXPECT(events == (1u << BDEV_EVENT_DOWN | 1u << BDEV_EVENT_GONE));
	bdev_submit(io_make(BDEV_READ, 512, 512));
	world_pass(4999 * MS);
	world_start(100);
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	EXPECT(events >> BDEV_EVENT_UP & 1);
	EXPECT_EQ(done_count, 2);
	EXPECT_EQ(last_result, 512);
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_take_down();
	world_deliver();
	world_pass(4999 * MS);
	EXPECT_EQ(done_count, 2);
	world_pass(2 * MS);
	EXPECT_EQ(last_result, -EIO);
	EXPECT(told(BDEV_EVENT_FAILED));
	EXPECT_EQ(world.rs_requests, 0);
	tear_down();
}

/* RS's answer comes when nobody wants it any more. */
static void hung_driver_is_taken_down(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_pass(5001 * MS);
	EXPECT_EQ(world.rs_requests, 1);
	world_take_down();
	world_deliver();
	world_rs_answers(-ESRCH);
	EXPECT_EQ(done_count, 0);
	EXPECT(told(BDEV_EVENT_GONE));
	world_start(101);
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	EXPECT_EQ(last_result, 512);
	tear_down();
}

static void hung_driver_is_restarted(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_pass(4999 * MS);
	EXPECT_EQ(world.rs_requests, 0);
	world_pass(2 * MS);
	EXPECT_EQ(world.rs_requests, 1);
	EXPECT(told(BDEV_EVENT_DOWN));
	world_rs_answers(0);
	world_die(true);
	world_start(100);
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	EXPECT_EQ(last_result, 512);
	EXPECT_EQ(done_count, 1);
	tear_down();
}

static void hangs_again_and_again_is_given_up(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	for (int i = 0; i < 2; i++) {
		world_pass(5001 * MS);
		world_rs_answers(0);
		world_die(true);
		world_start(100);
		world_deliver();
		world_serve();
		world_deliver();
		world.nr_inbox = 0;
	}
	EXPECT_EQ(done_count, 0);
	world_pass(5001 * MS);
	EXPECT_EQ(done_count, 1);
	EXPECT_EQ(last_result, -EIO);
	EXPECT(told(BDEV_EVENT_FAILED));
	tear_down();
}

static void refused_restart_is_bounded(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	for (int i = 0; i < 3 && !done_count; i++) {
		world_pass(5001 * MS);
		if (world.rs_open)
			world_rs_answers(-EPERM);
	}
	EXPECT_EQ(done_count, 1);
	EXPECT_EQ(last_result, -EIO);
	EXPECT_EQ(world.nr_grants, 0);	/* it lives, so it must not reach the memory any more */
	tear_down();
}

static void silent_rs_is_bounded(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_pass(200000 * MS);
	EXPECT_EQ(done_count, 1);
	EXPECT_EQ(last_result, -EIO);
	world.rs_open = 0;
	tear_down();
}

static void restart_that_never_comes_is_bounded(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	for (int i = 0; i < 100 && !done_count; i++) {
		world_pass(5000 * MS);
		if (world.rs_open)
			world_rs_answers(-EBUSY);
	}
	EXPECT_EQ(done_count, 1);
	EXPECT_EQ(last_result, -EIO);
	tear_down();
}

static void lie(uint64_t id_change, int64_t result, uint32_t lies)
{
	struct message m;

	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 1024));
	m = world_take(0);
	MSG_BODY(struct bdev_req, &m)->id += id_change;
	world_answer(&m, result);
	world_deliver();
	EXPECT_EQ(done_count, 0);
	EXPECT_EQ(bdev_stats(dev)->lies, lies);
	EXPECT_EQ(world.rs_requests, 1);
	world_rs_answers(0);
	world_die(true);
	world_start(100);
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	EXPECT_EQ(done_count, 1);
	EXPECT_EQ(last_result, 1024);
	tear_down();
}

static void lies_are_recognised(void)
{
	lie(1, 1024, 1);		/* another slot */
	lie(256, 1024, 1);		/* another serial */
	lie(1ull << 32, 1024, 1);	/* an epoch that has not begun */
	lie(0, 1025, 1);
	lie(0, 512, 1);			/* short, but not at the end of the device */
	lie(0, -5000, 1);
	lie(0, 0, 1);
}

static void end_of_device_is_short(void)
{
	struct message m;

	set_up_open();
	bdev_submit(io_make(BDEV_READ, WORLD_DISK - 512, 1024));
	m = world_take(0);
	world_answer(&m, 512);
	world_deliver();
	EXPECT_EQ(last_result, 512);
	EXPECT_EQ(world.rs_requests, 0);
	bdev_submit(io_make(BDEV_READ, WORLD_DISK + 512, 1024));
	world_serve();
	world_deliver();
	EXPECT_EQ(last_result, 0);
	tear_down();
}

static void other_size_after_restart_is_an_error(void)
{
	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	world_die(true);
	world_start(100);
	world.disk_size /= 2;
	world_deliver();
	world_serve();
	world_deliver();
	EXPECT_EQ(last_result, -EIO);
	EXPECT(told(BDEV_EVENT_CHANGED));
	world_die(true);
	world_start(100);
	world.disk_size *= 2;
	for (int i = 0; i < 2; i++) {
		world_deliver();
		world_serve();
	}
	world_deliver();
	EXPECT(bdev_is_up(dev));
	tear_down();
}

static void dead_endpoint_waits_for_the_event(void)
{
	struct message m;

	set_up_open();
	bdev_submit(io_make(BDEV_READ, 0, 512));
	m = world_take(0);
	world_die(true);
	bdev_send_failed(100, &m, -EDEADSRCDST);
	world_pass(60000 * MS);
	EXPECT_EQ(world.rs_requests, 0);
	EXPECT(told(BDEV_EVENT_DOWN));
	world_start(300);
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	EXPECT_EQ(last_result, 512);
	tear_down();
}

static void vectors_and_foreign_memory(void)
{
	uint8_t elsewhere[512] = { 5 };
	struct bdev_vec vec[2] = { { arena + 512, 512 }, { arena + 2048, 1024 } }, bad[1] = { { elsewhere, 512 } };
	struct bdev_io *io;

	set_up_open();
	arena[512] = 1; arena[2048] = 2; arena[2560] = 3;
	io = io_make(BDEV_WRITE, 0, 1536);
	io->vec = vec;
	io->nvec = 2;
	bdev_submit(io);
	world_serve();
	world_deliver();
	EXPECT_EQ(last_result, 1536);
	EXPECT_EQ(world.disk[0] * 100 + world.disk[512] * 10 + world.disk[1024], 123);
	io = io_make(BDEV_WRITE, 512, 512);
	io->data = elsewhere;
	bdev_submit(io);
	world_die(true);
	world_start(400);
	for (int i = 0; i < 3; i++) {
		world_deliver();
		world_serve();
	}
	EXPECT_EQ(last_result, 512);
	EXPECT_EQ(world.disk[512], 5);
	io = io_make(BDEV_WRITE, 512, 512);
	io->vec = bad;
	io->nvec = 1;
	bdev_submit(io);
	world_pass(0);
	EXPECT_EQ(last_result, -EFAULT);
	EXPECT_EQ(world.nr_grants, 2);	/* arena, segments */
	tear_down();
}

static void more_requests_than_slots(void)
{
	static struct bdev_io ios[200];

	set_up_open();
	for (uint32_t i = 0; i < 200; i++) {
		ios[i] = (struct bdev_io){ .dev = dev, .op = BDEV_READ, .pos = i % 8 * 512, .len = 512, .data = arena + i % 8 * 512,
			.done = done };
		bdev_submit(&ios[i]);
	}
	EXPECT_EQ(world.nr_inbox, BDEV_SLOTS);
	world_die(true);
	world_start(100);
	for (int i = 0; i < 8; i++) {
		world_deliver();
		world_serve();
	}
	EXPECT_EQ(done_count, 200);
	tear_down();
}

static void close_at_any_time(void)
{
	for (int when = 0; when < 4; when++) {
		set_up();
		if (when >= 1)
			world_start(100);
		if (when >= 2)
			world_deliver();
		if (when >= 3)
			world_serve();
		bdev_close(dev);
		for (int i = 0; i < 3; i++) {
			world_deliver();
			world_serve();
		}
		EXPECT_EQ(world.opens[1], 0);
		EXPECT_EQ(opened_count, 0);
		EXPECT_EQ(bdev_open("disk", 1, BDEV_ACCESS_READ, 0, &dev), 0);
		tear_down();
	}
}

int main(void)
{
	open_waits_for_the_driver();
	open_of_no_such_minor_is_told();
	open_that_is_sent_again_is_no_request();
	death_before_the_answer_repeats(100);
	death_before_the_answer_repeats(200);
	late_answer_is_dropped();
	restart_answer_waits_for_the_event();
	restart_answer_without_event_opens_again();
	two_deaths_in_a_row();
	given_up_by_rs_fails_at_once_until_up();
	taken_down_is_told_at_once_and_waited_for_a_while();
	hung_driver_is_taken_down();
	hung_driver_is_restarted();
	hangs_again_and_again_is_given_up();
	refused_restart_is_bounded();
	silent_rs_is_bounded();
	restart_that_never_comes_is_bounded();
	lies_are_recognised();
	end_of_device_is_short();
	other_size_after_restart_is_an_error();
	dead_endpoint_waits_for_the_event();
	vectors_and_foreign_memory();
	more_requests_than_slots();
	close_at_any_time();
	return expect_end();
}

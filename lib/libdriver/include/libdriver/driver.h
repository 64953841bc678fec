/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all drivers share, whatever protocol they speak: start-up with the driver-up announcement, reception without messages that were
 * meant for a dead predecessor, a queue for what arrives at a bad moment, and the main loop.
 *
 * The class of a driver (libdriver/cdev.h, libdriver/bdev.h) knows its protocol: struct driver_class. A driver whose class library
 * suits it never needs this header. One with a loop of its own calls driver_startup() and then receives by driver_receive() or
 * driver_receive_mq().
 *
 * A driver that is started again may keep its endpoint, so requests to its predecessor can still reach it. They name minors that
 * nobody has opened since the announcement: that is how the class recognises them. Which minors are open is therefore the only
 * state that the class keeps, and it is meant to be lost.
 */
#pragma once
#include <abi/errno.h>
#include <libsef/sef.h>
#include <stdbool.h>

struct driver_class {
	const char *event;	/* start of the key of the driver-up event in DS, "drv.chr."; 0: this driver announces nothing */

	/* Is m a request of this class? If so it has been served or answered. */
	bool (*request)(const struct message *m, uint32_t status);
	/* Was m, a request, meant for a predecessor? If so it has been ended as the protocol wants it: answered or dropped. */
	bool (*stale)(const struct message *m, uint32_t status);
	/* The announcement is out: no minor is open. `again`: a predecessor lived. */
	void (*forget)(bool again);
};

/* A callback that is 0: [what happens instead]. */
struct driver {
	const struct driver_class *class;
	struct sef_callbacks sef;			/* as for any service; [init_restart: init_fresh] */
	void (*on_irq)(uint64_t irqs);			/* set of notify ids given to KC_IRQCTL [ignored] */
	void (*on_alarm)(nstime_t now);			/* [ignored] */
	void (*on_notify)(endpoint_t source);		/* DS and others [ignored] */
	/* Any other message. Requests with IPC_STATUS_CALL must be answered by it. [answered -EBADREQUEST] */
	void (*on_message)(const struct message *m, uint32_t status);
};

/* sef_startup(), and after a successful fresh or restart initialisation driver_announce(). *d must stay. */
void driver_startup(const struct driver *d);

/*
 * The driver is up: whoever waits for the predecessor by IPC is let go (only if it was restarted with the endpoint kept), then
 * the event is published, then no minor is open. Stops with words if that fails. An update with the state moved over announces nothing.
 */
void driver_announce(bool restarted);

/* sef_receive() without requests meant for a predecessor. Notifications always pass. */
err_t driver_receive(endpoint_t src, struct message *m, uint32_t *status);

/* As driver_receive(EP_ANY), but what driver_mq_queue() kept comes first, with the status it came with. */
err_t driver_receive_mq(struct message *m, uint32_t *status);

/* Keep a message that arrived while the driver waits for something else, for the next driver_receive_mq(). -ENOMEM. */
err_t driver_mq_queue(const struct message *m, uint32_t status);

/* One message: to the callback that is meant. */
void driver_dispatch(const struct message *m, uint32_t status);

/* Start up, announce, serve for ever. */
void driver_task(const struct driver *d) __attribute__((noreturn));

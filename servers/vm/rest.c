/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a process dies whose memory has been given to a device (the kernel knows, see KC_VUMAP, or it had contiguous memory), the device may
 * be in the middle of writing there. Its frames must not become anybody else's before that has ended. They rest for a time after which it
 * has ended in every case: a driver gives its device at most two seconds for a request and then resets it (lib/libdriver, bdev.h); a
 * driver that died is started again, and its successor resets the device first; of a driver that is given up the PCI server switches the
 * bus mastering off.
 *
 * If VM dies here: frames that rest are mapped nowhere, so they are free memory when it is built anew from what is mapped.
 */
#include "rest.h"
#include "tick.h"
#include <stddef.h>

static struct { struct space *first; } rest;

void rest_begin(struct space *s)
{
	s->rest_ticks = REST_TICKS + 1;	/* the first may come at once */
	s->rest_next = rest.first;
	rest.first = s;
	tick_needed();
}

bool rest_tick(void)
{
	for (struct space **at = &rest.first; *at;) {
		struct space *s = *at;

		if (--s->rest_ticks) {
			at = &s->rest_next;
			continue;
		}
		*at = s->rest_next;
		space_free(s);
	}
	return rest.first != NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio disk on the host, and all else that the driver's files call: time, grants, answers. Physical addresses are pointers. The device
 * does what it is asked, sooner or later, in any order; with `lying` it also breaks every rule there is for what it writes.
 * It never claims to have done what it has not: that no driver could find out.
 */
#pragma once
#include "../vblk.h"

enum { FAKE_DISK = 2 << 20, FAKE_PENDING = 256, FAKE_AREAS = 128 };

struct fake {
	bool lying, mute;		/* mute: answers nothing */
	uint8_t disk[FAKE_DISK];
	nstime_t now;
	/* what it says of itself */
	uint64_t features, sectors;
	uint32_t block_size, segs_max, size_max, discard_max, zeroes_max, queue_size;
	int refuse_resets;		/* so many */
	uint32_t lazy, answered;	/* lazy: after a reset it answers so many and no more; 0: all */
	/* its queue */
	bool running;
	const struct virtqueue *q;
	uint16_t seen, pending[FAKE_PENDING];
	uint32_t nr_pending;
	uint16_t doorbell;
	/* memory that it may touch */
	struct { uint8_t *p; size_t len; bool mine; } areas[FAKE_AREAS];
	uint32_t nr_areas, lies, resets, wrong;		/* wrong: the driver broke a rule */
};
extern struct fake fake;

void fake_power_on(uint32_t block_size);
void fake_honest(uint32_t block_size);			/* from now on */
void fake_power_off(void);				/* and its DMA memory is gone */
void fake_step(void);					/* it does something, perhaps */
void fake_area_add(void *p, size_t len);
void fake_area_remove(void *p);
void fake_buffer(void *p, size_t len);			/* what the next grant looked up stands for */
void fake_answered(const struct bdev_request *r, int64_t result);	/* the test's */

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue, the driver's side (virtio 1.1, section 2.6). The user of the queue decides which descriptor heads which request and
 * writes the descriptors itself; the queue makes heads available and takes used ones back.
 *
 * Everything the device writes may be a lie. What the driver must remember about requests lies in its own memory (busy), never in the
 * shared one. A used index that runs ahead of what is in progress, or a used id that heads nothing, makes the queue broken: it gives
 * nothing more until it is set up again, and its user resets the device.
 */
#pragma once
#include <abi/types.h>
#include <stdbool.h>

enum { VIRTQUEUE_SIZE_MAX = 256 };
enum { VIRTQ_DESC_NEXT = 1, VIRTQ_DESC_WRITE = 2 /* by the device */, VIRTQ_DESC_INDIRECT = 4 };
enum { VIRTQ_USED_NO_NOTIFY = 1, VIRTQ_AVAIL_NO_INTERRUPT = 1 };

struct virtq_desc { uint64_t addr; uint32_t len; uint16_t flags, next; };
struct virtq_avail { uint16_t flags, idx, ring[]; };
struct virtq_used_elem { uint32_t id, len; };
struct virtq_used { uint16_t flags, idx; struct virtq_used_elem ring[]; };

struct virtqueue {
	uint16_t size;			/* power of 2 */
	uint16_t next_avail, last_used, in_progress;
	bool broken;
	struct virtq_desc *desc;	/* shared with the device */
	volatile struct virtq_avail *avail;
	volatile struct virtq_used *used;
	bool busy[VIRTQUEUE_SIZE_MAX];	/* heads a request in progress */
};

/* Where the parts lie in one piece of memory, bytes from its start (4 KiB aligned). */
static inline uint32_t virtqueue_avail_offset(uint16_t size) { return size * (uint32_t)sizeof(struct virtq_desc); }
static inline uint32_t virtqueue_used_offset(uint16_t size)
{
	return (virtqueue_avail_offset(size) + 6 + 2 * (uint32_t)size + 7) & ~7u;
}
static inline uint32_t virtqueue_bytes(uint16_t size)
{
	return virtqueue_used_offset(size) + 6 + (uint32_t)sizeof(struct virtq_used_elem) * size;
}

/* memory: virtqueue_bytes(size), which is zeroed. */
void virtqueue_init(struct virtqueue *q, void *memory, uint16_t size);

/* Make the request that descriptor `head` (not busy) begins available. true: the device wants to be notified. */
bool virtqueue_submit(struct virtqueue *q, uint16_t head);

/* The next request the device is done with: 1, and bytes it says it has written; 0 none; -1 the queue is broken. */
int virtqueue_take(struct virtqueue *q, uint16_t *head, uint32_t *len);

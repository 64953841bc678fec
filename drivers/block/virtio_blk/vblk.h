/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the virtio disk driver.
 *
 *   client's request -> struct vblk_io -> one or more struct vblk_slot -> device
 *
 * An io is a request of a client: its physical runs, and how far they have been handed out. A slot is one request to the device, with its
 * piece of DMA memory (header, status byte, descriptor table). An io needs several slots when it has more runs than the device takes in
 * one request.
 */
#pragma once
#include <libdriver/bdev.h>
#include <libvirtio/virtio.h>

enum { VBLK_DISKS_MAX = 16, VBLK_SLOTS_MAX = 32, VBLK_SEGS_MAX = 126, VBLK_SECTOR = 512, VBLK_TRIES = 3,
	VBLK_RESETS_MAX = 3, VBLK_SIZE_IRQ = 32 };
/* A flush writes to nobody's memory and may take the host long. */
#define VBLK_TIMEOUT_NS 2000000000ull
#define VBLK_FLUSH_NS 8000000000ull
#define VBLK_REVIVE_NS 1000000000ull

/* The device's request header, virtio 1.1 section 5.2.6, and what a discard says. */
enum { VBLK_T_IN = 0, VBLK_T_OUT = 1, VBLK_T_FLUSH = 4, VBLK_T_DISCARD = 11, VBLK_T_WRITE_ZEROES = 13, VBLK_RANGE_UNMAP = 1 };
/* A part of a request to write zeros: the host may have to write them, within the time of a request. */
enum { VBLK_ZEROES_MAX = 32 << 20 };
struct vblk_header { uint32_t type, reserved; uint64_t sector; };
struct vblk_range { uint64_t sector; uint32_t sectors, flags; };

struct vblk_dma {			/* shared with the device */
	struct vblk_header header;
	struct vblk_range range;
	uint8_t status, pad[15];
	struct virtq_desc table[VBLK_SEGS_MAX + 2];
};

struct vblk_io {
	struct vblk_io *next;		/* waiting for slots */
	struct bdev_request req;	/* segments are gone */
	uint32_t nr_runs, run;		/* runs handed out so far; */
	uint64_t run_done, done;	/* bytes of the next one, and of all, handed out */
	uint32_t parts;			/* slots in progress */
	uint32_t tries;
	bool then_flush;		/* a write that must be on stable storage: flush before the answer */
	bool waiting;
	int64_t result;			/* 0 or the first error */
	struct phys_run runs[];
};

struct vblk_slot {
	struct vblk_io *io;		/* 0: free */
	uint16_t head;
	uint64_t bytes;			/* of data */
	nstime_t deadline;
	struct vblk_dma *dma;
	paddr_t dma_paddr;
};

struct vblk_disk {
	struct virtio v;
	struct virtqueue q;
	volatile uint16_t *doorbell;
	void *queue_memory;
	paddr_t queue_paddr;
	uint16_t queue_size;
	uint64_t sectors;
	uint32_t block_size, segs_max, size_max, discard_max, zeroes_max;
	bool read_only, dead;		/* dead: it could not be reset; everything fails */
	bool zeroes_unmap;		/* zeros may be written by giving blocks up */
	bool polled;			/* it cannot send interrupts */
	bool tells_size;		/* a new size raises notify id VBLK_SIZE_IRQ + disk */
	nstime_t revive;		/* dead: not tried again before */
	uint32_t resets;		/* in a row, without an answer between */
	uint32_t nr_slots, in_progress;
	struct vblk_slot slots[VBLK_SLOTS_MAX];
	struct vblk_io *first, **last;	/* waiting for a slot */
};

/* vblk_disk.c */
err_t vblk_disk_init(struct vblk_disk *d, uint32_t dev, uint32_t notify_id);
/* If the device can tell of a new size, and there is a message for it. */
void vblk_size_watch(struct vblk_disk *d, uint32_t notify_id);
err_t vblk_disk_start(struct vblk_disk *d);	/* reset and set up; what was in progress is forgotten by the device */
bool vblk_size_look(struct vblk_disk *d);	/* has the device another size by now? */

/* vblk_io.c */
int64_t vblk_transfer(struct vblk_disk *d, const struct bdev_request *r);
int64_t vblk_command(struct vblk_disk *d, const struct bdev_request *r);	/* flush, discard, write zeros */
void vblk_completions(struct vblk_disk *d);
void vblk_timeouts(struct vblk_disk *d, nstime_t now);
/* One request, waiting for it here; paddr is DMA memory of len bytes. */
err_t vblk_read_now(struct vblk_disk *d, uint64_t pos, paddr_t paddr, uint32_t len);

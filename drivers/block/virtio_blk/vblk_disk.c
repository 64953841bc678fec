/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One virtio disk: from the PCI device to a queue that runs. Everything that the device says of itself is checked for sense here: sizes
 * are cut to what the driver can hold, and a device that makes no sense is not used.
 */
#include "vblk.h"
#include <errno.h>
#include <libpci/pci.h>

/* Feature bits and configuration, virtio 1.1 sections 5.2.3 and 5.2.4. */
#define F_SIZE_MAX (1ull << 1)
#define F_SEG_MAX (1ull << 2)
#define F_RO (1ull << 5)
#define F_BLK_SIZE (1ull << 6)
#define F_FLUSH (1ull << 9)
#define F_DISCARD (1ull << 13)
#define F_WRITE_ZEROES (1ull << 14)
enum { CFG_CAPACITY = 0, CFG_SIZE_MAX = 8, CFG_SEG_MAX = 12, CFG_BLK_SIZE = 20, CFG_DISCARD_MAX = 36, CFG_ZEROES_MAX = 48,
	CFG_ZEROES_UNMAP = 56, BLOCK_SIZE_MAX = 4096 };
enum { DIRECT_SLOTS = 8 };

/* A block may lie in 512-byte segments, each of which may cross a page. */
static uint32_t segs_of_block(const struct vblk_disk *d) { return 2 * (d->block_size / VBLK_SECTOR); }

/* Without a table of its own for each slot, the slots share the queue's descriptors. */
static void slots_share_queue(struct vblk_disk *d)
{
	uint32_t needed = segs_of_block(d) + 2, share;

	d->nr_slots = d->queue_size / needed < DIRECT_SLOTS ? d->queue_size / needed : DIRECT_SLOTS;
	share = d->nr_slots ? d->queue_size / d->nr_slots : 2;
	if (share < d->segs_max + 2)
		d->segs_max = share - 2;
	for (uint32_t i = 0; i < d->nr_slots; i++)
		d->slots[i].head = (uint16_t)(i * share);
}

static void slots_divide(struct vblk_disk *d)
{
	if (!(d->v.features & VIRTIO_F_INDIRECT)) {
		slots_share_queue(d);
		return;
	}
	d->nr_slots = d->queue_size < VBLK_SLOTS_MAX ? d->queue_size : VBLK_SLOTS_MAX;
	for (uint32_t i = 0; i < d->nr_slots; i++)
		d->slots[i].head = (uint16_t)i;
}

static uint32_t config_if(struct vblk_disk *d, uint64_t feature, uint32_t offset, uint32_t otherwise)
{
	return d->v.features & feature ? virtio_config_read(&d->v, offset, 4) : otherwise;
}

/* Whole blocks, and no more bytes than a file offset can say. */
static uint64_t capacity_read(struct vblk_disk *d)
{
	uint64_t sectors = virtio_config_read64(&d->v, CFG_CAPACITY);

	if (sectors > INT64_MAX / VBLK_SECTOR)
		sectors = INT64_MAX / VBLK_SECTOR;
	return sectors & ~(uint64_t)(d->block_size / VBLK_SECTOR - 1);
}

bool vblk_size_look(struct vblk_disk *d)
{
	uint64_t before = d->sectors;

	d->sectors = capacity_read(d);
	return d->sectors != before;
}

static err_t limits_read(struct vblk_disk *d)
{
	d->block_size = config_if(d, F_BLK_SIZE, CFG_BLK_SIZE, VBLK_SECTOR);
	d->segs_max = config_if(d, F_SEG_MAX, CFG_SEG_MAX, VBLK_SEGS_MAX);
	d->size_max = config_if(d, F_SIZE_MAX, CFG_SIZE_MAX, BDEV_LEN_MAX);
	d->discard_max = config_if(d, F_DISCARD, CFG_DISCARD_MAX, 0);
	d->zeroes_max = config_if(d, F_WRITE_ZEROES, CFG_ZEROES_MAX, 0);
	d->zeroes_unmap = (d->v.features & F_WRITE_ZEROES) && virtio_config_read(&d->v, CFG_ZEROES_UNMAP, 1) == 1;
	d->read_only = d->v.features & F_RO;
	if (d->segs_max == 0 || d->segs_max > VBLK_SEGS_MAX)
		d->segs_max = d->segs_max ? VBLK_SEGS_MAX : 1;
	if (d->size_max > BDEV_LEN_MAX)
		d->size_max = BDEV_LEN_MAX;
	if (d->block_size < VBLK_SECTOR || d->block_size > BLOCK_SIZE_MAX || (d->block_size & (d->block_size - 1)))
		return -ENODEV;
	if (!d->sectors)	/* another one than before is for vblk_size_look() to find, so that the clients hear of it */
		d->sectors = capacity_read(d);
	return d->size_max >= PAGE_BYTES ? 0 : -ENODEV;
}

err_t vblk_disk_start(struct vblk_disk *d)
{
	uint32_t before = d->block_size;
	err_t r = virtio_reset(&d->v);

	if (r == 0)
		r = virtio_negotiate(&d->v, VIRTIO_F_INDIRECT | F_SIZE_MAX | F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH | F_DISCARD
			| F_WRITE_ZEROES);
	if (r == 0)
		r = limits_read(d);
	/* Requests in progress are made of blocks of this size. */
	if (r == 0 && before && d->block_size != before)
		r = -ENODEV;
	if (r != 0 && before)
		d->block_size = before;
	if (r == 0 && virtio_queue_size(&d->v, 0) < d->queue_size)
		r = -ENODEV;
	if (r != 0)
		return r;
	slots_divide(d);
	if (d->nr_slots == 0 || d->segs_max < segs_of_block(d))
		return -ENODEV;
	virtqueue_init(&d->q, d->queue_memory, d->queue_size);
	if (d->polled)
		d->q.avail->flags = VIRTQ_AVAIL_NO_INTERRUPT;
	r = virtio_queue_enable(&d->v, 0, &d->q, d->queue_paddr, d->polled ? VIRTIO_NO_VECTOR : 0, &d->doorbell);
	if (d->tells_size && virtio_config_vector(&d->v, 1) != 0)
		d->tells_size = false;
	if (r == 0)
		virtio_start(&d->v);
	return r;
}

void vblk_size_watch(struct vblk_disk *d, uint32_t notify_id)
{
	d->tells_size = !d->polled && pci_msix_set(d->v.dev, 1, VBLK_SIZE_IRQ + notify_id, 0) == 0
		&& virtio_config_vector(&d->v, 1) == 0;
}

static err_t memory_get(struct vblk_disk *d)
{
	void *p;
	paddr_t paddr;
	err_t r = virtio_memory(virtqueue_bytes(d->queue_size), &d->queue_memory, &d->queue_paddr);

	if (r == 0)
		r = virtio_memory(sizeof(struct vblk_dma) * VBLK_SLOTS_MAX, &p, &paddr);
	for (uint32_t i = 0; i < VBLK_SLOTS_MAX && r == 0; i++) {
		d->slots[i].dma = (struct vblk_dma *)p + i;
		d->slots[i].dma_paddr = paddr + i * sizeof(struct vblk_dma);
	}
	return r;
}

static err_t interrupts_set(struct vblk_disk *d, uint32_t dev, uint32_t notify_id)
{
	err_t r = pci_msix_set(dev, 0, notify_id, 0);

	d->polled = r == -ENOENT || r == -ENOSPC;
	if (d->polled)
		log_warn("%02x:%02x.%u %s, and where its interrupt line goes is not known; "
			"it is looked at every millisecond, which is slow",
			dev >> 8, dev >> 3 & 31, dev & 7, r == -ENOENT ? "has no interrupt messages (MSI-X)" : "gets no interrupt message");
	return d->polled ? 0 : r;
}

err_t vblk_disk_init(struct vblk_disk *d, uint32_t dev, uint32_t notify_id)
{
	err_t r = virtio_attach(&d->v, dev);

	d->last = &d->first;
	if (r == 0)
		r = virtio_reset(&d->v);
	if (r == 0) {
		d->queue_size = virtio_queue_size(&d->v, 0);
		r = d->queue_size >= 4 ? memory_get(d) : -ENODEV;
	}
	if (r == 0)
		r = interrupts_set(d, dev, notify_id);
	return r ? r : vblk_disk_start(d);
}

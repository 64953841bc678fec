/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio 1.x device on the PCI bus (virtio 1.1, sections 3.1 and 4.1). Order of use: virtio_attach() once; then, also after a failure,
 * virtio_reset(), virtio_negotiate(), virtio_queue_enable() for each queue, virtio_start(). After virtio_reset() the device
 * touches no memory of ours any more.
 */
#pragma once
#include <abi/errno.h>
#include <libvirtio/virtqueue.h>

enum { VIRTIO_VENDOR = 0x1af4, VIRTIO_NO_VECTOR = 0xffff };
#define VIRTIO_F_INDIRECT (1ull << 28)
#define VIRTIO_F_VERSION_1 (1ull << 32)

struct virtio_block { volatile uint8_t *p; uint64_t len; };	/* registers */
struct virtio {
	uint32_t dev;		/* of libpci */
	struct virtio_block common, notify, config;
	uint32_t notify_multiplier;
	uint64_t features;	/* negotiated */
	bool mastering;		/* may write to memory */
};

/* Reserve the device and find its registers. -ENODEV: it has none of virtio 1.x. */
err_t virtio_attach(struct virtio *v, uint32_t dev);
/* -EIO: the device does not do it. */
err_t virtio_stop(struct virtio *v);
/* The device touches no memory of ours any more, if need be because it is cut off from the bus. */
void virtio_kill(struct virtio *v);
/* As virtio_stop(), and bus mastering is on afterwards. */
err_t virtio_reset(struct virtio *v);
/* v->features = what is wanted and offered. -ENODEV: it does not speak virtio 1.x, or refuses. */
err_t virtio_negotiate(struct virtio *v, uint64_t wanted);
/* How many entries queue n may have (a power of 2, at most VIRTQUEUE_SIZE_MAX), 0: there is none. */
uint16_t virtio_queue_size(struct virtio *v, uint16_t n);
/*
 * The queue at physical address paddr, with interrupts by MSI-X entry `vector`, or without any (VIRTIO_NO_VECTOR).
 * *doorbell: where notifications are written.
 */
err_t virtio_queue_enable(struct virtio *v, uint16_t n, const struct virtqueue *q, paddr_t paddr, uint16_t vector,
	volatile uint16_t **doorbell);
void virtio_start(struct virtio *v);
/* Until the next virtio_reset(): changes of the configuration raise MSI-X entry `vector`. -ENODEV: the device refuses. */
err_t virtio_config_vector(struct virtio *v, uint16_t vector);

/* The device's own configuration, aligned; 0 beyond its end. */
uint32_t virtio_config_read(const struct virtio *v, uint32_t offset, uint32_t width);
uint64_t virtio_config_read64(const struct virtio *v, uint32_t offset);	/* consistent */

/* Contiguous zeroed memory for queues. -ENOMEM. */
err_t virtio_memory(uint64_t bytes, void **p, paddr_t *paddr);

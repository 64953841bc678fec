/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio over PCI: the register blocks are found by vendor capabilities (virtio 1.1, section 4.1.4). Transitional devices have them too. */
#include <abi/endpoint.h>
#include <errno.h>
#include <libpci/pci.h>
#include <libsef/sef.h>
#include <libvirtio/virtio.h>
#include <proto/vm.h>

enum { CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_MULTIPLIER = 16 };
enum { BLOCK_COMMON = 1, BLOCK_NOTIFY = 2, BLOCK_CONFIG = 4 };
enum {	/* common configuration, section 4.1.4.3 */
	C_DEVICE_SELECT = 0, C_DEVICE_FEATURES = 4, C_DRIVER_SELECT = 8, C_DRIVER_FEATURES = 12, C_MSIX_CONFIG = 16, C_STATUS = 20,
	C_GENERATION = 21, C_QUEUE_SELECT = 22, C_QUEUE_SIZE = 24, C_QUEUE_VECTOR = 26, C_QUEUE_ENABLE = 28, C_QUEUE_NOTIFY = 30,
	C_QUEUE_DESC = 32, C_QUEUE_DRIVER = 40, C_QUEUE_DEVICE = 48, C_BYTES = 56,
};
enum { S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_FAILED = 128, CAPS_MAX = 48 };
#define RESET_NS 100000000ull

static volatile uint8_t *at8(const struct virtio *v, uint32_t o) { return v->common.p + o; }
static volatile uint16_t *at16(const struct virtio *v, uint32_t o) { return (volatile uint16_t *)(v->common.p + o); }
static volatile uint32_t *at32(const struct virtio *v, uint32_t o) { return (volatile uint32_t *)(v->common.p + o); }

static void set64(const struct virtio *v, uint32_t o, uint64_t value)
{
	*at32(v, o) = (uint32_t)value;
	*at32(v, o + 4) = (uint32_t)(value >> 32);
}

/* ---- finding the registers ---- */

struct mapped_bars { volatile uint8_t *p[6]; uint64_t len[6]; };

static err_t block_map(struct virtio *v, uint32_t cap, struct mapped_bars *bars, struct virtio_block *block)
{
	uint32_t bar = 0, offset = 0, length = 0;
	err_t r = pci_read(v->dev, cap + CAP_BAR, 1, &bar);

	if (r == 0)
		r = pci_read(v->dev, cap + CAP_OFFSET, 4, &offset);
	if (r == 0)
		r = pci_read(v->dev, cap + CAP_LENGTH, 4, &length);
	if (r == 0 && bar >= 6)
		r = -ENODEV;
	if (r == 0 && !bars->p[bar])
		r = pci_bar_map(v->dev, bar, &bars->p[bar], &bars->len[bar]);
	if (r == 0 && (offset % 4 || offset > bars->len[bar] || length > bars->len[bar] - offset))
		r = -ENODEV;
	if (r == 0)
		*block = (struct virtio_block){ bars->p[bar] + offset, length };
	return r;
}

static err_t capability_take(struct virtio *v, uint32_t cap, struct mapped_bars *bars)
{
	uint32_t type = 0;
	struct virtio_block *block;
	err_t r = pci_read(v->dev, cap + CAP_TYPE, 1, &type);

	block = type == BLOCK_COMMON ? &v->common : type == BLOCK_NOTIFY ? &v->notify : type == BLOCK_CONFIG ? &v->config : 0;
	if (r != 0 || !block || block->p)	/* of several the first is preferred */
		return r;
	r = block_map(v, cap, bars, block);
	if (r == 0 && type == BLOCK_NOTIFY)
		r = pci_read(v->dev, cap + CAP_MULTIPLIER, 4, &v->notify_multiplier);
	return r;
}

err_t virtio_attach(struct virtio *v, uint32_t dev)
{
	struct mapped_bars bars = { 0 };
	uint32_t cap = 0;
	err_t r;

	*v = (struct virtio){ .dev = dev };
	r = pci_reserve(dev);
	for (int i = 0; r == 0 && i < CAPS_MAX && pci_capability(dev, PCI_CAP_VENDOR, cap, &cap) == 0; i++)
		r = capability_take(v, cap, &bars);
	if (r == 0 && (!v->common.p || v->common.len < C_BYTES || !v->notify.p || !v->config.p))
		r = -ENODEV;
	return r;
}

/* ---- life of the device ---- */

err_t virtio_stop(struct virtio *v)
{
	nstime_t end = sys_uptime() + RESET_NS;

	*at8(v, C_STATUS) = 0;
	while (*at8(v, C_STATUS) != 0)
		if (sys_uptime() > end)
			return -EIO;
	return 0;
}

void virtio_kill(struct virtio *v)
{
	if (virtio_stop(v) == 0)
		return;
	v->mastering = false;
	pci_master_set(v->dev, false);
}

err_t virtio_reset(struct virtio *v)
{
	err_t r = virtio_stop(v);

	/* Only now: what a predecessor had begun must not go on. */
	if (r == 0 && !v->mastering)
		r = pci_master_set(v->dev, true);
	if (r != 0)
		return r;
	v->mastering = true;
	*at16(v, C_MSIX_CONFIG) = VIRTIO_NO_VECTOR;
	return 0;
}

static uint64_t features_offered(struct virtio *v)
{
	uint64_t low;

	*at32(v, C_DEVICE_SELECT) = 0;
	low = *at32(v, C_DEVICE_FEATURES);
	*at32(v, C_DEVICE_SELECT) = 1;
	return low | (uint64_t)*at32(v, C_DEVICE_FEATURES) << 32;
}

err_t virtio_negotiate(struct virtio *v, uint64_t wanted)
{
	uint64_t offered;

	*at8(v, C_STATUS) = S_ACKNOWLEDGE;
	*at8(v, C_STATUS) = S_ACKNOWLEDGE | S_DRIVER;
	offered = features_offered(v);
	v->features = offered & (wanted | VIRTIO_F_VERSION_1);
	*at32(v, C_DRIVER_SELECT) = 0;
	*at32(v, C_DRIVER_FEATURES) = (uint32_t)v->features;
	*at32(v, C_DRIVER_SELECT) = 1;
	*at32(v, C_DRIVER_FEATURES) = (uint32_t)(v->features >> 32);
	*at8(v, C_STATUS) = S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK;
	if ((v->features & VIRTIO_F_VERSION_1) && (*at8(v, C_STATUS) & S_FEATURES_OK))
		return 0;
	*at8(v, C_STATUS) = S_FAILED;
	return -ENODEV;
}

uint16_t virtio_queue_size(struct virtio *v, uint16_t n)
{
	uint16_t size, fits = VIRTQUEUE_SIZE_MAX;

	*at16(v, C_QUEUE_SELECT) = n;
	size = *at16(v, C_QUEUE_SIZE);
	while (fits > size)
		fits /= 2;
	return fits;
}

err_t virtio_queue_enable(struct virtio *v, uint16_t n, const struct virtqueue *q, paddr_t paddr, uint16_t vector,
	volatile uint16_t **doorbell)
{
	uint64_t offset;

	*at16(v, C_QUEUE_SELECT) = n;
	offset = (uint64_t)*at16(v, C_QUEUE_NOTIFY) * v->notify_multiplier;
	if (offset % 2 || offset + 2 > v->notify.len)
		return -ENODEV;
	*doorbell = (volatile uint16_t *)(v->notify.p + offset);
	*at16(v, C_QUEUE_SIZE) = q->size;
	*at16(v, C_QUEUE_VECTOR) = vector;
	if (*at16(v, C_QUEUE_VECTOR) != vector)
		return -ENODEV;
	set64(v, C_QUEUE_DESC, paddr);
	set64(v, C_QUEUE_DRIVER, paddr + virtqueue_avail_offset(q->size));
	set64(v, C_QUEUE_DEVICE, paddr + virtqueue_used_offset(q->size));
	*at16(v, C_QUEUE_ENABLE) = 1;
	return 0;
}

err_t virtio_config_vector(struct virtio *v, uint16_t vector)
{
	*at16(v, C_MSIX_CONFIG) = vector;
	return *at16(v, C_MSIX_CONFIG) == vector ? 0 : -ENODEV;
}

void virtio_start(struct virtio *v)
{
	*at8(v, C_STATUS) = S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK;
}

/* ---- configuration and memory ---- */

uint32_t virtio_config_read(const struct virtio *v, uint32_t offset, uint32_t width)
{
	if ((uint64_t)offset + width > v->config.len)
		return 0;
	if (width == 1)
		return v->config.p[offset];
	return width == 2 ? *(volatile uint16_t *)(v->config.p + offset) : *(volatile uint32_t *)(v->config.p + offset);
}

/* Section 2.4.1: a change meanwhile shows in the generation. A device that changes all the time is given up on. */
uint64_t virtio_config_read64(const struct virtio *v, uint32_t offset)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++) {
		uint8_t before = *at8(v, C_GENERATION);

		value = virtio_config_read(v, offset, 4) | (uint64_t)virtio_config_read(v, offset + 4, 4) << 32;
		if (*at8(v, C_GENERATION) == before)
			break;
	}
	return value;
}

err_t virtio_memory(uint64_t bytes, void **p, paddr_t *paddr)
{
	struct message m = { .type = VM_ALLOC_CONTIG };
	const struct vm_alloc_contig_rep *rep = MSG_BODY(const struct vm_alloc_contig_rep, &m);
	err_t r;

	*MSG_BODY(struct vm_alloc_contig_req, &m) = (struct vm_alloc_contig_req){ .len = bytes, .align = PAGE_BYTES };
	r = sef_call(EP_VM, &m);
	if (r != 0 || rep->result != 0)
		return r ? r : (err_t)rep->result;
	*p = (void *)(uintptr_t)rep->addr;
	*paddr = rep->paddr;
	return 0;
}

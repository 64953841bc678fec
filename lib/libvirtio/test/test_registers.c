/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the registers of a device whose capabilities are random: blocks lie within the base registers, doorbells within their block, and
 * what is used of it is really there.
 */
#include "bus.h"
#include <expect.h>
#include <libvirtio/virtio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 5000 };

static void device_make(void)
{
	bus.asked = 0;
	for (size_t i = 0; i < sizeof(bus.space); i++)
		bus.space[i] = (uint8_t)(rand() % 3 ? rand() % 8 : rand());
	for (int i = 0; i < BUS_BARS; i++) {
		free(bus.bars[i].p);
		bus.bars[i].p = 0;
		bus.bars[i].len = rand() % 4 ? 1024 : 16u << rand() % 9;
		if (rand() % 16)
			bus.bars[i].p = calloc(1, bus.bars[i].len);
		for (size_t k = 0; bus.bars[i].p && k < bus.bars[i].len; k++)
			bus.bars[i].p[k] = (uint8_t)(rand() % 2 ? rand() : 0);
	}
	/* A chance for capabilities that make sense. */
	for (uint32_t at = PCI_CFG_END; at < PCI_CFG_BYTES; at += 16) {
		uint32_t place[2] = { (uint32_t)rand() % 64 * 4 + (rand() % 16 ? 0 : 2), (uint32_t)rand() % 256 };

		bus.space[at + 3] = (uint8_t)(rand() % 8 ? 1 << rand() % 3 : rand());
		bus.space[at + 4] = (uint8_t)(rand() % (rand() % 16 ? 6 : 256));
		if (rand() % 8)
			memcpy(bus.space + at + 8, place, 8);
	}
}

static bool block_is_within(const struct virtio_block *b)
{
	for (int i = 0; i < BUS_BARS; i++)
		if (bus.bars[i].p && b->p >= bus.bars[i].p && b->p + b->len <= bus.bars[i].p + bus.bars[i].len)
			return true;
	return false;
}

static void device_use(struct virtio *v)
{
	static struct virtqueue q;
	static uint8_t memory[1 << 14] __attribute__((aligned(4096)));
	volatile uint16_t *doorbell;

	virtqueue_init(&q, memory, 8);
	virtio_reset(v);
	virtio_negotiate(v, ~0ull);
	EXPECT(virtio_queue_size(v, 0) <= VIRTQUEUE_SIZE_MAX);
	if (virtio_queue_enable(v, (uint16_t)(rand() % 4), &q, 0x1000, 0, &doorbell) == 0) {
		*doorbell = 0;
		EXPECT((volatile uint8_t *)doorbell >= v->notify.p && (volatile uint8_t *)(doorbell + 1) <= v->notify.p + v->notify.len);
	}
	for (uint32_t at = 0; at < 4096; at += 4)
		virtio_config_read(v, at, 4);
	virtio_config_read(v, 0xfffffffc, 4);
	virtio_config_read64(v, 0);
	virtio_config_read64(v, v->config.len >= 4 ? ((uint32_t)v->config.len - 4) & ~3u : 0);
	virtio_kill(v);
}

int main(void)
{
	unsigned found = 0;

	for (unsigned i = 0; i < DEVICES; i++) {
		struct virtio v;

		device_make();
		if (virtio_attach(&v, 8) != 0)
			continue;
		found++;
		EXPECT(block_is_within(&v.common) && block_is_within(&v.notify) && block_is_within(&v.config));
		device_use(&v);
	}
	EXPECT(found > DEVICES / 1000);
	printf("%u of %u devices had registers\n", found, DEVICES);
	return expect_end();
}

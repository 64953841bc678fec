/* SPDX-License-Identifier: BSD-2-Clause */
#include "bus.h"
#include <errno.h>
#include <libsef/sef.h>
#include <libsys/kcall.h>
#include <stdlib.h>
#include <string.h>

struct bus bus;

/* The next one anywhere: a list may be a circle. */
err_t pci_capability(uint32_t dev, uint32_t id, uint32_t after, uint32_t *offset)
{
	(void)dev, (void)id, (void)after;
	if (++bus.asked > 200)
		abort();
	*offset = PCI_CFG_END + (uint32_t)rand() % (PCI_CFG_BYTES - PCI_CFG_END) / 16 * 16;
	return rand() % 100 ? 0 : -ENOENT;
}

err_t pci_read(uint32_t dev, uint32_t offset, uint32_t width, uint32_t *value)
{
	(void)dev;
	if (offset % width || offset > PCI_CFG_BYTES - width)
		return -EINVAL;
	*value = 0;
	memcpy(value, bus.space + offset, width);
	return 0;
}

err_t pci_bar_map(uint32_t dev, uint32_t n, volatile uint8_t **p, uint64_t *len)
{
	(void)dev;
	if (n >= BUS_BARS || !bus.bars[n].p)
		return -ENOENT;
	*p = bus.bars[n].p;
	*len = bus.bars[n].len;
	return 0;
}

err_t pci_reserve(uint32_t dev) { (void)dev; return 0; }
err_t pci_master_set(uint32_t dev, bool on) { (void)dev, (void)on; return 0; }
err_t sef_call(endpoint_t dst, struct message *m) { (void)dst, (void)m; return -ENOSYS; }

err_t kcall(uint32_t number, uint64_t w[MSG_WORDS])
{
	static uint64_t now;

	if (number == KC_TIMES)
		w[3] = now += 10000000;
	return 0;
}

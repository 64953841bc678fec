/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which devices there are. Bus 0 and, behind each bridge, the buses the firmware has numbered; the firmware has also given the base
 * registers their addresses. Their sizes are found by writing ones, with decoding off (PCI Local Bus Specification 3.0, 6.2.5.1).
 */
#include "pci.h"
#include <libsys/log.h>
#include <string.h>

enum { SLOTS = 32, FUNCTIONS = 8, BUSES = 256, HEADER_TYPE = 0x7f, HEADER_BRIDGE = 1, HEADER_FUNCTIONS = 0x80, NO_VENDOR = 0xffff,
	BAR_IS_IO = 1, BAR_TYPE_64 = 4, BAR_PREFETCH = 8 };

static uint32_t bar_probe(uint32_t dev, uint32_t offset, uint32_t ones, uint32_t *old)
{
	uint32_t mask;

	*old = pci_config_read(dev, offset, 4);
	pci_config_write(dev, offset, 4, ones);
	mask = pci_config_read(dev, offset, 4);
	pci_config_write(dev, offset, 4, *old);
	return mask;
}

/* One base register; returns how many words it takes. */
static int bar_read(uint32_t dev, int n, struct pci_bar *bar)
{
	uint32_t offset = PCI_CFG_BAR0 + 4 * (uint32_t)n, low, high = 0;
	uint64_t mask = bar_probe(dev, offset, ~0u, &low);

	if (low & BAR_IS_IO) {
		mask = (mask & 0xfffffffcu) | ~0xffffull;
		*bar = (struct pci_bar){ .base = low & 0xfffc, .len = ~mask + 1, .flags = PCI_BAR_IO };
		return 1;
	}
	bar->flags = (low & BAR_PREFETCH ? PCI_BAR_PREFETCH : 0) | ((low & 6) == BAR_TYPE_64 ? PCI_BAR_64 : 0);
	if ((bar->flags & PCI_BAR_64) && n < PCI_BARS - 1)
		mask |= (uint64_t)bar_probe(dev, offset + 4, ~0u, &high) << 32;
	else
		mask |= mask ? ~0ull << 32 : 0;
	mask &= ~0xfull;
	bar->base = (uint64_t)high << 32 | (low & ~0xfu);
	bar->len = mask ? ~mask + 1 : 0;
	return bar->flags & PCI_BAR_64 ? 2 : 1;
}

static void bars_read(struct pci_device *d)
{
	uint32_t command = pci_config_read(d->dev, PCI_CFG_COMMAND, 2);

	pci_config_write(d->dev, PCI_CFG_COMMAND, 2, command & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (int n = 0; n < PCI_BARS;) {
		struct pci_bar *bar = &d->bars[n];

		n += bar_read(d->dev, n, bar);
		/* No address, or one that is not a multiple of the size: the firmware has not set it up. */
		if (bar->base == 0 || (bar->len & (bar->len - 1)) || (bar->len && bar->base & (bar->len - 1)))
			bar->len = 0;
	}
	pci_config_write(d->dev, PCI_CFG_COMMAND, 2, command);
}

static void device_add(struct pci_table *t, uint32_t dev)
{
	struct pci_device *d = &t->devices[t->n];

	if (t->n == PCI_DEVICES_MAX) {
		log_warn("more than %u devices; %02x:%02x.%u is left out", PCI_DEVICES_MAX, dev >> 8, dev >> 3 & 31, dev & 7);
		return;
	}
	t->n++;
	memset(d, 0, sizeof(*d));
	d->dev = dev;
	d->vendor = (uint16_t)pci_config_read(dev, PCI_CFG_VENDOR, 2);
	d->device = (uint16_t)pci_config_read(dev, PCI_CFG_DEVICE, 2);
	d->class_code = pci_config_read(dev, PCI_CFG_REVISION, 4) >> 8;
	d->line = pci_config_read(dev, PCI_CFG_LINE, 1);
	if ((pci_config_read(dev, PCI_CFG_HEADER, 1) & HEADER_TYPE) != 0)
		return;
	d->sub_vendor = (uint16_t)pci_config_read(dev, PCI_CFG_SUB_VENDOR, 2);
	d->sub_device = (uint16_t)pci_config_read(dev, PCI_CFG_SUB_DEVICE, 2);
	bars_read(d);
}

static void function_scan(struct pci_table *t, uint32_t dev, bool *buses)
{
	uint32_t behind;

	device_add(t, dev);
	if ((pci_config_read(dev, PCI_CFG_HEADER, 1) & HEADER_TYPE) != HEADER_BRIDGE)
		return;
	behind = pci_config_read(dev, PCI_CFG_SECONDARY, 1);
	if (behind > dev >> 8)
		buses[behind] = true;	/* its turn comes: numbers grow */
}

static void bus_scan(struct pci_table *t, uint32_t bus, bool *buses)
{
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		uint32_t first = bus << 8 | slot << 3, functions;

		if (pci_config_read(first, PCI_CFG_VENDOR, 2) == NO_VENDOR)
			continue;
		functions = pci_config_read(first, PCI_CFG_HEADER, 1) & HEADER_FUNCTIONS ? FUNCTIONS : 1;
		for (uint32_t f = 0; f < functions; f++)
			if (pci_config_read(first + f, PCI_CFG_VENDOR, 2) != NO_VENDOR)
				function_scan(t, first + f, buses);
	}
}

void pci_scan(struct pci_table *t)
{
	bool buses[BUSES] = { [0] = true };

	t->n = 0;
	for (uint32_t bus = 0; bus < BUSES; bus++)
		if (buses[bus])
			bus_scan(t, bus, buses);
}

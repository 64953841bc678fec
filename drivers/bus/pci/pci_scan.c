/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which devices there are: on a segment's first bus and, behind each bridge, the buses the firmware has numbered. A segment with more
 * than one host bridge may have further buses that no bridge leads to; then all numbers are tried. The firmware has also given the base
 * registers their addresses. Their sizes are found by writing ones, with decoding off (PCI Local Bus Specification 3.0, 6.2.5.1).
 *
 * A base register gives its driver the right to that memory. One that no device can have is not believed: RAM is refused by VM; here the
 * configuration windows, the interrupt controllers, the machine's own ports, and what an earlier device has already.
 */
#include "pci.h"
#include <libsys/log.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 32, FUNCTIONS = 8, SEGMENTS = 0x10000, CLASS_HOST_BRIDGE = 0x0600,
	HEADER_TYPE = 0x7f, HEADER_BRIDGE = 1, HEADER_FUNCTIONS = 0x80, NO_VENDOR = 0xffff,
	BAR_IS_IO = 1, BAR_TYPE_64 = 4, BAR_PREFETCH = 8,
	PORTS_FIRST = 0x100, PORTS_CONFIG = 0xcf8, PORTS_CONFIG_END = 0xd00 };
#define INTERRUPTS_FIRST 0xfec00000ull	/* interrupt controllers and the targets of messages */
#define INTERRUPTS_END 0xff000000ull

struct scan {
	struct pci_table *t;
	const struct pci_window *windows;
	uint32_t nr_windows, hosts;	/* hosts: bridges to other buses than those behind them */
	bool found[PCI_BUSES], done[PCI_BUSES];		/* in this segment */
};

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

static bool ranges_meet(uint64_t base, uint64_t len, uint64_t first, uint64_t end) { return base < end && first < base + len; }

static bool bar_is_machines(const struct scan *s, const struct pci_bar *b)
{
	if (b->flags & PCI_BAR_IO)
		return b->base < PORTS_FIRST || ranges_meet(b->base, b->len, PORTS_CONFIG, PORTS_CONFIG_END);
	for (uint32_t i = 0; i < s->nr_windows; i++)
		if (ranges_meet(b->base, b->len, pci_window_first(&s->windows[i]), pci_window_last(&s->windows[i]) + 1))
			return true;
	return ranges_meet(b->base, b->len, INTERRUPTS_FIRST, INTERRUPTS_END);
}

static bool bar_is_taken(const struct scan *s, const struct pci_bar *b)
{
	for (uint32_t i = 0; i < s->t->n; i++)
		for (int n = 0; n < PCI_BARS; n++) {
			const struct pci_bar *other = &s->t->devices[i].bars[n];

			if (other != b && other->len && (other->flags & PCI_BAR_IO) == (b->flags & PCI_BAR_IO)
			    && ranges_meet(b->base, b->len, other->base, other->base + other->len))
				return true;
		}
	return false;
}

/* No address, or one that is not a multiple of the size: the firmware has not set it up. */
static void bar_check(const struct scan *s, const struct pci_device *d, struct pci_bar *b)
{
	if (b->base == 0 || (b->len & (b->len - 1)) || (b->base & (b->len - 1)))
		b->len = 0;
	if (b->len == 0 || (!bar_is_machines(s, b) && !bar_is_taken(s, b)))
		return;
	log_warn("%02x:%02x.%u has registers at %#llx, where others are; they are left out", d->dev >> 8, d->dev >> 3 & 31, d->dev & 7,
		(unsigned long long)b->base);
	b->len = 0;
}

static void bars_read(const struct scan *s, struct pci_device *d)
{
	uint32_t command = pci_config_read(d->dev, PCI_CFG_COMMAND, 2);

	pci_config_write(d->dev, PCI_CFG_COMMAND, 2, command & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (int n = 0; n < PCI_BARS;) {
		struct pci_bar *bar = &d->bars[n];

		n += bar_read(d->dev, n, bar);
		bar_check(s, d, bar);
	}
	pci_config_write(d->dev, PCI_CFG_COMMAND, 2, command);
}

static void device_add(struct scan *s, uint32_t dev, uint32_t header)
{
	struct pci_table *t = s->t;
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
	s->hosts += d->class_code >> 8 == CLASS_HOST_BRIDGE;
	d->bridge = header == HEADER_BRIDGE;
	if (d->bridge) {
		d->secondary = (uint8_t)pci_config_read(dev, PCI_CFG_SECONDARY, 1);
		d->subordinate = (uint8_t)pci_config_read(dev, PCI_CFG_SUBORDINATE, 1);
	}
	if (header != 0)
		return;
	d->sub_vendor = (uint16_t)pci_config_read(dev, PCI_CFG_SUB_VENDOR, 2);
	d->sub_device = (uint16_t)pci_config_read(dev, PCI_CFG_SUB_DEVICE, 2);
	bars_read(s, d);
}

/* The turn of what lies behind comes: numbers grow, so a bridge that leads back is no way round. */
static void function_scan(struct scan *s, uint32_t dev)
{
	uint32_t header = pci_config_read(dev, PCI_CFG_HEADER, 1) & HEADER_TYPE, behind;

	device_add(s, dev, header);
	if (header != HEADER_BRIDGE)
		return;
	behind = pci_config_read(dev, PCI_CFG_SECONDARY, 1);
	if (behind > (dev >> 8 & 0xff))
		s->found[behind] = true;
}

/* bus: with its segment. */
static void bus_scan(struct scan *s, uint32_t bus)
{
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		uint32_t first = bus << 8 | slot << 3, functions;

		if (pci_config_read(first, PCI_CFG_VENDOR, 2) == NO_VENDOR)
			continue;
		functions = pci_config_read(first, PCI_CFG_HEADER, 1) & HEADER_FUNCTIONS ? FUNCTIONS : 1;
		for (uint32_t f = 0; f < functions; f++)
			if (pci_config_read(first + f, PCI_CFG_VENDOR, 2) != NO_VENDOR)
				function_scan(s, first + f);
	}
}

static void buses_scan(struct scan *s, uint32_t segment)
{
	for (uint32_t bus = 0; bus < PCI_BUSES; bus++) {
		if (!s->found[bus] || s->done[bus])
			continue;
		s->done[bus] = true;
		bus_scan(s, segment << 8 | bus);
	}
}

static void segment_scan(struct scan *s, uint32_t segment, uint32_t first)
{
	memset(s->found, 0, sizeof(s->found));
	memset(s->done, 0, sizeof(s->done));
	s->hosts = 0;
	s->found[first] = true;
	buses_scan(s, segment);
	if (s->hosts <= 1)
		return;
	memset(s->found, true, sizeof(s->found));
	buses_scan(s, segment);
}

static int device_order(const void *a, const void *b)
{
	const struct pci_device *x = a, *y = b;

	return x->dev < y->dev ? -1 : x->dev > y->dev;
}

void pci_scan(struct pci_table *t, const struct pci_window *windows, uint32_t nr_windows)
{
	struct scan s = { .t = t, .windows = windows, .nr_windows = nr_windows };
	uint32_t first;

	t->n = 0;
	for (uint32_t segment = 0; segment < SEGMENTS; segment++)
		if (pci_config_segment(segment, &first))
			segment_scan(&s, segment, first);
	qsort(t->devices, t->n, sizeof(t->devices[0]), device_order);
}

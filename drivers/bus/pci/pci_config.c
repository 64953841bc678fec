/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration space. Where the firmware's table names a window for a bus, through memory: 4 KiB for each function, mapped bus by bus as
 * they are asked for (PCI Express Base Specification, section 7.2.2). Otherwise through the ports 0xcf8 and 0xcfc (PCI Local Bus
 * Specification 3.0, section 3.2.2.3.2), which every PC has, but which reach only segment 0 and the first 256 bytes.
 */
#include "pci.h"
#include <libdriver/io.h>
#include <libsef/sef.h>
#include <proto/vm.h>
#include <stdlib.h>

enum { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc, BUS_BYTES = 1 << 20 };

struct bus_map { volatile uint8_t *p; bool tried; };

static struct {
	uint32_t n;
	struct pci_window windows[PCI_WINDOWS_MAX];
	struct bus_map *buses[PCI_WINDOWS_MAX];		/* [rebuilt] PCI_BUSES for each window in use */
} config;

void pci_config_windows(const struct pci_window *w, uint32_t n)
{
	config.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct bus_map *maps = calloc(PCI_BUSES, sizeof(*maps));

		if (!maps)
			return;
		config.windows[config.n] = w[i];
		config.buses[config.n++] = maps;
	}
}

static volatile uint8_t *bus_map(const struct pci_window *w, uint32_t bus)
{
	struct message m = { .type = VM_MAP_PHYS };
	const struct vm_map_phys_rep *rep = MSG_BODY(const struct vm_map_phys_rep, &m);

	*MSG_BODY(struct vm_map_phys_req, &m) = (struct vm_map_phys_req){ .paddr = w->base + ((uint64_t)bus << 20), .len = BUS_BYTES,
		.write = 1, .uncached = 1 };
	if (sef_call(EP_VM, &m) == 0 && rep->result == 0)
		return (volatile uint8_t *)(uintptr_t)rep->addr;
	log_warn("the configuration space of bus %04x:%02x cannot be mapped", w->segment, bus);
	return 0;
}

/* The function's 4 KiB, or 0: by ports. */
static volatile uint8_t *function_at(uint32_t dev)
{
	uint32_t segment = dev >> 16, bus = dev >> 8 & 0xff;

	for (uint32_t i = 0; i < config.n; i++) {
		const struct pci_window *w = &config.windows[i];
		struct bus_map *map = &config.buses[i][bus];

		if (w->segment != segment || bus < w->first || bus > w->last)
			continue;
		if (!map->tried)
			*map = (struct bus_map){ bus_map(w, bus), true };
		return map->p ? map->p + ((dev & 0xff) << 12) : 0;
	}
	return 0;
}

bool pci_config_segment(uint32_t segment, uint32_t *first)
{
	bool found = segment == 0;

	*first = segment == 0 ? 0 : PCI_BUSES;
	for (uint32_t i = 0; i < config.n; i++) {
		found |= config.windows[i].segment == segment;
		if (config.windows[i].segment == segment && config.windows[i].first < *first)
			*first = config.windows[i].first;
	}
	return found;
}

uint32_t pci_config_bytes(uint32_t dev)
{
	return function_at(dev) ? PCI_CFG_ALL_BYTES : dev >> 16 ? 0 : PCI_CFG_BYTES;
}

static void address_set(uint32_t dev, uint32_t offset)
{
	io_out32(PORT_ADDRESS, 1u << 31 | dev << 8 | (offset & 0xfc));
}

/* What cannot be reached reads as a function that is not there. */
uint32_t pci_config_read(uint32_t dev, uint32_t offset, uint32_t width)
{
	volatile uint8_t *p = function_at(dev);

	if (p)
		return width == 1 ? p[offset] : width == 2 ? *(volatile uint16_t *)(p + offset) : *(volatile uint32_t *)(p + offset);
	if (dev >> 16 || offset >= PCI_CFG_BYTES)
		return ~0u >> (32 - 8 * width);
	address_set(dev, offset);
	return io_in((uint16_t)(PORT_DATA + (offset & 3)), width);
}

void pci_config_write(uint32_t dev, uint32_t offset, uint32_t width, uint32_t value)
{
	volatile uint8_t *p = function_at(dev);

	if (p && width == 1) {
		p[offset] = (uint8_t)value;
	} else if (p && width == 2) {
		*(volatile uint16_t *)(p + offset) = (uint16_t)value;
	} else if (p) {
		*(volatile uint32_t *)(p + offset) = value;
	} else if (dev >> 16 == 0 && offset < PCI_CFG_BYTES) {
		address_set(dev, offset);
		io_out((uint16_t)(PORT_DATA + (offset & 3)), width, value);
	}
}

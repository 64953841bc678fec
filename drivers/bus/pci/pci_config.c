/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration space through the ports 0xcf8 and 0xcfc (PCI Local Bus Specification 3.0, section 3.2.2.3.2). Every PC chipset has them,
 * those with a memory window (MCFG) too; they reach the first 256 bytes, in which all that we need lies.
 */
#include "pci.h"
#include <libdriver/io.h>

enum { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc, CAPS_MAX = 48 };

static void address_set(uint32_t dev, uint32_t offset)
{
	io_out32(PORT_ADDRESS, 1u << 31 | dev << 8 | (offset & 0xfc));
}

uint32_t pci_config_read(uint32_t dev, uint32_t offset, uint32_t width)
{
	address_set(dev, offset);
	return io_in((uint16_t)(PORT_DATA + (offset & 3)), width);
}

void pci_config_write(uint32_t dev, uint32_t offset, uint32_t width, uint32_t value)
{
	address_set(dev, offset);
	io_out((uint16_t)(PORT_DATA + (offset & 3)), width, value);
}

/* The list is the device's: it may be a circle or lead into the header. */
uint32_t pci_config_capability(uint32_t dev, uint32_t id, uint32_t after)
{
	uint32_t at;
	bool found_after = after == 0;

	if (!(pci_config_read(dev, PCI_CFG_STATUS, 2) & PCI_STATUS_CAPS))
		return 0;
	at = pci_config_read(dev, PCI_CFG_CAPS, 1) & 0xfc;
	for (int i = 0; i < CAPS_MAX && at >= PCI_CFG_END; i++) {
		uint32_t head = pci_config_read(dev, at, 2);

		if (found_after && (head & 0xff) == id)
			return at;
		found_after |= at == after;
		at = head >> 8 & 0xfc;
	}
	return 0;
}

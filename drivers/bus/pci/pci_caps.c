/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capability lists. They are the device's: one may be a circle, lead into the header, or out of configuration space; a walk ends
 * where it has been before, and every offset is cut to where a capability may lie.
 */
#include "pci.h"

enum { CONTROL = 2, MSI_ENABLE = 1, MSIX_ENABLE = 0x8000 };

struct been { uint64_t bits[PCI_CFG_ALL_BYTES / 4 / 64]; };

static bool been_before(struct been *b, uint32_t at)
{
	uint64_t *word = &b->bits[at / 4 / 64], bit = 1ull << (at / 4 % 64);
	bool before = *word & bit;

	*word |= bit;
	return before;
}

uint32_t pci_config_capability(uint32_t dev, uint32_t id, uint32_t after)
{
	struct been been = { 0 };
	uint32_t at;
	bool found_after = after == 0;

	if (!(pci_config_read(dev, PCI_CFG_STATUS, 2) & PCI_STATUS_CAPS))
		return 0;
	at = pci_config_read(dev, PCI_CFG_CAPS, 1) & 0xfc;
	while (at >= PCI_CFG_END && !been_before(&been, at)) {
		uint32_t head = pci_config_read(dev, at, 2);

		if (found_after && (head & 0xff) == id)
			return at;
		found_after |= at == after;
		at = head >> 8 & 0xfc;
	}
	return 0;
}

/* PCI Express Base Specification, section 7.6.3: 16 bits id, 4 version, 12 next. */
uint32_t pci_config_extended(uint32_t dev, uint32_t id, uint32_t after)
{
	struct been been = { 0 };
	uint32_t at = PCI_CFG_BYTES;
	bool found_after = after == 0;

	if (pci_config_bytes(dev) < PCI_CFG_ALL_BYTES || !pci_config_capability(dev, PCI_CAP_EXPRESS, 0))
		return 0;
	while (at >= PCI_CFG_BYTES && !been_before(&been, at)) {
		uint32_t head = pci_config_read(dev, at, 4);

		if (head == 0 || head == ~0u)
			return 0;
		if (found_after && (head & 0xffff) == id)
			return at;
		found_after |= at == after;
		at = head >> 20 & 0xffc;
	}
	return 0;
}

static void messages_off(uint32_t dev, uint32_t id, uint32_t enable)
{
	uint32_t cap = pci_config_capability(dev, id, 0), control;

	if (!cap)
		return;
	control = pci_config_read(dev, cap + CONTROL, 2);
	if (control & enable)
		pci_config_write(dev, cap + CONTROL, 2, control & ~enable);
}

void pci_messages_off(uint32_t dev)
{
	messages_off(dev, PCI_CAP_MSI, MSI_ENABLE);
	messages_off(dev, PCI_CAP_MSIX, MSIX_ENABLE);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the PCI server. */
#pragma once
#include <abi/limits.h>
#include <proto/pci.h>
#include <stdbool.h>

enum { PCI_DEVICES_MAX = 64, PCI_BARS = 6 };

struct pci_bar { uint64_t base, len; uint32_t flags, pad; };	/* len 0: none */
struct pci_device {
	uint32_t dev, class_code;
	uint16_t vendor, device, sub_vendor, sub_device;
	uint32_t line, pad;
	struct pci_bar bars[PCI_BARS];
	char owner[LABEL_LEN];		/* label that reserved it, or empty */
};
struct pci_table { uint32_t n, pad; struct pci_device devices[PCI_DEVICES_MAX]; };

/* pci_config.c: aligned accesses to configuration space. */
uint32_t pci_config_read(uint32_t dev, uint32_t offset, uint32_t width);
void pci_config_write(uint32_t dev, uint32_t offset, uint32_t width, uint32_t value);
uint32_t pci_config_capability(uint32_t dev, uint32_t id, uint32_t after);	/* 0: none */

/* pci_scan.c: all devices that are there. Sizes their base registers, so nobody may be using them. */
void pci_scan(struct pci_table *t);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the PCI server. */
#pragma once
#include <abi/limits.h>
#include <proto/pci.h>
#include <stdbool.h>
#include <stddef.h>

enum { PCI_DEVICES_MAX = 64, PCI_BARS = 6, PCI_WINDOWS_MAX = 8, PCI_BUSES = 256 };

struct pci_bar { uint64_t base, len; uint32_t flags, pad; };	/* len 0: none */
struct pci_device {
	uint32_t dev, class_code;
	uint16_t vendor, device, sub_vendor, sub_device;
	uint32_t line;
	uint8_t bridge, secondary, subordinate, pad;	/* bridge: the buses secondary to subordinate lie behind it */
	struct pci_bar bars[PCI_BARS];
	char owner[LABEL_LEN];		/* label that reserved it, or empty */
};
struct pci_table { uint32_t n, pad; struct pci_device devices[PCI_DEVICES_MAX]; };

/* Memory in which a segment's buses first to last have their configuration space; base is the address of bus 0. */
struct pci_window { uint64_t base; uint16_t segment; uint8_t first, last; uint32_t pad; };

/* pci_mcfg.c: the windows in the firmware's table that make sense, PCI_WINDOWS_MAX at most; returns how many. Pure. */
uint32_t pci_mcfg_parse(const void *table, size_t len, struct pci_window *out);
static inline uint64_t pci_window_first(const struct pci_window *w) { return w->base + ((uint64_t)w->first << 20); }
static inline uint64_t pci_window_last(const struct pci_window *w) { return w->base + ((uint64_t)w->last << 20) + 0xfffff; }

/* pci_config.c: aligned accesses to configuration space. */
void pci_config_windows(const struct pci_window *w, uint32_t n);	/* use these; what they do not cover is reached by ports */
uint32_t pci_config_bytes(uint32_t dev);		/* how much of the function's configuration space can be reached */
bool pci_config_segment(uint32_t segment, uint32_t *first);	/* is there such a segment? *first: its lowest bus */
uint32_t pci_config_read(uint32_t dev, uint32_t offset, uint32_t width);
void pci_config_write(uint32_t dev, uint32_t offset, uint32_t width, uint32_t value);

/* pci_caps.c: offset of a capability behind `after` (0: from the start); 0: none. */
uint32_t pci_config_capability(uint32_t dev, uint32_t id, uint32_t after);
uint32_t pci_config_extended(uint32_t dev, uint32_t id, uint32_t after);
void pci_messages_off(uint32_t dev);	/* no interrupt messages any more, as after power-on */

/* pci_scan.c: all devices that are there. Sizes their base registers, so nobody may be using them. */
void pci_scan(struct pci_table *t, const struct pci_window *windows, uint32_t nr_windows);

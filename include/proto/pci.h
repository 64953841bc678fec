/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drivers -> PCI server (SENDREC). A driver sees only the devices that its stanza in the service configuration names (`pci device`,
 * `pci class`); to everything else the answer is as if it did not exist. A device belongs to one label at a time.
 *
 * request      answered  repeatable  meaning and errors
 * PCI_NEXT     at once   yes         the first device behind `dev` (PCI_DEV_NONE: of all) that the caller may have. ENODEV: no more
 * PCI_RESERVE  at once   yes         it is the caller's: bus mastering is switched off (whatever a predecessor left running in it is
 *                                    dead then), its memory and ports are decoded, and RS adds them to the caller's
 *                                    privileges. ENODEV, EBUSY another live service has it, ENOMEM
 * PCI_RELEASE  at once   yes         not any more; bus mastering is off
 * PCI_BAR      at once   yes         base address register n. ENODEV; ENOENT not there
 * PCI_CAP      at once   yes         offset of the first capability `id` behind offset `after` (0: from the start); with
 *                                    PCI_CAP_EXTENDED in n one of the extended ones, from offset 256 on. ENOENT
 * PCI_READ     at once   yes         configuration space, width 1, 2, 4, aligned. EINVAL; also beyond the first 256 bytes where the machine
 *                                    has no memory-mapped configuration space
 * PCI_WRITE    at once   yes         the same, only of a reserved device: command register (its own bits) and what lies behind the header
 *                                    in the first 256 bytes (extended capabilities can give a device addresses). EPERM
 */
#pragma once
#include <abi/message.h>

enum { PCI_NEXT = MSG_PCI, PCI_RESERVE = MSG_PCI + 2, PCI_RELEASE = MSG_PCI + 4, PCI_BAR = MSG_PCI + 6, PCI_CAP = MSG_PCI + 8,
	PCI_READ = MSG_PCI + 10, PCI_WRITE = MSG_PCI + 12 };

/* A device: segment << 16 | bus << 8 | slot << 3 | function. */
#define PCI_DEV_NONE 0xffffffffu

struct pci_req {
	uint32_t dev, n;	/* BAR: its number; CAP: the capability's id, PCI_CAP_EXTENDED */
	uint32_t offset, width;	/* CAP: offset = after */
	uint32_t value, pad;
};
struct pci_next_rep { int64_t result; uint32_t dev, class_code; uint16_t vendor, device, sub_vendor, sub_device; uint32_t line; };
MSG_BODY_FITS(struct pci_next_rep);
enum { PCI_BAR_IO = 1, PCI_BAR_PREFETCH = 2, PCI_BAR_64 = 4 };
struct pci_bar_rep { int64_t result; uint64_t base, len; uint32_t flags; };
struct pci_value_rep { int64_t result; uint32_t value; };	/* READ, CAP */

/* Configuration space, PCI Local Bus Specification 3.0 section 6.1, and capabilities, section 6.7 and appendix H. */
enum { PCI_CFG_VENDOR = 0, PCI_CFG_DEVICE = 2, PCI_CFG_COMMAND = 4, PCI_CFG_STATUS = 6, PCI_CFG_REVISION = 8, PCI_CFG_HEADER = 14,
	PCI_CFG_BAR0 = 0x10, PCI_CFG_SECONDARY = 0x19, PCI_CFG_SUBORDINATE = 0x1a,
	PCI_CFG_SUB_VENDOR = 0x2c, PCI_CFG_SUB_DEVICE = 0x2e, PCI_CFG_CAPS = 0x34,
	PCI_CFG_LINE = 0x3c, PCI_CFG_END = 0x40, PCI_CFG_BYTES = 256,
	PCI_CFG_ALL_BYTES = 4096 };
enum { PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_NO_LINE = 0x400, PCI_STATUS_CAPS = 0x10 };
enum { PCI_CAP_MSI = 5, PCI_CAP_VENDOR = 9, PCI_CAP_EXPRESS = 16, PCI_CAP_MSIX = 17, PCI_CAP_EXTENDED = 0x10000 };

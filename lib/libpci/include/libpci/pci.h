/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver's way to its PCI devices (proto/pci.h has rights and errors). All calls wait for the PCI server, which answers at once, and end
 * the present step of the handler. -ESRCH: there is no PCI server.
 */
#pragma once
#include <abi/errno.h>
#include <proto/pci.h>
#include <stdbool.h>

/* *out: the first device behind `after` (PCI_DEV_NONE: of all) that we may have. -ENODEV: no more. */
err_t pci_next(uint32_t after, struct pci_next_rep *out);
err_t pci_reserve(uint32_t dev);
err_t pci_release(uint32_t dev);
err_t pci_bar(uint32_t dev, uint32_t n, struct pci_bar_rep *out);
err_t pci_capability(uint32_t dev, uint32_t id, uint32_t after, uint32_t *offset);
/* The same for the extended ones, which lie behind the first 256 bytes; also -ENOENT where the machine shows only those. */
err_t pci_capability_extended(uint32_t dev, uint32_t id, uint32_t after, uint32_t *offset);
err_t pci_read(uint32_t dev, uint32_t offset, uint32_t width, uint32_t *value);
err_t pci_write(uint32_t dev, uint32_t offset, uint32_t width, uint32_t value);

/* The device may write to memory (needed for MSI, too). */
err_t pci_master_set(uint32_t dev, bool on);

/* Map base register n. *p: uncached memory of *len bytes. It stays mapped until the process ends. */
err_t pci_bar_map(uint32_t dev, uint32_t n, volatile uint8_t **p, uint64_t *len);

/*
 * Interrupts. There is no way to a device's interrupt line: where it goes stands in AML, which nobody here reads. So there are messages or
 * nothing; -ENOENT: the device has none of that kind (or not that entry), and its driver has to look by itself. *hook may be 0.
 * Reserving a device turns its messages off.
 *
 * MSI-X: entry `entry` of the table raises notify_id; entries not set stay masked. Ends with MSI-X on.
 * MSI: the device's one message raises notify_id.
 * pci_interrupt_set(): MSI-X entry 0, or else MSI.
 */
err_t pci_msix_set(uint32_t dev, uint32_t entry, uint32_t notify_id, uint64_t *hook);
err_t pci_msi_set(uint32_t dev, uint32_t notify_id, uint64_t *hook);
err_t pci_interrupt_set(uint32_t dev, uint32_t notify_id, uint64_t *hook);

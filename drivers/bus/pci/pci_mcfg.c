/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI's table MCFG (PCI Firmware Specification 3.2, section 4.1.2): a header of 44 bytes, then 16 bytes for each window. Firmware makes
 * mistakes: a window that is not aligned, leaves the address space, overlaps another or names a bus a second time is left out. That no
 * window lies in RAM is seen to by VM when it is mapped.
 */
#include "pci.h"
#include <string.h>

enum { MCFG_HEADER = 44, MCFG_ENTRY = 16, MCFG_LENGTH = 4, BUS_SHIFT = 20, ADDRESS_BITS = 46 };

struct mcfg_entry { uint64_t base; uint16_t segment; uint8_t first, last; uint32_t reserved; };
_Static_assert(sizeof(struct mcfg_entry) == MCFG_ENTRY, "as the specification has it");

static bool window_is_sane(const struct pci_window *w)
{
	return w->base && w->base >> ADDRESS_BITS == 0 && (w->base & ((1u << BUS_SHIFT) - 1)) == 0 && w->first <= w->last
		&& pci_window_last(w) >> ADDRESS_BITS == 0;
}

static bool windows_collide(const struct pci_window *a, const struct pci_window *b)
{
	if (a->segment == b->segment && a->first <= b->last && b->first <= a->last)
		return true;
	return pci_window_first(a) <= pci_window_last(b) && pci_window_first(b) <= pci_window_last(a);
}

static uint32_t window_add(struct pci_window *out, uint32_t n, const struct pci_window *w)
{
	if (n == PCI_WINDOWS_MAX || !window_is_sane(w))
		return n;
	for (uint32_t i = 0; i < n; i++)
		if (windows_collide(&out[i], w))
			return n;
	out[n] = *w;
	return n + 1;
}

uint32_t pci_mcfg_parse(const void *table, size_t len, struct pci_window *out)
{
	const uint8_t *t = table;
	uint32_t n = 0, stated;

	if (len < MCFG_HEADER)
		return 0;
	memcpy(&stated, t + MCFG_LENGTH, sizeof(stated));
	if (stated < len)
		len = stated;
	for (size_t at = MCFG_HEADER; at + MCFG_ENTRY <= len; at += MCFG_ENTRY) {
		struct mcfg_entry e;

		memcpy(&e, t + at, sizeof(e));
		n = window_add(out, n, &(struct pci_window){ .base = e.base, .segment = e.segment, .first = e.first, .last = e.last });
	}
	return n;
}

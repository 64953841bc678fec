/* SPDX-License-Identifier: BSD-2-Clause */
/* A PCI device on the host: random configuration space, registers in memory of exactly the stated size, so that the sanitizers see what
 * goes beyond. */
#pragma once
#include <libpci/pci.h>
#include <stddef.h>

enum { BUS_BARS = 6 };
struct bus {
	uint8_t space[PCI_CFG_BYTES];
	struct { uint8_t *p; size_t len; } bars[BUS_BARS];
	uint32_t asked;
};
extern struct bus bus;

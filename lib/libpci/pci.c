/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stubs of the PCI server. It is looked up by its label at the first request and again when it has died; RS starts it again, so a
 * request is tried some times before it fails.
 */
#include <abi/endpoint.h>
#include <errno.h>
#include <libpci/pci.h>
#include <libsef/ds.h>
#include <libsef/sef.h>
#include <proto/vm.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 40, TRY_MS = 50, MSIX_CONTROL = 2, MSIX_TABLE = 4, MSIX_ENABLE = 0x8000, MSIX_MASK_ALL = 0x4000, MSIX_COUNT = 0x7ff,
	MSIX_ENTRY_BYTES = 16, MSIX_ENTRY_MASK = 3, MSI_CONTROL = 2,
	MSI_ADDRESS = 4, MSI_ENABLE = 1, MSI_COUNT = 0x70, MSI_64 = 0x80, MSI_MASKS = 0x100, FUTEX_WAIT_OP = 0 };

static struct { endpoint_t ep; } server = { EP_NONE };	/* [rebuilt] */

/* Wait for a moment, on a word that nobody changes: an alarm's notification would have to be told from the driver's own. */
static void pause_ms(unsigned ms)
{
	static const int word;
	struct timespec t = { .tv_nsec = ms * 1000000L };

	syscall(SYS_futex, &word, FUTEX_WAIT_OP, 0, &t);
}

static err_t pci_ask(uint32_t type, const struct pci_req *req, struct message *m)
{
	err_t r = -ESRCH;

	for (int i = 0; i < TRIES; i++) {
		if (i > 0)
			pause_ms(TRY_MS);
		if (server.ep == EP_NONE && ds_retrieve_label_endpt("pci", &server.ep) != 0)
			continue;
		memset(m, 0, sizeof(*m));
		m->type = type;
		*MSG_BODY(struct pci_req, m) = *req;
		r = sef_call(server.ep, m);
		if (r == 0)
			return (err_t)(int64_t)m->w[0];
		server.ep = EP_NONE;
		if (r != -EDEADSRCDST)
			return r;
	}
	return r;
}

static err_t pci_simple(uint32_t type, uint32_t dev)
{
	struct pci_req req = { .dev = dev };
	struct message m;

	return pci_ask(type, &req, &m);
}

err_t pci_next(uint32_t after, struct pci_next_rep *out)
{
	struct pci_req req = { .dev = after };
	struct message m;
	err_t r = pci_ask(PCI_NEXT, &req, &m);

	if (r == 0)
		*out = *MSG_BODY(struct pci_next_rep, &m);
	return r;
}

err_t pci_reserve(uint32_t dev) { return pci_simple(PCI_RESERVE, dev); }
err_t pci_release(uint32_t dev) { return pci_simple(PCI_RELEASE, dev); }

err_t pci_bar(uint32_t dev, uint32_t n, struct pci_bar_rep *out)
{
	struct pci_req req = { .dev = dev, .n = n };
	struct message m;
	err_t r = pci_ask(PCI_BAR, &req, &m);

	if (r == 0)
		*out = *MSG_BODY(struct pci_bar_rep, &m);
	return r;
}

static err_t pci_value(uint32_t type, const struct pci_req *req, uint32_t *value)
{
	struct message m;
	err_t r = pci_ask(type, req, &m);

	if (r == 0)
		*value = MSG_BODY(struct pci_value_rep, &m)->value;
	return r;
}

err_t pci_capability(uint32_t dev, uint32_t id, uint32_t after, uint32_t *offset)
{
	return pci_value(PCI_CAP, &(struct pci_req){ .dev = dev, .n = id, .offset = after }, offset);
}

err_t pci_capability_extended(uint32_t dev, uint32_t id, uint32_t after, uint32_t *offset)
{
	return pci_capability(dev, (id & 0xffff) | PCI_CAP_EXTENDED, after, offset);
}

err_t pci_read(uint32_t dev, uint32_t offset, uint32_t width, uint32_t *value)
{
	return pci_value(PCI_READ, &(struct pci_req){ .dev = dev, .offset = offset, .width = width }, value);
}

err_t pci_write(uint32_t dev, uint32_t offset, uint32_t width, uint32_t value)
{
	struct pci_req req = { .dev = dev, .offset = offset, .width = width, .value = value };
	struct message m;

	return pci_ask(PCI_WRITE, &req, &m);
}

err_t pci_master_set(uint32_t dev, bool on)
{
	return pci_write(dev, PCI_CFG_COMMAND, 2, PCI_COMMAND_NO_LINE | (on ? PCI_COMMAND_MASTER : 0));
}

err_t pci_bar_map(uint32_t dev, uint32_t n, volatile uint8_t **p, uint64_t *len)
{
	struct message m = { .type = VM_MAP_PHYS };
	struct pci_bar_rep bar;
	err_t r = pci_bar(dev, n, &bar);

	if (r == 0 && (bar.flags & PCI_BAR_IO))
		r = -ENOENT;
	if (r != 0)
		return r;
	*MSG_BODY(struct vm_map_phys_req, &m) = (struct vm_map_phys_req){ .paddr = bar.base, .len = bar.len, .write = 1, .uncached = 1 };
	r = sef_call(EP_VM, &m);
	if (r == 0)
		r = (err_t)MSG_BODY(struct vm_map_phys_rep, &m)->result;
	if (r == 0) {
		*p = (volatile uint8_t *)(uintptr_t)MSG_BODY(struct vm_map_phys_rep, &m)->addr;
		*len = bar.len;
	}
	return r;
}

/* Where a device's MSI-X is: PCI Local Bus Specification 3.0, section 6.8.2. */
struct msix { uint32_t cap, control; volatile uint32_t *table; };

static err_t msix_find(uint32_t dev, struct msix *x)
{
	volatile uint8_t *bar = 0;
	uint32_t place = 0;
	uint64_t len = 0;
	err_t r = pci_capability(dev, PCI_CAP_MSIX, 0, &x->cap);

	if (r == 0)
		r = pci_read(dev, x->cap + MSIX_CONTROL, 2, &x->control);
	if (r == 0)
		r = pci_read(dev, x->cap + MSIX_TABLE, 4, &place);
	if (r == 0)
		r = pci_bar_map(dev, place & 7, &bar, &len);
	if (r == 0 && (place & ~7u) + (uint64_t)((x->control & MSIX_COUNT) + 1) * MSIX_ENTRY_BYTES > len)
		r = -ENOENT;
	if (r == 0)
		x->table = (volatile uint32_t *)(bar + (place & ~7u));
	return r;
}

static volatile uint32_t *msix_entry(const struct msix *x, uint32_t entry)
{
	return x->table + entry * (MSIX_ENTRY_BYTES / 4);
}

err_t pci_msix_set(uint32_t dev, uint32_t entry, uint32_t notify_id, uint64_t *hook)
{
	struct msix x = { 0 };
	volatile uint32_t *e;
	uint64_t address;
	uint32_t data;
	err_t r = msix_find(dev, &x);

	if (r == 0 && entry > (x.control & MSIX_COUNT))
		r = -ENOENT;
	if (r == 0)
		r = sys_irqctl_msi(notify_id, hook, &address, &data);
	if (r != 0)
		return r;
	/* A predecessor's entries lead to interrupts that are somebody else's by now. */
	for (uint32_t i = 0; i <= (x.control & MSIX_COUNT) && !(x.control & MSIX_ENABLE); i++)
		msix_entry(&x, i)[MSIX_ENTRY_MASK] = 1;
	e = msix_entry(&x, entry);
	e[0] = (uint32_t)address;
	e[1] = (uint32_t)(address >> 32);
	e[2] = data;
	e[MSIX_ENTRY_MASK] = 0;
	return pci_write(dev, x.cap + MSIX_CONTROL, 2, (x.control | MSIX_ENABLE) & ~(uint32_t)MSIX_MASK_ALL);
}

/* Section 6.8.1: control, address (32 or 64 bits), data, and perhaps a word of masks. */
static err_t msi_write(uint32_t dev, uint32_t cap, uint32_t control, uint64_t address, uint32_t data)
{
	uint32_t at = cap + MSI_ADDRESS;
	err_t r = pci_write(dev, at, 4, (uint32_t)address);

	if (r == 0 && (control & MSI_64))
		r = pci_write(dev, at += 4, 4, (uint32_t)(address >> 32));
	if (r == 0)
		r = pci_write(dev, at += 4, 2, data);
	if (r == 0 && (control & MSI_MASKS))
		r = pci_write(dev, at + 4, 4, 0);
	return r ? r : pci_write(dev, cap + MSI_CONTROL, 2, (control & ~(uint32_t)MSI_COUNT) | MSI_ENABLE);
}

err_t pci_msi_set(uint32_t dev, uint32_t notify_id, uint64_t *hook)
{
	uint32_t cap, control = 0, data;
	uint64_t address;
	err_t r = pci_capability(dev, PCI_CAP_MSI, 0, &cap);

	if (r == 0)
		r = pci_read(dev, cap + MSI_CONTROL, 2, &control);
	if (r == 0)
		r = pci_write(dev, cap + MSI_CONTROL, 2, control & ~(uint32_t)MSI_ENABLE);
	if (r == 0)
		r = sys_irqctl_msi(notify_id, hook, &address, &data);
	if (r != 0)
		return r;
	return address >> 32 && !(control & MSI_64) ? -ENOENT : msi_write(dev, cap, control, address, data);
}

err_t pci_interrupt_set(uint32_t dev, uint32_t notify_id, uint64_t *hook)
{
	err_t r = pci_msix_set(dev, 0, notify_id, hook);

	return r == -ENOENT ? pci_msi_set(dev, notify_id, hook) : r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of QEMU's `edu` device, which has MSI and no MSI-X: registers, interrupts by message, configuration space. The checks run
 * while it initialises; tests/test_pci.py reads the log.
 */
#include "../proto/service_check.h"
#include <libpci/pci.h>
#include <libsys/kcall.h>
#include <abi/endpoint.h>

enum { EDU_VENDOR = 0x1234, EDU_ID = 0, EDU_LIVE = 4, EDU_IRQ_STATUS = 0x24, EDU_IRQ_RAISE = 0x60, EDU_IRQ_ACK = 0x64, MY_ID = 9 };
#define WAIT_NS 2000000000ull
#define NOTHING_NS 20000000ull

static struct { uint32_t dev; volatile uint8_t *bar; uint64_t len; } edu;

static volatile uint32_t *reg(uint32_t offset) { return (volatile uint32_t *)(edu.bar + offset); }

static void registers_answer(void)
{
	struct pci_next_rep found;

	CHECK_EQ(pci_next(PCI_DEV_NONE, &found), 0);
	CHECK_EQ(found.vendor, EDU_VENDOR);
	edu.dev = found.dev;
	CHECK_EQ(pci_next(found.dev, &found), -ENODEV);
	CHECK_EQ(pci_reserve(edu.dev), 0);
	CHECK_EQ(pci_bar_map(edu.dev, 0, &edu.bar, &edu.len), 0);
	if (!edu.bar)
		return;
	CHECK_EQ(*reg(EDU_ID) & 0xff, 0xed);
	*reg(EDU_LIVE) = 0x12345678;
	CHECK_EQ(*reg(EDU_LIVE), ~0x12345678u);
}

/* The next notification: the interrupt's ids, or 0 when the alarm came first. */
static uint64_t interrupt_wait(uint64_t patience_ns)
{
	struct message m;
	uint32_t status;

	sys_setalarm(sys_uptime() + patience_ns, 0);
	while (sef_receive(EP_ANY, &m, &status) == 0) {
		if (m.source == EP_HARDWARE)
			return MSG_BODY(const struct notify_body, &m)->irqs;
		if (m.source == EP_CLOCK)
			return 0;
	}
	return 0;
}

static void a_message_interrupts(void)
{
	uint64_t hook = 0;

	CHECK_EQ(pci_msix_set(edu.dev, 0, MY_ID, 0), -ENOENT);
	CHECK_EQ(pci_master_set(edu.dev, true), 0);
	CHECK_EQ(pci_interrupt_set(edu.dev, MY_ID, &hook), 0);
	for (uint32_t i = 1; i <= 100; i++) {
		*reg(EDU_IRQ_RAISE) = i;
		CHECK_EQ(interrupt_wait(WAIT_NS), 1ull << MY_ID);
		CHECK_EQ(*reg(EDU_IRQ_STATUS), i);
		*reg(EDU_IRQ_ACK) = i;
	}
	CHECK_EQ(pci_reserve(edu.dev), 0);	/* turns messages off, as a successor's does */
	*reg(EDU_IRQ_RAISE) = 1;
	CHECK_EQ(interrupt_wait(NOTHING_NS), 0);
	CHECK_EQ(*reg(EDU_IRQ_STATUS), 1);
	*reg(EDU_IRQ_ACK) = 1;
}

static void configuration_space_is_the_devices(void)
{
	uint32_t value = 0, cap = 0;

	CHECK_EQ(pci_read(edu.dev, PCI_CFG_VENDOR, 2, &value), 0);
	CHECK_EQ(value, EDU_VENDOR);
	CHECK_EQ(pci_read(edu.dev, 1, 2, &value), -EINVAL);
	CHECK_EQ(pci_read(edu.dev, PCI_CFG_ALL_BYTES, 4, &value), -EINVAL);
	CHECK_EQ(pci_read(edu.dev, 0xfffffffcu, 4, &value), -EINVAL);
	CHECK_EQ(pci_write(edu.dev, PCI_CFG_BAR0, 4, 0xfee00000), -EPERM);
	CHECK_EQ(pci_write(edu.dev, PCI_CFG_BYTES, 4, 0), pci_read(edu.dev, PCI_CFG_BYTES, 4, &value) ? -EINVAL : -EPERM);
	CHECK_EQ(pci_capability(edu.dev, PCI_CAP_MSI, 0, &cap), 0);
	CHECK(cap >= PCI_CFG_END);
	CHECK_EQ(pci_capability_extended(edu.dev, 1, 0, &cap), -ENOENT);
	log_info("extended space: %s", pci_read(edu.dev, PCI_CFG_BYTES, 4, &value) == 0 ? "yes" : "no");
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	RUN(registers_answer);
	RUN(a_message_interrupts);
	RUN(configuration_space_is_the_devices);
	return check_end();
}

int main(void)
{
	check_service(run);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that has the kernel calls of a driver but no device, and asks for everything: ports, registers, interrupts, PCI devices, memory
 * of others, rights of others. All of it is refused. Started by tests/test_block.py while a real driver works.
 */
#include "../proto/service_check.h"
#include <libsef/ds.h>
#include <libsys/grant.h>
#include <proto/bdev.h>
#include <proto/pci.h>
#include <proto/rs.h>
#include <proto/vm.h>

enum { RANDOM_MESSAGES = 2000, OTHERS_GRANTS = 40 };

static endpoint_t pci, disk;

static int64_t ask(endpoint_t ep, struct message *m)
{
	err_t r = sef_call(ep, m);

	return r ? r : (int64_t)m->w[0];
}

static void ports(void)
{
	static const uint16_t wanted[] = { 0xcf8, 0xcfc, 0x1f0, 0x3f8, 0x70, 0x64, 0xf4 };
	uint32_t value;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		CHECK_EQ(sys_devio(wanted[i], 1, 0, 0, &value), -EPERM);
		CHECK_EQ(sys_devio(wanted[i], 1, 1, 0, 0), -EPERM);
	}
}

static void physical_memory(void)
{
	static const paddr_t wanted[] = { 0, 0x100000, 0x1000000, 0xfebc0000, 0xfec00000, 0xfee00000, 0xfffff000, 0x100000000u };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct message m = { .type = VM_MAP_PHYS };

		*MSG_BODY(struct vm_map_phys_req, &m) = (struct vm_map_phys_req){ .paddr = wanted[i], .len = PAGE_BYTES, .write = 1 };
		CHECK_EQ(ask(EP_VM, &m), -EPERM);
	}
}

static void interrupts(void)
{
	for (uint32_t irq = 0; irq < 16; irq++)
		CHECK(sys_irqctl(IRQCTL_SET, irq, 0, 0, 0) < 0);
	for (uint32_t hook = 0; hook < 64; hook++) {
		CHECK_EQ(sys_irqctl(IRQCTL_REMOVE, hook, 0, 0, 0), -EINVAL);
		CHECK_EQ(sys_irqctl(IRQCTL_DISABLE, hook, 0, 0, 0), -EINVAL);
	}
}

static void devices_of_others(void)
{
	static const uint32_t requests[] = { PCI_RESERVE, PCI_RELEASE, PCI_BAR, PCI_CAP, PCI_READ, PCI_WRITE };
	struct message m = { .type = PCI_NEXT };

	MSG_BODY(struct pci_req, &m)->dev = PCI_DEV_NONE;
	CHECK_EQ(ask(pci, &m), -ENODEV);
	for (uint32_t slot = 0; slot < 32; slot++)
		for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
			m = (struct message){ .type = requests[i] };
			*MSG_BODY(struct pci_req, &m) = (struct pci_req){ .dev = slot << 3, .offset = PCI_CFG_COMMAND, .width = 2 };
			CHECK_EQ(ask(pci, &m), -ENODEV);
		}
}

/* Only the PCI server may. */
static void rights_of_others(void)
{
	struct message m = { .type = RS_ADD_RESOURCES };

	*MSG_BODY(struct rs_add_resources_req, &m) = (struct rs_add_resources_req){ sef_self(), RS_RESOURCE_MEM, 0, ~0ull };
	CHECK_EQ(ask(EP_RS, &m), -EPERM);
	m = (struct message){ .type = RS_PCI_ACL };
	MSG_BODY(struct rs_pci_acl_req, &m)->ep = disk;
	CHECK_EQ(ask(EP_RS, &m), -EPERM);
	m = (struct message){ .type = RS_REQUEST };
	MSG_BODY(struct rs_request_req, &m)->op = RS_OP_RESTART;
	strcpy(MSG_BODY(struct rs_request_req, &m)->label, "virtio_blk");
	CHECK_EQ(ask(EP_RS, &m), -EPERM);
}

static void memory_of_others(void)
{
	static const endpoint_t victims[] = { EP_VFS, EP_PM, EP_DS, EP_RS, EP_VM };
	struct phys_run run;

	for (size_t i = 0; i < sizeof(victims) / sizeof(victims[0]); i++)
		for (int g = 0; g < OTHERS_GRANTS; g++) {
			struct vumap_seg s = { grant_make(g / 8, g % 8), 64, 0 };
			uint32_t n = 1;

			CHECK(sys_vumap(victims[i], &s, 1, GRANT_READ | GRANT_WRITE, &run, &n) < 0);
		}
}

/* Requests and answers of every kind with nonsense in them: nobody falls. */
static void nonsense(void)
{
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < RANDOM_MESSAGES; i++) {
		struct message m;

		for (int k = 0; k < MSG_WORDS; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			m.w[k] = x % 5 ? x : x % 64;
		}
		m.type = i % 2 ? MSG_BDEV + (uint32_t)(x % 16) : MSG_PCI + (uint32_t)(x % 16);
		ipc_senda(i % 2 ? disk : pci, &m, 0);
		if (i % 16 == 15) {	/* let them take it */
			struct message ping = { .type = PCI_NEXT };

			CHECK(ask(pci, &ping) <= 0);
			ping = (struct message){ .type = BDEV_FLUSH };
			sef_call(disk, &ping);
		}
	}
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	CHECK_EQ(ds_retrieve_label_endpt("pci", &pci), 0);
	CHECK_EQ(ds_retrieve_label_endpt("virtio_blk", &disk), 0);
	RUN(ports);
	RUN(physical_memory);
	RUN(interrupts);
	RUN(devices_of_others);
	RUN(rights_of_others);
	RUN(memory_of_others);
	RUN(nonsense);
	return check_end();
}

int main(void)
{
	check_service(run);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel wants to know from the firmware's tables: CPUs and interrupt controllers (MADT), how to
 * power off and reset (FADT and the \_S5 package of the DSDT), where the PCI configuration window is
 * (MCFG). Read once at boot. A table is used only if its length is sane and its checksum right; every walk
 * ends at the table's end. Without tables: one CPU, and the PC's usual addresses.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/space.h>
#include <kernel/lib.h>
#include <x86/port.h>

enum {
	HEADER_BYTES = 36, TABLE_LIMIT = 1 << 20, BIOS_FIRST = 0xe0000, BIOS_LAST = 0xfffff,
	DEFAULT_LAPIC = 0xfee00000,
};
enum { MADT_CPU = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_ADDRESS = 5, MADT_X2APIC = 9 };
enum { CPU_ENABLED = 1 };

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[26];
} __attribute__((packed));

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
} __attribute__((packed));

struct x86_acpi x86_acpi = { .lapic = DEFAULT_LAPIC };
uint64_t arch_firmware_root;
uint8_t arch_pci_table[ARCH_PCI_TABLE_BYTES];
uint32_t arch_pci_table_bytes;

static uint64_t field(const void *table, unsigned offset, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = bytes; i-- > 0; )
		v = v << 8 | ((const uint8_t *)table)[offset + i];
	return v;
}

static bool checksum_ok(const void *data, uint32_t bytes)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
	return sum == 0;
}

static const struct acpi_header *table_map(paddr_t p)
{
	const struct acpi_header *h = p ? x86_firmware_map(p, HEADER_BYTES) : 0;

	if (!h || h->length < HEADER_BYTES || h->length > TABLE_LIMIT)
		return 0;
	h = x86_firmware_map(p, h->length);
	return h && checksum_ok(h, h->length) ? h : 0;
}

/* ---- MADT ---- */

static void cpu_add(uint32_t apic_id, uint32_t flags)
{
	if (flags & CPU_ENABLED && x86_acpi.nr_cpus < CONFIG_MAX_CPUS)
		x86_acpi.cpus[x86_acpi.nr_cpus++].apic_id = apic_id;
}

static void override_add(const uint8_t *e)
{
	uint32_t flags = (uint32_t)field(e, 8, 2);

	if (e[3] >= 16)
		return;
	x86_acpi.isa[e[3]] = (struct x86_acpi_isa){ .gsi = (uint32_t)field(e, 4, 4), .valid = true,
						    .low = (flags & 3) == 3, .level = (flags >> 2 & 3) == 3 };
}

static void madt_entry(const uint8_t *e, uint8_t length)
{
	if (e[0] == MADT_CPU && length >= 8)
		cpu_add(e[3], (uint32_t)field(e, 4, 4));
	else if (e[0] == MADT_X2APIC && length >= 16 && x86_features.x2apic)
		cpu_add((uint32_t)field(e, 4, 4), (uint32_t)field(e, 8, 4));
	else if (e[0] == MADT_IOAPIC && length >= 12 && x86_acpi.nr_ioapics < 4)
		x86_acpi.ioapics[x86_acpi.nr_ioapics++] = (struct x86_acpi_ioapic){
			field(e, 4, 4), (uint32_t)field(e, 8, 4) };
	else if (e[0] == MADT_OVERRIDE && length >= 10)
		override_add(e);
	else if (e[0] == MADT_LAPIC_ADDRESS && length >= 12)
		x86_acpi.lapic = field(e, 4, 8);
}

static void madt_read(const struct acpi_header *h)
{
	const uint8_t *t = (const uint8_t *)h;

	if (h->length < 44)
		return;
	x86_acpi.lapic = field(t, 36, 4);
	for (uint32_t o = 44; o + 2 <= h->length && t[o + 1] >= 2 && o + t[o + 1] <= h->length; o += t[o + 1])
		madt_entry(t + o, t[o + 1]);
}

/* ---- FADT, DSDT ---- */

/*
 * One integer of an AML package: ZeroOp, OneOp, or a byte or word constant. Returns its bytes, 0 if it is
 * something else.
 */
static unsigned aml_integer(const uint8_t *a, uint32_t left, uint16_t *out)
{
	if (left >= 1 && a[0] <= 1)
		return *out = a[0], 1;
	if (left >= 2 && a[0] == 0x0a)
		return *out = a[1], 2;
	if (left >= 3 && a[0] == 0x0b)
		return *out = (uint16_t)(a[1] | a[2] << 8), 3;
	return 0;
}

/* \_S5 is Name(_S5_, Package(n) { SLP_TYPa, SLP_TYPb, ... }): 08 [5c] "_S5_" 12 length n values. */
static bool s5_parse(const uint8_t *a, uint32_t left)
{
	unsigned used, at;

	if (left < 8 || a[4] != 0x12)
		return false;
	at = 5 + 1 + (a[5] >> 6) + 1;	/* package op, its length (1 to 4 bytes), number of elements */
	if (at >= left)
		return false;
	used = aml_integer(a + at, left - at, &x86_acpi.slp_typ_a);
	return used && aml_integer(a + at + used, left - at - used, &x86_acpi.slp_typ_b);
}

static void dsdt_read(const struct acpi_header *h)
{
	const uint8_t *t = (const uint8_t *)h;

	for (uint32_t o = HEADER_BYTES; o + 8 < h->length; o++)
		if (!memcmp(t + o, "_S5_", 4) && (t[o - 1] == 0x08 || t[o - 1] == 0x5c)
			&& s5_parse(t + o, h->length - o)) {
			x86_acpi.can_sleep = true;
			return;
		}
}

static void fadt_read(const struct acpi_header *h)
{
	const struct acpi_header *dsdt;
	paddr_t p;

	if (h->length < 116)
		return;
	x86_acpi.pm1a_port = (uint16_t)field(h, 64, 4);
	x86_acpi.pm1b_port = (uint16_t)field(h, 68, 4);
	x86_acpi.fadt_flags = (uint32_t)field(h, 112, 4);
	if (h->length >= 129 && x86_acpi.fadt_flags & 1 << 10) {
		x86_acpi.reset_space = (uint8_t)field(h, 116, 1);
		x86_acpi.reset_address = field(h, 120, 8);
		x86_acpi.reset_value = (uint8_t)field(h, 128, 1);
		x86_acpi.can_reset = true;
	}
	p = h->length >= 148 ? field(h, 140, 8) : 0;
	dsdt = table_map(p ? p : field(h, 40, 4));
	if (dsdt && x86_acpi.pm1a_port)
		dsdt_read(dsdt);
}

/* What the windows are worth is judged by who uses them. */
static void mcfg_keep(const struct acpi_header *h)
{
	arch_pci_table_bytes = h->length < ARCH_PCI_TABLE_BYTES ? h->length : ARCH_PCI_TABLE_BYTES;
	memcpy(arch_pci_table, h, arch_pci_table_bytes);
}

static void table_read(const struct acpi_header *h)
{
	if (!memcmp(h->signature, "APIC", 4))
		madt_read(h);
	else if (!memcmp(h->signature, "FACP", 4))
		fadt_read(h);
	else if (!memcmp(h->signature, "MCFG", 4))
		mcfg_keep(h);
}

/* ---- root ---- */

static bool rsdp_ok(const struct acpi_rsdp *r)
{
	return r && !memcmp(r->signature, "RSD PTR ", 8) && checksum_ok(r, 20);
}

static const struct acpi_rsdp *rsdp_find(void)
{
	const struct acpi_rsdp *r = arch_firmware_root ? x86_firmware_map(arch_firmware_root, sizeof(*r)) : 0;

	if (rsdp_ok(r))
		return r;
	for (paddr_t p = BIOS_FIRST; p + sizeof(*r) <= BIOS_LAST; p += 16) {
		r = x86_firmware_map(p, sizeof(*r));
		if (rsdp_ok(r)) {
			arch_firmware_root = p;
			return r;
		}
	}
	return 0;
}

void x86_acpi_init(void)
{
	const struct acpi_rsdp *r = rsdp_find();
	const struct acpi_header *root = 0, *h;
	unsigned width = 8;

	if (r && r->revision >= 2 && r->xsdt)
		root = table_map(r->xsdt);
	if (r && !root) {
		root = table_map(r->rsdt);
		width = 4;
	}
	if (!root) {
		log_printf("acpi: no tables; one CPU, no power-off\n");
		return;
	}
	for (uint32_t o = HEADER_BYTES; o + width <= root->length; o += width) {
		h = table_map(field(root, o, width));
		if (h)
			table_read(h);
	}
}

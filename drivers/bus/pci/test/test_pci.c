/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows from firmware's tables, buses behind bridges, capability lists and base registers of devices that lie. */
#include "pci.h"
#include <expect.h>
#include <libsys/log.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS_MAX = 96, MCFG_ROUNDS = 20000, LIAR_ROUNDS = 1000 };

/* Functions that are there: their configuration space, and the sizes behind their base registers. */
struct function { uint32_t dev; uint8_t space[PCI_CFG_ALL_BYTES]; uint32_t bar_masks[PCI_BARS]; };
static struct { uint32_t n, accesses, warnings; bool extended, segment1; struct function f[FUNCTIONS_MAX]; } world;
static struct pci_table table;

void log_warn(const char *format, ...) { (void)format; world.warnings++; }

static struct function *function_find(uint32_t dev)
{
	for (uint32_t i = 0; i < world.n; i++)
		if (world.f[i].dev == dev)
			return &world.f[i];
	return 0;
}

uint32_t pci_config_bytes(uint32_t dev) { return world.extended ? PCI_CFG_ALL_BYTES : dev >> 16 ? 0 : PCI_CFG_BYTES; }

bool pci_config_segment(uint32_t segment, uint32_t *first)
{
	*first = segment ? 16 : 0;
	return segment == 0 || (segment == 1 && world.segment1);
}

uint32_t pci_config_read(uint32_t dev, uint32_t offset, uint32_t width)
{
	const struct function *f = function_find(dev);
	uint32_t value = ~0u;

	world.accesses++;
	EXPECT(offset % width == 0 && offset + width <= PCI_CFG_ALL_BYTES);
	if (f)
		memcpy(&value, f->space + offset, width);
	return value & ~0u >> (32 - 8 * width);
}

void pci_config_write(uint32_t dev, uint32_t offset, uint32_t width, uint32_t value)
{
	struct function *f = function_find(dev);
	uint32_t bar = (offset - PCI_CFG_BAR0) / 4, old;

	EXPECT(offset % width == 0 && offset + width <= PCI_CFG_ALL_BYTES);
	if (!f)
		return;
	if (offset >= PCI_CFG_BAR0 && bar < PCI_BARS) {
		memcpy(&old, f->space + offset, 4);
		value = (value & f->bar_masks[bar]) | (old & 0xf & ~f->bar_masks[bar]);
	}
	memcpy(f->space + offset, &value, width);
}

static void put(struct function *f, uint32_t offset, uint32_t width, uint32_t value) { memcpy(f->space + offset, &value, width); }

static struct function *function_add(uint32_t dev, uint32_t class_code)
{
	struct function *f = &world.f[world.n++];

	memset(f, 0, sizeof(*f));
	f->dev = dev;
	put(f, PCI_CFG_VENDOR, 4, 0x10421af4);
	put(f, PCI_CFG_REVISION, 4, class_code << 8);
	return f;
}

static void bridge_add(uint32_t dev, uint32_t secondary, uint32_t subordinate)
{
	struct function *f = function_add(dev, 0x060400);

	put(f, PCI_CFG_HEADER, 1, 1);
	put(f, PCI_CFG_SECONDARY, 1, secondary);
	put(f, PCI_CFG_SUBORDINATE, 1, subordinate);
}

static void bar_set(struct function *f, int n, uint32_t base, uint32_t len, uint32_t kind)
{
	put(f, PCI_CFG_BAR0 + 4 * (uint32_t)n, 4, base | kind);
	f->bar_masks[n] = ~(len - 1) & ~0xfu;
}

static void world_clear(void) { memset(&world, 0, sizeof(world)); }

/* ---- windows ---- */

static size_t mcfg_make(uint8_t *t, const struct pci_window *w, uint32_t n)
{
	uint32_t len = 44 + 16 * n;

	memset(t, 0, len);
	memcpy(t, "MCFG", 4);
	memcpy(t + 4, &len, 4);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(t + 44 + 16 * i, &w[i].base, 8);
		memcpy(t + 52 + 16 * i, &w[i].segment, 2);
		t[54 + 16 * i] = w[i].first;
		t[55 + 16 * i] = w[i].last;
	}
	return len;
}

static void windows_that_make_sense_are_taken(void)
{
	static const struct pci_window in[] = {
		{ 0xb0000000, 0, 0, 63, 0 }, { 0xb0000000, 0, 64, 127, 0 },	/* two parts of one segment */
		{ 0xd0000000, 1, 0, 255, 0 },
		{ 0xc8000000, 2, 0, 255, 0 },		/* over another's memory */
		{ 0x400000000, 0, 127, 140, 0 },	/* a bus twice */
		{ 0x500000800, 3, 0, 1, 0 },		/* not aligned */
		{ 0x500000000, 3, 2, 1, 0 },		/* backwards */
		{ 0xfffffffffff00000, 3, 0, 255, 0 },	/* leaves the address space */
		{ 0, 3, 0, 0, 0 },
	};
	struct pci_window out[PCI_WINDOWS_MAX];
	uint8_t t[512];
	size_t len = mcfg_make(t, in, sizeof(in) / sizeof(in[0]));

	EXPECT_EQ(pci_mcfg_parse(t, len, out), 3);
	EXPECT(out[0].base == 0xb0000000 && out[0].last == 63 && out[1].first == 64 && out[2].segment == 1);
	EXPECT_EQ(pci_mcfg_parse(t, 44 + 16 + 15, out), 1);
	EXPECT_EQ(pci_mcfg_parse(t, 43, out), 0);
	t[4] = 20;
	t[5] = 0;
	EXPECT_EQ(pci_mcfg_parse(t, len, out), 0);
}

static void random_tables_give_windows_that_do_not_overlap(void)
{
	for (unsigned round = 0; round < MCFG_ROUNDS; round++) {
		struct pci_window out[PCI_WINDOWS_MAX];
		size_t len = (size_t)rand() % 513;
		uint8_t *t = malloc(len + 1);
		uint32_t n, stated = (uint32_t)(rand() % 600);

		for (size_t i = 0; i < len; i++)
			t[i] = (uint8_t)(rand() & (rand() % 2 ? 0 : 0xff));
		if (len >= 8)
			memcpy(t + 4, &stated, 4);
		n = pci_mcfg_parse(t, len, out);
		EXPECT(n <= PCI_WINDOWS_MAX);
		for (uint32_t i = 0; i < n; i++) {
			EXPECT(out[i].first <= out[i].last && pci_window_first(&out[i]) < pci_window_last(&out[i]));
			for (uint32_t j = 0; j < i; j++)
				EXPECT(pci_window_first(&out[i]) > pci_window_last(&out[j])
					|| pci_window_first(&out[j]) > pci_window_last(&out[i]));
		}
		free(t);
	}
}

/* ---- buses ---- */

static void everything_behind_bridges_is_found(void)
{
	world_clear();
	function_add(0, 0x060000);
	bridge_add(1 << 3, 3, 5);
	bridge_add(3 << 8, 5, 5);
	function_add(5 << 8 | 2 << 3, 0x010000);
	function_add(3 << 8 | 7 << 3, 0x020000);
	bridge_add(2 << 3, 0, 0);		/* leads back */
	function_add(9 << 8, 0x020000);		/* behind nothing */
	pci_scan(&table, 0, 0);
	EXPECT_EQ(table.n, 6);
	for (uint32_t i = 1; i < table.n; i++)
		EXPECT(table.devices[i - 1].dev < table.devices[i].dev);
	EXPECT(table.devices[1].bridge && table.devices[1].secondary == 3 && table.devices[1].subordinate == 5);
	function_add(3 << 3, 0x060000);		/* a second host bridge: buses that no bridge leads to */
	pci_scan(&table, 0, 0);
	EXPECT_EQ(table.n, 8);
	world.segment1 = true;
	function_add(1 << 16 | 16 << 8, 0x010802);
	pci_scan(&table, 0, 0);
	EXPECT_EQ(table.devices[table.n - 1].dev, 1 << 16 | 16 << 8);
}

static uint64_t bar_len(uint32_t device, int n) { return table.devices[device].bars[n].len; }

static void registers_where_others_are_are_left_out(void)
{
	static const struct pci_window window = { 0xb0000000, 0, 0, 255, 0 };
	struct function *f;

	world_clear();
	f = function_add(1 << 3, 0x010000);
	bar_set(f, 0, 0xfe000000, 0x1000, 0);
	bar_set(f, 1, 0xb0100000, 0x1000, 0);	/* configuration space */
	bar_set(f, 2, 0xfee00000, 0x1000, 0);	/* interrupt controllers */
	bar_set(f, 3, 0xfe000000, 0x1000, 0);	/* its own other one */
	bar_set(f, 4, 0xfe002000, 0x4000, 0);	/* not a multiple of its size */
	f = function_add(2 << 3, 0x010000);
	bar_set(f, 0, 0xfe000000, 0x10000, 0);	/* the first device's */
	bar_set(f, 1, 0xcf0, 16, 1);
	bar_set(f, 2, 0x40, 16, 1);
	bar_set(f, 3, 0xc000, 32, 1);
	pci_scan(&table, &window, 1);
	EXPECT_EQ(bar_len(0, 0), 0x1000);
	for (int n = 1; n < PCI_BARS; n++)
		EXPECT_EQ(bar_len(0, n), 0);
	EXPECT_EQ(bar_len(1, 0), 0);
	EXPECT_EQ(bar_len(1, 1), 0);
	EXPECT_EQ(bar_len(1, 2), 0);
	EXPECT_EQ(bar_len(1, 3), 32);
	EXPECT_EQ(world.warnings, 6);
}

/* ---- capabilities ---- */

/* Who asks for one after the other comes to an end. */
static void circles_end(void)
{
	struct function *f;
	uint32_t at = 0, n = 0;

	world_clear();
	world.extended = true;
	f = function_add(8, 0x010000);
	put(f, PCI_CFG_STATUS, 2, PCI_STATUS_CAPS);
	put(f, PCI_CFG_CAPS, 1, 0x40);
	put(f, 0x40, 2, 0x5000 | PCI_CAP_VENDOR);
	put(f, 0x50, 2, 0x6000 | PCI_CAP_EXPRESS);
	put(f, 0x60, 2, 0x4000 | PCI_CAP_VENDOR);
	while ((at = pci_config_capability(8, PCI_CAP_VENDOR, at)) != 0 && n < 10)
		n++;
	EXPECT_EQ(n, 2);
	put(f, 0x100, 4, 0x1500 << 16 | 1);
	put(f, 0x150, 4, 0x1000 << 16 | 1);
	for (n = 0; (at = pci_config_extended(8, 1, at)) != 0 && n < 10; n++)
		;
	EXPECT_EQ(n, 2);
}

static void capabilities_are_found(void)
{
	struct function *f;

	world_clear();
	f = function_add(8, 0x010000);
	put(f, PCI_CFG_STATUS, 2, PCI_STATUS_CAPS);
	put(f, PCI_CFG_CAPS, 1, 0x40);
	put(f, 0x40, 2, 0x5000 | PCI_CAP_VENDOR);
	put(f, 0x50, 2, 0x6000 | PCI_CAP_EXPRESS);
	put(f, 0x60, 2, PCI_CAP_VENDOR);
	put(f, 0x100, 4, 0x1500 << 16 | 0x10000 | 1);
	put(f, 0x150, 4, 0x10000 | 13);
	EXPECT_EQ(pci_config_capability(8, PCI_CAP_VENDOR, 0), 0x40);
	EXPECT_EQ(pci_config_capability(8, PCI_CAP_VENDOR, 0x40), 0x60);
	EXPECT_EQ(pci_config_capability(8, PCI_CAP_VENDOR, 0x60), 0);
	EXPECT_EQ(pci_config_extended(8, 13, 0), 0);
	world.extended = true;
	EXPECT_EQ(pci_config_extended(8, 1, 0), 0x100);
	EXPECT_EQ(pci_config_extended(8, 13, 0), 0x150);
	EXPECT_EQ(pci_config_extended(8, 13, 0x150), 0);
}

/* Messages of a predecessor are off afterwards; whatever the lists say, the walk ends. */
static void devices_that_lie_do_no_harm(void)
{
	for (unsigned round = 0; round < LIAR_ROUNDS; round++) {
		struct function *f;

		world_clear();
		world.extended = rand() % 2;
		for (int i = 0; i < 4; i++) {
			f = function_add((uint32_t)rand() % 0x400, 0);
			for (uint32_t at = 4; at < PCI_CFG_ALL_BYTES; at++)
				f->space[at] = (uint8_t)(rand() & (rand() % 3 ? 0x7f : 0xff));
			for (int n = 0; n < PCI_BARS; n++)
				f->bar_masks[n] = (uint32_t)rand() << 1;
		}
		pci_scan(&table, 0, 0);
		EXPECT(table.n <= PCI_DEVICES_MAX);
		for (uint32_t i = 0; i < table.n; i++) {
			for (uint32_t id = 0; id < 32; id++) {
				uint32_t at = pci_config_capability(table.devices[i].dev, id, 0);

				EXPECT(at == 0 || (at >= PCI_CFG_END && at < PCI_CFG_BYTES));
				at = pci_config_extended(table.devices[i].dev, id, 0);
				EXPECT(at == 0 || (at >= PCI_CFG_BYTES && at < PCI_CFG_ALL_BYTES));
			}
			pci_messages_off(table.devices[i].dev);
			for (int n = 0; n < PCI_BARS; n++) {
				const struct pci_bar *b = &table.devices[i].bars[n];

				EXPECT(b->len == 0 || (b->base && b->base + (b->len - 1) >= b->base && (b->len & (b->len - 1)) == 0));
			}
		}
	}
}

/* A bridge on every bus that leads to the next: as deep as it goes, more devices than there is room for. */
static void a_long_chain_of_bridges_ends(void)
{
	world_clear();
	for (uint32_t bus = 0; bus < FUNCTIONS_MAX; bus++)
		bridge_add(bus << 8, bus + 1, 255);
	pci_scan(&table, 0, 0);
	EXPECT_EQ(table.n, PCI_DEVICES_MAX);
	EXPECT_EQ(world.warnings, FUNCTIONS_MAX - PCI_DEVICES_MAX);
}

int main(void)
{
	windows_that_make_sense_are_taken();
	random_tables_give_windows_that_do_not_overlap();
	everything_behind_bridges_is_found();
	registers_where_others_are_are_left_out();
	capabilities_are_found();
	circles_end();
	devices_that_lie_do_no_harm();
	a_long_chain_of_bridges_ends();
	return expect_end();
}

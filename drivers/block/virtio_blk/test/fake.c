/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"
#include <errno.h>
#include <libpci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL_FEATURES = 1 << 1 | 1 << 2 | 1 << 6 | 1 << 9 | 1 << 13 | 1 << 14 | 1 << 28, CHAIN_MAX = 256 };

struct fake fake;
static struct { uint8_t *p; size_t len; } buffer;

static void broken_rule(const char *what)
{
	fake.wrong++;
	printf("the driver: %s\n", what);
}

static unsigned chance(unsigned of) { return (unsigned)rand() % of; }

/* ---- memory ---- */

void fake_area_add(void *p, size_t len)
{
	fake.areas[fake.nr_areas].p = p;
	fake.areas[fake.nr_areas].mine = false;
	fake.areas[fake.nr_areas++].len = len;
}

void fake_area_remove(void *p)
{
	for (uint32_t i = 0; i < fake.nr_areas; i++)
		if (fake.areas[i].p == p) {
			fake.areas[i] = fake.areas[--fake.nr_areas];
			return;
		}
}

static uint8_t *reach(paddr_t addr, size_t len)
{
	uint8_t *p = (uint8_t *)(uintptr_t)addr;

	for (uint32_t i = 0; i < fake.nr_areas; i++)
		if (p >= fake.areas[i].p && p + len <= fake.areas[i].p + fake.areas[i].len)
			return p;
	broken_rule("gives the device memory that is not lent to it");
	return 0;
}

/* ---- the device ---- */

struct chain { uint32_t n; struct virtq_desc d[CHAIN_MAX]; };

static bool chain_follow(uint16_t head, struct chain *c)
{
	const struct virtq_desc *table = fake.q->desc;
	uint32_t room = fake.q->size, at = head;

	c->n = 0;
	if (table[head].flags & VIRTQ_DESC_INDIRECT) {
		room = table[head].len / (uint32_t)sizeof(*table);
		table = (const struct virtq_desc *)(const void *)reach(table[head].addr, table[head].len);
		at = 0;
	}
	while (table && c->n < CHAIN_MAX && at < room) {
		c->d[c->n++] = table[at];
		if (!(table[at].flags & VIRTQ_DESC_NEXT))
			return c->n >= 2;
		at = table[at].next;
	}
	broken_rule("a chain of descriptors leaves its table");
	return false;
}

static uint8_t transfer(const struct chain *c, uint64_t pos, bool in, uint32_t *written)
{
	uint64_t total = 0;

	for (uint32_t i = 1; i + 1 < c->n; i++) {
		uint8_t *p = reach(c->d[i].addr, c->d[i].len);

		if (!p || !!(c->d[i].flags & VIRTQ_DESC_WRITE) != in || c->d[i].len == 0) {
			broken_rule("a descriptor of data makes no sense");
			return 1;
		}
		if (pos > FAKE_DISK || c->d[i].len > FAKE_DISK - pos)
			return 1;
		memcpy(in ? p : fake.disk + pos, in ? fake.disk + pos : p, c->d[i].len);
		pos += c->d[i].len;
		total += c->d[i].len;
	}
	if (total == 0 || total % 512)
		broken_rule("a transfer is no number of sectors");
	*written = in ? (uint32_t)total + 1 : 1;
	return 0;
}

static uint8_t range_do(const struct chain *c, bool zero)
{
	const struct vblk_range *r = c->n == 3 ? (const void *)reach(c->d[1].addr, sizeof(*r)) : 0;

	if (!r || r->sectors == 0) {
		broken_rule("a range makes no sense");
		return 1;
	}
	if (r->sector > FAKE_DISK / 512 || r->sectors > FAKE_DISK / 512 - r->sector)
		return 1;
	if (zero)
		memset(fake.disk + r->sector * 512, 0, r->sectors * 512);
	return 0;
}

static uint8_t request_do(const struct chain *c, uint32_t *written)
{
	const struct vblk_header *h = (const void *)reach(c->d[0].addr, sizeof(*h));

	*written = 1;
	if (!h || c->d[0].len != sizeof(*h))
		return 1;
	if (h->sector > FAKE_DISK / 512)
		return 1;
	switch (h->type) {
	case VBLK_T_IN: return transfer(c, h->sector * 512, true, written);
	case VBLK_T_OUT: return transfer(c, h->sector * 512, false, written);
	case VBLK_T_DISCARD: return range_do(c, false);
	case VBLK_T_WRITE_ZEROES: return range_do(c, true);
	case VBLK_T_FLUSH: return 0;
	default: return 2;
	}
}

static void used_add(uint32_t id, uint32_t len)
{
	volatile struct virtq_used *u = fake.q->used;

	u->ring[u->idx % fake.q->size].id = id;
	u->ring[u->idx % fake.q->size].len = len;
	u->idx = (uint16_t)(u->idx + 1);
}

static void config_lie(void)
{
	static const uint32_t words[] = { 0, 1, 3, 512, 513, 4096, 8192, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff };

	switch (chance(7)) {
	case 0: fake.sectors = chance(2) ? chance(FAKE_DISK / 256) : UINT64_MAX >> chance(64); break;
	case 1: fake.block_size = words[chance(11)]; break;
	case 2: fake.segs_max = words[chance(11)]; break;
	case 3: fake.size_max = words[chance(11)]; break;
	case 4: fake.discard_max = fake.zeroes_max = words[chance(11)]; break;
	case 5: fake.features = ((uint64_t)rand() << 32 | (unsigned)rand()) & (chance(2) ? ~0ull : ALL_FEATURES | 1ull << 32); break;
	default: fake.queue_size = words[chance(11)] & 0xffff; break;
	}
}

/* One of the ways to be wrong, instead of or beside the right answer. */
static void lie(uint16_t head, uint8_t *status, uint32_t written)
{
	fake.lies++;
	switch (chance(11)) {
	case 0: used_add((uint32_t)rand(), written); break;
	case 1: used_add(chance(fake.q->size), written); break;
	case 2: used_add(head, written); used_add(head, written); break;
	case 3: fake.q->used->idx = (uint16_t)(fake.q->used->idx + rand()); break;
	case 4: used_add(head, chance(2) ? (uint32_t)rand() : 0); break;
	case 5: *status = (uint8_t)(1 + chance(255)); used_add(head, written); break;
	case 6: break;		/* no answer */
	case 7: config_lie(); used_add(head, written); break;
	case 8: fake.refuse_resets = (int)chance(4); used_add((uint32_t)rand(), written); break;
	case 9: fake.q->used->flags = (uint16_t)rand(); used_add(head, written); break;
	default: fake.mute = true; break;
	}
}

static void answer(uint16_t head)
{
	struct chain c;
	uint32_t written = 0;
	uint8_t *status, result;

	if (!chain_follow(head, &c))
		return;
	status = reach(c.d[c.n - 1].addr, 1);
	if (!status || !(c.d[c.n - 1].flags & VIRTQ_DESC_WRITE))
		return;
	result = request_do(&c, &written);
	*status = result;
	if (fake.lying && chance(12) == 0)
		lie(head, status, written);
	else
		used_add(head, written);
}

void fake_step(void)
{
	uint32_t i;

	if (!fake.running)
		return;
	while (fake.seen != fake.q->avail->idx) {
		if (fake.nr_pending == fake.q->size) {
			broken_rule("more requests than the queue holds");
			fake.running = false;
			return;
		}
		fake.pending[fake.nr_pending++] = fake.q->avail->ring[fake.seen++ % fake.q->size];
	}
	if (fake.nr_pending == 0 || fake.mute || (fake.lazy && fake.answered == fake.lazy))
		return;
	fake.answered++;
	i = chance(fake.nr_pending);
	answer(fake.pending[i]);
	fake.pending[i] = fake.pending[--fake.nr_pending];
}

void fake_honest(uint32_t block_size)
{
	fake.lying = fake.mute = false;
	fake.features = ALL_FEATURES | VIRTIO_F_VERSION_1;
	fake.sectors = FAKE_DISK / 512;
	fake.block_size = block_size;
	fake.segs_max = 64;
	fake.size_max = 1 << 20;
	fake.discard_max = fake.zeroes_max = 64;
	fake.queue_size = 128;
	fake.refuse_resets = 0;
}

void fake_power_on(uint32_t block_size)
{
	memset(&fake, 0, sizeof(fake));
	fake.now = 1000000000;
	fake_honest(block_size);
}

void fake_power_off(void)
{
	for (uint32_t i = 0; i < fake.nr_areas; i++)
		if (fake.areas[i].mine)
			free(fake.areas[i].p);
	fake.nr_areas = 0;
}

/* ---- libvirtio, as far as it talks to registers ---- */

err_t virtio_attach(struct virtio *v, uint32_t dev) { *v = (struct virtio){ .dev = dev }; return 0; }
void virtio_start(struct virtio *v) { (void)v; fake.running = true; }
err_t virtio_config_vector(struct virtio *v, uint16_t vector) { (void)v, (void)vector; return 0; }

err_t virtio_stop(struct virtio *v)
{
	(void)v;
	fake.resets++;
	if (fake.refuse_resets > 0) {
		fake.refuse_resets--;
		return -EIO;
	}
	fake.running = false;
	fake.answered = 0;
	fake.mute = fake.mute && chance(2);
	fake.nr_pending = 0;
	return 0;
}

void virtio_kill(struct virtio *v)
{
	(void)v;
	fake.running = false;
	fake.nr_pending = 0;
}

err_t virtio_reset(struct virtio *v) { return virtio_stop(v); }

err_t virtio_negotiate(struct virtio *v, uint64_t wanted)
{
	v->features = fake.features & (wanted | VIRTIO_F_VERSION_1);
	return v->features & VIRTIO_F_VERSION_1 ? 0 : -ENODEV;
}

uint16_t virtio_queue_size(struct virtio *v, uint16_t n)
{
	uint16_t fits = VIRTQUEUE_SIZE_MAX;

	(void)v, (void)n;
	while (fits > fake.queue_size)
		fits /= 2;
	return fits;
}

err_t virtio_queue_enable(struct virtio *v, uint16_t n, const struct virtqueue *q, paddr_t paddr, uint16_t vector,
	volatile uint16_t **doorbell)
{
	(void)v, (void)n, (void)vector;
	if (reach(paddr, virtqueue_bytes(q->size)) != (uint8_t *)q->desc)
		broken_rule("the queue is elsewhere");
	fake.q = q;
	fake.seen = 0;
	*doorbell = &fake.doorbell;
	return 0;
}

uint32_t virtio_config_read(const struct virtio *v, uint32_t offset, uint32_t width)
{
	(void)v, (void)width;
	switch (offset) {
	case 8: return fake.size_max;
	case 12: return fake.segs_max;
	case 20: return fake.block_size;
	case 36: return fake.discard_max;
	case 48: return fake.zeroes_max;
	default: return 1;
	}
}

uint64_t virtio_config_read64(const struct virtio *v, uint32_t offset) { (void)v, (void)offset; return fake.sectors; }

err_t virtio_memory(uint64_t bytes, void **p, paddr_t *paddr)
{
	if (posix_memalign(p, 4096, bytes))
		abort();
	memset(*p, 0, bytes);
	fake_area_add(*p, bytes);
	fake.areas[fake.nr_areas - 1].mine = true;
	*paddr = (paddr_t)(uintptr_t)*p;
	return 0;
}

/* ---- the rest of the world ---- */

err_t pci_msix_set(uint32_t dev, uint32_t entry, uint32_t notify_id, uint64_t *hook)
{
	(void)dev, (void)entry, (void)notify_id, (void)hook;
	return 0;
}

void log_info(const char *format, ...) { (void)format; }
void log_warn(const char *format, ...) { (void)format; }
const char *err_text(int error) { (void)error; return ""; }
void bdev_reply(const struct bdev_request *r, int64_t result) { fake_answered(r, result); }

void fake_buffer(void *p, size_t len)
{
	buffer.p = p;
	buffer.len = len;
}

/* Runs of the buffer, cut anywhere, but at most once in each sector as pages would. */
static uint64_t runs_make(struct phys_run *runs, uint64_t room)
{
	uint64_t n = 0;
	size_t at = 0;

	while (at < buffer.len) {
		size_t len = n + 4 > room ? buffer.len - at : 512 * (1 + chance(32));

		if (len > buffer.len - at)
			len = buffer.len - at;
		if (len > 512 && chance(3) == 0)
			len -= 1 + chance(511);
		runs[n++] = (struct phys_run){ (paddr_t)(uintptr_t)(buffer.p + at), len };
		at += len;
		if (at % 512 && n < room) {	/* to the sector's end */
			runs[n++] = (struct phys_run){ (paddr_t)(uintptr_t)(buffer.p + at), 512 - at % 512 };
			at += 512 - at % 512;
		}
	}
	return n;
}

err_t kcall(uint32_t number, uint64_t w[MSG_WORDS])
{
	if (number == KC_TIMES) {	/* time passes, and the device works */
		w[3] = fake.now += 50000;
		if (chance(8) == 0)
			fake_step();
		return 0;
	}
	if (number == KC_VUMAP) {
		w[1] = runs_make((struct phys_run *)(uintptr_t)w[4], w[5]);
		return 0;
	}
	return -ENOSYS;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading partition tables. A table is believed only as a whole: a GPT header or list of entries with a wrong checksum is not used at all
 * (then the backup at the end of the disk is tried), a boot sector whose boot flags are no flags is no MBR. Single entries that leave
 * the disk are left out.
 */
#include "partition.h"
#include <errno.h>
#include <string.h>

enum { MBR_TABLE = 446, MBR_ENTRY_BYTES = 16, MBR_ENTRIES = 4, MBR_SIGNATURE = 510, TYPE_PROTECTIVE = 0xee, LOGICAL_FIRST = 5 };
enum { GPT_HEADER_MIN = 92, GPT_ENTRY_MIN = 128, GPT_LIST_MAX = 128 << 10 };

struct mbr_entry { uint8_t flag, type; uint64_t first, count; };
struct gpt_header { uint64_t entries, first_usable, last_usable; uint32_t count, entry_bytes, entries_crc; };

/* ---- bytes ---- */

static uint32_t get32(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }
static uint64_t get64(const uint8_t *p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

uint32_t partition_crc(uint32_t crc, const void *p, size_t len)
{
	const uint8_t *byte = p;

	for (crc = ~crc; len; len--, byte++) {
		crc ^= *byte;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void part_set(const struct partition_disk *d, struct partition_table *t, uint32_t n, uint64_t first, uint64_t count)
{
	if (n <= PARTITIONS_MAX && first != 0 && first < d->blocks && count <= d->blocks - first)
		t->part[n] = (struct partition){ first, count };
}

/* ---- MBR ---- */

static bool type_is_extended(uint8_t type) { return type == 0x05 || type == 0x0f || type == 0x85; }

static struct mbr_entry mbr_entry(const uint8_t *block, int i)
{
	const uint8_t *e = block + MBR_TABLE + i * MBR_ENTRY_BYTES;

	return (struct mbr_entry){ e[0], e[4], get32(e + 8), get32(e + 12) };
}

/* Boot sectors of file systems have the signature, too, but code where the flags would be. */
static bool block_is_mbr(const uint8_t *block)
{
	bool ok = block[MBR_SIGNATURE] == 0x55 && block[MBR_SIGNATURE + 1] == 0xaa;

	for (int i = 0; i < MBR_ENTRIES; i++)
		ok = ok && (mbr_entry(block, i).flag & 0x7f) == 0;
	return ok;
}

/*
 * A list of blocks inside the extended partition, each with one partition and the place of the next block. It may be a circle; the
 * numbers run out before that matters.
 */
static err_t extended_read(const struct partition_disk *d, struct partition_table *t, const struct mbr_entry *ext, uint8_t *block)
{
	uint64_t at = 0;
	err_t err;

	for (uint32_t n = LOGICAL_FIRST; n <= PARTITIONS_MAX; n++) {
		struct mbr_entry e, next;

		if (at >= ext->count || ext->first + at >= d->blocks)
			return 0;
		err = d->read(d->context, ext->first + at, block);
		if (err || !block_is_mbr(block))
			return err;
		e = mbr_entry(block, 0);
		next = mbr_entry(block, 1);
		if (e.type && !type_is_extended(e.type) && e.first && at + e.first < ext->count && e.count <= ext->count - at - e.first)
			part_set(d, t, n, ext->first + at + e.first, e.count);
		if (!type_is_extended(next.type) || next.first == 0)
			return 0;
		at = next.first;
	}
	return 0;
}

static err_t mbr_read(const struct partition_disk *d, struct partition_table *t, uint8_t *block)
{
	struct mbr_entry extended = { 0 };

	t->kind = PARTITION_MBR;
	for (int i = 0; i < MBR_ENTRIES; i++) {
		struct mbr_entry e = mbr_entry(block, i);

		if (type_is_extended(e.type) && !extended.type)
			extended = e;
		else if (e.type && !type_is_extended(e.type))
			part_set(d, t, (uint32_t)i + 1, e.first, e.count);
	}
	return extended.type && extended.first ? extended_read(d, t, &extended, block) : 0;
}

/* ---- GPT ---- */

/* `at`: the block it was read from. */
static bool gpt_header_parse(const struct partition_disk *d, uint8_t *block, uint64_t at, struct gpt_header *h)
{
	uint32_t bytes = get32(block + 12), crc = get32(block + 16);

	if (memcmp(block, "EFI PART", 8) != 0 || bytes < GPT_HEADER_MIN || bytes > d->block_size || get64(block + 24) != at)
		return false;
	memset(block + 16, 0, 4);
	if (partition_crc(0, block, bytes) != crc)
		return false;
	*h = (struct gpt_header){ .first_usable = get64(block + 40), .last_usable = get64(block + 48), .entries = get64(block + 72),
				  .count = get32(block + 80), .entry_bytes = get32(block + 84), .entries_crc = get32(block + 88) };
	return h->entry_bytes >= GPT_ENTRY_MIN && h->entry_bytes <= PARTITION_BLOCK_MAX && h->entry_bytes % GPT_ENTRY_MIN == 0
	       && h->count > 0 && h->count <= GPT_LIST_MAX / h->entry_bytes && h->last_usable < d->blocks
	       && h->entries < d->blocks;
}

static void gpt_entry_take(const struct partition_disk *d, const struct gpt_header *h, uint32_t i, const uint8_t *e,
	struct partition_table *t)
{
	static const uint8_t unused[16];
	uint64_t first = get64(e + 32), last = get64(e + 40);

	if (memcmp(e, unused, sizeof(unused)) == 0 || first < h->first_usable || last > h->last_usable || last < first)
		return;
	part_set(d, t, i + 1, first, last - first + 1);
}

/* Entries begin at multiples of 128 bytes, as blocks do, so what matters of one (its first 48 bytes) never spans two blocks. */
static err_t gpt_entries_read(const struct partition_disk *d, const struct gpt_header *h, uint8_t *block, struct partition_table *t,
	bool *valid)
{
	uint64_t bytes = (uint64_t)h->count * h->entry_bytes;
	uint32_t crc = 0;
	err_t err;

	for (uint64_t done = 0; done < bytes; done += d->block_size) {
		uint64_t part = bytes - done < d->block_size ? bytes - done : d->block_size, first;

		if (h->entries + done / d->block_size >= d->blocks)
			return 0;
		err = d->read(d->context, h->entries + done / d->block_size, block);
		if (err)
			return err;
		crc = partition_crc(crc, block, part);
		/* Entries that begin in this block. */
		first = (done + h->entry_bytes - 1) / h->entry_bytes;
		for (uint64_t i = first; i < PARTITIONS_MAX && i * h->entry_bytes < done + part; i++)
			gpt_entry_take(d, h, (uint32_t)i, block + (i * h->entry_bytes - done), t);
	}
	*valid = crc == h->entries_crc;
	return 0;
}

/* The table that the header at this block heads. *valid: it is whole. */
static err_t gpt_read(const struct partition_disk *d, uint64_t at, uint8_t *block, struct partition_table *t, bool *valid)
{
	struct gpt_header h;
	err_t err = d->read(d->context, at, block);

	*valid = false;
	memset(t, 0, sizeof(*t));
	if (err || !gpt_header_parse(d, block, at, &h))
		return err;
	return gpt_entries_read(d, &h, block, t, valid);
}

static err_t gpt_either_read(const struct partition_disk *d, uint8_t *block, struct partition_table *t)
{
	bool valid;
	err_t err = gpt_read(d, 1, block, t, &valid);

	if (err || !valid) {
		err = gpt_read(d, d->blocks - 1, block, t, &valid);
		t->backup = true;
	}
	if (err || !valid)
		memset(t, 0, sizeof(*t));
	else
		t->kind = PARTITION_GPT;
	return err;
}

err_t partition_table_read(const struct partition_disk *d, struct partition_table *out)
{
	uint8_t block[PARTITION_BLOCK_MAX];
	err_t err;

	memset(out, 0, sizeof(*out));
	if (d->blocks < 3 || d->block_size < 512 || d->block_size > sizeof(block))
		return 0;
	err = d->read(d->context, 0, block);
	if (err || !block_is_mbr(block))
		return err;
	for (int i = 0; i < MBR_ENTRIES; i++)
		if (mbr_entry(block, i).type == TYPE_PROTECTIVE)
			return gpt_either_read(d, block, out);
	return mbr_read(d, out, block);
}

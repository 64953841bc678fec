/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partition tables: good ones, damaged ones, and random damage to good ones. Whatever stands on the disk, only blocks of the disk are
 * read, few of them, and no partition leaves it.
 */
#include "partition.h"
#include <expect.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 4096, READS_MAX = 600, ROUNDS = 20000 };

static struct { uint8_t *bytes; uint32_t block_size; uint64_t blocks; int reads, fail_at; } disk;

static err_t disk_read(void *context, uint64_t block, void *p)
{
	(void)context;
	EXPECT(block < disk.blocks);
	disk.reads++;
	if (disk.reads == disk.fail_at)
		return -5;
	memcpy(p, disk.bytes + block * disk.block_size, disk.block_size);
	return 0;
}

static err_t table_get(struct partition_table *t)
{
	struct partition_disk d = { disk.blocks, disk.block_size, disk_read, 0 };
	err_t err;

	disk.reads = 0;
	err = partition_table_read(&d, t);
	EXPECT(disk.reads < READS_MAX);
	for (int i = 1; i <= PARTITIONS_MAX; i++)
		EXPECT(t->part[i].count == 0 || (t->part[i].first > 0 && t->part[i].first < disk.blocks
						 && t->part[i].count <= disk.blocks - t->part[i].first));
	return err;
}

static uint8_t *block(uint64_t n) { return disk.bytes + n * disk.block_size; }
static void put32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }
static void put64(uint8_t *p, uint64_t v) { memcpy(p, &v, 8); }

static void disk_make(uint32_t block_size)
{
	free(disk.bytes);
	disk.block_size = block_size;
	disk.blocks = BLOCKS;
	disk.fail_at = 0;
	disk.bytes = calloc(BLOCKS, block_size);
}

static void mbr_put(uint64_t at, int i, uint8_t type, uint32_t first, uint32_t count)
{
	uint8_t *e = block(at) + 446 + i * 16;

	e[4] = type;
	put32(e + 8, first);
	put32(e + 12, count);
	block(at)[510] = 0x55;
	block(at)[511] = 0xaa;
}

/* ---- GPT ---- */

static void gpt_entry(uint64_t list, uint32_t bytes, int i, uint64_t first, uint64_t last)
{
	uint8_t *e = block(list) + (uint64_t)i * bytes;

	memset(e, 0xc0 + i, 16);
	put64(e + 32, first);
	put64(e + 40, last);
}

static void gpt_seal(uint64_t at, uint64_t list, uint32_t count, uint32_t bytes)
{
	uint8_t *h = block(at);

	memcpy(h, "EFI PART", 8);
	put32(h + 8, 0x10000);
	put32(h + 12, 92);
	put32(h + 16, 0);
	put64(h + 24, at);
	put64(h + 40, 40);
	put64(h + 48, BLOCKS - 40);
	put64(h + 72, list);
	put32(h + 80, count);
	put32(h + 84, bytes);
	put32(h + 88, partition_crc(0, block(list), (size_t)count * bytes));
	put32(h + 16, partition_crc(0, h, 92));
}

static void gpt_make(uint32_t block_size, uint32_t bytes)
{
	const uint64_t lists[2] = { 2, BLOCKS - 33 }, headers[2] = { 1, BLOCKS - 1 };

	disk_make(block_size);
	mbr_put(0, 0, 0xee, 1, BLOCKS - 1);
	for (int i = 0; i < 2; i++) {
		gpt_entry(lists[i], bytes, 0, 100, 199);
		gpt_entry(lists[i], bytes, 2, 200, 200);
		gpt_entry(lists[i], bytes, 3, 10, 50);			/* before the usable blocks */
		gpt_entry(lists[i], bytes, 4, 300, 299);		/* ends before it begins */
		gpt_entry(lists[i], bytes, 5, 300, BLOCKS + 5);		/* leaves the disk */
		gpt_seal(headers[i], lists[i], 32, bytes);
	}
}

static void gpt_is_read(uint32_t block_size, uint32_t bytes, bool backup)
{
	struct partition_table t;

	EXPECT_EQ(table_get(&t), 0);
	EXPECT_EQ(t.kind, PARTITION_GPT);
	EXPECT_EQ(t.backup, backup);
	EXPECT(t.part[1].first == 100 && t.part[1].count == 100);
	EXPECT_EQ(t.part[2].count, 0);
	EXPECT(t.part[3].first == 200 && t.part[3].count == 1);
	EXPECT(t.part[4].count == 0 && t.part[5].count == 0 && t.part[6].count == 0);
	(void)block_size, (void)bytes;
}

static void gpt_of_every_size(void)
{
	const uint32_t sizes[] = { 512, 1024, 4096 }, entries[] = { 128, 256, 384 };

	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++) {
			gpt_make(sizes[i], entries[k]);
			gpt_is_read(sizes[i], entries[k], false);
			block(1)[60] ^= 1;		/* the header */
			gpt_is_read(sizes[i], entries[k], true);
			block(1)[60] ^= 1;
			block(2)[5 * entries[k] + 60] ^= 4;	/* an entry */
			gpt_is_read(sizes[i], entries[k], true);
		}
}

static void gpt_with_both_copies_damaged_is_none(void)
{
	struct partition_table t;

	gpt_make(512, 128);
	block(1)[0] = 'X';
	block(BLOCKS - 33)[0] ^= 1;
	EXPECT_EQ(table_get(&t), 0);
	EXPECT_EQ(t.kind, PARTITION_NONE);
	EXPECT_EQ(t.part[1].count, 0);
}

/* ---- MBR ---- */

static void mbr_with_logical_ones(void)
{
	struct partition_table t;

	disk_make(512);
	mbr_put(0, 0, 0x83, 64, 100);
	mbr_put(0, 2, 0x05, 1000, 1000);
	mbr_put(0, 3, 0x83, 4000, 200);			/* leaves the disk */
	mbr_put(1000, 0, 0x83, 1, 50);
	mbr_put(1000, 1, 0x05, 100, 100);
	mbr_put(1100, 0, 0x82, 2, 60);
	EXPECT_EQ(table_get(&t), 0);
	EXPECT_EQ(t.kind, PARTITION_MBR);
	EXPECT(t.part[1].first == 64 && t.part[1].count == 100);
	EXPECT(t.part[3].count == 0 && t.part[4].count == 0);
	EXPECT(t.part[5].first == 1001 && t.part[5].count == 50);
	EXPECT(t.part[6].first == 1102 && t.part[6].count == 60);
	EXPECT_EQ(t.part[7].count, 0);
}

static void circles_end(void)
{
	struct partition_table t;

	disk_make(512);
	mbr_put(0, 0, 0x0f, 1000, 1000);
	mbr_put(1000, 0, 0x83, 1, 10);
	mbr_put(1000, 1, 0x05, 100, 10);
	mbr_put(1100, 0, 0x83, 1, 10);
	mbr_put(1100, 1, 0x05, 100, 10);		/* itself */
	EXPECT_EQ(table_get(&t), 0);
	EXPECT_EQ(t.part[15].first, 1101);
}

static void file_systems_are_no_tables(void)
{
	struct partition_table t;

	disk_make(512);
	mbr_put(0, 0, 0x83, 64, 100);
	block(0)[446 + 16] = 0x6b;			/* code */
	EXPECT_EQ(table_get(&t), 0);
	EXPECT_EQ(t.kind, PARTITION_NONE);
	disk_make(512);
	EXPECT_EQ(table_get(&t), 0);
	EXPECT_EQ(t.kind, PARTITION_NONE);
}

static void unreadable_blocks(void)
{
	struct partition_table t;

	gpt_make(512, 128);
	disk.fail_at = 1;
	EXPECT_EQ(table_get(&t), -5);
	for (disk.fail_at = 2; disk.fail_at < 5; disk.fail_at++)
		gpt_is_read(512, 128, true);
	mbr_with_logical_ones();
	disk.fail_at = 2;
	EXPECT_EQ(table_get(&t), -5);
}

/* ---- damage ---- */

static void damage(unsigned seed)
{
	static const uint64_t places[] = { 0, 1, 2, 3, 1000, 1100, BLOCKS - 33, BLOCKS - 1 };
	int n = 1 + (int)(seed % 9);

	while (n--) {
		uint8_t *p = block(places[(unsigned)rand() % 8]) + (unsigned)rand() % 512;

		*p = (uint8_t)(rand() % 3 ? rand() : 0xff);
	}
	if (rand() % 2) {	/* get past the checksums */
		uint8_t *h = block(1);
		uint32_t bytes = 92;

		put32(h + 16, 0);
		put32(h + 16, partition_crc(0, h, bytes));
	}
}

static void random_damage_does_no_harm(void)
{
	struct partition_table t;

	for (unsigned seed = 0; seed < ROUNDS; seed++) {
		srand(seed);
		if (seed % 2) {
			if (seed % 64 == 1)
				gpt_make(512, 128);
		} else if (seed % 64 == 0) {
			mbr_with_logical_ones();
		}
		damage(seed);
		disk.blocks = rand() % 50 ? BLOCKS : (uint64_t)rand() % 8;
		table_get(&t);
		disk.blocks = BLOCKS;
	}
}

int main(void)
{
	gpt_of_every_size();
	gpt_with_both_copies_damaged_is_none();
	mbr_with_logical_ones();
	circles_end();
	file_systems_are_no_tables();
	unreadable_blocks();
	random_damage_does_no_harm();
	free(disk.bytes);
	return expect_end();
}

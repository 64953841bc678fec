/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partition tables: GPT (UEFI Specification 2.8, section 5.3) and MBR with extended partitions. Pure: blocks come through a function, and
 * nothing that stands in them can make more than a bounded number of reads or a partition that leaves the disk.
 */
#pragma once
#include <abi/types.h>
#include <stdbool.h>

enum { PARTITIONS_MAX = 15, PARTITION_BLOCK_MAX = 4096 };

struct partition { uint64_t first, count; };	/* blocks; count 0: none with that number */
enum partition_kind { PARTITION_NONE, PARTITION_MBR, PARTITION_GPT };
struct partition_table {
	enum partition_kind kind;
	bool backup;				/* GPT: the first header is damaged, the one at the end was used */
	struct partition part[PARTITIONS_MAX + 1];	/* by number; [0] unused */
};

struct partition_disk {
	uint64_t blocks;
	uint32_t block_size;			/* 512 to PARTITION_BLOCK_MAX, power of 2 */
	/* One block to p. */
	err_t (*read)(void *context, uint64_t block, void *p);
	void *context;
};

/* 0, also when there is no table, or the error of a read. */
err_t partition_table_read(const struct partition_disk *d, struct partition_table *out);

/* CRC-32 as GPT uses it; start with 0 and feed the result back. */
uint32_t partition_crc(uint32_t crc, const void *p, size_t len);

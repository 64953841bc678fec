/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies where on a disk of the filter, and the checksums. Pure.
 *
 *	sectors 0..7		superblock (struct super in sector `generation % 2`), the rest unused
 *	8 ...			groups: N data sectors, then the sector of their sums: N slots of 32 bytes; its last 32 bytes: struct tail
 *
 * Data sector n of what clients see is sector n % N of group n / N. A slot holds two sums of 16 bytes: of the contents the sector has now
 * and of those it had before the last write. A write first puts the new sums beside the old data, then the new data; whichever sectors a
 * power cut leaves, each has one of the two contents and its sum is there. A sum covers the data, the sector's number (so that
 * misdirected writes and reads are noticed) and the id of the mirror (so that a foreign disk is).
 *
 * The tail makes the sums of a group one thing: all right or all wrong, and of a version. Each write of a group has a version that no
 * earlier one had, and a higher one. So sums that are right but old are told from the present ones by whoever knows a version (engine.h).
 *
 *	bytes of a sum	0-3 SUM_MARK + kind, mixed with the id; 4-7 number, folded; 8-15 value
 *	kind		none	no sums and no sum sectors, the filter mirrors only
 *			nil	value 0: finds misdirected transfers only
 *			xor	of all 64-bit words
 *			crc	CRC-64 (polynomial of ECMA-182, reflected) of number and data
 *			md5	all 16 bytes are MD5 of id, number and data
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECTOR = 512, SUPER_SECTORS = 8, SUM_BYTES = 16, SLOT_BYTES = 32, GROUP_SECTORS_MAX = 15 };
enum sum_kind { SUM_NONE, SUM_NIL, SUM_XOR, SUM_CRC, SUM_MD5 };

struct layout {
	uint32_t n;		/* data sectors in a group, 1..GROUP_SECTORS_MAX */
	enum sum_kind kind;
	uint64_t id;		/* of the mirror */
	uint64_t groups;
};

struct tail {
	uint64_t version;	/* never 0 */
	uint64_t zero[2];
	uint64_t check;		/* CRC-64 of id, group and all before */
};

enum { FORMAT_VERSION = 2 };
enum { SUPER_DIRTY = 1 /* there may be writes that only one disk has */, SUPER_ALONE = 2 /* the other disk is not up to date */ };
struct super {
	char magic[8];
	uint32_t version, n, kind, flags;
	uint64_t id, generation, groups;
	uint64_t crc;		/* of all before */
};

int sum_kind_parse(const char *name);	/* -1: none of them */

/* Sectors of a group on the disk; groups that fit on a disk of `bytes`; the first byte of a group. */
uint32_t layout_stride(const struct layout *l);
uint64_t layout_groups(const struct layout *l, uint64_t bytes);
uint64_t layout_pos(const struct layout *l, uint64_t group);

void sum_make(const struct layout *l, uint64_t sector, const void *data, uint8_t sum[SUM_BYTES]);

/* Of group `group`, whose bytes are at `raw`: the data and the slot of its i-th sector. */
uint8_t *group_data(uint8_t *raw, uint32_t i);
uint8_t *group_slot(const struct layout *l, uint8_t *raw, uint32_t i);

enum quality { SUM_BAD, SUM_BEFORE /* has the contents before the last write */, SUM_GOOD };
/* Of a data sector, number `sector`, to the sums of a slot. */
enum quality slot_check(const struct layout *l, uint64_t sector, const void *data, const uint8_t slot[SLOT_BYTES]);
/* The slot for new data; `before`: the sum the present contents have, or 0 if they are lost. */
void group_seal(const struct layout *l, uint64_t group, uint8_t *raw, uint32_t i, const void *data, const uint8_t *before);

/* Only for the write that is under way do the sums "before" mean something; the other sectors: what they have, they keep. */
void group_forget_before(const struct layout *l, uint8_t *raw, uint32_t i);
void group_spoil(const struct layout *l, uint8_t *raw, uint32_t i);	/* the sector is lost: no data fits */

/* The tail: after all slots have been set. Its version; 0: it is not right. */
void group_finish(const struct layout *l, uint64_t group, uint8_t *raw, uint64_t version);
uint64_t group_version(const struct layout *l, uint64_t group, const uint8_t *raw);
uint8_t *group_sums(const struct layout *l, uint8_t *raw);	/* the sector */

uint64_t crc64(uint64_t crc, const void *p, size_t len);
void md5(const void *parts[], const size_t lens[], int n, uint8_t digest[16]);

void super_seal(struct super *s);
bool super_is_valid(const struct super *s);
uint32_t super_other_format(const struct super *s);	/* right, but of this format, which is not ours; else 0 */

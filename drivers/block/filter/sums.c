/* SPDX-License-Identifier: BSD-2-Clause */
#include "sums.h"
#include <string.h>

#define SUM_MARK 0x5a17e000u
#define CRC64_POLYNOMIAL 0xc96c5795d7870f42ull
static const char super_magic[8] = "AXFILTER";

static const char *const kind_names[] = { "none", "nil", "xor", "crc", "md5" };

int sum_kind_parse(const char *name)
{
	for (int i = 0; i < 5; i++)
		if (strcmp(name, kind_names[i]) == 0)
			return i;
	return -1;
}

uint32_t layout_stride(const struct layout *l) { return l->n + (l->kind != SUM_NONE); }

uint64_t layout_groups(const struct layout *l, uint64_t bytes)
{
	uint64_t sectors = bytes / SECTOR;

	return sectors < SUPER_SECTORS ? 0 : (sectors - SUPER_SECTORS) / layout_stride(l);
}

uint64_t layout_pos(const struct layout *l, uint64_t group) { return (SUPER_SECTORS + group * layout_stride(l)) * SECTOR; }

/* ---- sums ---- */

uint64_t crc64(uint64_t crc, const void *p, size_t len)
{
	static uint64_t table[256];
	const uint8_t *b = p;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		uint64_t c = i;
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ CRC64_POLYNOMIAL : c >> 1;
		table[i] = c;
	}
	crc = ~crc;
	while (len--)
		crc = table[(crc ^ *b++) & 0xff] ^ crc >> 8;
	return ~crc;
}

static uint64_t xor_of(const void *data)
{
	uint64_t words[SECTOR / 8], x = 0;

	memcpy(words, data, SECTOR);
	for (int i = 0; i < SECTOR / 8; i++)
		x ^= words[i];
	return x;
}

static uint64_t sum_value(enum sum_kind kind, uint64_t sector, const void *data)
{
	switch (kind) {
	case SUM_XOR: return xor_of(data);
	case SUM_CRC: return crc64(crc64(0, &sector, sizeof(sector)), data, SECTOR);
	case SUM_NONE: case SUM_NIL: case SUM_MD5: break;
	}
	return 0;
}

void sum_make(const struct layout *l, uint64_t sector, const void *data, uint8_t sum[SUM_BYTES])
{
	uint32_t head[2] = { (SUM_MARK + l->kind) ^ (uint32_t)(l->id ^ l->id >> 32), (uint32_t)(sector ^ sector >> 32) };
	uint64_t value = sum_value(l->kind, sector, data);

	memcpy(sum, head, 8);
	memcpy(sum + 8, &value, 8);
	if (l->kind == SUM_MD5)
		md5((const void *[]){ &l->id, &sector, data }, (const size_t[]){ 8, 8, SECTOR }, 3, sum);
}

uint8_t *group_data(uint8_t *raw, uint32_t i) { return raw + (size_t)i * SECTOR; }
uint8_t *group_slot(const struct layout *l, uint8_t *raw, uint32_t i) { return raw + (size_t)l->n * SECTOR + (size_t)i * SLOT_BYTES; }

enum quality slot_check(const struct layout *l, uint64_t sector, const void *data, const uint8_t slot[SLOT_BYTES])
{
	uint8_t sum[SUM_BYTES];

	if (l->kind == SUM_NONE)
		return SUM_GOOD;
	sum_make(l, sector, data, sum);
	if (memcmp(slot, sum, SUM_BYTES) == 0)
		return SUM_GOOD;
	return memcmp(slot + SUM_BYTES, sum, SUM_BYTES) == 0 ? SUM_BEFORE : SUM_BAD;
}

void group_seal(const struct layout *l, uint64_t group, uint8_t *raw, uint32_t i, const void *data, const uint8_t *before)
{
	uint8_t slot[SLOT_BYTES] = { 0 };

	if (l->kind == SUM_NONE)
		return;
	if (before)
		memcpy(slot + SUM_BYTES, before, SUM_BYTES);
	sum_make(l, group * l->n + i, data, slot);
	memcpy(group_slot(l, raw, i), slot, SLOT_BYTES);
}

void group_forget_before(const struct layout *l, uint8_t *raw, uint32_t i)
{
	if (l->kind != SUM_NONE)
		memset(group_slot(l, raw, i) + SUM_BYTES, 0, SUM_BYTES);
}

void group_spoil(const struct layout *l, uint8_t *raw, uint32_t i)
{
	if (l->kind != SUM_NONE)
		memset(group_slot(l, raw, i), 0, SLOT_BYTES);
}

/* ---- the tail ---- */

enum { TAIL_AT = SECTOR - sizeof(struct tail), CHECK_AT = TAIL_AT + offsetof(struct tail, check) };

uint8_t *group_sums(const struct layout *l, uint8_t *raw) { return raw + (size_t)l->n * SECTOR; }

static uint64_t tail_check(const struct layout *l, uint64_t group, const uint8_t *sums)
{
	const uint64_t place[2] = { l->id, group };

	return crc64(crc64(0, place, sizeof(place)), sums, CHECK_AT);
}

void group_finish(const struct layout *l, uint64_t group, uint8_t *raw, uint64_t version)
{
	uint8_t *sums = group_sums(l, raw);
	struct tail t = { .version = version };

	if (l->kind == SUM_NONE)
		return;
	memcpy(sums + TAIL_AT, &t, sizeof(t));
	t.check = tail_check(l, group, sums);
	memcpy(sums + TAIL_AT, &t, sizeof(t));
}

uint64_t group_version(const struct layout *l, uint64_t group, const uint8_t *raw)
{
	const uint8_t *sums = raw + (size_t)l->n * SECTOR;
	struct tail t;

	memcpy(&t, sums + TAIL_AT, sizeof(t));
	return t.check == tail_check(l, group, sums) ? t.version : 0;
}

/* ---- superblock ---- */

void super_seal(struct super *s)
{
	memcpy(s->magic, super_magic, sizeof(s->magic));
	s->version = FORMAT_VERSION;
	s->crc = crc64(0, s, offsetof(struct super, crc));
}

static bool super_is_whole(const struct super *s)
{
	return memcmp(s->magic, super_magic, sizeof(s->magic)) == 0 && s->crc == crc64(0, s, offsetof(struct super, crc));
}

bool super_is_valid(const struct super *s)
{
	return super_is_whole(s) && s->version == FORMAT_VERSION && s->n >= 1 && s->n <= GROUP_SECTORS_MAX && s->kind <= SUM_MD5;
}

uint32_t super_other_format(const struct super *s)
{
	return super_is_whole(s) && s->version != FORMAT_VERSION ? s->version : 0;
}

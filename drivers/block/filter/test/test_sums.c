/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout and sums: known values, and that every kind finds what it promises to find. */
#include "../sums.h"
#include <expect.h>
#include <string.h>

static void known_values(void)
{
	static const uint8_t abc[16] = { 0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72 };
	static const uint8_t digits[16] = { 0x57, 0xed, 0xf4, 0xa2, 0x2b, 0xe3, 0xc9, 0x55, 0xac, 0x49, 0xda, 0x2e, 0x21, 0x07, 0xb6,
		0x7a };
	const char *text = "12345678901234567890123456789012345678901234567890123456789012345678901234567890";
	uint8_t digest[16];

	EXPECT(crc64(0, "123456789", 9) == 0x995dc9bbdf1939faull);
	md5((const void *[]){ "abc" }, (const size_t[]){ 3 }, 1, digest);
	EXPECT(!memcmp(digest, abc, 16));
	md5((const void *[]){ text, text + 5 }, (const size_t[]){ 5, 75 }, 2, digest);
	EXPECT(!memcmp(digest, digits, 16));
}

static void places(void)
{
	struct layout l = { .n = 8, .kind = SUM_CRC }, bare = { .n = 8, .kind = SUM_NONE };

	EXPECT_EQ(layout_groups(&l, (8 + 18) * 512), 2);
	EXPECT_EQ(layout_groups(&l, (8 + 17) * 512), 1);
	EXPECT_EQ(layout_groups(&l, 512), 0);
	EXPECT_EQ(layout_groups(&bare, (8 + 16) * 512), 2);
	EXPECT_EQ(layout_pos(&l, 1), (8 + 9) * 512);
}

static enum quality check(const struct layout *l, uint64_t group, uint8_t *raw, uint32_t i)
{
	return slot_check(l, group * l->n + i, group_data(raw, i), group_slot(l, raw, i));
}

static void kind_finds(enum sum_kind kind, bool data, bool swapped)
{
	static uint8_t raw[9 * 512], changed[512];
	struct layout l = { .n = 8, .kind = kind, .id = 0x1234567890abcdefull }, other = l;

	other.id++;
	for (uint32_t i = 0; i < 8; i++) {
		memset(group_data(raw, i), (int)i + 1, 512);
		group_seal(&l, 5, raw, i, group_data(raw, i), 0);
	}
	EXPECT_EQ(check(&l, 5, raw, 3), SUM_GOOD);
	EXPECT_EQ(check(&l, 6, raw, 3), SUM_BAD);
	EXPECT_EQ(check(&other, 5, raw, 3), SUM_BAD);
	raw[3 * 512 + 100] ^= 1;
	EXPECT_EQ(check(&l, 5, raw, 3), data ? SUM_BAD : SUM_GOOD);
	raw[3 * 512 + 100] ^= 1;
	raw[3 * 512 + 8] = 77;
	raw[3 * 512] = 4;
	EXPECT_EQ(check(&l, 5, raw, 3), swapped ? SUM_BAD : SUM_GOOD);
	raw[3 * 512 + 8] = 4;
	memset(changed, 99, sizeof(changed));
	changed[7] = 1;
	uint8_t before[SUM_BYTES];
	sum_make(&l, 5 * 8 + 3, group_data(raw, 3), before);
	group_seal(&l, 5, raw, 3, changed, before);
	EXPECT_EQ(check(&l, 5, raw, 3), data ? SUM_BEFORE : SUM_GOOD);
	memcpy(group_data(raw, 3), changed, 512);
	EXPECT_EQ(check(&l, 5, raw, 3), SUM_GOOD);
	memset(raw, 0, sizeof(raw));
	EXPECT_EQ(check(&l, 5, raw, 3), SUM_BAD);
}

/* Any bit of the sums, another place, another mirror: no version. */
static void tail(void)
{
	static uint8_t raw[9 * 512];
	struct layout l = { .n = 8, .kind = SUM_MD5, .id = 77 }, other = l;

	other.id++;
	EXPECT_EQ(group_version(&l, 5, raw), 0);
	for (uint32_t i = 0; i < 8; i++)
		group_seal(&l, 5, raw, i, group_data(raw, i), 0);
	group_finish(&l, 5, raw, 123);
	EXPECT_EQ(group_version(&l, 5, raw), 123);
	EXPECT_EQ(group_version(&l, 6, raw), 0);
	EXPECT_EQ(group_version(&other, 5, raw), 0);
	for (uint32_t bit = 0; bit < 512 * 8; bit++) {
		raw[8 * 512 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		EXPECT_EQ(group_version(&l, 5, raw), 0);
		raw[8 * 512 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	raw[3 * 512] = 1;	/* data is not its business */
	EXPECT_EQ(group_version(&l, 5, raw), 123);
	group_spoil(&l, raw, 2);
	EXPECT_EQ(check(&l, 5, raw, 2), SUM_BAD);
}

static void superblock(void)
{
	struct super s = { .n = 8, .kind = SUM_CRC, .generation = 7 };

	EXPECT(!super_is_valid(&s));
	super_seal(&s);
	EXPECT(super_is_valid(&s));
	EXPECT_EQ(super_other_format(&s), 0);
	s.generation++;
	EXPECT(!super_is_valid(&s));
	super_seal(&s);
	s.version = 1;
	s.crc = crc64(0, &s, offsetof(struct super, crc));
	EXPECT(!super_is_valid(&s));
	EXPECT_EQ(super_other_format(&s), 1);
}

int main(void)
{
	known_values();
	places();
	kind_finds(SUM_NIL, false, false);
	kind_finds(SUM_XOR, true, true);
	kind_finds(SUM_CRC, true, true);
	kind_finds(SUM_MD5, true, true);
	tail();
	superblock();
	EXPECT_EQ(sum_kind_parse("crc"), SUM_CRC);
	EXPECT_EQ(sum_kind_parse("sha"), -1);
	return expect_end();
}

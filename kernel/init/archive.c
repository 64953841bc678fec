/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot archive: cpio in the "newc" format (cpio(5)): per member a header of 110 ASCII characters, the name, the data, each padded to 4
 * bytes. Several archives may follow one another with zero padding between them. Everything is checked against the end: a damaged
 * archive ends the walk, it cannot lead it astray.
 */
#include <kernel/init.h>
#include <kernel/lib.h>

enum { HEADER_BYTES = 110, FIELD_BYTES = 8, FIELD_MODE = 1, FIELD_FILESIZE = 6, FIELD_NAMESIZE = 11 };
static const char magic[] = "070701", trailer[] = "TRAILER!!!";

/* The n-th 8-digit hexadecimal field of a header; false if it is none. */
static bool header_field(const uint8_t *header, int n, uint64_t *out)
{
	const uint8_t *p = header + sizeof(magic) - 1 + n * FIELD_BYTES;

	*out = 0;
	for (int i = 0; i < FIELD_BYTES; i++) {
		uint8_t c = p[i] | 0x20;

		if (c >= '0' && c <= '9')
			*out = *out << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*out = *out << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

static uint64_t pad4(uint64_t n)
{
	return (n + 3) & ~3ull;
}

/* Reads the member at the cursor and moves behind it. */
static bool archive_member(struct archive_cursor *c, struct archive_member *m)
{
	uint64_t left = (uint64_t)(c->end - c->at), mode, bytes, name_bytes, data_at;

	if (left < HEADER_BYTES || memcmp(c->at, magic, sizeof(magic) - 1))
		return false;
	if (!header_field(c->at, FIELD_MODE, &mode) || !header_field(c->at, FIELD_FILESIZE, &bytes)
	    || !header_field(c->at, FIELD_NAMESIZE, &name_bytes))
		return false;
	data_at = pad4(HEADER_BYTES + name_bytes);
	if (!name_bytes || data_at > left || bytes > left - data_at || c->at[HEADER_BYTES + name_bytes - 1])
		return false;
	*m = (struct archive_member){ (const char *)c->at + HEADER_BYTES, (uint32_t)mode, c->at + data_at, bytes };
	c->at += min_u64(data_at + pad4(bytes), left);
	return true;
}

static void archive_skip_padding(struct archive_cursor *c)
{
	while (c->end - c->at >= 4 && !c->at[0] && !c->at[1] && !c->at[2] && !c->at[3])
		c->at += 4;
}

bool archive_next(struct archive_cursor *c, struct archive_member *m)
{
	do {
		archive_skip_padding(c);
		if (!archive_member(c, m))
			return false;
	} while (!strcmp(m->name, trailer));
	return true;
}

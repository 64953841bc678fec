/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damage by structure. The good image is read once and the places of everything in it are noted; a seed then chooses a kind of structure,
 * one of its places, and something wrong to put there: what a check could forget, above all.
 */
#include "damage.h"

#include <string.h>

enum { SUPER = 1024, MODE_TYPE = 0170000, MODE_DIR = 0040000, MODE_REG = 0100000, MODE_LINK = 0120000, INDEX_FLAG = 0x1000 };
enum { I_MODE = 0, I_SIZE = 4, I_DTIME = 20, I_LINKS = 26, I_SECTORS = 28, I_FLAGS = 32, I_BLOCK = 40, I_ACL = 104, I_SIZE_HIGH = 108,
	I_EXTRA = 128 };
enum { S_FREE_BLOCKS = 12, S_FREE_INODES = 16, S_LAST_ORPHAN = 0xe8 };

static uint64_t state;

void any_seed(uint32_t seed) { state = seed * 0x9e3779b97f4a7c15ull + 1; }

uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (uint32_t)((state * 0x2545f4914f6cdd1dull >> 32) % below) : 0;
}

/* ---- reading the good one ---- */

static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static uint16_t get16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return v; }

static void note(struct places *p, uint32_t at)
{
	if (p->count < PLACES_MAX)
		p->at[p->count++] = at;
}

static void read_dir_block(struct image *m, uint32_t at)
{
	note(&m->dir_blocks, at);
	for (uint32_t in = 0; in + 8 <= m->block; ) {
		uint32_t len = get16(m->good + at + in + 4);
		if (get32(m->good + at + in))
			note(&m->entries, at + in);
		if (len < 8)
			return;
		in += len;
	}
}

static void read_pointers(struct image *m, const uint8_t *p, unsigned n, int level, uint32_t mode);

static void read_block(struct image *m, uint32_t block, int level, uint32_t mode)
{
	uint32_t at = block * m->block;
	if (!block || block >= m->nr_blocks)
		return;
	if (level) {
		note(&m->tables, at);
		read_pointers(m, m->good + at, m->block / 4, level - 1, mode);
	} else if (mode == MODE_DIR) {
		read_dir_block(m, at);
	} else if (mode == MODE_LINK) {
		note(&m->targets, at);
	}
}

static void read_pointers(struct image *m, const uint8_t *p, unsigned n, int level, uint32_t mode)
{
	for (unsigned i = 0; i < n; i++)
		read_block(m, get32(p + 4 * i), level, mode);
}

static void read_inode(struct image *m, uint32_t at)
{
	const uint8_t *i = m->good + at;
	uint32_t mode = get16(i + I_MODE) & MODE_TYPE;
	note(&m->inodes, at);
	note(mode == MODE_DIR ? &m->dirs : mode == MODE_REG ? &m->files : &m->links, at);
	if (mode == MODE_LINK ? get32(i + I_SECTORS) == 0 : mode != MODE_DIR && mode != MODE_REG)
		return;
	read_pointers(m, i + I_BLOCK, 12, 0, mode);
	for (int level = 1; level <= 3; level++)
		read_pointers(m, i + I_BLOCK + 44 + 4 * level, 1, level, mode);
	if (get32(i + I_FLAGS) & INDEX_FLAG)
		note(&m->indexes, get32(i + I_BLOCK) * m->block);
}

static void read_group(struct image *m, uint32_t group, uint32_t per_group)
{
	uint32_t table = get32(m->good + m->table + 32 * group + 8) * m->block;
	for (uint32_t i = 0; i < per_group; i++) {
		uint32_t at = table + i * m->inode_bytes, number = group * per_group + i + 1;
		if (get16(m->good + at + I_LINKS) && (number == 2 || number > 10))
			read_inode(m, at);
	}
}

int image_read(struct image *m, const uint8_t *good, uint32_t size)
{
	const uint8_t *s = good + SUPER;
	if (size < 65536 || get16(s + 56) != 0xef53)
		return 0;
	m->good = good;
	m->size = size;
	m->block = 1024u << get32(s + 24);
	m->inode_bytes = get16(s + 88);
	m->nr_blocks = get32(s + 4);
	m->nr_inodes = get32(s);
	m->table = (get32(s + 20) + 1) * m->block;
	uint32_t per_group = get32(s + 40);
	for (uint32_t g = 0; g * per_group < m->nr_inodes; g++)
		read_group(m, g, per_group);
	return m->tables.count && m->indexes.count && m->targets.count && m->dirs.count > 3;
}

/* ---- damage ---- */

static uint32_t one(const struct places *p) { return p->count ? p->at[any(p->count)] : 0; }

static void put(struct image *m, uint32_t at, uint32_t value, unsigned bytes)
{
	if (at + bytes <= m->size)
		memcpy(m->bytes + at, &value, bytes);
}

static uint32_t number_any(uint32_t old, uint32_t limit)
{
	switch (any(7)) {
	case 0:  return 0;
	case 1:  return old ^ 1u << any(32);
	case 2:  return UINT32_MAX - any(3);
	case 3:  return any(16);
	case 4:  return limit - 1 + any(3);
	case 5:  return any(UINT32_MAX);
	default: return any(limit);
	}
}

/* A block that a pointer must not name: metadata, somebody else's, the table it stands in, none. `self`: where the pointer stands. */
static uint32_t block_wrong(const struct image *m, uint32_t self)
{
	switch (any(8)) {
	case 0:  return self / m->block;
	case 1:  return one(&m->tables) / m->block;
	case 2:  return one(&m->dir_blocks) / m->block;
	case 3:  return get32(m->good + m->table + 4 * any(3));
	case 4:  return any(3);
	case 5:  return m->nr_blocks - 1 + any(3);
	case 6:  return any(UINT32_MAX);
	default: return any(m->nr_blocks);
	}
}

static void hit_word(struct image *m, uint32_t at, uint32_t limit)
{
	at &= ~3u;
	put(m, at, number_any(at + 4 <= m->size ? get32(m->bytes + at) : 0, limit), any(3) ? 4 : 1 + any(3));
}

static void hit_super(struct image *m) { hit_word(m, SUPER + any(any(2) ? 0x68 : 0x108), m->nr_blocks); }

static void hit_group(struct image *m) { hit_word(m, m->table + any(32 * (1 + (m->nr_blocks - 1) / (8 * m->block))), m->nr_blocks); }

static void hit_bitmap(struct image *m, uint32_t field)
{
	uint32_t at = get32(m->good + m->table + field) * m->block, len = 1 + any(any(2) ? 8 : m->block);
	static const uint8_t with[] = { 0, 0xff, 0x55, 0xfe };
	uint8_t byte = with[any(4)];
	for (uint32_t i = 0, from = any(any(2) ? 32 : m->block); i < len; i++)
		put(m, at + (from + i) % m->block, byte, 1);
}

static void hit_block_bitmap(struct image *m) { hit_bitmap(m, 0); }
static void hit_inode_bitmap(struct image *m) { hit_bitmap(m, 4); }

static void hit_mode(struct image *m)
{
	uint32_t at = one(&m->inodes) + I_MODE;
	put(m, at, any(2) ? (uint32_t)any(16) << 12 | 0755 : any(65536), 2);
}

static void hit_size(struct image *m)
{
	uint32_t at = one(&m->inodes);
	put(m, at + I_SIZE, any(3) ? number_any(get32(m->bytes + at + I_SIZE), 1u << 20) : any(64) * m->block, 4);
	if (any(3) == 0)
		put(m, at + I_SIZE_HIGH, number_any(0, 1024), 4);
}

static void hit_pointer(struct image *m)
{
	uint32_t at = one(any(2) ? &m->files : &m->dirs) + I_BLOCK + 4 * any(any(2) ? 3 : 15);
	put(m, at, block_wrong(m, at), 4);
}

static void hit_table(struct image *m)
{
	uint32_t at = one(&m->tables);
	for (uint32_t n = 1 + any(any(3) ? 3 : 64); n; n--)
		put(m, at + 4 * any(any(2) ? 4 : m->block / 4), block_wrong(m, at), 4);
}

static void hit_links(struct image *m) { put(m, one(&m->inodes) + I_LINKS, any(2) ? any(3) : 65533 + any(3), 2); }

static void hit_other_field(struct image *m)
{
	static const uint16_t fields[] = { I_DTIME, I_SECTORS, I_FLAGS, I_ACL, I_EXTRA, 2, 24, 8, 16, 132, 140, 148 };
	hit_word(m, one(&m->inodes) + fields[any(sizeof fields / sizeof *fields)], m->nr_blocks);
}

static void hit_rec_len(struct image *m)
{
	uint32_t at = one(&m->entries) + 4;
	static const uint16_t lengths[] = { 0, 1, 4, 7, 8, 11, 12, 13, 0xffff, 0xfffc, 0x8000 };
	put(m, at, any(3) ? lengths[any(11)] : any(2) ? m->block - any(16) : any(65536), 2);
}

static void hit_name(struct image *m)
{
	uint32_t at = one(&m->entries);
	switch (any(4)) {
	case 0:  put(m, at + 6, any(256), 1); break;
	case 1:  put(m, at + 7, any(256), 1); break;		/* type */
	case 2:  put(m, at + 8, '/', 1); break;
	default: put(m, at + 8 + any(4), any(2) ? 0 : any(256), 1); break;
	}
}

static void hit_entry_inode(struct image *m) { put(m, one(&m->entries), number_any(get32(m->bytes), m->nr_inodes), 4); }

/* A directory that holds itself, one above it, or another's: an entry gets the number of some directory. */
static void hit_ring(struct image *m)
{
	uint32_t from = one(&m->entries), at = any(2) ? from : one(&m->dir_blocks) + 12 * any(2), block = from - from % m->block;
	uint32_t numbers[] = { get32(m->bytes + block), get32(m->bytes + block + 12), 2, get32(m->bytes + one(&m->entries)) };
	put(m, at, numbers[any(4)], 4);
	if (any(2) == 0)
		put(m, at + 7, 2, 1);
}

static void hit_index(struct image *m)
{
	uint32_t at = one(&m->indexes);
	for (uint32_t n = 1 + any(4); n; n--)
		hit_word(m, at + any(any(3) ? 64 : m->block), m->nr_blocks);
}

static void hit_link_target(struct image *m)
{
	uint32_t inode = one(&m->links);
	switch (any(4)) {
	case 0:  put(m, inode + I_SIZE, any(2) ? any(70) : number_any(8, m->block), 4); break;
	case 1:  put(m, inode + I_SECTORS, any(2) ? 0 : 2 * any(8), 4); break;
	case 2:  put(m, inode + I_BLOCK, block_wrong(m, inode), 4); break;
	default: put(m, one(&m->targets) + any(80), any(2) ? 0 : any(UINT32_MAX), 4); break;
	}
}

/* Rings and nonsense in the list of files that were open without a name. */
static void hit_orphans(struct image *m)
{
	uint32_t number = 2 + any(m->nr_inodes), at = one(&m->inodes);
	put(m, SUPER + S_LAST_ORPHAN, number, 4);
	for (int i = 0; i < 3; i++, at = one(&m->inodes)) {
		put(m, at + I_DTIME, any(2) ? number : 2 + any(m->nr_inodes), 4);
		put(m, at + I_LINKS, 0, 2);
	}
}

static void hit_counts(struct image *m)
{
	put(m, SUPER + S_FREE_BLOCKS, number_any(0, m->nr_blocks), 4);
	put(m, SUPER + S_FREE_INODES, number_any(0, m->nr_inodes), 4);
	put(m, m->table + 12, any(2) ? 0 : any(UINT32_MAX), 4);
}

static void hit_anywhere(struct image *m)
{
	for (uint32_t n = 1 + any(40); n; n--)
		hit_word(m, any(m->size - 4), m->nr_blocks);
}

static const struct kind { const char *name; void (*hit)(struct image *m); } kinds[] = {
	{ "superblock", hit_super }, { "group descriptor", hit_group }, { "block bitmap", hit_block_bitmap },
	{ "inode bitmap", hit_inode_bitmap }, { "mode", hit_mode }, { "size", hit_size }, { "block pointer", hit_pointer },
	{ "table of pointers", hit_table }, { "links", hit_links }, { "inode", hit_other_field }, { "rec_len", hit_rec_len },
	{ "name", hit_name }, { "inode of a name", hit_entry_inode }, { "ring", hit_ring }, { "index", hit_index },
	{ "target", hit_link_target }, { "orphans", hit_orphans }, { "counts", hit_counts }, { "anywhere", hit_anywhere },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *image_damage(struct image *m, uint32_t seed)
{
	const struct kind *first = &kinds[seed % KINDS];
	any_seed(seed);
	memcpy(m->bytes, m->good, m->size);
	for (uint32_t n = 1 + any(4); n; n--)
		first->hit(m);
	for (uint32_t n = any(3) ? 0 : 1 + any(6); n; n--)
		kinds[any(KINDS)].hit(m);
	return first->name;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One 32-bit reference count per frame, one bit per frame in `free_map`, one bit per word of it in `summary`. A count of
 * UNMANAGED marks frames that were never given to VM.
 *
 * Single frames come from `recent`, a small stack of frames just freed (they are warm in the caches), then from the lowest free
 * bit. Frames on the stack count as free; the bitmap alone knows neighbours, so a contiguous allocation empties the stack first.
 *
 * If VM dies, all of this is rebuilt from what the kernel has mapped (KC_MAPREAD).
 */
#include "frame.h"
#include "hot.h"

#include <assert.h>
#include <string.h>

enum { WORD_BITS = 64, RECENT_MAX = 64 };
#define UNMANAGED 0xffffffffu

static struct frames {
	uint32_t *refs;
	uint64_t *free_map, *summary;
	uint32_t count;			/* frame numbers below this have a record */
	uint32_t nr_free, total;
	uint32_t lowest;		/* no summary word below this one has a bit */
	uint32_t nr_recent;
	uint32_t reserve[FRAME_LEVELS];
	frame_t recent[RECENT_MAX];
} frames;

static uint64_t words_for(uint64_t bits) { return (bits + WORD_BITS - 1) / WORD_BITS; }

uint64_t frame_table_bytes(uint32_t count)
{
	uint64_t map = words_for(count);

	return (map + words_for(map)) * sizeof(uint64_t) + (uint64_t)count * sizeof(uint32_t);
}

void frame_init(void *table, uint32_t count)
{
	uint64_t map = words_for(count);

	memset(&frames, 0, sizeof frames);
	frames.free_map = table;
	frames.summary = frames.free_map + map;
	frames.refs = (uint32_t *)(frames.summary + words_for(map));
	frames.count = count;
	memset(frames.refs, 0xff, (uint64_t)count * sizeof(uint32_t));
}

void frame_set_reserve(enum frame_level level, uint32_t n) { frames.reserve[level] = n; }
bool frame_managed(frame_t f) { return f != FRAME_NONE && f < frames.count && frames.refs[f] != UNMANAGED; }

bool frame_any_managed(paddr_t first, paddr_t last)
{
	for (paddr_t p = first >> PAGE_SHIFT; p <= last >> PAGE_SHIFT && p < frames.count; p++)
		if (frame_managed((frame_t)p))
			return true;
	return false;
}

HOT uint32_t frame_refs(frame_t f) { return frames.refs[f]; }
uint32_t frame_free_count(void) { return frames.nr_free; }
uint32_t frame_total(void) { return frames.total; }

HOT bool frame_available(enum frame_level level, uint32_t n)
{
	return frames.nr_free >= frames.reserve[level] && frames.nr_free - frames.reserve[level] >= n;
}

static void map_set(frame_t f)
{
	uint32_t word = f / WORD_BITS;

	frames.free_map[word] |= 1ull << (f % WORD_BITS);
	frames.summary[word / WORD_BITS] |= 1ull << (word % WORD_BITS);
	if (word / WORD_BITS < frames.lowest)
		frames.lowest = word / WORD_BITS;
}

static void map_clear(frame_t f)
{
	uint32_t word = f / WORD_BITS;

	frames.free_map[word] &= ~(1ull << (f % WORD_BITS));
	if (!frames.free_map[word])
		frames.summary[word / WORD_BITS] &= ~(1ull << (word % WORD_BITS));
}

static bool map_test(frame_t f) { return frames.free_map[f / WORD_BITS] >> (f % WORD_BITS) & 1; }

void frame_add(frame_t first, uint32_t n)
{
	for (frame_t f = first; f < first + n; f++) {
		if (f == FRAME_NONE || f >= frames.count || frames.refs[f] != UNMANAGED)
			continue;
		frames.refs[f] = 0;
		frames.total++;
		frames.nr_free++;
		map_set(f);
	}
}

void frame_adopt(frame_t f)
{
	if (f == FRAME_NONE || f >= frames.count)
		return;
	if (frames.refs[f] == UNMANAGED) {
		frames.refs[f] = 0;
		frames.total++;
	} else if (frames.refs[f] == 0) {
		assert(map_test(f));
		map_clear(f);
		frames.nr_free--;
	}
	frames.refs[f]++;
}

HOT static frame_t map_take_lowest(void)
{
	uint32_t top = words_for(words_for(frames.count));

	for (uint32_t s = frames.lowest; s < top; s++) {
		frames.lowest = s;
		if (!frames.summary[s])
			continue;
		uint32_t word = s * WORD_BITS + __builtin_ctzll(frames.summary[s]);
		frame_t f = word * WORD_BITS + __builtin_ctzll(frames.free_map[word]);
		map_clear(f);
		return f;
	}
	return FRAME_NONE;
}

HOT frame_t frame_alloc(enum frame_level level)
{
	frame_t f;

	if (frames.nr_free <= frames.reserve[level])
		return FRAME_NONE;
	f = frames.nr_recent ? frames.recent[--frames.nr_recent] : map_take_lowest();
	assert(f != FRAME_NONE && frames.refs[f] == 0);
	frames.nr_free--;
	frames.refs[f] = 1;
	return f;
}

HOT void frame_get(frame_t f)
{
	assert(f < frames.count && frames.refs[f] != 0 && frames.refs[f] < UNMANAGED - 1);
	frames.refs[f]++;
}

HOT bool frame_put(frame_t f)
{
	assert(f < frames.count && frames.refs[f] != 0 && frames.refs[f] != UNMANAGED);
	if (--frames.refs[f])
		return false;
	frames.nr_free++;
	if (frames.nr_recent < RECENT_MAX)
		frames.recent[frames.nr_recent++] = f;
	else
		map_set(f);
	return true;
}

/* First frame of [f, f + n) that is not free, or f + n. */
static frame_t run_end(frame_t f, uint32_t n)
{
	frame_t end = f + n;

	while (f < end) {
		uint64_t used = ~frames.free_map[f / WORD_BITS] >> (f % WORD_BITS);

		if (used) {
			f += __builtin_ctzll(used);
			break;
		}
		f += WORD_BITS - f % WORD_BITS;
	}
	return f < end ? f : end;
}

static frame_t run_find(uint32_t n, uint32_t align, uint32_t limit)
{
	frame_t f = align;

	while (f < limit && limit - f >= n) {
		frame_t end = run_end(f, n);

		if (end == f + n)
			return f;
		f = (end / align + 1) * align;
	}
	return FRAME_NONE;
}

frame_t frame_alloc_contig(enum frame_level level, uint32_t n, uint32_t align, uint32_t below)
{
	uint32_t limit = below && below < frames.count ? below : frames.count;
	frame_t first;

	if (n == 0 || !frame_available(level, n))
		return FRAME_NONE;
	while (frames.nr_recent)
		map_set(frames.recent[--frames.nr_recent]);
	first = run_find(n, align ? align : 1, limit);
	if (first == FRAME_NONE)
		return FRAME_NONE;
	for (frame_t f = first; f < first + n; f++) {
		map_clear(f);
		frames.refs[f] = 1;
	}
	frames.nr_free -= n;
	return first;
}

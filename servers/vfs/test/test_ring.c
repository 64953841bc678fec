/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of pages: bytes come out as they went in, whatever the sizes; pages are given back. */
#include "expect.h"
#include "ring.h"
#include <string.h>

static unsigned next_in, next_out;

static size_t put(struct ring *r, size_t want)
{
	size_t done = 0;
	while (done < want) {
		size_t n = want - done;
		uint8_t *at = ring_write_at(r, &n);
		if (!at)
			break;
		for (size_t i = 0; i < n; i++)
			at[i] = (uint8_t)(next_in++ * 7);
		ring_wrote(r, n);
		done += n;
	}
	return done;
}

static size_t take(struct ring *r, size_t want)
{
	size_t done = 0;
	while (done < want && r->used) {
		size_t n = want - done;
		const uint8_t *at = ring_read_at(r, &n);
		for (size_t i = 0; i < n; i++)
			EXPECT(at[i] == (uint8_t)(next_out++ * 7));
		ring_took(r, n);
		done += n;
	}
	return done;
}

static unsigned pages_held(const struct ring *r)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->npages; i++)
		n += r->pages[i] != NULL;
	return n;
}

static void bytes_keep_their_order(void)
{
	struct ring r;
	srandom(2);
	EXPECT(ring_init(&r, 65536));
	for (int i = 0; i < 20000; i++) {
		size_t before = r.used, n = put(&r, (size_t)random() % 20000);
		EXPECT(r.used == before + n && r.used <= ring_size(&r));
		take(&r, (size_t)random() % 20000);
		if (i % 500 == 0)
			EXPECT(ring_resize(&r, r.used > 32768 ? 131072 : 32768));
	}
	take(&r, 1 << 20);
	EXPECT(r.used == 0 && next_in == next_out && pages_held(&r) <= 1);
	ring_fini(&r);
}

static void full_means_full(void)
{
	struct ring r;
	EXPECT(ring_init(&r, RING_PAGE));
	EXPECT(put(&r, 10000) == RING_PAGE && ring_room(&r) == 0);
	size_t n = 1;
	EXPECT(ring_write_at(&r, &n) == NULL);
	EXPECT(take(&r, 1) == 1 && put(&r, 10) == 1);
	EXPECT(take(&r, 1 << 20) == RING_PAGE);
	ring_fini(&r);
}

static void places_stay_while_a_writer_fills(void)
{
	struct ring r;
	size_t n = 10;
	EXPECT(ring_init(&r, 2 * RING_PAGE));
	put(&r, 100);
	uint8_t *at = ring_write_at(&r, &n);
	r.pinned = true;
	take(&r, 100);		/* empty now: the head must not go back */
	r.pinned = false;
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(next_in++ * 7);
	ring_wrote(&r, n);
	EXPECT(take(&r, 100) == 10);
	ring_fini(&r);
}

int main(void)
{
	bytes_keep_their_order();
	full_means_full();
	places_stay_while_a_writer_fills();
	printf("ok ring\n");
}

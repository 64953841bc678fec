/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of bytes in pages. While little is buffered one page serves over and over: when the ring runs empty the head goes back to the
 * start of the page, which is kept. Pages beyond the first that have been read are freed. Dies with the pipe or socket that owns it.
 */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

bool ring_init(struct ring *r, size_t bytes)
{
	memset(r, 0, sizeof *r);
	r->npages = (unsigned)(bytes / RING_PAGE);
	r->pages = calloc(r->npages, sizeof *r->pages);
	return r->pages != NULL;
}

void ring_fini(struct ring *r)
{
	for (unsigned i = 0; r->pages && i < r->npages; i++)
		free(r->pages[i]);
	free(r->pages);
	memset(r, 0, sizeof *r);
}

uint8_t *ring_write_at(struct ring *r, size_t *len)
{
	if (r->used == ring_size(r))
		return NULL;
	size_t tail = (r->head + r->used) % ring_size(r), in_page = tail % RING_PAGE;
	uint8_t **page = &r->pages[tail / RING_PAGE];
	if (!*page && !(*page = malloc(RING_PAGE)))
		return NULL;
	size_t n = RING_PAGE - in_page, room = ring_room(r);
	if (n > room)
		n = room;
	if (*len > n)
		*len = n;
	return *page + in_page;
}

const uint8_t *ring_peek_at(const struct ring *r, size_t offset, size_t *len)
{
	if (offset >= r->used)
		return NULL;
	size_t at = (r->head + offset) % ring_size(r), in_page = at % RING_PAGE;
	size_t n = RING_PAGE - in_page;
	if (n > r->used - offset)
		n = r->used - offset;
	if (*len > n)
		*len = n;
	return r->pages[at / RING_PAGE] + in_page;
}

const uint8_t *ring_read_at(const struct ring *r, size_t *len) { return ring_peek_at(r, 0, len); }

void ring_wrote(struct ring *r, size_t n) { r->used += n; }

/* The bytes may have come round and end in the page that their beginning has just left. */
static bool tail_in_page(const struct ring *r, unsigned page)
{
	size_t tail = (r->head + r->used) % ring_size(r);
	return tail / RING_PAGE == page && (tail % RING_PAGE > 0 || r->pinned);
}

void ring_took(struct ring *r, size_t n)
{
	while (n > 0) {
		size_t in_page = r->head % RING_PAGE, step = RING_PAGE - in_page;
		unsigned page = (unsigned)(r->head / RING_PAGE);
		if (step > n)
			step = n;
		n -= step;
		r->used -= step;
		r->head = (r->head + step) % ring_size(r);
		if (r->used == 0 && !r->pinned) {
			r->head = (size_t)page * RING_PAGE;
			return;
		}
		if (r->head % RING_PAGE == 0 && !tail_in_page(r, page)) {
			free(r->pages[page]);
			r->pages[page] = NULL;
		}
	}
}

bool ring_resize(struct ring *r, size_t bytes)
{
	struct ring n;
	if (!ring_init(&n, bytes))
		return false;
	while (r->used) {
		size_t len = r->used;
		const uint8_t *from = ring_read_at(r, &len);
		uint8_t *to = ring_write_at(&n, &len);
		if (!to) {
			ring_fini(&n);
			return false;
		}
		memcpy(to, from, len);
		ring_wrote(&n, len);
		ring_took(r, len);
	}
	ring_fini(r);
	*r = n;
	return true;
}

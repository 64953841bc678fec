/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a request says about its data: grants of the registered memory, one for each driver and area, for ever; a grant of its own for data
 * that lies elsewhere, as long as the request lives. Segments of vectors lie in an array of the slot, granted once too. When a driver comes
 * back with another endpoint, the same grants are given to that one; the dead one cannot use them any more.
 */
#include "bdev_private.h"
#include <errno.h>
#include <libsys/grant.h>
#include <string.h>

static int area_of(const void *p, size_t len)
{
	const uint8_t *b = p;

	for (uint32_t i = 0; i < bdev_core.nr_areas; i++) {
		const struct bdev_area *a = &bdev_core.areas[i];
		if (b >= a->p && (size_t)(b - a->p) <= a->len && len <= a->len - (size_t)(b - a->p))
			return (int)i;
	}
	return -1;
}

static grant_t area_grant(struct bdev_peer *p, int i)
{
	const struct bdev_area *a = &bdev_core.areas[i];

	if (p->area_grants[i] == GRANT_INVALID)
		p->area_grants[i] = bdev_core.env->grant(p->ep, a->p, a->len, GRANT_READ | GRANT_WRITE);
	return p->area_grants[i];
}

static int io_access(const struct bdev_io *io) { return io->op == BDEV_WRITE ? GRANT_READ : GRANT_WRITE; }

static bool describe_plain(struct bdev_peer *p, struct bdev_io *io, struct bdev_req *req)
{
	int area = area_of(io->data, io->len);

	if (area >= 0) {
		req->grant = area_grant(p, area);
		req->offset = (uint64_t)((uint8_t *)io->data - bdev_core.areas[area].p);
		return req->grant != GRANT_INVALID;
	}
	if (!io->granted) {
		io->grant = bdev_core.env->grant(p->ep, io->data, io->len, io_access(io));
		io->granted = io->grant != GRANT_INVALID;
	}
	req->grant = io->grant;
	return io->granted;
}

static bool describe_vector(struct bdev_peer *p, uint32_t slot, const struct bdev_io *io, struct bdev_req *req)
{
	size_t at = (size_t)slot * BDEV_SEGS_MAX;

	if (p->segs_grant == GRANT_INVALID)
		p->segs_grant = bdev_core.env->grant(p->ep, p->segs, sizeof(*p->segs) * BDEV_SLOTS * BDEV_SEGS_MAX, GRANT_READ);
	for (uint32_t i = 0; i < io->nvec; i++) {
		int area = area_of(io->vec[i].p, io->vec[i].len);
		grant_t g = area_grant(p, area);
		if (g == GRANT_INVALID)
			return false;
		p->segs[at + i] = (struct bdev_seg){ .grant = g, .len = (uint32_t)io->vec[i].len,
			.offset = (uint64_t)((uint8_t *)io->vec[i].p - bdev_core.areas[area].p) };
	}
	req->grant = p->segs_grant;
	req->offset = at * sizeof(struct bdev_seg);
	req->nsegs = io->nvec;
	return req->grant != GRANT_INVALID;
}

/* False: no memory for a grant now. */
bool data_describe(struct bdev_peer *p, uint32_t slot, struct bdev_io *io, struct bdev_req *req)
{
	if (io->op != BDEV_READ && io->op != BDEV_WRITE)
		return true;
	return io->nvec ? describe_vector(p, slot, io, req) : describe_plain(p, io, req);
}

void data_regrant(struct bdev_peer *p)
{
	for (uint32_t i = 0; i < bdev_core.nr_areas; i++)
		if (p->area_grants[i] != GRANT_INVALID)
			bdev_core.env->regrant(p->area_grants[i], p->ep, bdev_core.areas[i].p, bdev_core.areas[i].len,
				GRANT_READ | GRANT_WRITE);
	if (p->segs_grant != GRANT_INVALID)
		bdev_core.env->regrant(p->segs_grant, p->ep, p->segs, sizeof(*p->segs) * BDEV_SLOTS * BDEV_SEGS_MAX, GRANT_READ);
	for (struct bdev_io *io = p->waiting.first; io; io = io->next)
		if (io->granted)
			bdev_core.env->regrant(io->grant, p->ep, io->data, io->len, io_access(io));
}

void data_revoke(struct bdev_peer *p)
{
	for (uint32_t i = 0; i < BDEV_AREAS; i++) {
		if (p->area_grants[i] != GRANT_INVALID)
			bdev_core.env->revoke(p->area_grants[i]);
		p->area_grants[i] = GRANT_INVALID;
	}
	if (p->segs_grant != GRANT_INVALID)
		bdev_core.env->revoke(p->segs_grant);
	p->segs_grant = GRANT_INVALID;
}

err_t bdev_memory_add(void *p, size_t len)
{
	if (bdev_core.nr_areas == BDEV_AREAS)
		return -ENOMEM;
	bdev_core.areas[bdev_core.nr_areas++] = (struct bdev_area){ p, len };
	return 0;
}

/* For bdev_submit(): 0 or what is wrong with the request. */
static err_t vector_check(const struct bdev_io *io)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < io->nvec; i++) {
		if (io->vec[i].len == 0 || io->vec[i].len % BDEV_SECTOR || io->vec[i].len > BDEV_LEN_MAX)
			return -EINVAL;
		if (area_of(io->vec[i].p, io->vec[i].len) < 0)
			return -EFAULT;
		sum += io->vec[i].len;
	}
	return sum == io->len ? 0 : -EINVAL;
}

err_t data_check(const struct bdev_io *io)
{
	if (io->op != BDEV_READ && io->op != BDEV_WRITE)
		return io->op == BDEV_FLUSH || io->op == BDEV_DISCARD ? 0 : -EINVAL;
	if (io->len == 0 || io->len % BDEV_SECTOR || io->len > BDEV_LEN_MAX || io->nvec > BDEV_SEGS_MAX)
		return -EINVAL;
	if (io->nvec)
		return vector_check(io);
	return io->data ? 0 : -EFAULT;
}

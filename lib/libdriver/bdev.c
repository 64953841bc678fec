/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block drivers, the part they share: one request after the other is checked, translated and handed to the driver, and answered once.
 *
 *   order of checks    known type, length of the segments' list, open by this client with this right (else -ERESTARTSYS, -EPERM), disk
 *                      and partition there (-ENXIO), read-only (-EROFS), alignment and limits (-EINVAL), bounds, segments
 *
 * The table of opens has one entry for each client and minor. It is what tells a request of now from one that was meant for a
 * predecessor, and it holds each client's right. Clients that died without closing are swept out when a disk is opened.
 *
 * A client that opens while requests of it are at work is the successor of one that died with them, under the same endpoint. Its open is
 * answered when they have ended: what it writes then is not overtaken by what the dead one wrote, and no device is at work in the dead
 * one's memory any more.
 *
 * If this process dies here: the table is lost, as it must be: all clients open again.
 */
#include "bdev_private.h"
#include <errno.h>
#include <proto/cdev.h>
#include <stdlib.h>
#include <string.h>

enum { BDEV_OPENS_MAX = 1024, BDEV_SECTOR = 512 };

struct bdev_open {
	endpoint_t client;
	uint32_t minor, access, count;
	uint32_t busy;			/* requests at work */
	uint32_t drain;			/* so many have to end before `again` is answered; 0: nobody waits */
	struct bdev_request again;	/* an open */
};

static struct {
	const struct bdev_driver *driver;
	struct driver common;
	struct bdev_open *opens;	/* [lost: clients open again] */
	uint32_t nr_opens, room;
	struct bdev_seg segs[BDEV_SEGS_MAX];	/* of the request in hand */
	uint32_t wrong_replies;			/* still to be given, on request of a test */
} bdev;

/* ---- who has what open ---- */

static struct bdev_open *bdev_open_find(endpoint_t client, uint32_t minor)
{
	for (uint32_t i = 0; i < bdev.nr_opens; i++)
		if (bdev.opens[i].client == client && bdev.opens[i].minor == minor)
			return &bdev.opens[i];
	return 0;
}

static void bdev_open_remove(struct bdev_open *o)
{
	*o = bdev.opens[--bdev.nr_opens];
}

static bool bdev_open_grow(void)
{
	uint32_t room = bdev.room ? bdev.room * 2 : 16;
	struct bdev_open *bigger = room <= BDEV_OPENS_MAX ? realloc(bdev.opens, room * sizeof(*bigger)) : 0;

	if (!bigger)
		return false;
	bdev.opens = bigger;
	bdev.room = room;
	return true;
}

static err_t bdev_open_add(const struct bdev_request *r)
{
	struct bdev_open *o = bdev_open_find(r->client, r->minor);

	if (!o) {
		if (bdev.nr_opens == bdev.room && !bdev_open_grow())
			return -ENOMEM;
		o = &bdev.opens[bdev.nr_opens++];
		*o = (struct bdev_open){ .client = r->client, .minor = r->minor };
	}
	o->count++;
	o->access |= r->flags & (BDEV_ACCESS_READ | BDEV_ACCESS_WRITE);
	return 0;
}

/* Clients that died with something open: the driver sees the closes they owe. */
static void bdev_open_sweep(void)
{
	for (uint32_t i = bdev.nr_opens; i-- > 0;) {
		struct bdev_open o = bdev.opens[i];
		struct bdev_request r = { .client = EP_NONE, .type = BDEV_CLOSE, .minor = o.minor, .disk = bdev_disk_of(o.minor) };

		if (sys_times(o.client, 0, 0, 0) != -EDEADEPT)
			continue;
		bdev_open_remove(&bdev.opens[i]);
		for (; o.count && bdev.driver->close; o.count--)
			bdev.driver->close(&r);
	}
}

uint32_t bdev_open_count(uint32_t disk)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < bdev.nr_opens; i++)
		n += bdev_disk_of(bdev.opens[i].minor) == disk ? bdev.opens[i].count : 0;
	return n;
}

/* ---- minors ---- */

uint32_t bdev_disk_of(uint32_t minor)
{
	return bdev.driver->minors_per_disk ? minor / bdev.driver->minors_per_disk : minor;
}

static uint32_t bdev_part_of(uint32_t minor)
{
	return bdev.driver->minors_per_disk ? minor % bdev.driver->minors_per_disk : 0;
}

/* Where the minor lies on its disk. */
static err_t bdev_place(uint32_t minor, struct bdev_disk *disk, struct bdev_extent *place)
{
	uint32_t part = bdev_part_of(minor);
	err_t r = bdev.driver->disk(bdev_disk_of(minor), disk);

	*place = (struct bdev_extent){ 0, disk->size };
	if (r != 0 || part == 0)
		return r;
	return bdev_partition(bdev_disk_of(minor), part, disk, place);
}

/* ---- answers ---- */

/* On request of a test the next answer is wrong: its client must not take it for any of its requests. */
static void bdev_fault(enum sef_fault_kind kind)
{
	if (kind == SEF_FI_WRONG_REPLY)
		bdev.wrong_replies = 1;
}

static void bdev_answer(endpoint_t client, uint64_t id, int64_t result, uint64_t value, uint64_t value2)
{
	struct message m;
	struct bdev_rep *rep = MSG_BODY(struct bdev_rep, &m);

	if (client == EP_NONE)
		return;
	memset(&m, 0, sizeof(m));
	m.type = BDEV_REPLY;
	if (bdev.wrong_replies) {
		bdev.wrong_replies--;
		id ^= 0x5555;
	}
	*rep = (struct bdev_rep){ .id = id, .result = result, .value = value, .value2 = value2 };
	sef_send(client, &m, 0);
}

static void bdev_open_done(const struct bdev_request *r, int64_t result)
{
	struct bdev_disk disk = { 0 };
	struct bdev_extent place = { 0 };

	if (result == 0)
		result = bdev_place(r->minor, &disk, &place);
	if (result == 0 && disk.read_only && (r->flags & BDEV_ACCESS_WRITE))
		result = -EROFS;
	if (result == 0)
		result = bdev_open_add(r);
	if (result != 0)
		place.len = disk.block_size = 0;
	bdev_answer(r->client, r->id, result, place.len, disk.block_size);
}

static bool bdev_is_work(const struct bdev_request *r) { return r->type != BDEV_OPEN && r->type != BDEV_CLOSE; }

static int64_t rq_open(const struct bdev_request *r);

static void bdev_work_done(const struct bdev_request *r)
{
	struct bdev_open *o = bdev_open_find(r->client, r->minor);
	struct bdev_request again;
	int64_t result;

	if (!o || !o->busy)
		return;
	o->busy--;
	if (!o->drain || --o->drain)
		return;
	again = o->again;
	result = rq_open(&again);
	if (result != BDEV_LATER)
		bdev_open_done(&again, result);
}

void bdev_reply(const struct bdev_request *r, int64_t result)
{
	if (r->type == BDEV_OPEN)
		bdev_open_done(r, result);
	else
		bdev_answer(r->client, r->id, result, 0, 0);
	if (bdev_is_work(r))
		bdev_work_done(r);
}

static void bdev_tell_size(endpoint_t client, uint32_t minor)
{
	struct bdev_disk d = { 0 };
	struct bdev_extent place = { 0 };
	struct message m = { .type = BDEV_RESIZED };

	if (bdev_place(minor, &d, &place) != 0)
		place.len = 0;
	*MSG_BODY(struct bdev_rep, &m) = (struct bdev_rep){ .id = minor, .value = place.len };
	sef_send(client, &m, 0);
}

/*
 * The table of partitions is read anew as well: one that reaches beyond the end is not there any more, nor is a GPT's second copy.
 * Reading it may end requests, and that may change the table of opens.
 */
void bdev_resized(uint32_t disk)
{
	bdev_partitions_forget(disk);
	for (uint32_t i = 0; i < bdev.nr_opens; i++)
		if (bdev_disk_of(bdev.opens[i].minor) == disk)
			bdev_tell_size(bdev.opens[i].client, bdev.opens[i].minor);
}

/* ---- checks ---- */

/* Cut the list after len bytes. */
static void bdev_segs_cut(struct bdev_request *r)
{
	uint64_t sum = 0;
	uint32_t n = 0;

	for (; n < r->nsegs && sum < r->len; n++) {
		if (bdev.segs[n].len > r->len - sum)
			bdev.segs[n].len = (uint32_t)(r->len - sum);
		sum += bdev.segs[n].len;
	}
	r->nsegs = n;
}

/* The list of segments: the request's own memory as the only one, or read from the client and checked. */
static err_t bdev_segs_get(struct bdev_request *r, const struct bdev_req *req)
{
	uint64_t sum = 0;
	err_t err;

	r->segs = bdev.segs;
	if (req->nsegs == 0) {
		bdev.segs[0] = (struct bdev_seg){ req->grant, (uint32_t)req->len, req->offset };
		r->nsegs = req->len ? 1 : 0;
		return 0;
	}
	if (req->nsegs > BDEV_SEGS_MAX)
		return -EINVAL;
	err = sys_safecopyfrom(r->client, req->grant, req->offset, bdev.segs, req->nsegs * sizeof(bdev.segs[0]));
	if (err)
		return err;
	for (uint32_t i = 0; i < req->nsegs; i++) {
		if (bdev.segs[i].len == 0 || bdev.segs[i].len % BDEV_SECTOR)
			return -EINVAL;
		sum += bdev.segs[i].len;
	}
	r->nsegs = req->nsegs;
	return sum == req->len ? 0 : -EINVAL;
}

static err_t bdev_check_right(const struct bdev_request *r)
{
	const struct bdev_open *o = bdev_open_find(r->client, r->minor);
	uint32_t needed = r->type == BDEV_READ ? BDEV_ACCESS_READ : r->type == BDEV_FLUSH ? 0 : BDEV_ACCESS_WRITE;

	if (!o)
		return -ERESTARTSYS;
	return (o->access & needed) == needed ? 0 : -EPERM;
}

/* Position and length, from those of the minor to those of the disk. 0 for len: nothing is left to do. */
static err_t bdev_check_bounds(struct bdev_request *r)
{
	struct bdev_disk disk;
	struct bdev_extent place;
	err_t err = bdev_place(r->minor, &disk, &place);

	if (err)
		return err;
	if (disk.read_only && r->type != BDEV_READ)
		return -EROFS;
	if ((r->pos | r->len) & (disk.block_size - 1))
		return -EINVAL;
	if (r->pos >= place.len && r->len && r->type == BDEV_WRITE)
		return -ENOSPC;
	if (r->pos >= place.len)
		r->len = 0;
	else if (r->len > place.len - r->pos)
		r->len = place.len - r->pos;
	r->pos += place.start;
	return 0;
}

static err_t bdev_check_transfer(struct bdev_request *r, const struct bdev_req *req)
{
	err_t err = bdev_check_right(r);

	if (!err && r->type != BDEV_DISCARD && req->len > BDEV_LEN_MAX)
		err = -EINVAL;
	if (!err)
		err = bdev_check_bounds(r);
	if (!err && r->type != BDEV_DISCARD)
		err = bdev_segs_get(r, req);
	if (!err && r->type != BDEV_DISCARD)
		bdev_segs_cut(r);
	return err;
}

/* ---- requests ---- */

static int64_t rq_open(const struct bdev_request *r)
{
	bdev_open_sweep();
	if (bdev_open_count(r->disk) == 0)
		bdev_partitions_forget(r->disk);
	return bdev.driver->open ? bdev.driver->open(r) : 0;
}

static int64_t rq_close(const struct bdev_request *r)
{
	struct bdev_open *o = bdev_open_find(r->client, r->minor);

	if (!o)
		return -ERESTARTSYS;
	if (--o->count == 0)
		bdev_open_remove(o);
	return bdev.driver->close ? bdev.driver->close(r) : 0;
}

static int64_t rq_transfer(struct bdev_request *r, const struct bdev_req *req)
{
	const struct bdev_driver *d = bdev.driver;
	err_t err = bdev_check_transfer(r, req);

	if (err || r->len == 0)
		return err;
	if (r->type == BDEV_READ)
		return d->read(r);
	if (r->type == BDEV_WRITE)
		return d->write ? d->write(r) : -EROFS;
	if (r->flags & BDEV_ZERO)
		return d->zero ? d->zero(r) : -EOPNOTSUPP;
	return d->discard ? d->discard(r) : -EOPNOTSUPP;
}

static int64_t rq_flush(const struct bdev_request *r)
{
	err_t err = bdev_check_right(r);

	return err ? err : bdev.driver->flush ? bdev.driver->flush(r) : 0;
}

/* True: it is answered later. */
static bool bdev_open_waits(const struct bdev_request *r)
{
	struct bdev_open *o = bdev_open_find(r->client, r->minor);

	if (!o || !o->busy)
		return false;
	o->drain = o->busy;
	o->again = *r;
	return true;
}

static int64_t bdev_run(struct bdev_request *r, const struct bdev_req *req)
{
	struct bdev_open *o = bdev_is_work(r) ? bdev_open_find(r->client, r->minor) : 0;

	if (o)
		o->busy++;
	switch (r->type) {
	case BDEV_OPEN: return bdev_open_waits(r) ? BDEV_LATER : rq_open(r);
	case BDEV_CLOSE: return rq_close(r);
	case BDEV_FLUSH: return rq_flush(r);
	default: return rq_transfer(r, req);
	}
}

/* A character request has come to the wrong kind of driver: without an answer its sender would wait for ever. */
static bool bdev_refuse_foreign(const struct message *m)
{
	struct message reply;
	struct cdev_rep *rep = MSG_BODY(struct cdev_rep, &reply);

	if (m->type < CDEV_OPEN || m->type > CDEV_SELECT || m->type % 2)
		return false;
	memset(&reply, 0, sizeof(reply));
	reply.type = CDEV_REPLY;
	rep->id = MSG_BODY(const struct cdev_req, m)->id;
	rep->result = -ENXIO;
	sef_send(m->source, &reply, 0);
	return true;
}

static bool bdev_request(const struct message *m, uint32_t status)
{
	const struct bdev_req *req = MSG_BODY(const struct bdev_req, m);
	struct bdev_request r = { .client = m->source, .type = m->type, .minor = req->minor, .flags = req->flags, .id = req->id,
				  .pos = req->pos, .len = req->len };
	int64_t result;

	if (status & IPC_STATUS_USER)
		return false;
	if (m->type < BDEV_OPEN || m->type > BDEV_DISCARD || m->type % 2)
		return bdev_refuse_foreign(m);
	r.disk = bdev_disk_of(r.minor);
	result = bdev_run(&r, req);
	if (result != BDEV_LATER)
		bdev_reply(&r, result);
	return true;
}

static void bdev_forget(bool again)
{
	(void)again;
	bdev.nr_opens = 0;
}

/* ---- data ---- */

typedef err_t bdev_copy_fn(endpoint_t client, const struct bdev_seg *s, uint64_t offset, uint8_t *p, size_t len);

static err_t bdev_seg_in(endpoint_t client, const struct bdev_seg *s, uint64_t offset, uint8_t *p, size_t len)
{
	return sys_safecopyfrom(client, s->grant, s->offset + offset, p, len);
}

static err_t bdev_seg_out(endpoint_t client, const struct bdev_seg *s, uint64_t offset, uint8_t *p, size_t len)
{
	return sys_safecopyto(client, s->grant, s->offset + offset, p, len);
}

static err_t bdev_copy(const struct bdev_request *r, uint64_t offset, uint8_t *p, size_t len, bdev_copy_fn *copy)
{
	err_t err = offset <= r->len && len <= r->len - offset ? 0 : -EINVAL;

	for (uint32_t i = 0; i < r->nsegs && !err && len; i++) {
		const struct bdev_seg *s = &r->segs[i];
		size_t part = offset < s->len ? s->len - offset : 0;

		if (part > len)
			part = len;
		if (part)
			err = copy(r->client, s, offset, p, part);
		offset -= part ? offset : s->len;
		p += part;
		len -= part;
	}
	return err;
}

err_t bdev_copyin(const struct bdev_request *r, uint64_t offset, void *p, size_t len)
{
	return bdev_copy(r, offset, p, len, bdev_seg_in);
}

err_t bdev_copyout(const struct bdev_request *r, uint64_t offset, const void *p, size_t len)
{
	return bdev_copy(r, offset, (uint8_t *)(uintptr_t)p, len, bdev_seg_out);
}

struct bdev_request *bdev_request_keep(const struct bdev_request *r)
{
	struct bdev_request *kept = malloc(sizeof(*kept) + r->nsegs * sizeof(r->segs[0]));

	if (!kept)
		return 0;
	*kept = *r;
	if (r->nsegs)
		kept->segs = memcpy(kept + 1, r->segs, r->nsegs * sizeof(r->segs[0]));
	return kept;
}

/* ---- life ---- */

static const struct driver_class bdev_class = { .event = "drv.blk.", .request = bdev_request, .forget = bdev_forget };

const struct driver *bdev_setup(const struct bdev_driver *d)
{
	bdev.driver = d;
	bdev_partitions_setup(d);
	bdev.common = (struct driver){ .class = &bdev_class, .sef = d->sef, .on_irq = d->on_irq, .on_alarm = d->on_alarm,
				       .on_notify = d->on_notify, .on_message = d->on_message };
	if (!bdev.common.sef.fault)
		bdev.common.sef.fault = bdev_fault;
	return &bdev.common;
}

void bdev_task(const struct bdev_driver *d)
{
	driver_task(bdev_setup(d));
}

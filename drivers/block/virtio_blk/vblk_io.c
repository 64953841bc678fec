/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests on their way through the device.
 *
 * The memory of a transfer is looked up once (KC_VUMAP checks the grants). It goes to the device in parts of as many runs as that takes; a
 * part ends on a block. The io is answered when its last part is back. Slots are the only limit: what finds none waits in order.
 *
 * A slot that is not back in time, or a queue that makes no sense, means a reset of the device: it forgets everything, and each io that was
 * in progress is started again from its beginning; the third time it fails with -EIO. A device that cannot be reset, or answers nothing
 * between resets, is dead: requests fail at once, and it is tried again every second.
 */
#include "vblk.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_OK = 0, STATUS_UNSUPPORTED = 2, STATUS_NONE = 0xff };
#define F_FLUSH (1ull << 9)

/* ---- ios ---- */

static struct vblk_io *io_new(const struct bdev_request *r, uint32_t nr_runs)
{
	struct vblk_io *io = malloc(sizeof(*io) + nr_runs * sizeof(io->runs[0]));

	if (!io)
		return 0;
	memset(io, 0, sizeof(*io));
	io->req = *r;
	io->req.segs = 0;
	io->nr_runs = nr_runs;
	return io;
}

static void io_wait(struct vblk_disk *d, struct vblk_io *io)
{
	io->waiting = true;
	io->next = 0;
	*d->last = io;
	d->last = &io->next;
}

/* Only the first may leave: it has been handed out completely. */
static void io_unwait(struct vblk_disk *d)
{
	d->first->waiting = false;
	d->first = d->first->next;
	if (!d->first)
		d->last = &d->first;
}

static void io_restart(struct vblk_io *io)
{
	io->run = 0;
	io->run_done = io->done = 0;
	io->parts = 0;
	io->result = 0;
}

static bool io_is_transfer(const struct vblk_io *io)
{
	return io->req.type == BDEV_READ || io->req.type == BDEV_WRITE;
}

static void io_answer(struct vblk_io *io)
{
	bdev_reply(&io->req, io->result ? io->result : io_is_transfer(io) ? (int64_t)io->req.len : 0);
	free(io);
}

/* All parts are back. A write that must be on stable storage goes on as a flush under the same id. */
static void io_end(struct vblk_disk *d, struct vblk_io *io)
{
	if (io->result != 0 || !io->then_flush) {
		io_answer(io);
		return;
	}
	io_restart(io);
	io->done = io->req.len;
	io_wait(d, io);
}

/* ---- building a part ---- */

struct vblk_part { uint32_t n; uint64_t bytes; };	/* data descriptors so far */

static struct virtq_desc *slot_table(struct vblk_disk *d, struct vblk_slot *s)
{
	return d->v.features & VIRTIO_F_INDIRECT ? s->dma->table : &d->q.desc[s->head];
}

/* Descriptor i of the slot, followed by the next one. Indices in a table of its own count from 0. */
static void desc_set(struct vblk_disk *d, struct vblk_slot *s, uint32_t i, paddr_t paddr, uint64_t len, uint32_t flags)
{
	uint32_t base = d->v.features & VIRTIO_F_INDIRECT ? 0 : s->head;

	slot_table(d, s)[i] = (struct virtq_desc){ paddr, (uint32_t)len, (uint16_t)(flags | VIRTQ_DESC_NEXT), (uint16_t)(base + i + 1) };
}

/* Runs from where the io is, as many as fit, cut back to whole blocks. */
static struct vblk_part part_of_runs(struct vblk_disk *d, struct vblk_slot *s, struct vblk_io *io)
{
	struct virtq_desc *t = slot_table(d, s);
	uint32_t flags = io->req.type == BDEV_READ ? VIRTQ_DESC_WRITE : 0, lens[VBLK_SEGS_MAX + 1];	/* not read back from the table */
	struct vblk_part p = { 0 };
	uint64_t done = io->run_done, over;

	for (uint32_t run = io->run; run < io->nr_runs && p.n < d->segs_max; p.n++) {
		uint64_t len = io->runs[run].len - done;

		if (len > d->size_max)
			len = d->size_max;
		desc_set(d, s, p.n + 1, io->runs[run].paddr + done, len, flags);
		lens[p.n + 1] = (uint32_t)len;
		p.bytes += len;
		done += len;
		if (done == io->runs[run].len) {
			run++;
			done = 0;
		}
	}
	for (over = p.bytes % d->block_size; over; p.n--) {
		uint64_t len = lens[p.n];

		if (len > over) {
			t[p.n].len = (uint32_t)(len - over);
			p.bytes -= over;
			break;
		}
		p.bytes -= len;
		over -= len;
	}
	return p;
}

static void io_advance(struct vblk_io *io, uint64_t bytes)
{
	io->done += bytes;
	while (bytes) {
		uint64_t left = io->runs[io->run].len - io->run_done, part = bytes < left ? bytes : left;

		io->run_done += part;
		bytes -= part;
		if (io->run_done == io->runs[io->run].len) {
			io->run++;
			io->run_done = 0;
		}
	}
}

static bool io_is_zeroing(const struct vblk_io *io) { return io->req.type == BDEV_DISCARD && (io->req.flags & BDEV_ZERO); }

/* Sectors of a discard, or of zeros, that one request of the device may have; whole blocks. */
static uint32_t range_max(const struct vblk_disk *d, const struct vblk_io *io)
{
	uint32_t most = d->discard_max;

	if (io_is_zeroing(io))
		most = d->zeroes_max < VBLK_ZEROES_MAX / VBLK_SECTOR ? d->zeroes_max : VBLK_ZEROES_MAX / VBLK_SECTOR;
	return most - most % (d->block_size / VBLK_SECTOR);
}

static struct vblk_part part_of_discard(struct vblk_disk *d, struct vblk_slot *s, struct vblk_io *io)
{
	uint64_t sectors = (io->req.len - io->done) / VBLK_SECTOR;
	uint32_t most = range_max(d, io), flags = 0;

	if (sectors > most)
		sectors = most;
	if (io_is_zeroing(io) && (io->req.flags & BDEV_UNMAP) && d->zeroes_unmap)
		flags = VBLK_RANGE_UNMAP;
	s->dma->range = (struct vblk_range){ (io->req.pos + io->done) / VBLK_SECTOR, (uint32_t)sectors, flags };
	desc_set(d, s, 1, s->dma_paddr + offsetof(struct vblk_dma, range), sizeof(struct vblk_range), 0);
	return (struct vblk_part){ 1, sectors * VBLK_SECTOR };
}

static bool io_is_flushing(const struct vblk_io *io)
{
	return io->req.type == BDEV_FLUSH || (io->then_flush && io->done == io->req.len && io->parts == 0);
}

static uint32_t io_type(const struct vblk_io *io)
{
	if (io_is_transfer(io))
		return io->req.type == BDEV_READ ? VBLK_T_IN : VBLK_T_OUT;
	return io_is_zeroing(io) ? VBLK_T_WRITE_ZEROES : VBLK_T_DISCARD;
}

/* Header, data of the part, status. */
static void slot_fill(struct vblk_disk *d, struct vblk_slot *s, struct vblk_io *io)
{
	struct vblk_part p = { 0 };
	uint32_t type = VBLK_T_FLUSH;

	s->dma->header = (struct vblk_header){ .sector = 0 };
	if (io_is_flushing(io)) {
		io->then_flush = false;
	} else {
		type = io_type(io);
		s->dma->header.sector = io_is_transfer(io) ? (io->req.pos + io->done) / VBLK_SECTOR : 0;
		p = io_is_transfer(io) ? part_of_runs(d, s, io) : part_of_discard(d, s, io);
	}
	s->dma->header.type = type;
	s->dma->status = STATUS_NONE;
	s->bytes = p.bytes;
	desc_set(d, s, 0, s->dma_paddr + offsetof(struct vblk_dma, header), sizeof(struct vblk_header), 0);
	desc_set(d, s, p.n + 1, s->dma_paddr + offsetof(struct vblk_dma, status), 1, VIRTQ_DESC_WRITE);
	slot_table(d, s)[p.n + 1].flags = VIRTQ_DESC_WRITE;
	if (d->v.features & VIRTIO_F_INDIRECT)
		d->q.desc[s->head] = (struct virtq_desc){ s->dma_paddr + offsetof(struct vblk_dma, table),
			(p.n + 2) * (uint32_t)sizeof(struct virtq_desc), VIRTQ_DESC_INDIRECT, 0 };
}

static bool io_is_handed_out(const struct vblk_io *io)
{
	return io->req.type == BDEV_FLUSH || io->done == io->req.len;
}

static bool slot_start(struct vblk_disk *d, struct vblk_slot *s, struct vblk_io *io)
{
	slot_fill(d, s, io);
	if (io_is_transfer(io))
		io_advance(io, s->bytes);
	else
		io->done += s->bytes;
	io->parts++;
	s->io = io;
	s->deadline = sys_uptime() + (s->bytes && io_is_transfer(io) ? VBLK_TIMEOUT_NS : VBLK_FLUSH_NS);
	d->in_progress++;
	return virtqueue_submit(&d->q, s->head);
}

static struct vblk_slot *slot_free_find(struct vblk_disk *d)
{
	for (uint32_t i = 0; i < d->nr_slots; i++)
		if (!d->slots[i].io)
			return &d->slots[i];
	return 0;
}

/* After a reset the device may not have any more what it could do when the request began. */
static bool io_is_impossible(const struct vblk_disk *d, const struct vblk_io *io)
{
	return io->req.type == BDEV_DISCARD && range_max(d, io) == 0;
}

static void io_refuse(struct vblk_disk *d)
{
	struct vblk_io *io = d->first;

	io_unwait(d);
	if (io->result == 0)
		io->result = -EOPNOTSUPP;
	if (io->parts == 0)
		io_answer(io);
}

/* Hand out as much as there are slots for; one ring of the bell for all. */
static void disk_pump(struct vblk_disk *d)
{
	bool ring = false;

	while (d->first && d->in_progress < d->nr_slots) {
		struct vblk_io *io = d->first;

		if (io_is_impossible(d, io)) {
			io_refuse(d);
			continue;
		}
		ring |= slot_start(d, slot_free_find(d), io);
		if (io_is_handed_out(io))
			io_unwait(d);
	}
	if (ring)
		*d->doorbell = 0;
}

/* ---- trouble ---- */

/* Everything that is handed out or waits fails. */
static void disk_fail_all(struct vblk_disk *d)
{
	for (uint32_t i = 0; i < VBLK_SLOTS_MAX; i++) {
		struct vblk_io *io = d->slots[i].io;

		d->slots[i].io = 0;
		if (!io)
			continue;
		io->result = -EIO;
		if (--io->parts == 0 && !io->waiting)
			io_answer(io);
	}
	while (d->first) {
		struct vblk_io *io = d->first;

		io_unwait(d);
		io->result = -EIO;
		io_answer(io);
	}
	d->in_progress = 0;
}

static bool io_wants_flush(const struct vblk_disk *d, const struct bdev_request *r)
{
	return r->type == BDEV_WRITE && (r->flags & BDEV_FUA) && (d->v.features & F_FLUSH);
}

/* From its beginning, or to those that have failed if it had its tries. */
static void io_try_again(struct vblk_disk *d, struct vblk_io *io, struct vblk_io **failed)
{
	if (++io->tries >= VBLK_TRIES) {
		io->next = *failed;
		*failed = io;
		return;
	}
	io->then_flush = io_wants_flush(d, &io->req);
	io_restart(io);
	io_wait(d, io);
}

/*
 * Ios with parts in the device begin again, before those that have none. Failures are answered when all is in order: who hears of the
 * last request of a dead client may ask for something new at once.
 */
static void disk_repeat_all(struct vblk_disk *d)
{
	struct vblk_io *rest = d->first, **rest_last = d->last, *failed = 0, *half = rest && rest->done ? rest : 0;

	d->first = 0;
	d->last = &d->first;
	for (uint32_t i = 0; i < VBLK_SLOTS_MAX; i++) {
		struct vblk_io *io = d->slots[i].io;

		d->slots[i].io = 0;
		if (io && --io->parts == 0 && !io->waiting)
			io_try_again(d, io, &failed);
	}
	d->in_progress = 0;
	if (half) {		/* its first parts were in the device */
		rest = half->next;
		io_try_again(d, half, &failed);
	}
	if (rest) {
		*d->last = rest;
		d->last = rest_last;
	}
	while (failed) {
		struct vblk_io *io = failed;

		failed = io->next;
		io->result = -EIO;
		io_answer(io);
	}
}

static void disk_reset(struct vblk_disk *d, const char *why)
{
	err_t r;

	log_warn("%s; resetting the device, %u requests in progress", why, d->in_progress);
	r = ++d->resets > VBLK_RESETS_MAX ? -EIO : vblk_disk_start(d);
	if (r != 0) {
		log_warn("the device is dead: %s", err_text(r));
		virtio_kill(&d->v);	/* the memory of its requests goes back to the clients */
		d->dead = true;
		d->revive = sys_uptime() + VBLK_REVIVE_NS;
		disk_fail_all(d);
		return;
	}
	disk_repeat_all(d);
	disk_pump(d);
}

void vblk_timeouts(struct vblk_disk *d, nstime_t now)
{
	bool late = false;

	vblk_completions(d);	/* an interrupt may have been lost */
	for (uint32_t i = 0; i < d->nr_slots; i++)
		late |= d->slots[i].io && d->slots[i].deadline <= now;
	if (late)
		disk_reset(d, "a request is not answered in time");
}

/* ---- completions ---- */

/* To be read once: it may change under us. */
static uint8_t slot_status(const struct vblk_slot *s) { return *(volatile uint8_t *)&s->dma->status; }

static int64_t slot_result(const struct vblk_slot *s, uint8_t status, uint32_t written)
{
	if (status == STATUS_UNSUPPORTED)
		return -EOPNOTSUPP;
	if (status != STATUS_OK)
		return -EIO;
	/* For a read the data must have been written, too; the status byte follows it. */
	return s->io->req.type == BDEV_READ && written < s->bytes ? -EIO : 0;
}

static struct vblk_slot *slot_of_head(struct vblk_disk *d, uint16_t head)
{
	for (uint32_t i = 0; i < d->nr_slots; i++)
		if (d->slots[i].head == head && d->slots[i].io)
			return &d->slots[i];
	return 0;
}

static void slot_end(struct vblk_disk *d, struct vblk_slot *s, int64_t result)
{
	struct vblk_io *io = s->io;

	s->io = 0;
	d->in_progress--;
	d->resets = 0;
	if (result != 0 && io->result == 0)
		io->result = result;
	if (--io->parts == 0 && !io->waiting)
		io_end(d, io);
}

void vblk_completions(struct vblk_disk *d)
{
	uint16_t head;
	uint32_t written;
	int got;

	if (d->dead)
		return;
	while ((got = virtqueue_take(&d->q, &head, &written)) > 0) {
		struct vblk_slot *s = slot_of_head(d, head);
		uint8_t status = s ? slot_status(s) : STATUS_NONE;

		/* No status that there is: it was not done, and may be begun yet. */
		if (status > STATUS_UNSUPPORTED)
			break;
		slot_end(d, s, slot_result(s, status, written));
	}
	if (got != 0)
		disk_reset(d, "the device answered what it was not asked");
	else
		disk_pump(d);
}

/* ---- requests ---- */

/* A dead device is tried again now and then: what stopped it may have passed. */
static bool disk_is_dead(struct vblk_disk *d)
{
	if (!d->dead || sys_uptime() < d->revive)
		return d->dead;
	d->dead = vblk_disk_start(d) != 0;
	d->resets = 0;
	d->revive = sys_uptime() + VBLK_REVIVE_NS;
	if (!d->dead)
		log_info("the device works again");
	return d->dead;
}

static int64_t io_start(struct vblk_disk *d, struct vblk_io *io)
{
	io_wait(d, io);
	disk_pump(d);
	return BDEV_LATER;
}

/* Grants of all segments to physical runs. The device writes into the memory of a read. */
int64_t vblk_transfer(struct vblk_disk *d, const struct bdev_request *r)
{
	static struct phys_run runs[VUMAP_RUNS_MAX];
	_Static_assert(sizeof(struct bdev_seg) == sizeof(struct vumap_seg), "segments are passed on as they are");
	uint32_t nr_runs = VUMAP_RUNS_MAX;
	struct vblk_io *io;
	err_t err;

	if (disk_is_dead(d))
		return -EIO;
	err = sys_vumap(r->client, (const struct vumap_seg *)r->segs, r->nsegs, r->type == BDEV_READ ? GRANT_WRITE : GRANT_READ, runs,
		&nr_runs);
	if (err)
		return err;
	io = io_new(r, nr_runs);
	if (!io)
		return -ENOMEM;
	memcpy(io->runs, runs, nr_runs * sizeof(runs[0]));
	io->then_flush = io_wants_flush(d, r);
	return io_start(d, io);
}

int64_t vblk_command(struct vblk_disk *d, const struct bdev_request *r)
{
	struct vblk_io *io;

	if (disk_is_dead(d))
		return -EIO;
	if (r->type == BDEV_FLUSH && !(d->v.features & F_FLUSH))
		return 0;	/* the device has no cache that would need it: section 5.2.6.2 */
	io = io_new(r, 0);
	if (!io)
		return -ENOMEM;
	if (r->type == BDEV_DISCARD && range_max(d, io) == 0) {
		free(io);
		return -EOPNOTSUPP;
	}
	return io_start(d, io);
}

/* What is in progress or waits comes to its end first. */
static bool disk_drain(struct vblk_disk *d)
{
	nstime_t end = sys_uptime() + VBLK_TIMEOUT_NS;

	while (!d->dead && (d->in_progress || d->first)) {
		vblk_completions(d);
		if (sys_uptime() > end)
			return false;
	}
	return !d->dead;
}

/* The only part in the device: start it and look for its end. */
static err_t part_run_now(struct vblk_disk *d, struct vblk_io *io)
{
	nstime_t end = sys_uptime() + VBLK_TIMEOUT_NS;
	struct vblk_slot *s = slot_free_find(d);
	err_t err = -EIO;
	uint8_t status = STATUS_NONE;
	uint32_t written = 0;
	uint16_t head;

	if (slot_start(d, s, io))
		*d->doorbell = 0;
	while (virtqueue_take(&d->q, &head, &written) == 0 && sys_uptime() < end)
		;
	if (!d->q.broken && d->q.in_progress == 0)
		status = slot_status(s);
	if (status <= STATUS_UNSUPPORTED)
		err = (err_t)slot_result(s, status, written);
	s->io = 0;
	d->in_progress = 0;
	if (status > STATUS_UNSUPPORTED)
		disk_reset(d, "reading the partition table failed");
	return err;
}

/* Through the same queue, by waiting here: a partition table is read when a disk is opened, and that is seldom. */
err_t vblk_read_now(struct vblk_disk *d, uint64_t pos, paddr_t paddr, uint32_t len)
{
	struct bdev_request r = { .client = EP_NONE, .type = BDEV_READ, .pos = pos, .len = len };
	struct vblk_io *io = disk_drain(d) ? io_new(&r, 1) : 0;
	err_t err;

	if (!io)
		return -EIO;
	io->runs[0] = (struct phys_run){ paddr, len };
	do
		err = part_run_now(d, io);
	while (!err && io->done < len);
	free(io);
	return err;
}

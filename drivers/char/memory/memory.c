/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory devices, major 1: null, zero, full, random, urandom, kmsg (minors as Linux's Documentation/admin-guide/devices.txt).
 *
 * Reads of zero and the random devices are made in pieces of a bounded size and may return less than asked, as a signal would on Linux; reads
 * of kmsg give the text of the kernel's log from the file position on and wait at its end.
 *
 * If this process dies here: nothing is lost but the generator's state, and readers of kmsg that waited, which VFS ends; the successor
 * is seeded anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <abi/ksig.h>
#include <libdriver/cdev.h>
#include <librandom/random.h>

enum minor { MEM_NULL = 3, MEM_ZERO = 5, MEM_FULL = 7, MEM_RANDOM = 8, MEM_URANDOM = 9, MEM_KMSG = 11 };
enum { POLL_IN = 1, POLL_OUT = 4 };
enum { PIECE_BYTES = 4096, RANDOM_MAX_BYTES = 1 << 20, KMSG_LINE_MAX = 1024, KMSG_WAITERS = 32 };

static struct memory {
	struct random random;			/* [rebuilt] */
	struct cdev_req waiting[KMSG_WAITERS];	/* readers at the end of the log; id 0 = free [lost: VFS repeats or ends them] */
	bool kmsg_watched;			/* the kernel tells us of new text */
	bool kmsg_select;			/* somebody polls kmsg */
} memory;

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static int64_t read_random(const struct cdev_req *r)
{
	uint8_t piece[PIECE_BYTES];
	uint64_t len = r->len < RANDOM_MAX_BYTES ? r->len : RANDOM_MAX_BYTES, done = 0;
	while (done < len) {
		size_t part = len - done < sizeof piece ? len - done : sizeof piece;
		random_bytes(&memory.random, piece, part);
		err_t e = cdev_copyout(r, done, piece, part);
		if (e)
			return done ? (int64_t)done : e;
		done += part;
	}
	return (int64_t)done;
}

/* The log from the file position on; 0 = nothing there yet. A position that the ring has passed goes on at its start. */
static int64_t kmsg_fetch(const struct cdev_req *r)
{
	char piece[PIECE_BYTES];
	uint64_t at = r->pos, got = 0;
	err_t e = sys_diag_read(piece, r->len < sizeof piece ? r->len : sizeof piece, &at, &got);
	if (e || got == 0)
		return e;
	e = cdev_copyout(r, 0, piece, got);
	return e ? e : (int64_t)got;
}

static int64_t read_kmsg(const struct cdev_req *r)
{
	int64_t n = kmsg_fetch(r);
	if (n || r->len == 0)
		return n;
	if (r->flags & CDEV_NONBLOCK)
		return -EAGAIN;
	if (!memory.kmsg_watched)
		memory.kmsg_watched = sys_diag_register() == 0;
	for (int i = 0; i < KMSG_WAITERS; i++) {
		if (memory.waiting[i].id == 0) {
			memory.waiting[i] = *r;
			return CDEV_LATER;
		}
	}
	return -EAGAIN;
}

static int64_t memory_read(const struct cdev_req *r)
{
	switch ((enum minor)cdev_minor(r->minor)) {
	case MEM_NULL:
		return 0;
	case MEM_ZERO:
	case MEM_FULL: {
		err_t e = cdev_zero(r, 0, r->len);
		return e ? e : (int64_t)r->len;
	}
	case MEM_RANDOM:
	case MEM_URANDOM:
		return read_random(r);
	case MEM_KMSG:
		return read_kmsg(r);
	}
	return -ENXIO;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static int64_t write_random(const struct cdev_req *r)
{
	uint8_t piece[PIECE_BYTES];
	for (uint64_t done = 0; done < r->len;) {
		size_t part = r->len - done < sizeof piece ? r->len - done : sizeof piece;
		err_t e = cdev_copyin(r, done, piece, part);
		if (e)
			return done ? (int64_t)done : e;
		random_stir(&memory.random, piece, part);
		done += part;
	}
	return (int64_t)r->len;
}

static int64_t write_kmsg(const struct cdev_req *r)
{
	char line[KMSG_LINE_MAX + 1];
	if (r->len > KMSG_LINE_MAX)
		return -EINVAL;
	err_t e = cdev_copyin(r, 0, line, r->len);
	if (e)
		return e;
	size_t len = r->len;
	if (len && line[len - 1] != '\n')
		line[len++] = '\n';
	sys_diag_write(line, len);
	return (int64_t)r->len;
}

static int64_t memory_write(const struct cdev_req *r)
{
	switch ((enum minor)cdev_minor(r->minor)) {
	case MEM_NULL:
	case MEM_ZERO:
		return (int64_t)r->len;
	case MEM_FULL:
		return r->len ? -ENOSPC : 0;
	case MEM_RANDOM:
	case MEM_URANDOM:
		return write_random(r);
	case MEM_KMSG:
		return write_kmsg(r);
	}
	return -ENXIO;
}

/* ---- the rest ------------------------------------------------------------------------------------------------------ */

static int64_t memory_open(const struct cdev_req *r, uint64_t *value)
{
	(void)value;
	switch ((enum minor)cdev_minor(r->minor)) {
	case MEM_NULL: case MEM_ZERO: case MEM_FULL: case MEM_RANDOM: case MEM_URANDOM: case MEM_KMSG:
		return 0;
	}
	return -ENXIO;
}

static bool memory_cancel(uint32_t id)
{
	for (int i = 0; i < KMSG_WAITERS; i++) {
		if (memory.waiting[i].id == id) {
			memory.waiting[i].id = 0;
			return true;
		}
	}
	return false;
}

static uint32_t memory_select(uint32_t minor, uint32_t events, bool want_ready)
{
	if (cdev_minor(minor) != MEM_KMSG)
		return events & (POLL_IN | POLL_OUT);
	memory.kmsg_select |= want_ready;
	return events & POLL_OUT;
}

/* New text in the kernel's log. */
static void memory_kernel_signals(uint64_t signals)
{
	if (!(signals & KSIG_LOG))
		return;
	for (int i = 0; i < KMSG_WAITERS; i++) {
		struct cdev_req *r = &memory.waiting[i];
		int64_t n = r->id ? kmsg_fetch(r) : 0;
		if (n) {
			cdev_reply(r->id, n);
			r->id = 0;
		}
	}
	if (memory.kmsg_select)
		cdev_ready(CDEV_DEV(MAJOR_MEM, MEM_KMSG), POLL_IN);
	memory.kmsg_select = false;
}

static err_t memory_init(const struct sef_init_info *info)
{
	(void)info;
	random_init(&memory.random);
	return 0;
}

static const struct cdev_driver memory_driver = {
	.name = "memory",
	.sef = { .init_fresh = memory_init, .init_restart = memory_init, .kernel_signals = memory_kernel_signals },
	.open = memory_open, .read = memory_read, .write = memory_write, .cancel = memory_cancel, .select = memory_select,
};

int main(void)
{
	cdev_task(&memory_driver);
}

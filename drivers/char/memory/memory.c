/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory devices, major 1: null, zero, full, random, urandom, kmsg (minors as Linux's Documentation/admin-guide/devices.txt).
 *
 * Reads of zero and the random devices are made in pieces of a bounded size and may return less than asked, as a signal would on
 * Linux; reads
 * of kmsg give the kernel's log record by record and wait at its end.
 *
 * If this process dies here: nobody notices. VFS repeats what was not answered; the successor seeds its generator anew and finds in DS
 * where each reader of kmsg is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/ksig.h>
#include <libdriver/cdev.h>
#include <librandom/random.h>
#include <libsef/ds.h>

enum minor { MEM_NULL = 3, MEM_ZERO = 5, MEM_FULL = 7, MEM_RANDOM = 8, MEM_URANDOM = 9, MEM_KMSG = 11 };
enum { POLL_IN = 1, POLL_OUT = 4 };
enum { PIECE_BYTES = 4096, RANDOM_MAX_BYTES = 1 << 20, KMSG_LINE_MAX = 1024, KMSG_WAITERS = 32, KMSG_READERS = 64, MEM_KMSG0 = 0x100 };

/* The readers of kmsg. [saved in DS at each change] */
struct readers {
	uint64_t open;				/* bit for each open kmsg */
	uint64_t place[KMSG_READERS];		/* where in the log it goes on */
};
static const char readers_key[] = "memory.kmsg";

static struct memory {
	struct random random;			/* [rebuilt] */
	struct readers readers;
	uint64_t reopened;			/* readers that VFS still knows, between up() and reopened() */
	struct cdev_req waiting[KMSG_WAITERS];	/* readers at the end of the log; id 0 = free [lost: VFS repeats them] */
	bool kmsg_watched;			/* the kernel tells us of new text */
	uint64_t kmsg_select;			/* bit for each reader that polls [lost: VFS asks again] */
} memory;

static void readers_save(void)
{
	err_t e = ds_publish_mem(readers_key, &memory.readers, sizeof memory.readers,
			DSF_OVERWRITE | DSF_PRIV_RETRIEVE | DSF_PRIV_OVERWRITE);
	if (e)
		log_warn("readers of kmsg are not saved: %s", err_text(e));
}

/* Each open of kmsg is a device of its own, so that each reader has its own place in the log. */
static uint32_t kmsg_reader(uint32_t dev) { return (cdev_minor(dev) - MEM_KMSG0) % KMSG_READERS; }

static enum minor minor_of(uint32_t dev)
{
	uint32_t minor = cdev_minor(dev);
	if (minor < MEM_KMSG0 || minor >= MEM_KMSG0 + KMSG_READERS)
		return (enum minor)minor;
	return memory.readers.open >> (minor - MEM_KMSG0) & 1 ? MEM_KMSG : (enum minor)minor;
}

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

/*
 * One record: a line "[sec.usec] text" of the kernel's log becomes "6,sequence,usec,-;text", as Linux's
 * Documentation/ABI/testing/dev-kmsg has
 * it; the sequence is the line's position in the log. 0: no whole line is there yet.
 */
static int64_t kmsg_fetch(const struct cdev_req *r)
{
	char line[KMSG_LINE_MAX + 1], record[KMSG_LINE_MAX + 64];
	unsigned long sec, usec;
	int text_at = 0;
	uint64_t *place = &memory.readers.place[kmsg_reader(r->minor)], at = *place, got = 0;
	err_t e = sys_diag_read(line, KMSG_LINE_MAX, &at, &got);
	if (e || got == 0)
		return e;
	line[got] = '\0';
	char *end = strchr(line, '\n');
	if (!end && got < KMSG_LINE_MAX)
		return 0;
	size_t len = end ? (size_t)(end - line) : got;
	line[len] = '\0';
	if (sscanf(line, "[%lu.%lu] %n", &sec, &usec, &text_at) != 2)
		sec = usec = 0;
	int n = snprintf(record, sizeof record, "6,%lu,%lu,-;%s\n", at - got, sec * 1000000 + usec, line + text_at);
	if ((uint64_t)n > r->len)
		return -EINVAL;
	e = cdev_copyout(r, 0, record, (size_t)n);
	if (e)
		return e;
	*place = at - got + len + (end != NULL);
	readers_save();
	return n;
}

static void kmsg_watch(void)
{
	if (!memory.kmsg_watched)
		memory.kmsg_watched = sys_diag_register() == 0;
}

static int64_t read_kmsg(const struct cdev_req *r)
{
	int64_t n = kmsg_fetch(r);
	if (n || r->len == 0)
		return n;
	if (r->flags & CDEV_NONBLOCK)
		return -EAGAIN;
	kmsg_watch();
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
	switch (minor_of(r->minor)) {
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
	switch (minor_of(r->minor)) {
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

static int64_t open_kmsg(uint64_t *value)
{
	for (uint32_t i = 0; i < KMSG_READERS; i++) {
		if (!(memory.readers.open >> i & 1)) {
			memory.readers.open |= 1ull << i;
			memory.readers.place[i] = 0;
			readers_save();
			*value = CDEV_DEV(MAJOR_MEM, MEM_KMSG0 + i);
			return CDEV_CLONED | CDEV_RECOVERABLE;
		}
	}
	return -EBUSY;
}

static int64_t memory_open(const struct cdev_req *r, uint64_t *value)
{
	switch ((enum minor)cdev_minor(r->minor)) {
	case MEM_NULL: case MEM_ZERO: case MEM_FULL: case MEM_RANDOM: case MEM_URANDOM:
		return CDEV_RECOVERABLE;
	case MEM_KMSG:
		return open_kmsg(value);
	}
	return -ENXIO;
}

static int64_t memory_close(const struct cdev_req *r)
{
	if (minor_of(r->minor) != MEM_KMSG)
		return 0;
	memory.readers.open &= ~(1ull << kmsg_reader(r->minor));
	readers_save();
	return 0;
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
	uint64_t at, got = 0;
	char c;
	if (minor_of(minor) != MEM_KMSG)
		return events & (POLL_IN | POLL_OUT);
	at = memory.readers.place[kmsg_reader(minor)];
	sys_diag_read(&c, 1, &at, &got);
	if (!got && want_ready && (events & POLL_IN)) {
		kmsg_watch();
		memory.kmsg_select |= 1ull << kmsg_reader(minor);
	}
	return events & (POLL_OUT | (got ? POLL_IN : 0));
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
	for (uint32_t i = 0; i < KMSG_READERS; i++)
		if (memory.kmsg_select >> i & 1)
			cdev_ready(CDEV_DEV(MAJOR_MEM, MEM_KMSG0 + i), POLL_IN);
	memory.kmsg_select = 0;
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static void memory_up(void)
{
	memset(memory.waiting, 0, sizeof memory.waiting);
	memory.kmsg_select = 0;
	memory.reopened = 0;
}

static int64_t memory_reopen(const struct cdev_req *r)
{
	if (cdev_minor(r->minor) < MEM_KMSG0)
		return 0;
	if (minor_of(r->minor) != MEM_KMSG)
		return -EIO;
	memory.reopened |= 1ull << kmsg_reader(r->minor);
	return 0;
}

/* Readers that ended meanwhile. */
static void memory_reopened(void)
{
	if (memory.readers.open == memory.reopened)
		return;
	memory.readers.open = memory.reopened;
	readers_save();
}

static err_t memory_init(const struct sef_init_info *info)
{
	(void)info;
	random_init(&memory.random);
	return 0;
}

static err_t memory_restart(const struct sef_init_info *info)
{
	size_t len = sizeof memory.readers;
	if (ds_retrieve_mem(readers_key, &memory.readers, &len) || len != sizeof memory.readers)
		memset(&memory.readers, 0, sizeof memory.readers);
	return memory_init(info);
}

static const struct cdev_driver memory_driver = {
	.name = "memory",
	.sef = { .init_fresh = memory_init, .init_restart = memory_restart, .kernel_signals = memory_kernel_signals },
	.open = memory_open, .close = memory_close, .read = memory_read, .write = memory_write,
	.cancel = memory_cancel, .select = memory_select, .up = memory_up, .reopen = memory_reopen, .reopened = memory_reopened,
};

int main(void)
{
	cdev_task(&memory_driver);
}

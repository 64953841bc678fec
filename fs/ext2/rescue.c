/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a predecessor that died still had to write. Every dirty page knows its place on the disk, so nothing of the file system has to be
 * understood for it: the successor, before it is anything else, reads the dead one's cache and writes what is dirty to where it was
 * meant for. Then the disk holds what programs believe it holds, but for requests that were at work, which VFS repeats.
 *
 * This happens while RS waits for the initialisation, because only so long is the dead one's memory there. A disk driver that dies
 * meanwhile is waited for, by libbdev. If this process dies here, the next one begins anew with the same memory.
 */
#include "rescue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libbdev/bdev.h>
#include <libcache/cache_rescue.h>

enum { BUFFER_BYTES = 256 << 10 };

static struct rescue {
	const struct sef_init_info *info;
	void (*wait)(void);
	struct bdev *dev;
	bool done;		/* what is waited for */
	int64_t result;
	uint8_t *buf;		/* bytes on their way to `pos` */
	uint64_t pos;
	uint32_t used;
} rescue;

static void finished(int64_t result)
{
	rescue.result = result;
	rescue.done = true;
}

static void opened(struct bdev *dev, err_t result)
{
	(void)dev;
	finished(result);
}

static void io_done(struct bdev_io *io, int64_t result)
{
	(void)io;
	finished(result);
}

static int64_t wait_done(void)
{
	while (!rescue.done)
		rescue.wait();
	rescue.done = false;
	return rescue.result;
}

static int transfer(uint32_t op, uint64_t pos, void *data, uint32_t len)
{
	struct bdev_io io = { .dev = rescue.dev, .op = op, .pos = pos, .data = data, .len = len, .done = io_done };
	bdev_submit(&io);
	int64_t r = wait_done();
	return r == (int64_t)len ? 0 : r < 0 ? (int)r : -EIO;
}

static int buffer_flush(void)
{
	uint32_t len = rescue.used;
	rescue.used = 0;
	return len ? transfer(BDEV_WRITE, rescue.pos, rescue.buf, len) : 0;
}

static int old_read(void *ctx, const void *addr, void *p, size_t len)
{
	(void)ctx;
	return sef_old_read(rescue.info, (vaddr_t)(uintptr_t)addr, p, len);
}

static int blocks_write(void *ctx, uint64_t pos, const void *data, uint32_t len)
{
	(void)ctx;
	int r = 0;
	if (rescue.used && (pos != rescue.pos + rescue.used || rescue.used + len > BUFFER_BYTES))
		r = buffer_flush();
	if (rescue.used == 0)
		rescue.pos = pos;
	memcpy(rescue.buf + rescue.used, data, len);
	rescue.used += len;
	return r;
}

static int rescue_write(uint64_t *bytes)
{
	struct cache_rescue r = { .read = old_read, .blocks = blocks_write, .device_bytes = bdev_size(rescue.dev) };
	rescue.buf = malloc(BUFFER_BYTES);
	int result = rescue.buf ? cache_rescue(&r) : -ENOMEM;
	*bytes = r.done;
	if (!result)
		result = buffer_flush();
	free(rescue.buf);
	return result || !r.done ? result : transfer(BDEV_FLUSH, 0, NULL, 0);
}

static int rescue_open(const struct rescue_from *from)
{
	struct bdev_options options = { .opened = opened };
	err_t r = bdev_open(from->label, from->minor, BDEV_ACCESS_READ | BDEV_ACCESS_WRITE, &options, &rescue.dev);
	return r ? r : (int)wait_done();
}

static bool label_is_sound(const char label[LABEL_LEN])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	return memchr(label, '\0', LABEL_LEN) && label[0] && strspn(label, letters) == strlen(label);
}

int rescue_run(const struct sef_init_info *info, struct rescue_from *from, void (*wait)(void))
{
	uint64_t bytes = 0;
	rescue = (struct rescue){ .info = info, .wait = wait };
	if (old_read(NULL, from, from, sizeof *from))
		return -EUCLEAN;
	if (!from->writable)
		return from->lost ? -EUCLEAN : 0;
	int r = label_is_sound(from->label) ? rescue_open(from) : -EUCLEAN;
	if (!r)
		r = rescue_write(&bytes);
	if (rescue.dev)
		bdev_close(rescue.dev);
	if (r)
		printf("ext2: what my predecessor had to write is lost: error %d\n", r);
	else
		printf("ext2: my predecessor had %llu bytes to write: done\n", (unsigned long long)bytes);
	return r ? r : from->lost ? -EUCLEAN : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* See cache_host.h. Empty in services: there is no host. */
#ifdef UNIT_TEST
#include <libcache/cache_host.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint32_t host_random(struct cache_host *h)
{
	h->seed = h->seed * 1664525u + 1013904223u;
	return h->seed >> 8;
}

static int64_t host_move(struct cache_host *h, struct cache_io *io)
{
	uint64_t pos = io->pos;
	for (uint32_t i = 0; i < io->nsegs; i++) {
		struct cache_seg s = io->seg[i];
		int64_t n = io->op == CACHE_OP_READ ? pread(h->fd, s.addr, s.len, (off_t)pos) : pwrite(h->fd, s.addr, s.len, (off_t)pos);
		if (n < (int64_t)s.len)
			return -EIO;
		pos += s.len;
	}
	return (int64_t)io->len;
}

static void host_do(struct cache_host *h, struct cache_io *io)
{
	unsigned rate = io->op == CACHE_OP_READ ? h->fail_reads : io->op == CACHE_OP_WRITE ? h->fail_writes : 0;
	*(io->op == CACHE_OP_READ ? &h->reads : io->op == CACHE_OP_WRITE ? &h->writes : &h->flushes) += 1;
	if (rate && host_random(h) % 1000 < rate) {
		h->failed++;
		cache_io_done(io, host_random(h) & 1 ? -EIO : (int64_t)io->len - 512);
		return;
	}
	cache_io_done(io, io->op == CACHE_OP_FLUSH ? 0 : host_move(h, io));
}

void cache_host_init(struct cache_host *h, uint64_t bytes)
{
	FILE *file = tmpfile();
	if (!file || ftruncate(fileno(file), (off_t)bytes))
		abort();
	*h = (struct cache_host){ .fd = dup(fileno(file)) };
	fclose(file);
}

static void host_start(void *ctx, struct cache_io *io)
{
	struct cache_host *h = ctx;
	if (!h->deferred) {
		host_do(h, io);
		return;
	}
	if (h->waiting == sizeof h->queue / sizeof *h->queue)
		abort();
	for (unsigned i = 0; i < h->waiting; i++)
		if (h->queue[i]->pos < io->pos + io->len && io->pos < h->queue[i]->pos + h->queue[i]->len)
			abort();
	h->queue[h->waiting++] = io;
}

bool cache_host_step(struct cache_host *h)
{
	if (!h->waiting)
		return false;
	unsigned i = host_random(h) % h->waiting;
	struct cache_io *io = h->queue[i];
	h->queue[i] = h->queue[--h->waiting];
	host_do(h, io);
	return true;
}

const struct cache_backend cache_host_backend = { .start = host_start };
#endif

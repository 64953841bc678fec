/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cache that died still had to write. The successor of the service, from the same program file, reads the dead one's memory and
 * hands each dirty block to its owner, with the place on the device that it was meant for: a page has that before it is dirty, so
 * writing back needs nothing else that the dead one knew.
 *
 * The dead one may have died of its own mistakes: every number that is read is checked before the first block is handed over, and of a
 * cache that cannot be sound none is. Contents cannot be checked here.
 */
#pragma once
#include <libcache/cache.h>

struct cache_rescue {
	/* Bytes of the dead one's memory: 0, or an error if nothing is there. */
	int (*read)(void *ctx, const void *addr, void *p, size_t len);
	/* Blocks that lie behind each other on the device; `data` is valid until the return. 0, or an error, which ends the rescue. */
	int (*blocks)(void *ctx, uint64_t pos, const void *data, uint32_t len);
	void *ctx;
	uint64_t device_bytes;
	uint64_t done;			/* bytes handed over so far */
};
/* Metadata comes after data. 0 (also when there was nothing); -EUCLEAN: the memory is not that of a sound cache; an error of a callback. */
int cache_rescue(struct cache_rescue *r);

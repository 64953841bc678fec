/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backend over an open file, for tests on the host. At first every transfer is done at once. With `deferred` they wait until
 * cache_host_step() does one of them, chosen at random; the test's loop calls that when no fiber can run.
 */
#pragma once
#include <libcache/cache.h>

struct cache_host {
	int fd;
	bool deferred;
	uint32_t seed;
	unsigned fail_reads, fail_writes;	/* of 1000 transfers, so many fail with -EIO */
	/* counted */
	uint64_t reads, writes, flushes, failed;
	unsigned waiting;
	struct cache_io *queue[256];
};
/* `h` begins with nothing but a device of zeros, a file without a name. Aborts without room for one. */
void cache_host_init(struct cache_host *h, uint64_t bytes);
extern const struct cache_backend cache_host_backend;	/* ctx = struct cache_host */

/* Do one waiting transfer. False: there is none. Aborts if two waiting ones touch the same bytes. */
bool cache_host_step(struct cache_host *h);

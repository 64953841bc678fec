/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache's backend in a service: block drivers through lib/libbdev. */
#pragma once
#include <libbdev/bdev.h>
#include <libcache/cache.h>

/* After bdev_startup() and cache_init(): the arena is granted to every driver that will be opened. */
err_t cache_bdev_init(void);
/*
 * Instead of both, in the init callback of a service that has no timers of its own, after cache_init(): starts libbdev and has the
 * process's alarm to itself. Then the next two are to be used.
 */
err_t cache_bdev_startup(void);
/* For struct fs_loop (libfs): the alarm is set, and answers of drivers, DS's events and the alarm are dealt with. */
void cache_bdev_before_receive(void);
bool cache_bdev_message(const struct message *m, uint32_t status);

/* Open a minor of a driver as a device of the cache. Waits. block_bytes: 0 = the driver's. Errors of BDEV_OPEN. */
err_t cache_bdev_open(const char *label, uint32_t minor, uint32_t access, uint32_t block_bytes, struct cache_dev **out);
/* What is dirty is lost: sync before. Waits. */
void cache_bdev_close(struct cache_dev *dev);
struct bdev *cache_bdev_of(const struct cache_dev *dev);

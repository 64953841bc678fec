/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the block side. */
#pragma once
#include <libdriver/bdev.h>

struct bdev_extent { uint64_t start, len; };	/* bytes on a disk */

uint32_t bdev_disk_of(uint32_t minor);

/* bdev_partitions.c: where partition `part` (1..) lies. -ENXIO: there is none. */
void bdev_partitions_setup(const struct bdev_driver *driver);
err_t bdev_partition(uint32_t disk, uint32_t part, const struct bdev_disk *d, struct bdev_extent *place);
void bdev_partitions_forget(uint32_t disk);	/* the table may have changed: read it again when next needed */

/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the partitions of a driver's disks lie. */
#include "bdev_private.h"
#include <errno.h>

void bdev_partitions_setup(const struct bdev_driver *driver)
{
	(void)driver;
}

err_t bdev_partition(uint32_t disk, uint32_t part, const struct bdev_disk *d, struct bdev_extent *place)
{
	(void)disk, (void)part, (void)d, (void)place;
	return -ENXIO;
}

void bdev_partitions_forget(uint32_t disk)
{
	(void)disk;
}

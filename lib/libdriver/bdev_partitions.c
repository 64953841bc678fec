/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the partitions of a driver's disks lie. A disk's table is read when a partition is first asked for, and forgotten when the disk is
 * opened and nobody else has it open: whoever writes a new table (fdisk) sees it used after closing the disk.
 */
#include "bdev_private.h"
#include "partition.h"
#include <errno.h>
#include <stdlib.h>

_Static_assert(PARTITIONS_MAX == BDEV_MINORS_PER_DISK - 1, "a minor for each partition");

struct bdev_table { struct bdev_table *next; uint32_t disk; struct partition_table t; };	/* [rebuilt from the disk] */

static struct { const struct bdev_driver *driver; struct bdev_table *first; } parts;

void bdev_partitions_setup(const struct bdev_driver *driver)
{
	parts.driver = driver;
}

struct table_source { uint32_t disk, block_size; };

static err_t table_block_read(void *context, uint64_t block, void *p)
{
	const struct table_source *s = context;

	return parts.driver->read_now(s->disk, block * s->block_size, p, s->block_size);
}

static struct bdev_table *table_find(uint32_t disk)
{
	for (struct bdev_table *t = parts.first; t; t = t->next)
		if (t->disk == disk)
			return t;
	return 0;
}

static err_t table_get(uint32_t disk, const struct bdev_disk *d, struct bdev_table **out)
{
	struct table_source source = { disk, d->block_size };
	struct partition_disk pd = { d->size / d->block_size, d->block_size, table_block_read, &source };
	struct bdev_table *t = table_find(disk);
	err_t err;

	*out = t;
	if (t)
		return 0;
	t = malloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	err = partition_table_read(&pd, &t->t);
	if (err) {
		free(t);
		return err;
	}
	if (t->t.backup)
		log_warn("disk %u: the first copy of its partition table is damaged, using the one at its end", disk);
	t->disk = disk;
	t->next = parts.first;
	parts.first = *out = t;
	return 0;
}

err_t bdev_partition(uint32_t disk, uint32_t part, const struct bdev_disk *d, struct bdev_extent *place)
{
	struct bdev_table *t;
	err_t err;

	if (!parts.driver->read_now || part > PARTITIONS_MAX)
		return -ENXIO;
	err = table_get(disk, d, &t);
	if (err)
		return err;
	*place = (struct bdev_extent){ t->t.part[part].first * d->block_size, t->t.part[part].count * d->block_size };
	return place->len ? 0 : -ENXIO;
}

/* All there are: while one was read, an open that came in between may have read another. */
void bdev_partitions_forget(uint32_t disk)
{
	struct bdev_table **at = &parts.first, *t;

	while ((t = *at)) {
		if (t->disk != disk) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		free(t);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of the groups' versions on the disks: of each group the one that a write has brought onto all good legs, or that was the
 * newest when all legs were compared. Whatever is older is wrong, however well its sums fit.
 *
 * A region's 32 numbers come when its first one is known: 8 bytes for the 4 KiB of a group. Where there is no memory nothing is known, and
 * the legs are compared each time. Nothing of this survives the process: its successor compares.
 *
 * Numbers grow: the superblock's generation, which is new on the disks before the first write of a run, and a counter.
 */
#include "engine_private.h"
#include <errno.h>
#include <stdlib.h>

#define COUNTER_BITS 40

int versions_make(void)
{
	engine.versions = calloc(engine.nr_regions + 1, sizeof(*engine.versions));
	return engine.versions ? 0 : -ENOMEM;
}

void versions_free(void)
{
	for (uint64_t i = 0; engine.versions && i < engine.nr_regions; i++)
		free(engine.versions[i]);
	free(engine.versions);
	engine.versions = 0;
}

uint64_t version_floor(uint64_t group)
{
	const uint64_t *region = engine.versions[group / REGION_GROUPS];

	return region ? region[group % REGION_GROUPS] : 0;
}

void version_confirm(uint64_t group, uint64_t version)
{
	uint64_t **region = &engine.versions[group / REGION_GROUPS];

	if (!*region && version)
		*region = calloc(REGION_GROUPS, sizeof(**region));
	if (*region && version > (*region)[group % REGION_GROUPS])
		(*region)[group % REGION_GROUPS] = version;
}

uint64_t version_next(const struct image *im)
{
	if (engine.version < engine.generation << COUNTER_BITS)
		engine.version = engine.generation << COUNTER_BITS;
	for (uint32_t g = 0; g < im->n; g++)
		if (engine.version < im->versions[g])
			engine.version = im->versions[g];
	return ++engine.version;
}

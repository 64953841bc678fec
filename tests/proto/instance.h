/* SPDX-License-Identifier: BSD-2-Clause */
/* For services that are made to die: the how-manieth of its kind an instance is. The count outlives them in DS. */
#pragma once
#include <errno.h>
#include <libsef/ds.h>
#include <stdio.h>

static inline err_t instance_count(const char *kind, const char *label, uint64_t *out)
{
	char key[DS_KEY_LEN];
	err_t r;

	snprintf(key, sizeof(key), "%s.%s", kind, label);
	r = ds_retrieve_u64(key, out);
	if (r != 0 && r != -ESRCH)
		return r;
	++*out;
	return ds_publish_u64(key, *out, DSF_OVERWRITE);
}

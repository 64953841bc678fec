/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <libsef/sef.h>

/* What a successor has to find in its predecessor's memory. */
struct rescue_from {
	char label[LABEL_LEN];		/* of the disk's driver */
	uint32_t minor;
	bool writable;			/* it may have something to write */
	bool lost;			/* its own predecessor's could not be had */
};

/* In init_restart: writes it, and fills *from, which lies where the predecessor's lay. wait() takes one message for libbdev. 0, or an
 * error: something is lost. */
int rescue_run(const struct sef_init_info *info, struct rescue_from *from, void (*wait)(void));

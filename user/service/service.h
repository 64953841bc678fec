/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the `service` command. */
#pragma once
#include <proto/rs.h>
#include <proto/sef.h>
#include <stdbool.h>
#include <stddef.h>

enum {	/* exit codes; docs/services.md tells them to people */
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,	/* RS could not or would not do it */
	EXIT_USAGE = 2,
	EXIT_CONFIG = 3,	/* mistake in a description */
	EXIT_UNKNOWN = 4,	/* no service of that name */
	EXIT_NOT_ROOT = 5,
	EXIT_INIT_FAILED = 6,	/* the service refused to initialise, died in it or did not finish */
};

struct up_options {
	const char *path, *label, *args, *config;
	int32_t major;		/* -1: as described */
	uint64_t period_ns;	/* 0: as described */
	uint32_t flags, init_flags;
};

/* service_call.c: RS */
long rs_call(enum rs_op op, void *argument, size_t len, void *more, size_t more_len);
int report(const char *what, const char *name, long result);	/* words for an error of RS; the exit code */

/* service_up.c */
int service_up(const struct up_options *options);

/* service_show.c */
int service_list(bool json);
int service_status(const char *label, bool json);
int service_why(const char *label);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the `service` command. */
#pragma once
#include <proto/rs.h>
#include <proto/sef.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {	/* exit codes; service(8) tells them to people */
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,	/* RS could not or would not do it */
	EXIT_USAGE = 2,
	EXIT_CONFIG = 3,	/* mistake in a description */
	EXIT_UNKNOWN = 4,	/* no service of that name */
	EXIT_NOT_ROOT = 5,
	EXIT_INIT_FAILED = 6,	/* the service refused to initialise, died in it or did not finish */
	EXIT_TIMED_OUT = 7,	/* `wait -timeout` */
	EXIT_GIVEN_UP = 8,	/* it has failed: RS does not start it again by itself */
};

#define SERVICE_FOLDER "/sbin/services/"	/* where a program without a path is looked for */

struct up_options {
	const char *path, *label, *args, *config, *script, *progname;
	bool major_given;
	int32_t major;		/* RS_MAJOR_BLOCK | n for a block device */
	uint64_t period_ns;	/* 0: as described */
	uint32_t flags, init_flags;
};

/* service_call.c: RS, and what becomes of a request */
void output_json(bool on);
bool output_is_json(void);
/* a[0] = operation; addresses and lengths as proto/rs.h lists them. The result or a negative error. */
long rs_call(enum rs_op op, const void *a1, uint64_t a2, const void *a3, uint64_t a4);
void label_fill(char label[LABEL_LEN], const char *name);
/* Tells how it ended, in words (errors) or as JSON (always); the exit code. */
int report(const char *what, const char *name, long result);
int complain(int code, const char *what, const char *name, const char *why);

/* service_json.c: keys are 0 in arrays */
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_text(const char *key, const char *text);
void json_number(const char *key, long long n);

/* service_conf.c */
struct conf_service;
bool conf_describe(const char *config, const char *name, struct conf_service *out);
int service_check(int argc, char **argv);

/* service_up.c */
int service_up(int argc, char **argv);

/* service_show.c */
int service_list(void);
int service_status(const char *name);
const char *service_state_name(uint32_t state);
const char *service_fault_name(uint32_t fault);

/* service_history.c */
int service_why(const char *name);
int service_history(const char *name);	/* 0: of all */
int service_log(const char *name, bool follow);
int service_watch(bool run_scripts, bool quiet);
int service_core(const char *name, const char *path);

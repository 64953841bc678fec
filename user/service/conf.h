/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptions of services: /etc/system.conf and the files in /etc/system.conf.d. The grammar (conf_grammar.y) knows entries, options and
 * values; what the options mean is in conf_option.c. Every mistake is told as `file:line: what is wrong, what was expected`.
 *
 *	service NAME {
 *		option value ...;
 *	};
 *
 * Pure: the host's unit tests link these files as they are.
 */
#pragma once
#include <abi/limits.h>
#include <abi/priv.h>
#include <proto/rs.h>
#include <stdbool.h>
#include <stdio.h>

enum { CONF_VALUES_MAX = 64, CONF_WHERE_BYTES = 192, CONF_CLASS_DEPTH = 16 };

struct conf_value { char *text; int line; };

struct conf_option {
	struct conf_option *next;
	struct conf_value name;
	struct conf_value values[CONF_VALUES_MAX];
	int nr_values;
};

struct conf_entry {
	struct conf_entry *next;
	struct conf_value name;
	char *file;
	bool broken;		/* a mistake was found while it was read: what is left of it may mean something else */
	struct conf_option *options, **last;
};

struct conf {
	struct conf_entry *entries;
	FILE *errors;		/* where mistakes are told */
	int nr_errors;
	uint32_t nr_cpus;	/* of this machine, for `cpu`; 0: unknown */
	bool (*user_find)(const char *name, uint32_t *uid);	/* for `uid NAME`; 0: numbers only */
	/* while a file is read */
	const char *file;
	int line;
	struct conf_entry *entry;
};

void conf_init(struct conf *c, FILE *errors);
void conf_fini(struct conf *c);
/* All entries of one file are added. False if it has mistakes (told), which are in nr_errors too. */
bool conf_read(struct conf *c, FILE *in, const char *file);
/* Of several files with the same entry the one that was read first counts. */
struct conf_entry *conf_find(const struct conf *c, const char *name);
void conf_mistake(struct conf *c, const char *file, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Labels, each with its NUL, as RS wants them. */
struct conf_names { char text[RS_NAMES_MAX]; size_t len; };

/* What an entry means. */
struct conf_service {
	struct priv_spec priv;
	uint64_t vm_call_mask;
	struct conf_names sends, control;
	struct conf_names classes;	/* all entries that were taken in: lists of others mean it by these names, too */
	struct rs_pci_acl pci;
	int32_t majors[RS_NR_MAJORS];	/* RS_MAJOR_BLOCK | n for block devices */
	int nr_majors;
	uint64_t period_ns, budget_ns, cpu_mask, contig_max;
	uint32_t budget_failures, backoff_max_ms, quantum_us;
	uint32_t flags;			/* RS_UP_* */
	uint32_t uid;
	char script[sizeof(((struct rs_call *)0)->script)];
	char description[80];
	char where[CONF_WHERE_BYTES];	/* file:line of the entry */
	bool sends_given;
};

/* Defaults, then the entry's options in order. False if there are mistakes (told). */
bool conf_evaluate(struct conf *c, const struct conf_entry *entry, struct conf_service *out);
void conf_defaults(struct conf_service *out);

/* for the grammar */
void conf_entry_begin(struct conf *c, struct conf_value name);
void conf_entry_end(struct conf *c);
void conf_option_begin(struct conf *c, struct conf_value name);
void conf_option_value(struct conf *c, struct conf_value value);
int conf_parse(struct conf *c, void *scanner);
bool conf_scan_file(struct conf *c, FILE *in);

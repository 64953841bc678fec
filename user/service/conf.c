/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries as they are read: names, lines and values as text. */
#include "conf.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void conf_init(struct conf *c, FILE *errors)
{
	memset(c, 0, sizeof(*c));
	c->errors = errors;
}

static void conf_option_free(struct conf_option *o)
{
	for (int i = 0; i < o->nr_values; i++)
		free(o->values[i].text);
	free(o->name.text);
	free(o);
}

void conf_fini(struct conf *c)
{
	while (c->entries) {
		struct conf_entry *e = c->entries;

		c->entries = e->next;
		while (e->options) {
			struct conf_option *o = e->options;

			e->options = o->next;
			conf_option_free(o);
		}
		free(e->name.text);
		free(e->file);
		free(e);
	}
}

void conf_mistake(struct conf *c, const char *file, int line, const char *format, ...)
{
	va_list args;

	c->nr_errors++;
	fprintf(c->errors, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(c->errors, format, args);
	va_end(args);
	fputc('\n', c->errors);
}

struct conf_entry *conf_find(const struct conf *c, const char *name)
{
	for (struct conf_entry *e = c->entries; e; e = e->next)
		if (strcmp(e->name.text, name) == 0)
			return e;
	return 0;
}

void conf_entry_begin(struct conf *c, struct conf_value name)
{
	struct conf_entry *e = calloc(1, sizeof(*e)), *twin = conf_find(c, name.text);

	if (twin)
		conf_mistake(c, c->file, name.line, "service '%s' is described twice, the first time in %s:%d", name.text,
			twin->file, twin->name.line);
	if (!e)
		abort();
	e->name = name;
	e->file = strdup(c->file);
	e->last = &e->options;
	e->next = c->entries;
	c->entries = c->entry = e;
}

void conf_option_begin(struct conf *c, struct conf_value name)
{
	struct conf_option *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->name = name;
	*c->entry->last = o;
	c->entry->last = &o->next;
}

/* Values of the option that was begun last. */
void conf_option_value(struct conf *c, struct conf_value value)
{
	struct conf_option *o = c->entry->options;

	while (o->next)
		o = o->next;
	if (o->nr_values == CONF_VALUES_MAX) {
		conf_mistake(c, c->file, value.line, "'%s' has more than %d values", o->name.text, CONF_VALUES_MAX);
		free(value.text);
		return;
	}
	o->values[o->nr_values++] = value;
}

bool conf_read(struct conf *c, FILE *in, const char *file)
{
	int before = c->nr_errors;

	c->file = file;
	c->line = 1;
	c->entry = 0;
	return conf_scan_file(c, in) && c->nr_errors == before;
}

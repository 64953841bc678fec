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
	if (c->entry)
		c->entry->broken = true;
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

static void conf_entry_append(struct conf *c, struct conf_entry *e)
{
	struct conf_entry **end = &c->entries;

	while (*end)
		end = &(*end)->next;
	*end = c->entry = e;
}

void conf_entry_begin(struct conf *c, struct conf_value name)
{
	struct conf_entry *e = calloc(1, sizeof(*e)), *twin = conf_find(c, name.text);

	if (!e || !(e->file = strdup(c->file)))
		abort();
	e->name = name;
	e->last = &e->options;
	conf_entry_append(c, e);
	if (twin && strcmp(twin->file, c->file) == 0)
		conf_mistake(c, c->file, name.line, "service '%s' is described twice, the first time in line %d", name.text,
			twin->name.line);
	if (strlen(name.text) >= PROC_NAME_LEN)
		conf_mistake(c, c->file, name.line, "the name '%s' is too long, expected at most %d characters", name.text,
			PROC_NAME_LEN - 1);
}

void conf_entry_end(struct conf *c)
{
	c->entry = 0;
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
	conf_scan_file(c, in);
	c->entry = 0;
	return c->nr_errors == before;
}

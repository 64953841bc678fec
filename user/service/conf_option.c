/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the options mean. One table: the option's name, the function that takes its values, and what to say when they are wrong.
 * ALL, BASIC and NONE must stand alone; `system X Y` and `vm X Y` add to the basic set, which every service has.
 */
#include "conf.h"
#include <abi/endpoint.h>
#include <abi/kcall.h>
#include <errno.h>
#include <proto/vm.h>
#include <stdlib.h>
#include <string.h>

struct evaluation { struct conf *conf; const char *file; struct conf_service *out; int depth; };

/* ---- words ---- */

static bool word_is(const struct conf_option *o, const char *word)
{
	return o->nr_values == 1 && strcmp(o->values[0].text, word) == 0;
}

static void mistake(struct evaluation *ev, const struct conf_value *v, const char *expected)
{
	conf_mistake(ev->conf, ev->file, v->line, "'%s' is not right here, expected %s", v->text, expected);
}

/* ALL, BASIC, NONE in the middle of a list. */
static bool word_stands_alone(struct evaluation *ev, const struct conf_value *v)
{
	if (strcmp(v->text, "ALL") != 0 && strcmp(v->text, "BASIC") != 0 && strcmp(v->text, "NONE") != 0)
		return true;
	conf_mistake(ev->conf, ev->file, v->line, "'%s' must stand alone, expected names only", v->text);
	return false;
}

static bool number_of(const char *text, int base, uint64_t max, uint64_t *out, char **end)
{
	if (*text == '-' || *text == '+' || !*text)
		return false;
	errno = 0;
	*out = strtoull(text, end, base);
	return errno == 0 && *end != text && *out <= max;
}

static bool number_take(struct evaluation *ev, const struct conf_value *v, uint64_t max, const char *expected, uint64_t *out)
{
	char *end;

	if (number_of(v->text, 10, max, out, &end) && *end == 0)
		return true;
	mistake(ev, v, expected);
	return false;
}

/* first[:length], both in hexadecimal. */
static bool range_take(struct evaluation *ev, const struct conf_value *v, uint64_t max, uint64_t *first, uint64_t *last)
{
	uint64_t len = 1;
	char *end;

	if (number_of(v->text, 16, max, first, &end) && (*end == 0 || (*end == ':' && number_of(end + 1, 16, max, &len, &end)))
	    && *end == 0 && len > 0 && len - 1 <= max - *first) {
		*last = *first + len - 1;
		return true;
	}
	mistake(ev, v, "first[:length] in hexadecimal");
	return false;
}

/* ---- names of calls ---- */

static const char *const kernel_calls[] = {
#define X(name, basic, what) [KC_INDEX_##name] = #name,
	KCALLS(X)
#undef X
};

static const struct { const char *name; uint32_t request; } vm_calls[] = {
	{ "FORK", VM_FORK }, { "EXIT", VM_EXIT }, { "EXEC_NEW", VM_EXEC_NEW }, { "MMAP_FOR", VM_MMAP_FOR }, { "PREFAULT", VM_PREFAULT },
	{ "FORGET", VM_FORGET }, { "MAP_PHYS", VM_MAP_PHYS }, { "ALLOC_CONTIG", VM_ALLOC_CONTIG }, { "INFO", VM_INFO },
	{ "UPDATE", VM_UPDATE }, { "PROTECT_FOR", VM_PROTECT_FOR },
};
enum { NR_VM_CALLS = sizeof(vm_calls) / sizeof(vm_calls[0]) };

static bool kernel_call_bit(const char *name, uint64_t *bit)
{
	for (int i = 0; i < KC_COUNT; i++)
		if (strcmp(kernel_calls[i], name) == 0) {
			*bit = 1ull << i;
			return true;
		}
	return false;
}

static bool vm_call_bit(const char *name, uint64_t *bit)
{
	for (int i = 0; i < NR_VM_CALLS; i++)
		if (strcmp(vm_calls[i].name, name) == 0) {
			*bit = 1ull << (vm_calls[i].request - MSG_VM) / 2;
			return true;
		}
	return false;
}

static uint64_t calls_take(struct evaluation *ev, const struct conf_option *o, bool (*find)(const char *, uint64_t *), uint64_t all,
	const char *expected)
{
	uint64_t mask = 0, bit;

	if (word_is(o, "ALL"))
		return all;
	if (word_is(o, "BASIC") || word_is(o, "NONE"))
		return 0;
	for (int i = 0; i < o->nr_values; i++) {
		if (!word_stands_alone(ev, &o->values[i]))
			continue;
		if (find(o->values[i].text, &bit))
			mask |= bit;
		else
			mistake(ev, &o->values[i], expected);
	}
	return mask;
}

/* ---- options ---- */

static void take_system(struct evaluation *ev, const struct conf_option *o)
{
	ev->out->priv.call_mask[0] |= calls_take(ev, o, kernel_call_bit, (1ull << KC_COUNT) - 1,
		"ALL, BASIC or names of kernel calls as in abi/kcall.h");
}

static void take_vm(struct evaluation *ev, const struct conf_option *o)
{
	ev->out->vm_call_mask |= calls_take(ev, o, vm_call_bit, ~0ull, "ALL, BASIC or names of VM requests as in proto/vm.h");
}

static void send_name_add(struct evaluation *ev, const struct conf_value *v)
{
	struct conf_service *s = ev->out;
	size_t n = strlen(v->text) + 1;

	if (n > sizeof(s->send_names) - s->send_names_len) {
		conf_mistake(ev->conf, ev->file, v->line, "the list of names is too long");
		return;
	}
	memcpy(s->send_names + s->send_names_len, v->text, n);
	s->send_names_len += n;
}

static void take_ipc(struct evaluation *ev, const struct conf_option *o)
{
	ev->out->sends_given = true;
	if (word_is(o, "NONE"))
		return;
	for (int i = 0; i < o->nr_values; i++)
		if (o->nr_values == 1 || word_stands_alone(ev, &o->values[i]))
			send_name_add(ev, &o->values[i]);
}

static void io_add(struct evaluation *ev, const struct conf_value *v)
{
	struct priv_spec *p = &ev->out->priv;
	uint64_t first, last;

	if (p->nr_io == NR_IO_RANGES) {
		conf_mistake(ev->conf, ev->file, v->line, "more than %d port ranges", NR_IO_RANGES);
		return;
	}
	if (range_take(ev, v, 0xffff, &first, &last))
		p->io[p->nr_io++] = (struct priv_io_range){ (uint16_t)first, (uint16_t)last };
}

static void take_io(struct evaluation *ev, const struct conf_option *o)
{
	if (word_is(o, "NONE"))
		return;
	if (word_is(o, "ALL")) {
		ev->out->priv.nr_io = 1;
		ev->out->priv.io[0] = (struct priv_io_range){ 0, 0xffff };
		return;
	}
	for (int i = 0; i < o->nr_values; i++)
		if (word_stands_alone(ev, &o->values[i]))
			io_add(ev, &o->values[i]);
}

static void take_mem(struct evaluation *ev, const struct conf_option *o)
{
	struct priv_spec *p = &ev->out->priv;
	uint64_t first, last;

	if (word_is(o, "NONE"))
		return;
	for (int i = 0; i < o->nr_values; i++) {
		if (p->nr_mem == NR_MEM_RANGES)
			conf_mistake(ev->conf, ev->file, o->values[i].line, "more than %d memory ranges", NR_MEM_RANGES);
		else if (range_take(ev, &o->values[i], ~0ull, &first, &last))
			p->mem[p->nr_mem++] = (struct priv_mem_range){ first, last };
	}
}

static void take_irq(struct evaluation *ev, const struct conf_option *o)
{
	struct priv_spec *p = &ev->out->priv;
	uint64_t n;

	if (word_is(o, "NONE"))
		return;
	for (int i = 0; i < o->nr_values; i++) {
		if (p->nr_irq == NR_IRQS_PER_SERVICE)
			conf_mistake(ev->conf, ev->file, o->values[i].line, "more than %d interrupts", NR_IRQS_PER_SERVICE);
		else if (number_take(ev, &o->values[i], 255, "NONE or interrupt numbers from 0 to 255", &n))
			p->irq[p->nr_irq++] = (uint8_t)n;
	}
}

static void take_sigmgr(struct evaluation *ev, const struct conf_option *o)
{
	if (word_is(o, "SELF"))
		ev->out->priv.sig_mgr = EP_SELF;
	else if (word_is(o, "rs"))
		ev->out->priv.sig_mgr = EP_RS;
	else if (word_is(o, "pm"))
		ev->out->priv.sig_mgr = EP_PM;
	else
		mistake(ev, &o->values[0], "SELF, rs or pm");
}

static void take_priority(struct evaluation *ev, const struct conf_option *o)
{
	uint64_t n;

	if (number_take(ev, &o->values[0], 15, "a number from 0 (highest) to 15", &n))
		ev->out->priv.priority = (uint32_t)n;
}

static void take_uid(struct evaluation *ev, const struct conf_option *o)
{
	uint64_t n;

	if (number_take(ev, &o->values[0], 0xfffffffe, "a user number", &n))
		ev->out->uid = (uint32_t)n;
}

static void take_period(struct evaluation *ev, const struct conf_option *o)
{
	uint64_t n;

	if (!number_take(ev, &o->values[0], 3600000, "milliseconds from 1 to 3600000", &n))
		return;
	if (n == 0)
		mistake(ev, &o->values[0], "milliseconds from 1 to 3600000");
	ev->out->period_ns = n * 1000000;
}

static void take_major(struct evaluation *ev, const struct conf_option *o)
{
	uint64_t n;

	for (int i = 0; i < o->nr_values; i++) {
		if (ev->out->nr_majors == RS_NR_MAJORS)
			conf_mistake(ev->conf, ev->file, o->values[i].line, "more than %d major numbers", RS_NR_MAJORS);
		else if (number_take(ev, &o->values[i], 511, "major numbers from 0 to 511", &n))
			ev->out->majors[ev->out->nr_majors++] = (int32_t)n;
	}
}

static void take_descr(struct evaluation *ev, const struct conf_option *o)
{
	snprintf(ev->out->description, sizeof(ev->out->description), "%s", o->values[0].text);
}

static void evaluate_options(struct evaluation *ev, const struct conf_entry *entry);

static void take_class(struct evaluation *ev, const struct conf_option *o)
{
	for (int i = 0; i < o->nr_values; i++) {
		const struct conf_entry *e = conf_find(ev->conf, o->values[i].text);

		if (!e)
			mistake(ev, &o->values[i], "the name of another service");
		else if (ev->depth == CONF_CLASS_DEPTH)
			conf_mistake(ev->conf, ev->file, o->values[i].line, "classes include each other more than %d deep",
				CONF_CLASS_DEPTH);
		else
			evaluate_options(ev, e);
	}
}

static const struct option {
	const char *name;
	int min, max;	/* values */
	void (*take)(struct evaluation *ev, const struct conf_option *o);
} options[] = {
	{ "class", 1, CONF_VALUES_MAX, take_class }, { "descr", 1, 1, take_descr }, { "io", 1, CONF_VALUES_MAX, take_io },
	{ "ipc", 1, CONF_VALUES_MAX, take_ipc }, { "irq", 1, CONF_VALUES_MAX, take_irq }, { "major", 1, CONF_VALUES_MAX, take_major },
	{ "mem", 1, CONF_VALUES_MAX, take_mem }, { "period", 1, 1, take_period }, { "priority", 1, 1, take_priority },
	{ "sigmgr", 1, 1, take_sigmgr }, { "system", 1, CONF_VALUES_MAX, take_system }, { "uid", 1, 1, take_uid },
	{ "vm", 1, CONF_VALUES_MAX, take_vm },
};
enum { NR_OPTIONS = sizeof(options) / sizeof(options[0]) };

static const char *option_names(void)
{
	static char list[256];

	list[0] = 0;
	for (int i = 0; i < NR_OPTIONS; i++) {
		strncat(list, i == 0 ? "" : i + 1 == NR_OPTIONS ? " or " : ", ", sizeof(list) - strlen(list) - 1);
		strncat(list, options[i].name, sizeof(list) - strlen(list) - 1);
	}
	return list;
}

static void option_evaluate(struct evaluation *ev, const struct conf_option *o)
{
	for (int i = 0; i < NR_OPTIONS; i++) {
		if (strcmp(options[i].name, o->name.text) != 0)
			continue;
		if (o->nr_values < options[i].min || o->nr_values > options[i].max)
			conf_mistake(ev->conf, ev->file, o->name.line, "'%s' has %d values, expected %s", o->name.text, o->nr_values,
				options[i].max == 1 ? "one" : "at least one");
		else
			options[i].take(ev, o);
		return;
	}
	conf_mistake(ev->conf, ev->file, o->name.line, "unknown option '%s', expected %s", o->name.text, option_names());
}

static void evaluate_options(struct evaluation *ev, const struct conf_entry *entry)
{
	const char *outer = ev->file;

	ev->file = entry->file;
	ev->depth++;
	for (const struct conf_option *o = entry->options; o; o = o->next)
		option_evaluate(ev, o);
	ev->depth--;
	ev->file = outer;
}

/* Without `ipc`: what every service talks to. */
void conf_defaults(struct conf_service *out)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < RS_NR_MAJORS; i++)
		out->majors[i] = -1;
	out->priv.sig_mgr = EP_RS;
	out->priv.priority = 4;
}

bool conf_evaluate(struct conf *c, const struct conf_entry *entry, struct conf_service *out)
{
	static const char default_names[] = "rs\0vm\0ds";
	struct evaluation ev = { .conf = c, .file = entry->file, .out = out };
	int before = c->nr_errors;

	conf_defaults(out);
	snprintf(out->where, sizeof(out->where), "%s:%d", entry->file, entry->name.line);
	evaluate_options(&ev, entry);
	if (!out->sends_given) {
		memcpy(out->send_names, default_names, sizeof(default_names));
		out->send_names_len = sizeof(default_names);
	}
	return c->nr_errors == before;
}

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
	{ "UPDATE", VM_UPDATE }, { "PROTECT_FOR", VM_PROTECT_FOR }, { "RLIMIT", VM_RLIMIT }, { "MMAP_REPLY", VM_MMAP_REPLY },
	{ "SET_PRIV", VM_SET_PRIV }, { "RELEASE", VM_RELEASE }, { "MAP_ARCHIVE", VM_MAP_ARCHIVE }, { "FREE_ARCHIVE", VM_FREE_ARCHIVE },
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

/* ---- options: whom it may talk to, and about whom ---- */

static bool name_is_in(const struct conf_names *names, const char *name)
{
	for (size_t i = 0; i < names->len; i += strlen(names->text + i) + 1)
		if (strcmp(names->text + i, name) == 0)
			return true;
	return false;
}

static void name_add(struct evaluation *ev, struct conf_names *names, const struct conf_value *v)
{
	size_t n = strlen(v->text) + 1;

	if (n > LABEL_LEN) {
		conf_mistake(ev->conf, ev->file, v->line, "'%s' is too long for a name, expected at most %d characters", v->text,
			LABEL_LEN - 1);
		return;
	}
	if (name_is_in(names, v->text))
		return;
	if (n > sizeof(names->text) - names->len) {
		conf_mistake(ev->conf, ev->file, v->line, "the list of names is too long");
		return;
	}
	memcpy(names->text + names->len, v->text, n);
	names->len += n;
}

static void take_ipc(struct evaluation *ev, const struct conf_option *o)
{
	ev->out->sends_given = true;
	if (word_is(o, "NONE"))
		return;
	for (int i = 0; i < o->nr_values; i++) {
		const char *text = o->values[i].text;

		if (o->nr_values == 1 || (word_stands_alone(ev, &o->values[i]) && strcmp(text, "SYSTEM") != 0))
			name_add(ev, &ev->out->sends, &o->values[i]);
	}
}

static void take_control(struct evaluation *ev, const struct conf_option *o)
{
	if (word_is(o, "NONE"))
		return;
	for (int i = 0; i < o->nr_values; i++)
		if (word_stands_alone(ev, &o->values[i]))
			name_add(ev, &ev->out->control, &o->values[i]);
}

/* ---- options: hardware ---- */

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

/* Bytes, or with K or M so many of them. */
static void take_contig(struct evaluation *ev, const struct conf_option *o)
{
	static const char expected[] = "NONE or a size up to 1024M, like 64K or 4M";
	uint64_t n;
	char *end;

	ev->out->contig_max = 0;
	if (word_is(o, "NONE"))
		return;
	if (!number_of(o->values[0].text, 10, 1024 << 20, &n, &end)) {
		mistake(ev, &o->values[0], expected);
		return;
	}
	if (*end == 'K' || *end == 'M')
		n <<= *end++ == 'K' ? 10 : 20;
	if (*end || n > 1024 << 20)
		mistake(ev, &o->values[0], expected);
	else
		ev->out->contig_max = n;
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

/* vendor:device[/vendor:device of the subsystem], four hexadecimal digits at most each. */
static bool pci_id_parse(const char *text, struct rs_pci_id *out)
{
	uint16_t *const parts[] = { &out->vendor, &out->device, &out->sub_vendor, &out->sub_device };
	static const char after[] = ":/:";
	uint64_t n;
	char *end;

	*out = (struct rs_pci_id){ RS_PCI_ANY, RS_PCI_ANY, RS_PCI_ANY, RS_PCI_ANY };
	for (int i = 0; i < 4; i++) {
		if (!number_of(text, 16, 0xffff, &n, &end) || end - text > 4)
			return false;
		*parts[i] = (uint16_t)n;
		if (*end == 0)
			return i == 1 || i == 3;
		if (i == 3 || *end != after[i])
			return false;
		text = end + 1;
	}
	return false;
}

/* base[/sub[/interface]], two hexadecimal digits at most each. */
static bool pci_class_parse(const char *text, struct rs_pci_class *out)
{
	uint64_t n;
	char *end;

	*out = (struct rs_pci_class){ 0, 0 };
	for (int shift = 16; shift >= 0; shift -= 8) {
		if (!number_of(text, 16, 0xff, &n, &end) || end - text > 2)
			return false;
		out->class_code |= (uint32_t)n << shift;
		out->mask |= 0xffu << shift;
		if (*end == 0)
			return true;
		if (*end != '/')
			return false;
		text = end + 1;
	}
	return false;
}

static void pci_id_add(struct evaluation *ev, const struct conf_value *v)
{
	struct rs_pci_acl *pci = &ev->out->pci;

	if (pci->nr_ids == RS_PCI_MAX)
		conf_mistake(ev->conf, ev->file, v->line, "more than %d PCI devices", RS_PCI_MAX);
	else if (pci_id_parse(v->text, &pci->ids[pci->nr_ids]))
		pci->nr_ids++;
	else
		mistake(ev, v, "vendor:device[/vendor:device of the subsystem] in hexadecimal");
}

static void pci_class_add(struct evaluation *ev, const struct conf_value *v)
{
	struct rs_pci_acl *pci = &ev->out->pci;

	if (pci->nr_classes == RS_PCI_MAX)
		conf_mistake(ev->conf, ev->file, v->line, "more than %d PCI classes", RS_PCI_MAX);
	else if (pci_class_parse(v->text, &pci->classes[pci->nr_classes]))
		pci->nr_classes++;
	else
		mistake(ev, v, "base[/sub[/interface]] in hexadecimal");
}

static void take_pci(struct evaluation *ev, const struct conf_option *o)
{
	bool device = strcmp(o->values[0].text, "device") == 0;

	if (!device && strcmp(o->values[0].text, "class") != 0) {
		mistake(ev, &o->values[0], "'device' or 'class'");
		return;
	}
	for (int i = 1; i < o->nr_values; i++)
		(device ? pci_id_add : pci_class_add)(ev, &o->values[i]);
}

static void take_bus(struct evaluation *ev, const struct conf_option *o)
{
	if (strcmp(o->values[0].text, "pci") == 0)
		ev->out->flags |= RS_UP_BUS;
	else
		mistake(ev, &o->values[0], "'pci'");
}

/* ---- options: time and place to run ---- */

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

static void take_scheduler(struct evaluation *ev, const struct conf_option *o)
{
	if (strcmp(o->values[0].text, "KERNEL") != 0)
		mistake(ev, &o->values[0], "KERNEL, the one scheduler there is");
}

static void take_quantum(struct evaluation *ev, const struct conf_option *o)
{
	static const char expected[] = "milliseconds from 1 to 1000";
	uint64_t n;

	if (!number_take(ev, &o->values[0], 1000, expected, &n))
		return;
	if (n == 0)
		mistake(ev, &o->values[0], expected);
	ev->out->quantum_us = (uint32_t)n * 1000;
}

static bool cpu_mask_is_possible(const struct conf *c, uint64_t mask)
{
	return c->nr_cpus == 0 || c->nr_cpus >= 64 || (mask & ((1ull << c->nr_cpus) - 1));
}

static void take_cpu(struct evaluation *ev, const struct conf_option *o)
{
	uint64_t n;

	ev->out->cpu_mask = 0;
	for (int i = 0; i < o->nr_values; i++)
		if (number_take(ev, &o->values[i], 63, "processor numbers from 0 to 63", &n))
			ev->out->cpu_mask |= 1ull << n;
	if (ev->out->cpu_mask && !cpu_mask_is_possible(ev->conf, ev->out->cpu_mask))
		conf_mistake(ev->conf, ev->file, o->values[0].line, "this machine has none of these processors, expected one of 0 to %u",
			ev->conf->nr_cpus - 1);
}

/* ---- options: identity ---- */

static void take_uid(struct evaluation *ev, const struct conf_option *o)
{
	const struct conf_value *v = &o->values[0];
	uint64_t n;
	char *end;

	if (strcmp(v->text, "SELF") == 0)
		ev->out->uid = 0;	/* only root asks */
	else if (number_of(v->text, 10, 0xfffffffe, &n, &end) && *end == 0)
		ev->out->uid = (uint32_t)n;
	else if (!ev->conf->user_find || !ev->conf->user_find(v->text, &ev->out->uid))
		mistake(ev, v, "a user number, SELF or the name of a user in /etc/passwd");
}

static void majors_add(struct evaluation *ev, const struct conf_option *o, int32_t kind)
{
	uint64_t n;

	for (int i = 0; i < o->nr_values; i++) {
		if (ev->out->nr_majors == RS_NR_MAJORS)
			conf_mistake(ev->conf, ev->file, o->values[i].line, "more than %d major numbers", RS_NR_MAJORS);
		else if (number_take(ev, &o->values[i], 511, "major numbers from 0 to 511", &n))
			ev->out->majors[ev->out->nr_majors++] = kind | (int32_t)n;
	}
}

static void take_major(struct evaluation *ev, const struct conf_option *o)
{
	majors_add(ev, o, 0);
}

static void take_block_major(struct evaluation *ev, const struct conf_option *o)
{
	majors_add(ev, o, RS_MAJOR_BLOCK);
}

static void take_descr(struct evaluation *ev, const struct conf_option *o)
{
	snprintf(ev->out->description, sizeof(ev->out->description), "%s", o->values[0].text);
}

/* ---- options: what is done when it dies ---- */

static void take_period(struct evaluation *ev, const struct conf_option *o)
{
	static const char expected[] = "milliseconds from 100 to 3600000";
	uint64_t n;

	if (!number_take(ev, &o->values[0], 3600000, expected, &n))
		return;
	if (n * 1000000 < RS_PERIOD_MIN_NS)
		mistake(ev, &o->values[0], expected);
	ev->out->period_ns = n * 1000000;
}

static void take_backoff(struct evaluation *ev, const struct conf_option *o)
{
	uint64_t n;

	ev->out->flags &= ~(uint32_t)RS_UP_NO_BACKOFF;
	if (word_is(o, "NONE"))
		ev->out->flags |= RS_UP_NO_BACKOFF;
	else if (number_take(ev, &o->values[0], 3600000, "NONE or the longest wait in milliseconds, at most 3600000", &n))
		ev->out->backoff_max_ms = (uint32_t)n;
}

static void take_budget(struct evaluation *ev, const struct conf_option *o)
{
	static const char expected[] = "NONE or a number of failures from 1 to 63, and seconds";
	uint64_t failures, seconds;

	ev->out->flags &= ~(uint32_t)RS_UP_NO_BUDGET;
	ev->out->budget_failures = 0;
	if (word_is(o, "NONE")) {
		ev->out->flags |= RS_UP_NO_BUDGET;
		return;
	}
	if (o->nr_values != 2 || !number_take(ev, &o->values[0], RS_BUDGET_MAX - 1, expected, &failures)) {
		if (o->nr_values != 2)
			mistake(ev, &o->values[0], expected);
		return;
	}
	if (!number_take(ev, &o->values[1], 86400, "seconds from 1 to 86400", &seconds))
		return;
	if (failures == 0)
		mistake(ev, &o->values[0], expected);
	if (seconds == 0)
		mistake(ev, &o->values[1], "seconds from 1 to 86400");
	ev->out->budget_failures = (uint32_t)failures;
	ev->out->budget_ns = seconds * 1000000000;
}

static void take_restart(struct evaluation *ev, const struct conf_option *o)
{
	ev->out->flags &= ~(uint32_t)RS_UP_NO_RESTART;
	if (strcmp(o->values[0].text, "NEVER") == 0)
		ev->out->flags |= RS_UP_NO_RESTART;
	else if (strcmp(o->values[0].text, "ALWAYS") != 0)
		mistake(ev, &o->values[0], "ALWAYS or NEVER");
}

static void take_core(struct evaluation *ev, const struct conf_option *o)
{
	ev->out->flags &= ~(uint32_t)RS_UP_KEEP_CORE;
	if (strcmp(o->values[0].text, "KEEP") == 0)
		ev->out->flags |= RS_UP_KEEP_CORE;
	else if (strcmp(o->values[0].text, "NONE") != 0)
		mistake(ev, &o->values[0], "KEEP or NONE");
}

static void take_script(struct evaluation *ev, const struct conf_option *o)
{
	const struct conf_value *v = &o->values[0];

	if (word_is(o, "NONE"))
		ev->out->script[0] = 0;
	else if (v->text[0] != '/' || strlen(v->text) >= sizeof(ev->out->script))
		mistake(ev, v, "NONE or an absolute path of less than 64 characters");
	else
		strcpy(ev->out->script, v->text);
}

static void take_template(struct evaluation *ev, const struct conf_option *o)
{
	(void)o;
	ev->out->flags |= RS_UP_TEMPLATE;
}

/* ---- all options ---- */

static void evaluate_options(struct evaluation *ev, const struct conf_entry *entry);

static void take_class(struct evaluation *ev, const struct conf_option *o)
{
	for (int i = 0; i < o->nr_values; i++) {
		const struct conf_entry *e = conf_find(ev->conf, o->values[i].text);

		if (!e)
			mistake(ev, &o->values[i], "the name of another entry, of this file or of /etc/system.conf");
		else if (ev->depth == CONF_CLASS_DEPTH)
			conf_mistake(ev->conf, ev->file, o->values[i].line, "classes include each other more than %d deep",
				CONF_CLASS_DEPTH);
		else {
			name_add(ev, &ev->out->classes, &o->values[i]);
			evaluate_options(ev, e);
		}
		if (e && e->broken)
			mistake(ev, &o->values[i], "an entry without mistakes");
	}
}

enum { MANY = CONF_VALUES_MAX };
static const struct option {
	const char *name;
	int min, max;	/* values */
	void (*take)(struct evaluation *ev, const struct conf_option *o);
} options[] = {
	{ "backoff", 1, 1, take_backoff }, { "block-major", 1, MANY, take_block_major }, { "budget", 1, 2, take_budget },
	{ "bus", 1, 1, take_bus }, { "class", 1, MANY, take_class }, { "contig", 1, 1, take_contig },
	{ "control", 1, MANY, take_control }, { "core", 1, 1, take_core },
	{ "cpu", 1, MANY, take_cpu }, { "descr", 1, 1, take_descr }, { "io", 1, MANY, take_io }, { "ipc", 1, MANY, take_ipc },
	{ "irq", 1, MANY, take_irq }, { "major", 1, MANY, take_major }, { "mem", 1, MANY, take_mem }, { "pci", 2, MANY, take_pci },
	{ "period", 1, 1, take_period }, { "priority", 1, 1, take_priority }, { "quantum", 1, 1, take_quantum },
	{ "restart", 1, 1, take_restart }, { "scheduler", 1, 1, take_scheduler }, { "script", 1, 1, take_script },
	{ "sigmgr", 1, 1, take_sigmgr }, { "system", 1, MANY, take_system }, { "template", 0, 0, take_template },
	{ "uid", 1, 1, take_uid }, { "vm", 1, MANY, take_vm },
};
enum { NR_OPTIONS = sizeof(options) / sizeof(options[0]) };

static const char *option_names(void)
{
	static char list[512];

	list[0] = 0;
	for (int i = 0; i < NR_OPTIONS; i++) {
		strncat(list, i == 0 ? "" : i + 1 == NR_OPTIONS ? " or " : ", ", sizeof(list) - strlen(list) - 1);
		strncat(list, options[i].name, sizeof(list) - strlen(list) - 1);
	}
	return list;
}

static const char *count_words(const struct option *option)
{
	static const char *const words[] = { "none", "one", "two" };

	if (option->min < option->max)
		return option->max == 2 ? "one or two" : option->min == 1 ? "at least one" : "at least two";
	return words[option->max];
}

static void option_evaluate(struct evaluation *ev, const struct conf_option *o)
{
	for (int i = 0; i < NR_OPTIONS; i++) {
		if (strcmp(options[i].name, o->name.text) != 0)
			continue;
		if (o->nr_values < options[i].min || o->nr_values > options[i].max)
			conf_mistake(ev->conf, ev->file, o->name.line, "'%s' has %d value%s, expected %s", o->name.text, o->nr_values,
				o->nr_values == 1 ? "" : "s", count_words(&options[i]));
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

/* Queues and buffers of a driver's own; what it copies for clients lies in their memory. */
enum { CONTIG_DEFAULT = 4 << 20 };

/* Without `ipc`: what every service talks to. */
void conf_defaults(struct conf_service *out)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < RS_NR_MAJORS; i++)
		out->majors[i] = -1;
	out->priv.sig_mgr = EP_RS;
	out->priv.priority = 4;
	out->contig_max = CONTIG_DEFAULT;
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
		memcpy(out->sends.text, default_names, sizeof(default_names));
		out->sends.len = sizeof(default_names);
	}
	return !entry->broken && c->nr_errors == before;
}

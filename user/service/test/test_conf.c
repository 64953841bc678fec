/* SPDX-License-Identifier: BSD-2-Clause */
/* system.conf: what is understood, how mistakes are told, and that no text makes the parser fail. */
#include "conf.h"
#include <abi/endpoint.h>
#include <abi/kcall.h>
#include <expect.h>
#include <stdlib.h>
#include <string.h>

static char told[4096];

static bool only_daemon(const char *name, uint32_t *uid)
{
	*uid = 12;
	return strcmp(name, "daemon") == 0;
}

static bool try(const char *text, const char *name, struct conf_service *out)
{
	struct conf c;
	FILE *errors = fmemopen(told, sizeof(told), "w"), *in = fmemopen((void *)text, strlen(text), "r");
	struct conf_entry *e;
	bool ok;

	memset(told, 0, sizeof(told));
	conf_init(&c, errors);
	c.user_find = only_daemon;
	ok = conf_read(&c, in, "f");
	e = conf_find(&c, name);
	ok = e && conf_evaluate(&c, e, out) && ok;
	conf_fini(&c);
	fclose(in);
	fclose(errors);
	return ok;
}

static bool names_contain(const struct conf_names *names, const char *name)
{
	for (size_t i = 0; i < names->len; i += strlen(names->text + i) + 1)
		if (strcmp(names->text + i, name) == 0)
			return true;
	return false;
}

static void an_entry_is_understood(void)
{
	struct conf_service s;

	EXPECT(try("# a comment\nservice hello {\n\tsystem IRQCTL DEVIO; io 3f8:8 60; irq 4 11;\n\tipc SYSTEM rs vfs;\n\tperiod 250;\n"
		"\tmajor 17; priority 3; sigmgr SELF; descr \"says hello\";\n};\n", "hello", &s));
	EXPECT(s.priv.call_mask[0] == (1ull << KC_INDEX_IRQCTL | 1ull << KC_INDEX_DEVIO));
	EXPECT_EQ(s.priv.nr_io, 2);
	EXPECT_EQ(s.priv.io[0].first, 0x3f8);
	EXPECT_EQ(s.priv.io[0].last, 0x3ff);
	EXPECT_EQ(s.priv.io[1].last, 0x60);
	EXPECT_EQ(s.priv.nr_irq, 2);
	EXPECT_EQ(s.priv.irq[1], 11);
	EXPECT_EQ(s.majors[0], 17);
	EXPECT_EQ(s.majors[1], -1);
	EXPECT_EQ(s.period_ns, 250000000);
	EXPECT_EQ(s.priv.sig_mgr, EP_SELF);
	EXPECT(names_contain(&s.sends, "vfs") && !names_contain(&s.sends, "ds"));
	EXPECT(strcmp(s.description, "says hello") == 0);
	EXPECT(strcmp(s.where, "f:2") == 0);
}

static void life_and_death_are_understood(void)
{
	struct conf_service s;

	EXPECT(try("service x {\n\tbackoff 2000; budget 5 60; restart NEVER; core KEEP; script /etc/rs.d/x;\n"
		"\tcontrol disk net; bus pci; quantum 20; cpu 0 2; scheduler KERNEL; uid daemon; template;\n};\n", "x", &s));
	EXPECT_EQ(s.backoff_max_ms, 2000);
	EXPECT_EQ(s.budget_failures, 5);
	EXPECT_EQ(s.budget_ns, 60000000000);
	EXPECT_EQ(s.flags, RS_UP_NO_RESTART | RS_UP_KEEP_CORE | RS_UP_BUS | RS_UP_TEMPLATE);
	EXPECT(strcmp(s.script, "/etc/rs.d/x") == 0);
	EXPECT(names_contain(&s.control, "disk") && names_contain(&s.control, "net") && !names_contain(&s.control, "ds"));
	EXPECT_EQ(s.quantum_us, 20000);
	EXPECT_EQ(s.cpu_mask, 5);
	EXPECT_EQ(s.uid, 12);
	EXPECT(try("service x { contig 64K; };", "x", &s) && s.contig_max == 64 << 10);
	EXPECT(try("service x { contig 1024M; };", "x", &s) && s.contig_max == 1 << 30);
	EXPECT(try("service x { contig 4096; };", "x", &s) && s.contig_max == 4096);
	EXPECT(try("service x { contig NONE; };", "x", &s) && s.contig_max == 0);
	EXPECT(try("service x { budget 5 60; budget NONE; };", "x", &s));
	EXPECT(s.flags == RS_UP_NO_BUDGET && s.budget_failures == 0);
	EXPECT(try("service x { backoff NONE; restart ALWAYS; core NONE; script NONE; control NONE; uid SELF; };", "x", &s));
	EXPECT_EQ(s.flags, RS_UP_NO_BACKOFF);
	EXPECT(s.script[0] == 0 && s.control.len == 0 && s.uid == 0);
}

static void hardware_is_understood(void)
{
	struct conf_service s;

	EXPECT(try("service x {\n\tpci device 1af4:1001 8086:100e/1af4:2; pci class 1/6/1 2;\n\tblock-major 254; major 4;\n"
		"\tmem fee00000:1000; io ALL;\n};\n", "x", &s));
	EXPECT_EQ(s.pci.nr_ids, 2);
	EXPECT_EQ(s.pci.ids[0].vendor, 0x1af4);
	EXPECT_EQ(s.pci.ids[0].device, 0x1001);
	EXPECT_EQ(s.pci.ids[0].sub_vendor, RS_PCI_ANY);
	EXPECT_EQ(s.pci.ids[1].sub_vendor, 0x1af4);
	EXPECT_EQ(s.pci.ids[1].sub_device, 2);
	EXPECT_EQ(s.pci.nr_classes, 2);
	EXPECT_EQ(s.pci.classes[0].class_code, 0x10601);
	EXPECT_EQ(s.pci.classes[0].mask, 0xffffff);
	EXPECT_EQ(s.pci.classes[1].class_code, 0x20000);
	EXPECT_EQ(s.pci.classes[1].mask, 0xff0000);
	EXPECT_EQ(s.majors[0], RS_MAJOR_BLOCK | 254);
	EXPECT_EQ(s.majors[1], 4);
	EXPECT_EQ(s.priv.mem[0].last, 0xfee00fff);
	EXPECT_EQ(s.priv.io[0].last, 0xffff);
}

static void an_empty_entry_has_the_defaults(void)
{
	struct conf_service s;

	EXPECT(try("service x { };", "x", &s));
	EXPECT(s.priv.call_mask[0] == 0 && s.priv.nr_io == 0 && s.priv.nr_irq == 0);
	EXPECT_EQ(s.contig_max, 4 << 20);
	EXPECT(names_contain(&s.sends, "rs") && names_contain(&s.sends, "ds"));
}

static void a_class_is_included(void)
{
	struct conf_service s;

	EXPECT(try("service base { system DEVIO; irq 5; };\nservice x { class base; irq 6; };", "x", &s));
	EXPECT(s.priv.call_mask[0] == 1ull << KC_INDEX_DEVIO);
	EXPECT_EQ(s.priv.nr_irq, 2);
	EXPECT(!try("service a { class b; };\nservice b { class a; };", "a", &s));
	EXPECT(strstr(told, "include each other"));
}

/* By the names of all that was taken in, at whatever depth, each once; not by that of its own entry. */
static void who_takes_a_class_in_belongs_to_it(void)
{
	struct conf_service s;

	EXPECT(try("service all { irq 5; };\nservice disks { class all; };\nservice x { class disks all; ipc disks; };", "x", &s));
	EXPECT(names_contain(&s.classes, "disks") && names_contain(&s.classes, "all") && !names_contain(&s.classes, "x"));
	EXPECT_EQ(s.classes.len, sizeof("disks") + sizeof("all"));
	EXPECT(names_contain(&s.sends, "disks"));
	EXPECT(try("service x { ipc x; };", "x", &s) && s.classes.len == 0);
}

/* A driver that comes as one file takes its class from the file that the system is delivered with, whose own users name the class. */
static void a_new_driver_belongs_to_a_class_of_the_image(void)
{
	static const char own[] = "service newdisk { class class_block; block-major 60; };";
	FILE *first = fmemopen((void *)own, strlen(own), "r"), *second = fopen("images/rootfs/etc/system.conf", "r");
	struct conf_service s;
	struct conf c;

	conf_init(&c, stderr);
	EXPECT(conf_read(&c, first, "newdisk") && second && conf_read(&c, second, "system.conf"));
	EXPECT(conf_evaluate(&c, conf_find(&c, "newdisk"), &s) && names_contain(&s.classes, "class_block"));
	EXPECT(!names_contain(&s.sends, "class_block"));
	for (const char *const *user = (const char *const[]){ "ext2", "blockfs", "filter", 0 }; *user; user++) {
		EXPECT(conf_evaluate(&c, conf_find(&c, *user), &s));
		EXPECT(names_contain(&s.sends, "class_block") && names_contain(&s.control, "class_block"));
	}
	conf_fini(&c);
	fclose(first);
	if (second)
		fclose(second);
}

static void wrong(const char *text, const char *expected)
{
	struct conf_service s;

	EXPECT(!try(text, "x", &s));
	if (!strstr(told, expected)) {
		printf("told: %sexpected: %s\n", told, expected);
		EXPECT(!"the mistake is told in these words");
	}
}

static void mistakes_are_told_with_place_and_expectation(void)
{
	wrong("service x {\n irqs 4;\n};", "f:2: unknown option 'irqs', expected backoff, block-major,");
	wrong("service x {\n io 3f8:8\n};", "f:3: unexpected '}', expected ");
	wrong("service x {\n irq 256;\n};", "f:2: '256' is not right here, expected NONE or interrupt numbers");
	wrong("service x {\n irq -1;\n};", "f:2: '-1' is not right");
	wrong("service x {\n io ffff:2;\n};", "first[:length] in hexadecimal");
	wrong("service x {\n io 10000;\n};", "first[:length] in hexadecimal");
	wrong("service x {\n system DEVIO BASIC;\n};", "'BASIC' must stand alone");
	wrong("service x {\n system NOSUCH;\n};", "'NOSUCH' is not right here, expected ALL, BASIC or names of kernel calls");
	wrong("service x {\n irq;\n};", "'irq' has 0 values, expected at least one");
	wrong("service x {\n priority 1 2;\n};", "'priority' has 2 values, expected one");
	wrong("service x {\n period 0;\n};", "milliseconds from 100");
	wrong("service x { }", "f:1: unexpected the end of the file, expected ';'");
	wrong("x { };", "f:1: unexpected a word, expected the end of the file or 'service'");
	wrong("service x { };\nservice x { };", "f:2: service 'x' is described twice, the first time in line 1");
	wrong("service x { descr \"open\n; };", "unexpected");
	wrong("service x { class y; };", "'y' is not right here, expected the name of another entry, of this file or of /etc/system.conf");
	wrong("service y {\n irq 4\n};\nservice x { class y; };", "'y' is not right here, expected an entry without mistakes");
	wrong("service a_name_that_is_too_long { };", "f:1: the name 'a_name_that_is_too_long' is too long, expected at most 15");
	wrong("service x { ipc a_label_that_is_longer_than_thirty_one_characters; };", "is too long for a name");
	wrong("service x { control rs ALL; };", "'ALL' must stand alone");
	wrong("service x { contig 1025M; };", "NONE or a size up to 1024M");
	wrong("service x { contig 4G; };", "'4G' is not right here, expected NONE or a size");
	wrong("service x { contig 4MB; };", "expected NONE or a size");
	wrong("service x { contig 4M 4M; };", "'contig' has 2 values, expected one");
	wrong("service x { uid nobody_here; };", "expected a user number, SELF or the name of a user");
	wrong("service x { template 1; };", "'template' has 1 value, expected none");
	wrong("service x { budget 5; };", "'5' is not right here, expected NONE or a number of failures");
	wrong("service x { budget 1 2 3; };", "'budget' has 3 values, expected one or two");
	wrong("service x { budget 0 1; };", "a number of failures from 1");
	wrong("service x { budget 64 1; };", "a number of failures from 1 to 63");
	wrong("service x { budget NONE 1; };", "'NONE' is not right here");
	wrong("service x { budget 1 0; };", "seconds from 1");
	wrong("service x { quantum 0; };", "milliseconds from 1 to 1000");
	wrong("service x { cpu 64; };", "processor numbers from 0 to 63");
	wrong("service x { scheduler lottery; };", "KERNEL, the one scheduler");
	wrong("service x { script relative; };", "NONE or an absolute path");
	wrong("service x { restart SOMETIMES; };", "ALWAYS or NEVER");
	wrong("service x { core 1; };", "KEEP or NONE");
	wrong("service x { backoff soon; };", "NONE or the longest wait");
	wrong("service x { bus usb; };", "'pci'");
	wrong("service x { block-major 512; };", "major numbers from 0 to 511");
	wrong("service x { pci device; };", "'pci' has 1 value, expected at least two");
	wrong("service x { pci devices 1:2; };", "'device' or 'class'");
	wrong("service x { pci device 1af4; };", "vendor:device");
	wrong("service x { pci device 1af4:; };", "vendor:device");
	wrong("service x { pci device 1af4:1/2; };", "vendor:device");
	wrong("service x { pci device 1af4:00001; };", "vendor:device");
	wrong("service x { pci device 1:2/3:4:5; };", "vendor:device");
	wrong("service x { pci class 1/6/1/0; };", "base[/sub[/interface]]");
	wrong("service x { pci class 100; };", "base[/sub[/interface]]");
}

/* Only the entry with the mistake is beyond use. */
static void a_mistake_stays_in_its_entry(void)
{
	struct conf c;
	struct conf_service s;
	static const char text[] = "service bad {\n irq 4\n io 60;\n { };\n};\nservice good { irq 5; };\n";
	FILE *errors = fmemopen(told, sizeof(told), "w"), *in = fmemopen((void *)text, strlen(text), "r");

	conf_init(&c, errors);
	EXPECT(!conf_read(&c, in, "f"));
	EXPECT(conf_find(&c, "bad") && !conf_evaluate(&c, conf_find(&c, "bad"), &s));
	EXPECT(conf_find(&c, "good") && conf_evaluate(&c, conf_find(&c, "good"), &s));
	EXPECT_EQ(s.priv.irq[0], 5);
	conf_fini(&c);
	fclose(in);
	fclose(errors);
}

/* The service's own file is read first, and counts. */
static void the_first_of_two_files_counts(void)
{
	struct conf c;
	struct conf_service s;
	char own[] = "service x { irq 5; class base; };", all[] = "service x { irq 6; };\nservice base { irq 7; };";
	FILE *first = fmemopen(own, strlen(own), "r"), *second = fmemopen(all, strlen(all), "r");

	conf_init(&c, stderr);
	EXPECT(conf_read(&c, first, "own") && conf_read(&c, second, "all"));
	EXPECT(conf_evaluate(&c, conf_find(&c, "x"), &s));
	EXPECT(s.priv.nr_irq == 2 && s.priv.irq[0] == 5 && s.priv.irq[1] == 7);
	conf_fini(&c);
	fclose(first);
	fclose(second);
}

/* What the system is delivered with. */
static void the_files_of_the_image_are_good(void)
{
	struct conf c;
	struct conf_service s;
	FILE *in = fopen("images/rootfs/etc/system.conf", "r");

	conf_init(&c, stderr);
	c.user_find = only_daemon;
	EXPECT(in && conf_read(&c, in, "images/rootfs/etc/system.conf"));
	for (const struct conf_entry *e = c.entries; e; e = e->next)
		EXPECT(conf_evaluate(&c, e, &s));
	conf_fini(&c);
	if (in)
		fclose(in);
}

static void any_text_is_survived(void)
{
	static const char *const pieces[] = { "service", "x", "{", "}", ";", "\"s\"", "\"", "\n", "class", "io", "10:4", "$", "ALL", " ",
		"pci", "device", "1:2/3:4", "control", "template", "budget", "7", "ipc", "uid" };
	struct conf_service s;
	unsigned int seed = 5;

	for (int i = 0; i < 20000; i++) {
		char text[512] = "";

		for (int n = rand_r(&seed) % 40; n >= 0; n--) {
			strcat(text, pieces[(size_t)rand_r(&seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
			strcat(text, " ");
		}
		try(text, "x", &s);
	}
}

/* ---- damaged files ---- */

enum { DAMAGED_FILES = 4000, FILE_BYTES = 16384 };
static const char image_file[] = "images/rootfs/etc/system.conf";

static size_t file_load(char *text)
{
	FILE *in = fopen(image_file, "r");
	size_t n = in ? fread(text, 1, FILE_BYTES - 1, in) : 0;

	EXPECT(n > 1000);
	if (in)
		fclose(in);
	text[n] = 0;
	return n;
}

/* Bytes become others, vanish, are doubled; pieces move; the end is cut off. */
static size_t text_damage(char *text, size_t n, unsigned int *seed)
{
	static const char telling[] = "{};\"#\n\0 :/-09afALZ\377\200\t";
	size_t at = (size_t)rand_r(seed) % n, len = (size_t)rand_r(seed) % 40, to = (size_t)rand_r(seed) % n;

	len = at + len > n ? n - at : len;
	switch (rand_r(seed) % 6) {
	case 0: text[at] = (char)rand_r(seed); return n;
	case 1: text[at] = telling[(size_t)rand_r(seed) % (sizeof(telling) - 1)]; return n;
	case 2: memmove(text + at, text + at + len, n - at - len); return n - len > 1 ? n - len : n;
	case 3:
		if (n + len >= FILE_BYTES)
			return n;
		memmove(text + at + len, text + at, n - at);
		return n + len;
	case 4:
		memmove(text + to, text + at, to + len > n ? n - to : len);
		return n;
	default: return rand_r(seed) % 20 ? n : at + 1;
	}
}

/* Mistakes are told with the file's name, or everything is understood; every entry can be evaluated, by name and as it stands. */
static void text_try(char *text, size_t n)
{
	static char words[1 << 20];
	FILE *errors = fmemopen(words, sizeof(words) - 1, "w"), *in = fmemopen(text, n, "r");
	struct conf_service s;
	struct conf c;
	bool good;

	words[0] = 0;
	conf_init(&c, errors);
	c.user_find = only_daemon;
	c.nr_cpus = 2;
	good = conf_read(&c, in, "damaged");
	for (const struct conf_entry *e = c.entries; e; e = e->next) {
		EXPECT(conf_find(&c, e->name.text) != 0);
		good = conf_evaluate(&c, e, &s) && good;
		EXPECT(s.sends.len <= sizeof(s.sends.text) && s.control.len <= sizeof(s.control.text));
		EXPECT(s.priv.nr_io <= NR_IO_RANGES && s.priv.nr_mem <= NR_MEM_RANGES && s.priv.nr_irq <= NR_IRQS_PER_SERVICE);
		EXPECT(s.pci.nr_ids <= RS_PCI_MAX && s.pci.nr_classes <= RS_PCI_MAX && s.nr_majors <= RS_NR_MAJORS);
	}
	EXPECT(good == (c.nr_errors == 0));
	conf_fini(&c);
	fclose(in);
	fclose(errors);
	EXPECT(good || strncmp(words, "damaged:", 8) == 0);
}

static void damaged_files_are_survived(void)
{
	static char whole[FILE_BYTES], text[FILE_BYTES];
	size_t whole_len = file_load(whole);

	for (unsigned int i = 0; i < DAMAGED_FILES; i++) {
		unsigned int seed = i;
		size_t n = whole_len;

		memcpy(text, whole, FILE_BYTES);
		for (int k = rand_r(&seed) % 8; k >= 0; k--)
			n = text_damage(text, n, &seed);
		text_try(text, n);
	}
}

static void processors_of_this_machine(void)
{
	char text[] = "service x {\n cpu 4 5;\n};", fine[] = "service x { cpu 1 5; };";
	struct conf c;
	struct conf_service s;
	FILE *errors = fmemopen(told, sizeof(told), "w"), *in = fmemopen(text, strlen(text), "r");

	memset(told, 0, sizeof(told));
	conf_init(&c, errors);
	c.nr_cpus = 4;
	EXPECT(conf_read(&c, in, "f") && !conf_evaluate(&c, c.entries, &s));
	conf_fini(&c);
	fclose(errors);
	fclose(in);
	EXPECT(strstr(told, "f:2: this machine has none of these processors, expected one of 0 to 3"));
	EXPECT(try(fine, "x", &s));
}

int main(void)
{
	an_entry_is_understood();
	life_and_death_are_understood();
	hardware_is_understood();
	an_empty_entry_has_the_defaults();
	a_class_is_included();
	who_takes_a_class_in_belongs_to_it();
	a_new_driver_belongs_to_a_class_of_the_image();
	mistakes_are_told_with_place_and_expectation();
	a_mistake_stays_in_its_entry();
	the_first_of_two_files_counts();
	the_files_of_the_image_are_good();
	any_text_is_survived();
	damaged_files_are_survived();
	processors_of_this_machine();
	return expect_end();
}

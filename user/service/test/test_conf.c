/* SPDX-License-Identifier: BSD-2-Clause */
/* system.conf: what is understood, how mistakes are told, and that no text makes the parser fail. */
#include "conf.h"
#include <abi/endpoint.h>
#include <abi/kcall.h>
#include <expect.h>
#include <stdlib.h>
#include <string.h>

static char told[4096];

static bool try(const char *text, const char *name, struct conf_service *out)
{
	struct conf c;
	FILE *errors = fmemopen(told, sizeof(told), "w"), *in = fmemopen((void *)text, strlen(text), "r");
	struct conf_entry *e;
	bool ok;

	memset(told, 0, sizeof(told));
	conf_init(&c, errors);
	ok = conf_read(&c, in, "f");
	e = conf_find(&c, name);
	ok = ok && e && conf_evaluate(&c, e, out);
	conf_fini(&c);
	fclose(in);
	fclose(errors);
	return ok;
}

static bool names_contain(const struct conf_service *s, const char *name)
{
	for (size_t i = 0; i < s->send_names_len; i += strlen(s->send_names + i) + 1)
		if (strcmp(s->send_names + i, name) == 0)
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
	EXPECT(names_contain(&s, "vfs") && !names_contain(&s, "ds"));
	EXPECT(strcmp(s.description, "says hello") == 0);
	EXPECT(strcmp(s.where, "f:2") == 0);
}

static void an_empty_entry_has_the_defaults(void)
{
	struct conf_service s;

	EXPECT(try("service x { };", "x", &s));
	EXPECT(s.priv.call_mask[0] == 0 && s.priv.nr_io == 0 && s.priv.nr_irq == 0);
	EXPECT(names_contain(&s, "rs") && names_contain(&s, "ds"));
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
	wrong("service x {\n irqs 4;\n};", "f:2: unknown option 'irqs', expected class, descr,");
	wrong("service x {\n io 3f8:8\n};", "f:3: unexpected '}', expected ");
	wrong("service x {\n irq 256;\n};", "f:2: '256' is not right here, expected NONE or interrupt numbers");
	wrong("service x {\n irq -1;\n};", "f:2: '-1' is not right");
	wrong("service x {\n io ffff:2;\n};", "first[:length] in hexadecimal");
	wrong("service x {\n io 10000;\n};", "first[:length] in hexadecimal");
	wrong("service x {\n system DEVIO BASIC;\n};", "'BASIC' must stand alone");
	wrong("service x {\n system NOSUCH;\n};", "'NOSUCH' is not right here, expected ALL, BASIC or names of kernel calls");
	wrong("service x {\n irq;\n};", "'irq' has 0 values, expected at least one");
	wrong("service x {\n priority 1 2;\n};", "'priority' has 2 values, expected one");
	wrong("service x {\n period 0;\n};", "milliseconds from 1");
	wrong("service x { }", "f:1: unexpected the end of the file, expected ';'");
	wrong("x { };", "f:1: unexpected a word, expected the end of the file or 'service'");
	wrong("service x { };\nservice x { };", "f:2: service 'x' is described twice, the first time in f:1");
	wrong("service x { descr \"open\n; };", "unexpected");
	wrong("service x { class y; };", "'y' is not right here, expected the name of another service");
}

static void any_text_is_survived(void)
{
	static const char *const pieces[] = { "service", "x", "{", "}", ";", "\"s\"", "\"", "\n", "class", "io", "10:4", "$", "ALL", " " };
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

int main(void)
{
	an_entry_is_understood();
	an_empty_entry_has_the_defaults();
	a_class_is_included();
	mistakes_are_told_with_place_and_expectation();
	any_text_is_survived();
	return expect_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The line discipline: editing, echo, signals, modes, and that random input never breaks its invariants. */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

#include "../line.c"

static struct line l;

static void type(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		line_input(&l, (uint8_t)s[i]);
}
#define TYPE(s) type(s, sizeof(s) - 1)

static void expect_out(const char *want)
{
	uint8_t buf[LINE_OUTPUT_MAX + 1];
	size_t n = line_output_take(&l, buf, LINE_OUTPUT_MAX);
	buf[n] = 0;
	if (strcmp((char *)buf, want)) {
		printf("FAIL output \"%s\", want \"%s\"\n", buf, want);
		exit(1);
	}
}

static void expect_read(size_t len, const char *want, int eof)
{
	uint8_t buf[5000];
	uint64_t consume;
	assert(line_readable(&l));
	size_t n = line_peek(&l, buf, len, &consume);
	line_consume(&l, consume);
	if (n != strlen(want) || memcmp(buf, want, n) || (eof && consume == 0)) {
		printf("FAIL read %zu \"%.*s\", want \"%s\"\n", n, (int)n, buf, want);
		exit(1);
	}
}

static void line_is_read_when_complete(void)
{
	line_init(&l);
	TYPE("ab");
	assert(!line_readable(&l));
	TYPE("c\r");
	expect_read(100, "abc\n", 0);
	expect_out("abc\r\n");
	TYPE("one\ntwo\n");
	expect_read(2, "on", 0);
	expect_read(100, "e\n", 0);
	expect_read(100, "two\n", 0);
	assert(!line_readable(&l));
}

static void editing_erases_chars_words_lines(void)
{
	line_init(&l);
	TYPE("abc\177\177x\n");
	expect_read(100, "ax\n", 0);
	expect_out("abc\b \b\b \bx\r\n");
	TYPE("foo bar\027baz\n");
	expect_read(100, "foo baz\n", 0);
	line_flush_output(&l);
	TYPE("gone\025kept\n");
	expect_read(100, "kept\n", 0);
	line_flush_output(&l);
	TYPE("a\001\177b\n");	/* a control character is shown in two columns and erased from both */
	expect_read(100, "ab\n", 0);
	expect_out("a^A\b \b\b \bb\r\n");
	TYPE("\177\n");
	expect_read(100, "\n", 0);
}

static void end_of_file_ends_a_line_without_a_byte(void)
{
	line_init(&l);
	TYPE("\004");
	expect_read(100, "", 1);
	TYPE("half\004");
	expect_read(100, "half", 0);
	assert(!line_readable(&l));
	TYPE("half\004");
	expect_read(4, "half", 0);	/* exactly the bytes asked: the EOF mark goes with them, no end of file follows */
	assert(!line_readable(&l));
}

static void signals_flush_and_are_reported(void)
{
	line_init(&l);
	TYPE("abc");
	assert(line_input(&l, 3) == SIGINT);
	assert(line_input(&l, 28) == SIGQUIT && line_input(&l, 26) == SIGTSTP);
	TYPE("x\n");
	expect_read(100, "x\n", 0);
	l.termios.lflag &= (uint32_t)~ISIG;
	assert(line_input(&l, 3) == 0);
	TYPE("\n");
	expect_read(100, "\003\n", 0);
}

static void raw_mode_passes_everything(void)
{
	line_init(&l);
	struct ktermios t = l.termios;
	t.lflag = 0, t.iflag = 0, t.oflag = 0;
	line_set_termios(&l, &t);
	TYPE("\003\r\n\177\004\0z");
	uint8_t buf[16];
	uint64_t consume;
	assert(line_peek(&l, buf, sizeof buf, &consume) == 7 && !memcmp(buf, "\003\r\n\177\004\0z", 7));
	line_consume(&l, consume);
	expect_out("");
	line_write(&l, (const uint8_t *)"a\n\t", 3);
	expect_out("a\n\t");
}

static void flow_control_holds_output(void)
{
	line_init(&l);
	TYPE("\023");
	line_write(&l, (const uint8_t *)"held", 4);
	expect_out("");
	TYPE("\021");
	expect_out("held");
}

static void tabs_are_expanded_on_demand(void)
{
	line_init(&l);
	l.termios.oflag |= F_XTABS;
	line_write(&l, (const uint8_t *)"ab\tc\n", 5);
	expect_out("ab      c\r\n");
}

static void full_buffer_keeps_room_for_the_line_end(void)
{
	line_init(&l);
	for (int i = 0; i < 2 * LINE_INPUT_MAX; i++) {
		line_input(&l, 'x');
		line_flush_output(&l);
	}
	TYPE("\n");
	assert(line_readable(&l) && line_readable_bytes(&l) == LINE_INPUT_MAX);
}

static void random_input_keeps_invariants(void)
{
	srand(1);
	line_init(&l);
	for (int i = 0; i < 300000; i++) {
		uint8_t buf[64];
		uint64_t consume;
		line_input(&l, (uint8_t)(rand() % 3 ? "\n\r\004\177\025\027\026\022 a\t"[rand() % 11] : rand()));
		if (rand() % 50 == 0) {
			struct ktermios t = l.termios;
			t.lflag ^= 1u << (rand() % 16);
			t.iflag ^= 1u << (rand() % 16);
			t.oflag ^= 1u << (rand() % 13);
			line_set_termios(&l, &t);
		}
		if (rand() % 4 == 0 && line_readable(&l)) {
			assert(line_peek(&l, buf, sizeof buf, &consume) <= sizeof buf);
			assert(consume <= sizeof buf + 1 && consume > 0);
			line_consume(&l, consume);
		}
		line_output_take(&l, buf, sizeof buf);
		assert(l.in_tail <= l.canon_head && l.canon_head <= l.in_head && l.in_head - l.in_tail <= LINE_INPUT_MAX);
		assert(l.out_tail <= l.out_head && l.out_head - l.out_tail <= LINE_OUTPUT_MAX);
	}
}

int main(void)
{
	line_is_read_when_complete();
	editing_erases_chars_words_lines();
	end_of_file_ends_a_line_without_a_byte();
	signals_flush_and_are_reported();
	raw_mode_passes_everything();
	flow_control_holds_output();
	tabs_are_expanded_on_demand();
	full_buffer_keeps_room_for_the_line_end();
	random_input_keeps_invariants();
	puts("ok line");
	return 0;
}

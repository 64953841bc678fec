/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line discipline: what lies between the characters of a terminal and the bytes a program reads and writes (termios(3), N_TTY). Pure:
 * no I/O, no waiting; the owner moves bytes and acts on what is returned. Built and tested on the host as well.
 *
 *   device --line_input()--> [ input buffer ] --line_read()--> program
 *   program --line_write()--> [ output ring ] --line_output_take()--> device
 *                echo ------------^
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_INPUT_MAX = 4096, LINE_OUTPUT_MAX = 8192, LINE_NCCS = 19 };

/* The kernel's struct termios (TCGETS), not the C library's. */
struct ktermios { uint32_t iflag, oflag, cflag, lflag; uint8_t line, cc[LINE_NCCS]; };
struct winsize_bytes { uint16_t row, col, xpixel, ypixel; };

struct line {
	struct ktermios termios;
	uint8_t in[LINE_INPUT_MAX];	/* ring; positions only grow, index = position mod size */
	uint8_t eol[LINE_INPUT_MAX / 8];/* canonical mode: bit set = this byte ends a line (an EOF character is stored as 0) */
	uint64_t in_head, in_tail;	/* written up to, read up to */
	uint64_t canon_head;		/* canonical: complete lines end here */
	uint8_t out[LINE_OUTPUT_MAX];
	uint64_t out_head, out_tail;
	uint32_t column;		/* of the cursor, for tabs and erasing */
	uint32_t line_start_column;	/* where the line being edited began */
	bool literal_next;		/* VLNEXT was typed */
	bool stopped;			/* by VSTOP or TCOOFF */
	uint8_t eof_marks[LINE_INPUT_MAX / 8];	/* which of the line ends are EOF characters, not data */
};

void line_init(struct line *l);

/* A character from the device. Returns the signal that it means (SIGINT, SIGQUIT, SIGTSTP) for the foreground group, else 0. */
int line_input(struct line *l, uint8_t c);
/* Would line_input lose a character now? */
bool line_input_full(const struct line *l);

/* Bytes a read could return now (canonical: of complete lines; an EOF line counts as readable though it has 0 bytes). */
size_t line_readable_bytes(const struct line *l);
bool line_readable(const struct line *l);
/* Copy up to len readable bytes to buf without consuming; *consume gets what to give line_consume() afterwards. In canonical
 * mode at most one line. Returns the count: 0 with *consume > 0 means end of file. */
size_t line_peek(const struct line *l, uint8_t *buf, size_t len, uint64_t *consume);
void line_consume(struct line *l, uint64_t count);

/* A program's bytes to the output ring. Returns how many were taken (the ring may be full). */
size_t line_write(struct line *l, const uint8_t *bytes, size_t len);
size_t line_output_room(const struct line *l);
/* Bytes for the device: copy up to len out of the ring (nothing while stopped). */
size_t line_output_take(struct line *l, uint8_t *buf, size_t len);
size_t line_output_pending(const struct line *l);

void line_flush_input(struct line *l);
void line_flush_output(struct line *l);
/* New settings: input already there becomes readable or a line as the new mode says. */
void line_set_termios(struct line *l, const struct ktermios *t);

/* SPDX-License-Identifier: BSD-2-Clause */
#include "line.h"

#include <signal.h>
#include <string.h>
#include <termios.h>

/* Linux's values where musl does not show them without extensions. */
enum { F_XTABS = 0014000, F_ECHOCTL = 0001000, F_ECHOKE = 0004000, F_IMAXBEL = 0020000, F_IUTF8 = 0040000 };

static bool bit_get(const uint8_t *map, uint64_t pos) { return map[pos % LINE_INPUT_MAX / 8] >> (pos % 8) & 1; }

static void bit_set(uint8_t *map, uint64_t pos, bool on)
{
	uint8_t mask = (uint8_t)(1u << (pos % 8));
	uint8_t *byte = &map[pos % LINE_INPUT_MAX / 8];
	*byte = on ? *byte | mask : *byte & (uint8_t)~mask;
}

static bool canonical(const struct line *l) { return l->termios.lflag & ICANON; }
static bool flag_l(const struct line *l, uint32_t flag) { return l->termios.lflag & flag; }
static bool is_cc(const struct line *l, int which, uint8_t c) { return l->termios.cc[which] == c && c != 0; }

void line_init(struct line *l)
{
	static const uint8_t cc[LINE_NCCS] = { [VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1,
		[VSTART] = 17, [VSTOP] = 19, [VSUSP] = 26, [VREPRINT] = 18, [VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22 };
	memset(l, 0, sizeof *l);
	l->termios = (struct ktermios){ .iflag = ICRNL | IXON, .oflag = OPOST | ONLCR, .cflag = B38400 | CS8 | CREAD | HUPCL,
		.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | F_ECHOCTL | F_ECHOKE | IEXTEN };
	memcpy(l->termios.cc, cc, sizeof cc);
}

/* ---- output -------------------------------------------------------------------------------------------------------- */

size_t line_output_pending(const struct line *l) { return (size_t)(l->out_head - l->out_tail); }
size_t line_output_room(const struct line *l) { return LINE_OUTPUT_MAX - line_output_pending(l); }

static void out_put(struct line *l, uint8_t c)
{
	if (line_output_room(l))
		l->out[l->out_head++ % LINE_OUTPUT_MAX] = c;
}

static void column_advance(struct line *l, uint8_t c)
{
	if (c == '\r' || c == '\n')
		l->column = c == '\r' ? 0 : l->column;
	else if (c == '\b')
		l->column -= l->column > 0;
	else if (c == '\t')
		l->column = (l->column | 7) + 1;
	else if (c >= ' ' && c != 127 && (c & 0xc0) != 0x80)	/* a UTF-8 continuation byte takes no place */
		l->column++;
}

/* One byte through output processing. False: no room for what it becomes. */
static bool out_process(struct line *l, uint8_t c)
{
	uint32_t o = l->termios.oflag;
	if (line_output_room(l) < 8)
		return false;
	if (!(o & OPOST)) {
		out_put(l, c);
	} else if (c == '\n' && (o & ONLCR)) {
		out_put(l, '\r');
		out_put(l, '\n');
		l->column = 0;
	} else if (c == '\r' && (o & OCRNL)) {
		out_put(l, '\n');
	} else if (c == '\r' && (o & ONOCR) && l->column == 0) {
		return true;
	} else if (c == '\t' && (o & F_XTABS) == F_XTABS) {
		do
			out_put(l, ' ');
		while (++l->column % 8);
	} else {
		if (c == '\n' && (o & ONLRET))
			l->column = 0;
		out_put(l, c);
		column_advance(l, c);
	}
	return true;
}

size_t line_write(struct line *l, const uint8_t *bytes, size_t len)
{
	size_t done = 0;
	while (done < len && out_process(l, bytes[done]))
		done++;
	return done;
}

size_t line_output_take(struct line *l, uint8_t *buf, size_t len)
{
	size_t n = 0;
	while (!l->stopped && n < len && l->out_tail < l->out_head)
		buf[n++] = l->out[l->out_tail++ % LINE_OUTPUT_MAX];
	return n;
}

void line_flush_output(struct line *l) { l->out_tail = l->out_head; }

/* ---- echo and editing ---------------------------------------------------------------------------------------------- */

static bool shown_as_caret(const struct line *l, uint8_t c)
{
	return flag_l(l, F_ECHOCTL) && (c < ' ' || c == 127) && c != '\t' && c != '\n';
}

static void echo(struct line *l, uint8_t c)
{
	if (shown_as_caret(l, c)) {
		out_process(l, '^');
		out_process(l, c ^ 0x40);
	} else {
		out_process(l, c);
	}
}

static void echo_typed(struct line *l, uint8_t c)
{
	if (flag_l(l, ECHO) || (c == '\n' && flag_l(l, ECHONL) && canonical(l)))
		echo(l, c);
}

/* The column after the line being edited, counted anew: needed where a tab is erased. */
static uint32_t edited_column(const struct line *l)
{
	uint32_t column = l->line_start_column;
	for (uint64_t p = l->canon_head; p < l->in_head; p++) {
		uint8_t c = l->in[p % LINE_INPUT_MAX];
		if (c == '\t')
			column = (column | 7) + 1;
		else if (shown_as_caret(l, c))
			column += 2;
		else if (c >= ' ' && c != 127 && (c & 0xc0) != 0x80)
			column++;
	}
	return column;
}

static void echo_erase(struct line *l, uint8_t erased)
{
	if (!flag_l(l, ECHO))
		return;
	if (!flag_l(l, ECHOE)) {
		echo(l, l->termios.cc[VERASE]);
		return;
	}
	uint32_t target = edited_column(l);
	while (l->column > target && line_output_room(l) >= 16) {
		out_process(l, '\b');
		if (erased == '\t')
			continue;	/* the cursor alone goes back */
		out_process(l, ' ');
		out_process(l, '\b');
	}
	l->column = target;	/* also where the ring was too full to show it */
}

static bool at_line_start(const struct line *l) { return l->in_head == l->canon_head; }

static uint8_t last_char(const struct line *l) { return l->in[(l->in_head - 1) % LINE_INPUT_MAX]; }

static void erase_one(struct line *l)
{
	if (at_line_start(l))
		return;
	uint8_t c;
	do {	/* with IUTF8 a whole multi-byte character goes */
		c = last_char(l);
		l->in_head--;
	} while ((l->termios.iflag & F_IUTF8) && (c & 0xc0) == 0x80 && !at_line_start(l));
	echo_erase(l, c);
}

static bool is_word(uint8_t c) { return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 128; }

static void erase_word(struct line *l)
{
	while (!at_line_start(l) && !is_word(last_char(l)))
		erase_one(l);
	while (!at_line_start(l) && is_word(last_char(l)))
		erase_one(l);
}

static void erase_line(struct line *l)
{
	if (flag_l(l, F_ECHOKE) && flag_l(l, ECHOE)) {
		while (!at_line_start(l))
			erase_one(l);
		return;
	}
	l->in_head = l->canon_head;
	if (flag_l(l, ECHO))
		echo(l, l->termios.cc[VKILL]);
	if (flag_l(l, ECHO) && flag_l(l, ECHOK))
		out_process(l, '\n');
}

static void reprint(struct line *l)
{
	echo(l, l->termios.cc[VREPRINT]);
	out_process(l, '\n');
	l->line_start_column = 0;
	for (uint64_t p = l->canon_head; p < l->in_head; p++)
		echo(l, l->in[p % LINE_INPUT_MAX]);
}

/* ---- input --------------------------------------------------------------------------------------------------------- */

static size_t in_count(const struct line *l) { return (size_t)(l->in_head - l->in_tail); }

bool line_input_full(const struct line *l) { return in_count(l) >= LINE_INPUT_MAX - 1; }

static void in_put(struct line *l, uint8_t c, bool ends_line, bool is_eof)
{
	bit_set(l->eol, l->in_head, ends_line);
	bit_set(l->eof_marks, l->in_head, is_eof);
	l->in[l->in_head++ % LINE_INPUT_MAX] = c;
	if (ends_line || !canonical(l))
		l->canon_head = l->in_head;
}

/* A character that is data. The last place is kept for the end of the line. */
static void in_data(struct line *l, uint8_t c)
{
	if (line_input_full(l)) {
		if (l->termios.iflag & F_IMAXBEL)
			out_process(l, '\a');
		return;
	}
	if (at_line_start(l))
		l->line_start_column = l->column;
	echo_typed(l, c);
	in_put(l, c, false, false);
}

static void in_line_end(struct line *l, uint8_t c, bool is_eof)
{
	if (in_count(l) >= LINE_INPUT_MAX)
		return;
	if (!is_eof)
		echo_typed(l, c);
	in_put(l, is_eof ? 0 : c, true, is_eof);
}

/* Editing characters of canonical mode. True: it was one. */
static bool edit(struct line *l, uint8_t c)
{
	bool extended = flag_l(l, IEXTEN);
	if (is_cc(l, VERASE, c))
		erase_one(l);
	else if (is_cc(l, VKILL, c))
		erase_line(l);
	else if (is_cc(l, VWERASE, c) && extended)
		erase_word(l);
	else if (is_cc(l, VREPRINT, c) && extended && flag_l(l, ECHO))
		reprint(l);
	else if (c == '\n' || is_cc(l, VEOL, c) || (is_cc(l, VEOL2, c) && extended))
		in_line_end(l, c, false);
	else if (is_cc(l, VEOF, c))
		in_line_end(l, c, true);
	else
		return false;
	return true;
}

static int signal_char(struct line *l, uint8_t c)
{
	int signo = is_cc(l, VINTR, c) ? SIGINT : is_cc(l, VQUIT, c) ? SIGQUIT : is_cc(l, VSUSP, c) ? SIGTSTP : 0;
	if (!signo || !flag_l(l, ISIG))
		return 0;
	if (!flag_l(l, NOFLSH)) {
		line_flush_input(l);
		line_flush_output(l);
	}
	l->stopped = false;
	if (flag_l(l, ECHO))
		echo(l, c);
	return signo;
}

/* Flow control. True: the character is spent. */
static bool flow(struct line *l, uint8_t c)
{
	if (!(l->termios.iflag & IXON))
		return false;
	if (is_cc(l, VSTOP, c)) {
		l->stopped = true;
		return true;
	}
	if (is_cc(l, VSTART, c)) {
		l->stopped = false;
		return true;
	}
	if (l->stopped && (l->termios.iflag & IXANY))
		l->stopped = false;
	return false;
}

int line_input(struct line *l, uint8_t c)
{
	uint32_t i = l->termios.iflag;
	if (i & ISTRIP)
		c &= 0x7f;
	if (l->literal_next) {
		l->literal_next = false;
		in_data(l, c);
		return 0;
	}
	if (flow(l, c))
		return 0;
	int signo = signal_char(l, c);
	if (signo)
		return signo;
	if (c == '\r' && (i & IGNCR))
		return 0;
	if (c == '\r' && (i & ICRNL))
		c = '\n';
	else if (c == '\n' && (i & INLCR))
		c = '\r';
	if (is_cc(l, VLNEXT, c) && flag_l(l, IEXTEN) && canonical(l)) {
		l->literal_next = true;
		return 0;
	}
	if (!canonical(l) || !edit(l, c))
		in_data(l, c);
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static uint64_t readable_end(const struct line *l) { return canonical(l) ? l->canon_head : l->in_head; }

bool line_readable(const struct line *l)
{
	return l->in_tail < readable_end(l);
}

size_t line_readable_bytes(const struct line *l)
{
	size_t n = 0;
	for (uint64_t p = l->in_tail; p < readable_end(l); p++)
		n += !bit_get(l->eof_marks, p);
	return n;
}

size_t line_peek(const struct line *l, uint8_t *buf, size_t len, uint64_t *consume)
{
	uint64_t p = l->in_tail, end = readable_end(l);
	size_t n = 0;
	while (p < end) {
		bool line_end = canonical(l) && bit_get(l->eol, p);
		if (canonical(l) && bit_get(l->eof_marks, p)) {
			p++;
			break;
		}
		if (n == len)
			break;
		buf[n++] = l->in[p++ % LINE_INPUT_MAX];
		if (line_end)
			break;
	}
	*consume = p - l->in_tail;
	return n;
}

void line_consume(struct line *l, uint64_t count)
{
	l->in_tail += count;
	if (l->canon_head < l->in_tail)
		l->canon_head = l->in_tail;
}

void line_flush_input(struct line *l)
{
	l->in_tail = l->canon_head = l->in_head;
	l->literal_next = false;
}

void line_set_termios(struct line *l, const struct ktermios *t)
{
	bool was = canonical(l);
	l->termios = *t;
	if (was && !canonical(l))
		l->canon_head = l->in_head;
	if (!was && canonical(l) && l->in_head > l->in_tail) {
		/* what was typed before is one line, as if it had been ended by EOF's place */
		l->canon_head = l->in_head;
		bit_set(l->eol, l->in_head - 1, true);
	}
	if (!(t->iflag & IXON))
		l->stopped = false;
}

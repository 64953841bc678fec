/* SPDX-License-Identifier: BSD-2-Clause */
/* Text formatting: the part of printf's language that the kernel uses. Never writes past the buffer, always terminates it. */
#include <kernel/lib.h>

struct output { char *at, *last; };		/* last: place of the final NUL */
struct spec { bool left, zero, is_signed; int width, longs; unsigned base; };

static void output_char(struct output *o, char c)
{
	if (o->at < o->last)
		*o->at++ = c;
}

static void output_padded(struct output *o, const char *text, size_t len, const struct spec *s)
{
	size_t width = s->width > 0 ? (size_t)s->width : 0;
	size_t pad = width > len ? width - len : 0;

	for (; pad && !s->left; pad--)
		output_char(o, s->zero ? '0' : ' ');
	while (len--)
		output_char(o, *text++);
	for (; pad; pad--)
		output_char(o, ' ');
}

static void output_number(struct output *o, uint64_t v, const struct spec *s)
{
	char digits[24];
	size_t at = sizeof(digits);
	bool negative = s->is_signed && (int64_t)v < 0;

	if (negative)
		v = -v;
	do {
		digits[--at] = "0123456789abcdef"[v % s->base];
		v /= s->base;
	} while (v);
	if (negative)
		digits[--at] = '-';
	output_padded(o, digits + at, sizeof(digits) - at, s);
}

static const char *spec_parse(const char *f, struct spec *s, va_list *args)
{
	*s = (struct spec){ .base = 10 };
	for (; *f == '-' || *f == '0'; f++) {
		s->left |= *f == '-';
		s->zero |= *f == '0';
	}
	if (*f == '*') {
		s->width = va_arg(*args, int);
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		s->width = s->width * 10 + (*f - '0');
	for (; *f == 'l' || *f == 'z'; f++)
		s->longs++;
	return f;
}

static void output_spec(struct output *o, char kind, struct spec *s, va_list *args)
{
	const char *text;
	char c;

	switch (kind) {
	case 'd': case 'i':
		s->is_signed = true;
		output_number(o, (uint64_t)(s->longs ? va_arg(*args, long) : va_arg(*args, int)), s);
		return;
	case 'p':
		s->longs = 1;
		/* fall through */
	case 'x': case 'X':
		s->base = 16;
		/* fall through */
	case 'u':
		output_number(o, s->longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int), s);
		return;
	case 's':
		text = va_arg(*args, const char *);
		text = text ? text : "(null)";
		output_padded(o, text, strlen(text), s);
		return;
	case 'c':
		c = (char)va_arg(*args, int);
		output_padded(o, &c, 1, s);
		return;
	default:
		output_char(o, kind);
	}
}

size_t format_text(char *out, size_t size, const char *format, va_list args)
{
	struct output o = { out, out + size - 1 };
	struct spec s;
	va_list copy;

	va_copy(copy, args);
	for (; *format; format++) {
		if (*format != '%') {
			output_char(&o, *format);
			continue;
		}
		format = spec_parse(format + 1, &s, &copy);
		if (!*format)
			break;
		output_spec(&o, *format, &s, &copy);
	}
	va_end(copy);
	*o.at = 0;
	return (size_t)(o.at - out);
}

size_t format_string(char *out, size_t size, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	n = format_text(out, size, format, args);
	va_end(args);
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's log: a ring in memory, readable with KC_DIAGCTL as long as the machine runs, and the serial console until a terminal
 * driver takes the port over. Positions count bytes since boot, so that a reader notices what it lost.
 *
 * May be called from any context: text is added byte by byte without a lock; at worst two CPUs mix their lines in a panic.
 */
#include <abi/ksig.h>
#include <arch/clock.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/init.h>
#include <kernel/ipc.h>

enum { LOG_BYTES = 128 * 1024, LINE_BYTES = 256, MAX_READERS = 4, CATCH_UP_BYTES = 4096 };

static struct {
	char ring[LOG_BYTES];
	uint64_t end;			/* bytes ever written */
	uint64_t shown;			/* what the console has seen */
	bool console_off, inside_line;
	int level;
	endpoint_t readers[MAX_READERS];	/* 0: none */
} klog = { .level = LOG_INFO };
static HOT_DATA bool log_grown;		/* since readers were last told; apart, because each way out of the kernel looks at it */

void log_set_level(int level)
{
	klog.level = level;
}

bool log_is_debug(void) { return klog.level >= LOG_DEBUG; }

/* What was logged while a driver had the console: in a panic, its last part says why. */
static void log_catch_up(void)
{
	if (klog.end - klog.shown > CATCH_UP_BYTES)
		klog.shown = klog.end - CATCH_UP_BYTES;
	for (; klog.shown < klog.end; klog.shown++)
		arch_console_write(&klog.ring[klog.shown % LOG_BYTES], 1);
}

void log_set_console(bool on)
{
	if (!on && cmdline_is("console", "keep"))
		return;
	if (on && klog.console_off)
		log_catch_up();
	klog.console_off = !on;
}

static void log_put(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		klog.ring[klog.end++ % LOG_BYTES] = text[i];
	log_grown = true;
}

/* Lines in the ring begin with the time since boot, as people know it from dmesg; the console shows them bare. */
void log_write(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (!klog.inside_line) {
			uint64_t us = arch_now_ns() / 1000;
			char stamp[32];

			log_put(stamp, format_string(stamp, sizeof(stamp), "[%5lu.%06lu] ", us / 1000000, us % 1000000));
		}
		log_put(&text[i], 1);
		klog.inside_line = text[i] != '\n';
	}
	if (klog.console_off)
		return;
	arch_console_write(text, bytes);
	klog.shown = klog.end;
}

void log_line_begin(void)
{
	if (klog.inside_line)
		log_write("\n", 1);
}

static void log_formatted(const char *format, va_list args)
{
	char line[LINE_BYTES];
	size_t n = format_text(line, sizeof(line), format, args);

	log_write(line, n);
}

void log_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_formatted(format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	if (!log_is_debug())
		return;
	va_start(args, format);
	log_formatted(format, args);
	va_end(args);
}

size_t log_read(uint64_t *pos, char *to, size_t size)
{
	size_t n = 0;

	if (*pos > klog.end)
		*pos = klog.end;
	if (klog.end - *pos > LOG_BYTES)
		*pos = klog.end - LOG_BYTES;
	for (; n < size && *pos < klog.end; ++*pos)
		to[n++] = klog.ring[*pos % LOG_BYTES];
	return n;
}

err_t log_register(struct proc *p)
{
	log_forget(p);
	for (int i = 0; i < MAX_READERS; i++)
		if (!klog.readers[i]) {
			klog.readers[i] = p->endpoint;
			return 0;
		}
	return -ENOSPC;
}

void log_forget(struct proc *p)
{
	for (int i = 0; i < MAX_READERS; i++)
		if (klog.readers[i] == p->endpoint)
			klog.readers[i] = 0;
}

void log_flush_signal(void)
{
	if (likely(!log_grown))
		return;
	log_grown = false;
	for (int i = 0; i < MAX_READERS; i++) {
		struct proc *reader = proc_of_endpoint(klog.readers[i]);

		if (reader)
			notify_ksig(reader, KSIG_LOG);
	}
}

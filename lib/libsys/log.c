/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines. A line is put together on the stack and written by one call, so lines of different services do not mix. */
#include <abi/endpoint.h>
#include <abi/errno.h>
#include <abi/info.h>
#include <libsys/kcall.h>
#include <libsys/log.h>
#include <stdio.h>
#include <string.h>

enum { LOG_LINE_MAX = 512 };

static struct { char name[32]; int debug; } log_state = { .name = "service" };

void log_name_set(const char *name)
{
	snprintf(log_state.name, sizeof(log_state.name), "%s", name);
}

void log_debug_set(int on)
{
	log_state.debug = on;
}

static void log_write(const char *kind, const char *format, va_list args)
{
	char line[LOG_LINE_MAX];
	size_t n = (size_t)snprintf(line, sizeof(line), "%s: %s", log_state.name, kind);

	vsnprintf(line + n, sizeof(line) - n - 1, format, args);
	n = strlen(line);
	line[n++] = '\n';
	sys_diag_write(line, n);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write("", format, args);
	va_end(args);
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write("warning: ", format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	if (!log_state.debug)
		return;
	va_start(args, format);
	log_write("", format, args);
	va_end(args);
}

/* ---- refusals ---- */

enum { REFUSALS_REMEMBERED = 32 };
static struct { struct { endpoint_t who; const char *what; } last[REFUSALS_REMEMBERED]; unsigned next; } refusals;

static int refusal_was_told(endpoint_t who, const char *what)
{
	for (unsigned i = 0; i < REFUSALS_REMEMBERED; i++)
		if (refusals.last[i].who == who && refusals.last[i].what == what)
			return 1;
	return 0;
}

void log_refused(endpoint_t who, const char *what, int error)
{
	struct info_proc p = { .name = "?" };
	unsigned i;

	if (refusal_was_told(who, what))
		return;
	i = refusals.next++ % REFUSALS_REMEMBERED;
	refusals.last[i].who = who;
	refusals.last[i].what = what;
	sys_getinfo(GETINFO_PROC, &p, sizeof(p), (uint64_t)endpoint_slot(who), 0);
	log_info("refused %s of %.16s(%d): %s; more of these are not told", what, p.name, who, err_text(error));
}

void fail_stop(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write("fatal: ", format, args);
	va_end(args);
	sys_exit(EXIT_CHECK_FAILED);
}

const char *err_text(int error)
{
	switch (error < 0 ? -error : error) {
	case ERESTARTSYS: return "start it fresh";
	case EDEADSRCDST: return "the other process is dead";
	case EDEADEPT: return "the process named is dead";
	case ENOTREADY: return "the receiver is not ready";
	case ELOCKED: return "would deadlock";
	case ECALLDENIED: return "not permitted by the call or send mask";
	case ETRAPDENIED: return "IPC primitive not permitted";
	case EBADREQUEST: return "request unknown";
	case EBADCPU: return "no such processor";
	case ESOFTFAULT: return "memory not present";
	case EDONTREPLY: return "no reply wanted";
	default: return strerror(error < 0 ? -error : error);
	}
}

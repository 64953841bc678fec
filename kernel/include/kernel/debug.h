/* SPDX-License-Identifier: BSD-2-Clause */
/* Log, panic, the trace of refused requests and of the last messages. */
#pragma once
#include <abi/types.h>
#include <arch/console.h>
#include <kernel/lib.h>

struct priv;
struct proc;

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
void log_set_level(int level);
void log_set_console(bool on);		/* the serial line; panic switches it on again */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool log_is_debug(void);
void log_write(const char *text, size_t bytes);
void log_line_begin(void);		/* end a line that somebody left open */
void log_write_of(struct proc *p, const char *text, size_t bytes);	/* a process's words, limited: limit.c */
void log_limit_end(struct priv *v);	/* its owner ends */
/* Copies text from position *pos on; *pos is moved (also past text that was overwritten). Returns bytes copied. */
size_t log_read(uint64_t *pos, char *to, size_t size);
err_t log_register(struct proc *p);	/* gets KSIG_LOG for new text. ENOSPC */
void log_forget(struct proc *p);
void log_flush_signal(void);		/* called with the lock held when leaving the kernel */

/* A request that is refused: traced with caller and reason at debug level. That a service asked for what it has no right to is told at
 * the usual level, once for each kind. */
enum { REFUSED_PRIMITIVE = 61, REFUSED_SEND, REFUSED_DEADLOCK };	/* kinds; below: the kernel call's index */
void trace_refused(struct proc *caller, unsigned kind, const char *what, int64_t detail, err_t why);

enum { TRACE_ENTRIES = 64 };		/* a power of two */
struct trace_entry { endpoint_t from, to; uint32_t type, primitive; };
extern struct message_trace { struct trace_entry entry[TRACE_ENTRIES]; uint64_t next; /* = messages delivered since boot */ } message_trace;

static inline void trace_message(endpoint_t from, endpoint_t to, uint32_t type, uint32_t primitive)
{
	message_trace.entry[message_trace.next++ % TRACE_ENTRIES] = (struct trace_entry){ from, to, type, primitive };
}
size_t trace_text(char *out, size_t size);	/* the last messages */
void trace_dump(void);				/* to the log */

void debug_stack_trace(struct proc *p);		/* of a user-space process, to the log */

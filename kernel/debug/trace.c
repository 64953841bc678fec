/* SPDX-License-Identifier: BSD-2-Clause */
/* The last messages, kept in a ring for panics and GETINFO_IPCTRACE, and the report of refused requests. */
#include <abi/ipc.h>
#include <kernel/debug.h>
#include <kernel/proc.h>

HOT_DATA struct message_trace message_trace;

static const char *const primitive_names[] = { "send", "receive", "sendrec", "notify", "sendnb", "senda", "replyrec", "kcall" };

static const char *endpoint_name(endpoint_t e)
{
	struct proc *p = proc_of_endpoint(e);

	switch (e) {
	case EP_HARDWARE: return "HARDWARE";
	case EP_SYSTEM: return "SYSTEM";
	case EP_CLOCK: return "CLOCK";
	case EP_ASYNCM: return "ASYNCM";
	default: return p ? p->name : "?";
	}
}

static size_t trace_line(uint64_t i, char *out, size_t size)
{
	const struct trace_entry *e = &message_trace.entry[i % TRACE_ENTRIES];

	return format_string(out, size, "%-8s %s(%d) -> %s(%d) type %x\n", primitive_names[e->primitive & 7],
			endpoint_name(e->from), e->from,
		endpoint_name(e->to), e->to, e->type);
}

size_t trace_text(char *out, size_t size)
{
	uint64_t first = message_trace.next > TRACE_ENTRIES ? message_trace.next - TRACE_ENTRIES : 0;
	size_t n = 0;

	for (uint64_t i = first; i != message_trace.next && n + 100 < size; i++)
		n += trace_line(i, out + n, size - n);
	return n;
}

void trace_dump(void)
{
	enum { LINES = 32 };
	uint64_t first = message_trace.next > LINES ? message_trace.next - LINES : 0;
	char line[128];

	for (uint64_t i = first; i != message_trace.next; i++)
		log_write(line, trace_line(i, line, sizeof(line)));
}

void trace_refused(const struct proc *caller, const char *what, int64_t detail, err_t why)
{
	log_debug("kernel: refused %s (%ld) of %s(%d): error %d\n", what, (long)detail, caller->name, caller->endpoint, -why);
}
